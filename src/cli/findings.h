/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lint found, collected.
 */
#pragma once

#include "cli/json.h"

struct cli_findings {
	struct fwa_finding *list; /* owned */
	size_t n;
	size_t count[3]; /* by enum fwa_severity */
	bool complete;   /* false: out of memory on the way */
};

struct cli_findings cli_findings_of(const struct fwa_profile *profile);
void cli_findings_free(struct cli_findings *f);

#define cli_auto_findings __attribute__((cleanup(cli_findings_free)))

struct json_object *cli_json_findings(const struct cli_findings *f);
/* A table of those that are at least as severe as @least; nothing when there is none. */
void cli_print_findings(const struct cli *cli, const struct cli_findings *f,
			enum fwa_severity least);
/* "1 error, 2 warnings, 3 notes", or "no findings". */
void cli_findings_summary(const struct cli_findings *f, char *text, size_t size);
/* The device, or the file, in one line. */
void cli_print_subject(const struct cli *cli, const struct cli_subject *s);
