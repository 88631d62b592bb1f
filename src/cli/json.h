/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The objects of the JSON output. Each function returns a new object that the caller owns, most
 * often to hand it to json_object_object_add().
 */
#pragma once

#include <json-c/json_object.h>

#include "cli/cli.h"
#include "cli/subject.h"
#include "core/lint.h"

/* {"format_version":1,"verb":"..."} */
struct json_object *cli_json_begin(const struct cli *cli);
/* Prints @o and frees it. */
void cli_json_end(struct json_object *o);
/* The same in one line, as one of many. */
void cli_json_line(struct json_object *o);

/* A string, null for NULL or "". */
struct json_object *cli_json_text(const char *text);
struct json_object *cli_json_hex(const uint8_t *data, size_t len);
struct json_object *cli_json_effects(fwa_effects effects);
struct json_object *cli_json_attributes(uint32_t attributes);
struct json_object *cli_json_clause(unsigned int clause);
/* Adds "set", "opcode", "opcode_hex" and "name" to @o. */
void cli_json_add_command(struct json_object *o, unsigned int set, uint16_t opcode);

struct json_object *cli_json_source(const struct cli_subject *s);
struct json_object *cli_json_device(const struct cli_subject *s);
struct json_object *cli_json_finding(const struct fwa_finding *f);

/* What became of a command of @set, of whose answer @bytes came back. */
struct json_object *cli_json_outcome(unsigned int set, const struct fwa_gate_reply *r,
				     size_t bytes);

/* A decision, and what is needed to explain it. */
struct cli_verdict {
	struct fwa_decision decision;
	struct fwa_remedy remedy;
	struct fwa_decision last; /* what no remedy takes away; admits when there is nothing */
	bool stale;               /* the decision is the gate's own, made in another state */
	bool recorded;      /* and it is the journal's: what could be done then is not known now */
	const char *grant;  /* the name of the grant that admitted; may be empty */
	const char *ticket; /* its ticket; may be empty */
	const char *user;   /* for whom it was made */
	uint32_t entry;  /* of the subject's advisories: the first that counts; UINT32_MAX: none */
	size_t parts;    /* more than 1: @cmd is the first of so many */
	bool pinned;     /* the baseline is, as fwadmitd says: accepting does not help */
	char state[448]; /* what fwadmitd says of what is in the way; may be empty */
	const struct fwa_command *cmd;
	const struct fwa_contract *contract;
	const struct cli_subject *subject;
};

struct json_object *cli_json_decision(const struct cli *cli, const struct cli_verdict *v);
