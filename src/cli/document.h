/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Campaign and evidence documents (spec/EVIDENCE-FORMAT.md), as hostile as the device that they are about: a
 * document is bounded, parsed once, and each of its texts is made printable ASCII before anybody looks at it.
 *
 * What has another type than expected is as if it was not there.
 */
#pragma once

#include <json-c/json.h>

#include "base/bytes.h"
#include "base/error.h"
#include "core/effects.h"

#define CLI_DOCUMENT_MAX (64u * 1024 * 1024) /* bytes */
#define CLI_DOCUMENT_FINDINGS_MAX 256u
#define CLI_DOCUMENT_ID "fwadmit-"
#define CLI_DOCUMENT_ID_TEXT 25 /* "fwadmit-", 16 digits and the final NUL */

/* One object, of format_version 1; to be freed with json_object_put(). NULL with one line in @error. */
struct json_object *cli_document_parse(struct fwa_span text, char error[FWA_ERROR_LEN]);
/* The same, a campaign or evidence whose findings are what they should be. */
struct json_object *cli_document_read(struct fwa_span text, char error[FWA_ERROR_LEN]);
/* Whether evidence with this text has the digest that it says; false with one line in @error. */
bool cli_document_intact(struct fwa_span text, char error[FWA_ERROR_LEN]);
/* What makes @doc neither a campaign nor evidence that can be shown; NULL when nothing does. */
const char *cli_document_fault(struct json_object *doc);
/* Whether its "kind" is @kind. */
bool cli_document_is(struct json_object *doc, const char *kind);

/* Members of @o, which may be NULL. "" where there is no such text. */
const char *cli_doc_text(struct json_object *o, const char *key);
/* A number that is not negative; 0 where there is none. */
uint64_t cli_doc_number(struct json_object *o, const char *key);
bool cli_doc_flag(struct json_object *o, const char *key);
/* Whether it is there, and not null. */
bool cli_doc_has(struct json_object *o, const char *key);
struct json_object *cli_doc_object(struct json_object *o, const char *key);
struct json_object *cli_doc_list(struct json_object *o, const char *key);
/* Elements of @list, which may be NULL. */
size_t cli_doc_list_length(struct json_object *list);
struct json_object *cli_doc_list_object(struct json_object *list, size_t i);
const char *cli_doc_list_text(struct json_object *list, size_t i);
/* The names in a list; one that is no effect counts as `unknown`. */
fwa_effects cli_doc_effects(struct json_object *o, const char *key);
/* Pairs of hex digits in fresh memory, to be freed; NULL, and *ret_len 0, for no or other text. */
uint8_t *cli_doc_hex(struct json_object *o, const char *key, size_t *ret_len);
/* "set" and the number of "opcode" or "opcode_hex". False when they name no command. */
bool cli_doc_command(struct json_object *o, unsigned int *ret_set, uint16_t *ret_opcode);

/* The findings of a campaign, or the one of evidence: finding @i, NULL past the last. */
struct json_object *cli_document_finding(struct json_object *doc, size_t i);
size_t cli_document_findings(struct json_object *doc);
/* How many of them accuse. */
size_t cli_document_accusing(struct json_object *doc);
bool cli_finding_accuses(struct json_object *finding);

/* The id of evidence, fit to be a file's name. False when it is none. */
bool cli_document_id(struct json_object *doc, char id[CLI_DOCUMENT_ID_TEXT]);
/*
 * The text of the evidence file of a campaign's finding, as it is to be written; NULL when it has none. Its id, which
 * is fit to be a file's name, goes to @id.
 */
const char *cli_finding_evidence(struct json_object *finding, char id[CLI_DOCUMENT_ID_TEXT]);
