/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all families share: the command's name, its data, and that every option given has a meaning.
 */
#include "cli/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/number.h"
#include "base/util.h"
#include "cli/output.h"
#include "cli/parts.h"
#include "cli/text.h"

void cli_command_free(struct cli_command *c)
{
	free(c->payload);
	*c = (struct cli_command){ 0 };
}

/* --- the name ------------------------------------------------------------------------------- */

#define NAMES_MAX 640

/* The model's name that is most like @word, as COMMAND takes it, or NULL. */
static const char *similar(enum fwa_set set, bool nvme, const char *word, char text[64])
{
	const char *names[NAMES_MAX], *best;
	const struct fwa_model_command *row;
	size_t n = 0;

	for (size_t i = 0; (row = fwa_model_row(set, i)) && n < NAMES_MAX; i++)
		names[n++] = row->name;
	best = cli_suggest(word, names, n);
	if (best)
		return best;
	/* The commands of the other queue of an NVMe device have a prefix. */
	if (!nvme || set == FWA_SET_NVME_IO || !fwa_model_by_name(FWA_SET_NVME_IO, word))
		return NULL;
	snprintf(text, 64, "io:%.48s", word);
	return text;
}

static int unknown_command(const struct cli *cli, enum fwa_set set, bool nvme, const char *word)
{
	char text[64];
	const char *like = similar(set, nvme, word, text);

	if (like)
		return cli_fail(cli, CLI_USAGE, "%.64s: no such %s command; did you mean %s?", word,
				fwa_set_name(set), like);
	return cli_fail(cli, CLI_USAGE, "%.64s: no such %s command; give a name or an opcode %s",
			word, fwa_set_name(set), nvme ? "from 0x00 to 0xff" : "such as 0x4302");
}

int cli_command_name_read(const struct cli *cli, const struct cli_subject *s, const char *word,
			  struct cli_command *ret)
{
	bool nvme = cli_subject_is_nvme(s);
	enum fwa_set set = nvme ? FWA_SET_NVME_ADMIN : FWA_SET_CXL;
	uint64_t opcode;

	fwa_set_take_prefix(&word, &set);
	if (nvme != (set != FWA_SET_CXL))
		return cli_fail(cli, CLI_USAGE, "this device has no %s commands",
				fwa_set_name(set));
	ret->row = fwa_model_by_name(set, word);
	if (ret->row)
		opcode = ret->row->opcode;
	else if (!fwa_parse_number(word, nvme ? 0xff : 0xffff, &opcode))
		return unknown_command(cli, set, nvme, word);
	ret->cmd.set = (uint8_t)set;
	ret->cmd.opcode = (uint16_t)opcode;
	ret->row = fwa_model_find(set, ret->cmd.opcode);
	return CLI_OK;
}

/* --- data ----------------------------------------------------------------------------------- */

/* What goes in parts may be longer than a command. */
static size_t data_max(const struct cli_build *b)
{
	return cli_parts_can(&b->out->cmd) ? CLI_PARTS_DATA_MAX : FWA_COMMAND_DATA_MAX;
}

static int too_long(const struct cli_build *b, const char *where)
{
	return cli_fail(b->cli, CLI_USAGE,
			"%.64s: payload too long: a command takes at most %zu bytes", where,
			data_max(b));
}

static int read_hex(struct cli_build *b, const char *text)
{
	size_t cap = strlen(text) / 2;
	ssize_t n;

	if (cap > data_max(b))
		return too_long(b, "--hex");
	b->data = malloc(cap + 1);
	n = b->data ? cli_unhex(text, b->data, cap) : -1;
	if (n < 0)
		return cli_fail(b->cli, CLI_USAGE, "--hex=%.64s: not pairs of hex digits", text);
	b->data_len = (size_t)n;
	return CLI_OK;
}

static int read_data(struct cli_build *b)
{
	const char *input = b->cli->args.text[CLI_OPT_INPUT], *hex = b->cli->args.text[CLI_OPT_HEX];
	int r;

	if (input && hex)
		return cli_fail(b->cli, CLI_USAGE, "give --input or --hex, not both");
	b->has_data = input || hex;
	if (hex)
		return read_hex(b, hex);
	if (!input)
		return CLI_OK;
	r = fwa_read_file(input, data_max(b), &b->data, &b->data_len);
	if (r == -EFBIG)
		return too_long(b, input);
	if (r < 0)
		return cli_fail_file(b->cli, input, r);
	return CLI_OK;
}

/* --- for the families ----------------------------------------------------------------------- */

bool cli_build_takes(struct cli_build *b, enum cli_option_id id)
{
	b->used |= CLI_BIT(id);
	return cli_given(&b->cli->args, id);
}

const char *cli_build_name(const struct cli_build *b)
{
	return cli_command_name(b->out->cmd.set, b->out->cmd.opcode);
}

int cli_build_missing(const struct cli_build *b, enum cli_option_id id, uint64_t value,
		      uint64_t *ret)
{
	if (b->out->assume) {
		b->out->assumed = true;
		*ret = value;
		return CLI_OK;
	}
	return cli_fail(b->cli, CLI_USAGE, "%s needs --%s=%s: %s", cli_build_name(b),
			cli_options[id].name, cli_options[id].arg, cli_options[id].help);
}

/* Names of variants, each once; they come in order. */
static void list_names(const struct fwa_model_command *row, char *text, size_t size)
{
	const struct fwa_selector_table *t = row ? row->select : NULL;
	const char *last = "";
	size_t len = 0;

	text[0] = '\0';
	for (uint16_t i = 0; t && i < t->n_all; i++) {
		const char *name = t->all[i].name;

		if (!name || t->all[i].mask || strcmp(name, last) == 0 ||
		    len + strlen(name) + 8 > size)
			continue;
		len += (size_t)snprintf(text + len, size - len, "%s%s", len ? ", " : "", name);
		last = name;
	}
}

int cli_build_unnamed(const struct cli_build *b, enum cli_option_id id,
		      const struct fwa_model_command *row, const char *bad)
{
	char names[256];

	list_names(row, names, sizeof(names));
	if (bad)
		return cli_fail(b->cli, CLI_USAGE, "--%s=%.64s: none that is known; names are: %s",
				cli_options[id].name, bad, names);
	return cli_fail(b->cli, CLI_USAGE, "%s needs --%s=%s; names are: %s", cli_build_name(b),
			cli_options[id].name, cli_options[id].arg, names);
}

int cli_build_no_action(const struct cli_build *b)
{
	const struct fwa_operation_table *t = b->out->row->operations;
	char names[256] = "";
	size_t len = 0;

	for (uint8_t i = 0; i < t->n && len < sizeof(names); i++) {
		const struct fwa_operation *op = &t->all[i];

		if (op->floor & FWA_EFFECT_UNKNOWN)
			continue;
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%u %s",
					len ? ", " : "", op->first, op->name);
	}
	return cli_fail(b->cli, CLI_USAGE, "%s needs --action=N: %s", cli_build_name(b), names);
}

bool cli_build_selection(struct cli_build *b, uint64_t *ret, int *ret_code)
{
	static const char *const names[] = { "current", "default", "saved", "supported" };
	const char *text = b->cli->args.text[CLI_OPT_SELECTION];

	for (size_t i = 0; i < FWA_ARRAY_SIZE(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			*ret = i;
			return true;
		}
	}
	if (fwa_parse_number(text, 0xff, ret))
		return true;
	*ret_code = cli_fail(b->cli, CLI_USAGE,
			     "--selection=%.64s: not current, default, saved or a number", text);
	return false;
}

/* An option that means nothing for the command is a mistake worth stopping for. */
static int check_unused(const struct cli_build *b)
{
	cli_option_set unused = b->cli->args.given & CLI_SELECTORS & ~b->used;

	for (int i = 0; i < CLI_OPT_COUNT; i++) {
		if (unused & CLI_BIT(i))
			return cli_fail(b->cli, CLI_USAGE, "--%s means nothing for %s",
					cli_options[i].name, cli_build_name(b));
	}
	return CLI_OK;
}

int cli_build_zeroes(struct cli_build *b, size_t len)
{
	struct cli_command *c = b->out;
	uint8_t *more;

	if (!c->assume || b->has_data || c->cmd.payload.len >= len)
		return CLI_OK;
	more = realloc(c->payload, len);
	if (!more)
		return cli_fail(b->cli, CLI_FAILED, "out of memory");
	memset(more + c->cmd.payload.len, 0, len - c->cmd.payload.len);
	c->payload = more;
	c->cmd.payload = fwa_span(more, len);
	c->assumed = true;
	return CLI_OK;
}

int cli_command_read(const struct cli *cli, const struct cli_subject *s, const char *word,
		     struct cli_command *ret)
{
	struct cli_build b = { .cli = cli, .subject = s, .out = ret };
	int r;

	ret->cmd.scope = cli_given(&cli->args, CLI_OPT_SCOPE)
				 ? (uint8_t)cli->args.number[CLI_OPT_SCOPE]
				 : FWA_SCOPE_LEAST;
	r = cli_command_name_read(cli, s, word, ret);
	if (r == CLI_OK)
		r = read_data(&b);
	if (r == CLI_OK && cli_parts_can(&ret->cmd))
		cli_build_takes(&b, CLI_OPT_LENGTH);
	if (r == CLI_OK)
		r = ret->cmd.set == FWA_SET_CXL ? cli_build_cxl(&b) : cli_build_nvme(&b);
	if (r == CLI_OK)
		r = cli_build_zeroes(&b, ret->row ? ret->row->in_min : 0);
	if (r == CLI_OK)
		r = check_unused(&b);
	free(b.data);
	return r;
}
