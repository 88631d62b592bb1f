/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advisories (C33) as verbs that decide here have them: the table that the gate described, or in embedded
 * mode the one that its worker is given.
 */
#pragma once

#include "base/error.h"
#include "cli/cli.h"
#include "core/advisory.h"
#include "core/decide.h"

struct cli_subject;

struct cli_advised {
	uint8_t *encoded; /* owned; what the others view */
	struct fwa_advisories all;
	struct fwa_advice *advice; /* owned; NULL: there are none */
};

/* Copies @table and folds it for the subject's device. 0, -ENOMEM or -EPROTO when it is none. */
int cli_advised_take(struct cli_subject *s, struct fwa_span table);
void cli_advised_free(struct cli_advised *a);

/*
 * Puts what is said of @cmd into the subject's contract. The first entry that counts, to be found with
 * fwa_advisories_entry(); UINT32_MAX for none.
 */
uint32_t cli_advised_contract(struct cli_subject *s, const struct fwa_command *cmd);
/* Adds to @d, of an opcode whatever it selects, what is said of any of its forms. */
void cli_advised_opcode(const struct cli_subject *s, struct fwa_decision *d);

/* Calls @fn with each entry that is about the opcode, and has not ended. */
typedef void (*cli_advised_fn)(const struct fwa_advisory *e, void *userdata);
void cli_advised_each(const struct cli_subject *s, unsigned int set, uint16_t opcode,
		      cli_advised_fn fn, void *userdata);

#define CLI_ADVISED_TEXT 512
/* "advisory FWA-2026-0001 adds data (https://..)", what is cleaned; "an advisory adds data" without @entry. */
void cli_advised_text(const struct cli_subject *s, uint32_t entry, fwa_effects effects,
		      char text[CLI_ADVISED_TEXT]);
/* [{"id","reference","effects","never"}] of the opcode. */
struct json_object *cli_advised_json(const struct cli_subject *s, unsigned int set,
				     uint16_t opcode);

/*
 * Compiles the user's own store, and the machine's where it can be read, into a sealed memfd in *ret_fd. CLI_OK,
 * or CLI_FAILED with one line in @error: what was accepted and cannot be read is not left out in silence.
 */
int cli_advised_compile(const struct cli *cli, int *ret_fd, char error[FWA_ERROR_LEN]);
