/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One item of "commands = ...", from text to the terms of a filter (core/filter.h).
 *
 *	[!]COMMAND [[!]FIELD:VALUE[/FIELD:VALUE]...]...
 *
 * A name or an opcode without "cxl:", "admin:" or "io:" means what it means on the command line of
 * any device: a name each command that is called so, an opcode the mailbox's and the admin queue's.
 * Of these, the item is for those that have all of its fields.
 */
#include "host/policy-internal.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/util.h"
#include "base/uuid.h"

#define BLANKS " \t"

/* What an item is being made of. */
struct item {
	struct fwa_term command;
	const struct fwa_model_command *row; /* NULL: not in the model */
	const char *word;                    /* COMMAND as it is written */
	struct fwa_policy_filter *filter;
	char *error;
};

static int add(struct item *it, const struct fwa_term *t)
{
	struct fwa_policy_filter *f = it->filter;

	if (f->n == FWA_FILTER_TERMS_MAX)
		return fwa_fail(it->error, -EINVAL, "more than %u commands and fields in one grant",
				FWA_FILTER_TERMS_MAX);
	f->term[f->n++] = *t;
	return 0;
}

/* -1 when @field has no names, or none such. */
static int value_by_name(const struct fwa_model_command *row, unsigned int field, const char *name)
{
	switch (field) {
	case FWA_FIELD_LID:
	case FWA_FIELD_FID:
	case FWA_FIELD_CNS:
		return fwa_model_value_by_name(row, name);
	case FWA_FIELD_OP:
		return fwa_model_operation_by_name(row, name);
	default:
		return -1;
	}
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Fills the value of @t, whose kind is set. */
static int take_value(struct item *it, struct fwa_term *t, const char *text)
{
	uint32_t max = fwa_field_max(it->command.set, (uint16_t)it->command.value, t->kind);
	const char *name = fwa_field_name(t->kind);
	struct fwa_uuid uuid;
	const uint8_t *known;
	uint64_t number;
	int value;

	if (t->kind == FWA_FIELD_UUID) {
		known = fwa_model_uuid_by_name(it->row, text);
		if (!known && !fwa_uuid_parse(text, &uuid))
			return fwa_fail(it->error, -EINVAL,
					"'%s' is neither a UUID nor a name that %s knows", text,
					it->word);
		memcpy(t->uuid, known ? known : uuid.b, sizeof(t->uuid));
		return 0;
	}
	/* No name begins with a digit, and most values do. */
	value = is_digit(*text) ? -1 : value_by_name(it->row, t->kind, text);
	if (value >= 0)
		number = (uint64_t)value;
	else if (!fwa_parse_number(text, max, &number))
		return fwa_fail(it->error, -EINVAL, "'%s' is not a %s, which is a number up to %u",
				text, name, max);
	t->value = (uint32_t)number;
	return 0;
}

static unsigned int field_by_name(const char *name)
{
	for (unsigned int field = 1; field < FWA_FIELD_COUNT; field++)
		if (strcmp(fwa_field_name(field), name) == 0)
			return field;
	return 0;
}

/* "lid:7" in @text, which is taken apart, for a term with @flags. */
static int take_field(struct item *it, char *text, uint8_t flags)
{
	struct fwa_term t = { .flags = flags };
	char *value = strchr(text, ':');

	if (!value)
		return fwa_fail(it->error, -EINVAL,
				"'%s' is not FIELD:VALUE; commands are separated by commas", text);
	*value++ = '\0';
	t.kind = (uint8_t)field_by_name(text);
	if (!t.kind)
		return fwa_fail(it->error, -EINVAL,
				"unknown field '%s'; allowed: lid, lsp, lsi, fid, cns, nsid, slot, "
				"uuid, sel, sv, op",
				text);
	if (!fwa_opcode_has_field(it->command.set, (uint16_t)it->command.value, t.kind))
		return fwa_fail(it->error, -ENOENT, "command '%s' has no %s", it->word, text);
	return take_value(it, &t, value) < 0 ? -EINVAL : add(it, &t);
}

static bool has_twice(const struct fwa_policy_filter *f, size_t first)
{
	uint8_t kind = f->term[f->n - 1].kind;

	for (size_t i = first; i + 1 < f->n; i++)
		if (f->term[i].kind == kind)
			return true;
	return false;
}

/* "[!]lid:7/lsp:1": one group. */
static int take_group(struct item *it, char *text)
{
	uint8_t flags = *text == '!' ? FWA_TERM_NOT : 0;
	size_t first = it->filter->n;
	char *part, *rest = text + (flags ? 1 : 0);

	while ((part = strsep(&rest, "/"))) {
		int r = take_field(it, part, flags);

		if (r < 0)
			return r;
		if (has_twice(it->filter, first))
			return fwa_fail(it->error, -EINVAL, "field '%s' twice in one group", part);
		flags |= FWA_TERM_AND;
	}
	return 0;
}

/* The item for one command, which is set. -ENOENT when the command has not all of its fields. */
static int take_command(struct item *it, const char *groups)
{
	fwa_auto_free char *copy = strdup(groups);
	size_t before = it->filter->n;
	char *word, *save;
	int r = copy ? add(it, &it->command) : -ENOMEM;

	it->row = fwa_model_find(it->command.set, (uint16_t)it->command.value);
	word = r == 0 ? strtok_r(copy, BLANKS, &save) : NULL;
	for (; word && r == 0; word = strtok_r(NULL, BLANKS, &save))
		r = take_group(it, word);
	if (r < 0)
		it->filter->n = before;
	return r;
}

/* --- the command -------------------------------------------------------------------------------- */

/* What a word means in each command set. Policies repeat a few of them very often. */
struct meaning {
	bool known[FWA_SET_COUNT];
	uint32_t opcode[FWA_SET_COUNT];
	char word[];
};

static int meaning_order(const void *pa, const void *pb)
{
	const struct meaning *a = pa, *b = pb;

	return strcmp(a->word, b->word);
}

/* The opcode that @word, without its prefix, means in @set; false for none. */
static bool find_opcode(enum fwa_set set, bool prefixed, const char *word, uint32_t *ret)
{
	const struct fwa_model_command *row = fwa_model_by_name(set, word);
	uint64_t number;

	if (row) {
		*ret = row->opcode;
		return true;
	}
	if ((set == FWA_SET_NVME_IO && !prefixed) ||
	    !fwa_parse_number(word, set == FWA_SET_CXL ? 0xffff : 0xff, &number))
		return false;
	*ret = (uint32_t)number;
	return true;
}

static void look_up(struct meaning *m)
{
	const char *name = m->word;
	enum fwa_set only = FWA_SET_CXL;
	bool prefixed = fwa_set_take_prefix(&name, &only);

	for (unsigned int set = 0; set < FWA_SET_COUNT; set++)
		m->known[set] = (!prefixed || set == only) &&
				find_opcode(set, prefixed, name, &m->opcode[set]);
}

/* Looked up once; kept for as long as the names of users are. NULL: no memory. */
static const struct meaning *meaning_of(struct fwa_policy_names *names, const char *word)
{
	size_t len = strlen(word) + 1;
	fwa_auto_free struct meaning *m = calloc(1, sizeof(*m) + len);
	struct meaning **slot;

	if (!m)
		return NULL;
	memcpy(m->word, word, len);
	slot = tsearch(m, &names->commands, meaning_order);
	if (!slot)
		return NULL;
	if (*slot == m)
		look_up(fwa_steal(m));
	return *slot;
}

/* The item for each of the commands that @m stands for. */
static int take_commands(struct item *it, const struct meaning *m, const char *groups)
{
	bool found = false, taken = false;

	for (unsigned int set = 0; set < FWA_SET_COUNT; set++) {
		int r;

		if (!m->known[set])
			continue;
		it->command.set = (uint8_t)set;
		it->command.value = m->opcode[set];
		found = true;
		r = take_command(it, groups);
		if (r < 0 && r != -ENOENT)
			return r;
		taken |= r == 0;
	}
	if (!found)
		return fwa_fail(it->error, -EINVAL,
				"unknown command '%s'; give a name or an opcode such as 0x4302",
				it->word);
	return taken ? 0 : -EINVAL; /* take_field() said which field is missing */
}

int fwa_policy_parse_commands(struct fwa_policy_filter *filter, struct fwa_policy_names *names,
			      char *text, char error[FWA_ERROR_LEN])
{
	char *save, *word = strtok_r(text, BLANKS, &save);
	struct item it = { .filter = filter, .error = error };
	const struct meaning *m;

	if (word && *word == '!') {
		it.command.flags = FWA_TERM_NOT;
		word++;
	}
	if (!word || !*word)
		return fwa_fail(error, -EINVAL, "a command is missing");
	it.word = word;
	m = meaning_of(names, word);
	return m ? take_commands(&it, m, save) : -ENOMEM;
}
