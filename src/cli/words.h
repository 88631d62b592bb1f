/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Findings in words: their steps, answers and changes, for a terminal and for a report. All of it is printable
 * ASCII, from documents that cli_document_read() has read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

/*
 * "set-lsa (4103h) offset=16376 data=53414e4954495a45 (8 bytes)": what the model knows of the bytes by name, else the
 * bytes; of payloads at most @bytes. Fresh memory, NULL when there is none.
 */
char *cli_step_words(struct json_object *step, size_t bytes);
/* "success, 67 bytes", "no answer (ETIMEDOUT)"; "" for steps that are not answered. Fresh memory. */
char *cli_answer_words(struct json_object *step);
/* "lsa 16376, data" : what changed, and where. Fresh memory. */
char *cli_change_words(struct json_object *change);
/* "get-log (0401h) uuid=cel", "the declarations". Fresh memory. */
char *cli_accused_words(struct json_object *finding);
/* "valid: 43 of 43 commands". Fresh memory. */
char *cli_coverage_words(struct json_object *phase);
/* "1 breach and 2 notes". Fresh memory. */
char *cli_verdict_words(struct json_object *doc);
/* What a phase of a campaign is, for people; "" for one that is not known. */
const char *cli_phase_words(const char *phase);
/* "for 30s", "of 10000 commands", "without a limit"; fresh memory. */
char *cli_budget_words(struct json_object *doc);
