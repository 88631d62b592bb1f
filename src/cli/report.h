/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A report as one HTML page: no script, nothing from outside, every text escaped, the same bytes for the same
 * document.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

struct json_object;

/* The page of a document that cli_document_read() has read. Fresh memory, NULL when there is none. */
char *cli_report_page(struct json_object *doc);

/* --- between the report-*.c files ------------------------------------------------------------- */

/* @text, escaped for elements and for attributes in double quotes. */
void cli_html_text(FILE *out, const char *text);
/* The same, and frees it; NULL is nothing. */
void cli_html_take(FILE *out, char *text);
/* Digits in groups of three. */
void cli_html_number(FILE *out, uint64_t n);

extern const char cli_report_style[];

void cli_report_matrix(FILE *out, struct json_object *doc);
void cli_report_finding(FILE *out, struct json_object *finding, size_t number);
void cli_report_coverage(FILE *out, struct json_object *doc);
