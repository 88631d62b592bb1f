/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names and lines for people, shared by the text and the JSON output.
 */
#pragma once

#include <stdio.h>

#include "core/command.h"
#include "core/decide.h"
#include "core/lint.h"

#define CLI_EFFECTS_TEXT 384
#define CLI_OPCODE_TEXT 16

/* Makes @text, which came from outside, fit for JSON: bytes that are not UTF-8 become a '?'. */
void cli_utf8(char *text);
/* The same for a line of text on a terminal: control characters become a '?', too. */
void cli_one_line(char *text);
/* "4302h", "06h". */
void cli_opcode_hex(unsigned int set, uint16_t opcode, char text[CLI_OPCODE_TEXT]);
/* As COMMAND takes it: "4302h", "06h" (admin), "io:02h". */
void cli_opcode_word(unsigned int set, uint16_t opcode, char text[CLI_OPCODE_TEXT]);
/* "config data", "none" for no effects; those of @added are marked with a plus. */
const char *cli_effects_text(fwa_effects effects, fwa_effects added, const char *separator,
			     char text[CLI_EFFECTS_TEXT]);
/* "abort-supported scope-namespace", "-" for none. */
const char *cli_attributes_text(uint32_t attributes, char *text, size_t size);
/* The model's name, else "vendor-specific" or "unknown". */
const char *cli_command_name(unsigned int set, uint16_t opcode);
/* True for the opcodes that the specification leaves to the vendor. */
bool cli_is_vendor(unsigned int set, uint16_t opcode);
/* What the model calls the log, Feature, page or structure that @s of @row selects; NULL for no name. */
const char *cli_selector_name(const struct fwa_model_command *row, const struct fwa_selector *s);
/* The clause that says why a command needs its scope. */
unsigned int cli_need_clause(const struct fwa_decision *d);
/* "clear-poison (4302h)". */
void cli_command_text(unsigned int set, uint16_t opcode, char *text, size_t size);

#define CLI_FILTER_ITEM_TEXT 4096
/*
 * The item of @filter that begins at term @first, as a policy file has it. The index of the next
 * item, 0 when there was none.
 */
size_t cli_filter_item(struct fwa_span filter, size_t first, char text[CLI_FILTER_ITEM_TEXT]);

/* The finding's one line, without severity and command. */
void cli_finding_text(const struct fwa_finding *f, char *text, size_t size);

/*
 * 16 bytes a line with their ASCII; what is not printable is a dot, lines like the one before are one
 * asterisk. Ends with the length when the last lines were left out so.
 */
void cli_hex_dump(FILE *out, const uint8_t *data, size_t len);
