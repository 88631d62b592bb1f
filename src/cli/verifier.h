/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program fwadmit-verify, run once: it has the device, and this program has its one document.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct json_object;

#define CLI_VERIFIER_ARGS_MAX 40

struct cli_verifier {
	char *argv[CLI_VERIFIER_ARGS_MAX + 1]; /* owned; NULL-ended */
	size_t n;
	bool failed;              /* there was no memory for one of them */
	bool progress;            /* what it says goes to standard error while it runs */
	int status;               /* what it exited with; -1: it did not exit */
	char said[FWA_ERROR_LEN]; /* the last line that it said */
};

/* Appends "--NAME" and @value (NULL: none). */
void cli_verifier_add(struct cli_verifier *v, const char *name, const char *value);
__attribute__((format(printf, 3, 4))) void cli_verifier_addf(struct cli_verifier *v,
							     const char *name, const char *format,
							     ...);
void cli_verifier_free(struct cli_verifier *v);
#define cli_auto_verifier __attribute__((cleanup(cli_verifier_free)))

/*
 * Runs it to its end. 0 with its document, checked as far as cli_document_parse() does, in *ret, NULL when it
 * wrote none; negative errno with @error when it could not be run, or wrote what is no document.
 */
int cli_verifier_run(struct cli_verifier *v, struct json_object **ret, char error[FWA_ERROR_LEN]);
