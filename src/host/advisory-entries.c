/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the products and commands of a document to entries of a table: one for each product and command.
 * Commands are in the words of policy files, and read by their reader.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/util.h"
#include "host/advisory-internal.h"
#include "host/policy-internal.h"

#define PRODUCTS_MAX 256
#define PATTERN_MAX 127
#define REVISION_MAX (FWA_TEXT_MAX - 1)
#define WORDS_MAX 1024

static const struct fwa_json_field product_fields[] = {
	{ "family", json_type_string, .required = true, 1, 16 },
	{ "vendor", json_type_string, .required = false, 0, PATTERN_MAX },
	{ "model", json_type_string, .required = false, 0, PATTERN_MAX },
	{ "firmware", json_type_object, .required = false },
};

static const struct fwa_json_field firmware_fields[] = {
	{ "from", json_type_string, .required = false, 0, REVISION_MAX },
	{ "to", json_type_string, .required = false, 0, REVISION_MAX },
};

static const struct fwa_json_field command_fields[] = {
	{ "command", json_type_string, .required = false, 1, 64 },
	{ "set", json_type_string, .required = false, 1, 16 },
	{ "opcode", json_type_string, .required = false, 1, 16 },
	{ "selector", json_type_string, .required = false, 0, WORDS_MAX },
	{ "effects", json_type_array, .required = false, 1, FWA_EFFECT_COUNT },
	{ "never", json_type_boolean, .required = false },
};

#define WHERE_MAX 32
#define wrong(where, ...) fail_at(error, where, __VA_ARGS__)

/* "commands[3]: ..." */
__attribute__((format(printf, 3, 4))) static int fail_at(char *error, const char *where,
							 const char *format, ...)
{
	char text[FWA_ERROR_LEN];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	return fwa_fail(error, -EBADMSG, "%s: %.200s", where, text);
}

/* --- memory ----------------------------------------------------------------------------------- */

/* Fresh memory of @e's; NULL: none. */
static void *keep(struct fwa_advisory_entries *e, const void *data, size_t len)
{
	void *copy;

	if (fwa_policy_grow(&e->blocks, sizeof(*e->blocks), e->n_blocks, 1, &e->cap_blocks) < 0)
		return NULL;
	copy = malloc(len ? len : 1);
	if (!copy)
		return NULL;
	memcpy(copy, data, len);
	e->blocks[e->n_blocks++] = copy;
	return copy;
}

/* False, and @ret untouched, when there is no memory. */
static bool keep_text(struct fwa_advisory_entries *e, const char *text, const char **ret)
{
	const char *copy = *text ? keep(e, text, strlen(text) + 1) : "";

	if (copy)
		*ret = copy;
	return copy != NULL;
}

void fwa_advisory_entries_clear(struct fwa_advisory_entries *e)
{
	for (size_t i = 0; i < e->n_blocks; i++)
		free(e->blocks[i]);
	free(e->blocks);
	free(e->all);
	*e = (struct fwa_advisory_entries){ 0 };
}

/* --- products --------------------------------------------------------------------------------- */

static uint8_t family_by_name(const char *name)
{
	for (uint8_t f = FWA_FAMILY_NONE + 1; f < FWA_FAMILY_COUNT; f++)
		if (strcmp(fwa_family_name(f), name) == 0)
			return f;
	return FWA_FAMILY_NONE;
}

static int take_firmware(json_object *firmware, const char *where, const char **ret_from,
			 const char **ret_to, char *error)
{
	char inner[WHERE_MAX + 16];

	*ret_from = *ret_to = "";
	if (!firmware)
		return 0;
	snprintf(inner, sizeof(inner), "%s.firmware", where);
	if (fwa_json_check(firmware, inner, firmware_fields, FWA_ARRAY_SIZE(firmware_fields),
			   error) < 0)
		return -EBADMSG;
	*ret_from = fwa_json_text(firmware, "from");
	*ret_to = fwa_json_text(firmware, "to");
	if (**ret_from && **ret_to && fwa_version_compare(*ret_from, *ret_to) > 0)
		return wrong(inner, "no revision is from '%s' to '%s'", *ret_from, *ret_to);
	return 0;
}

/* The part of an entry that a product says. */
static int take_product(struct fwa_advisory_entries *e, json_object *product, const char *where,
			struct fwa_advisory *ret, char *error)
{
	const char *from, *to;

	if (fwa_json_check(product, where, product_fields, FWA_ARRAY_SIZE(product_fields), error) <
	    0)
		return -EBADMSG;
	ret->family = family_by_name(fwa_json_text(product, "family"));
	if (!ret->family)
		return wrong(where, "no family is called '%s'; there are cxl, nvme, fwctl, sim",
			     fwa_json_text(product, "family"));
	if (take_firmware(json_object_object_get(product, "firmware"), where, &from, &to, error) <
	    0)
		return -EBADMSG;
	if (!keep_text(e, fwa_json_text(product, "vendor"), &ret->vendor) ||
	    !keep_text(e, fwa_json_text(product, "model"), &ret->model) ||
	    !keep_text(e, from, &ret->firmware_from) || !keep_text(e, to, &ret->firmware_to))
		return fwa_fail(error, -ENOMEM, "out of memory");
	return 0;
}

/* --- commands --------------------------------------------------------------------------------- */

/* The command as a policy file has it, without its selector. */
static int command_word(json_object *command, const char *where, char word[WORDS_MAX], char *error)
{
	const char *name = fwa_json_text(command, "command");
	const char *set = fwa_json_text(command, "set"), *opcode = fwa_json_text(command, "opcode");
	uint64_t number;

	if (*name ? *set || *opcode : !*set || !*opcode)
		return wrong(where, "not either a command, or a set and an opcode");
	if (*name) {
		snprintf(word, WORDS_MAX, "%s", name);
		return strpbrk(name, " ,!") ? wrong(where, "'%s' is not one command", name) : 0;
	}
	for (unsigned int s = 0; s < FWA_SET_COUNT; s++) {
		if (strcmp(fwa_set_name(s), set) != 0)
			continue;
		if (!fwa_parse_number(opcode, s == FWA_SET_CXL ? 0xffff : 0xff, &number))
			return wrong(where, "'%s' is no opcode of %s", opcode, set);
		snprintf(word, WORDS_MAX, "%s%s", fwa_set_prefix(s), opcode);
		return 0;
	}
	return wrong(where, "no set is called '%s'; there are cxl, nvme-admin, nvme-io", set);
}

static int take_filter(struct fwa_advisory_entries *e, struct fwa_policy_names *names,
		       json_object *command, const char *where, struct fwa_span *ret, char *error)
{
	char word[WORDS_MAX], text[2 * WORDS_MAX + 2], why[FWA_ERROR_LEN] = "";
	uint8_t encoded[FWA_FILTER_TERMS_MAX * FWA_TERM_LEN];
	struct fwa_writer w = fwa_writer(encoded, sizeof(encoded));
	struct fwa_policy_filter filter = { .n = 0 };
	int r = command_word(command, where, word, error);

	if (r < 0)
		return r;
	snprintf(text, sizeof(text), "%s %s", word, fwa_json_text(command, "selector"));
	r = fwa_policy_parse_commands(&filter, names, text, why);
	if (r < 0)
		return r == -ENOMEM ? fwa_fail(error, r, "out of memory") : wrong(where, "%s", why);
	for (size_t i = 0; i < filter.n; i++)
		fwa_filter_write_term(&w, &filter.term[i]);
	ret->data = keep(e, encoded, w.len);
	ret->len = w.len;
	return ret->data ? 0 : fwa_fail(error, -ENOMEM, "out of memory");
}

static int take_effects(json_object *command, const char *where, struct fwa_advisory *ret,
			char *error)
{
	json_object *list;
	size_t n = fwa_json_items(command, "effects", &list);

	ret->never = json_object_get_boolean(json_object_object_get(command, "never"));
	if (!n == !ret->never)
		return wrong(where, "not either effects, or never");
	for (size_t i = 0; i < n; i++) {
		json_object *item = json_object_array_get_idx(list, i);
		const char *name = json_object_is_type(item, json_type_string)
					   ? json_object_get_string(item)
					   : "";
		fwa_effects effect = fwa_effect_by_name(name, strlen(name));

		/* What nobody understands is "never". */
		if (!effect || effect == FWA_EFFECT_UNKNOWN || ret->effects & effect)
			return wrong(where,
				     "'%.40s' is no effect that can be added, or is there "
				     "twice",
				     name);
		ret->effects |= effect;
	}
	return 0;
}

/* Whether a device of @family can have a command of @set. */
static bool family_has(unsigned int family, unsigned int set)
{
	if (family == FWA_FAMILY_SIM)
		return true;
	return (family == FWA_FAMILY_NVME) == (set != FWA_SET_CXL);
}

/* An entry that no device could meet is a mistake of who wrote it. */
static bool can_apply(const struct fwa_advisory *entry)
{
	struct fwa_term t;

	for (size_t i = 0; fwa_filter_term(entry->filter, i, &t); i++)
		if (t.kind == FWA_TERM_COMMAND && family_has(entry->family, t.set))
			return true;
	return false;
}

/* --- both ------------------------------------------------------------------------------------- */

/* The part of the entries that the document says; and its products. */
static int take_products(struct fwa_advisory_entries *e, json_object *doc, uint64_t until,
			 struct fwa_advisory all[PRODUCTS_MAX], size_t *ret_n, char *error)
{
	struct fwa_advisory common = { .until = until };
	json_object *list;
	char where[WHERE_MAX];

	*ret_n = fwa_json_items(doc, "products", &list);
	if (*ret_n > PRODUCTS_MAX)
		return fwa_fail(error, -EBADMSG, "products: too many");
	if (!keep_text(e, fwa_json_text(doc, "id"), &common.id) ||
	    !keep_text(e, fwa_json_text(doc, "reference"), &common.reference))
		return fwa_fail(error, -ENOMEM, "out of memory");
	for (size_t i = 0; i < *ret_n; i++) {
		int r;

		snprintf(where, sizeof(where), "products[%zu]", i);
		all[i] = common;
		r = take_product(e, json_object_array_get_idx(list, i), where, &all[i], error);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add(struct fwa_advisory_entries *e, const struct fwa_advisory *entry, char *error)
{
	if (e->n == FWA_ADVISORIES_MAX)
		return fwa_fail(error, -E2BIG, "more than %u products and commands together",
				FWA_ADVISORIES_MAX);
	if (fwa_policy_grow(&e->all, sizeof(*e->all), e->n, 1, &e->cap) < 0)
		return fwa_fail(error, -ENOMEM, "out of memory");
	e->all[e->n++] = *entry;
	return 0;
}

static int add_command(struct fwa_advisory_entries *e, struct fwa_policy_names *names,
		       json_object *command, const char *where, const struct fwa_advisory *products,
		       size_t n, char *error)
{
	struct fwa_advisory said = { 0 };
	int r = fwa_json_check(command, where, command_fields, FWA_ARRAY_SIZE(command_fields),
			       error);

	if (r == 0)
		r = take_effects(command, where, &said, error);
	if (r == 0)
		r = take_filter(e, names, command, where, &said.filter, error);
	for (size_t i = 0; i < n && r == 0; i++) {
		struct fwa_advisory entry = products[i];

		entry.never = said.never;
		entry.effects = said.effects;
		entry.filter = said.filter;
		if (!can_apply(&entry))
			return wrong(where, "no device of family %s has it",
				     fwa_family_name(entry.family));
		r = add(e, &entry, error);
	}
	return r;
}

int fwa_advisory_add_entries(struct fwa_advisory_entries *e, json_object *doc, uint64_t until,
			     char error[FWA_ERROR_LEN])
{
	fwa_auto_free struct fwa_advisory *products = calloc(PRODUCTS_MAX, sizeof(*products));
	struct fwa_policy_names names = { 0 };
	size_t before = e->n, n_products, n;
	json_object *commands;
	int r;

	if (!products)
		return fwa_fail(error, -ENOMEM, "out of memory");
	r = take_products(e, doc, until, products, &n_products, error);
	n = fwa_json_items(doc, "commands", &commands);
	for (size_t i = 0; i < n && r == 0; i++) {
		char where[WHERE_MAX];

		snprintf(where, sizeof(where), "commands[%zu]", i);
		r = add_command(e, &names, json_object_array_get_idx(commands, i), where, products,
				n_products, error);
	}
	fwa_policy_names_clear(&names);
	if (r < 0)
		e->n = before;
	return r;
}

int fwa_advisory_entries_encode(const struct fwa_advisory_entries *e, const uint8_t digest[32],
				uint8_t **ret, size_t *ret_len)
{
	size_t cap = FWA_ADVISORIES_HEADER_LEN + e->n * FWA_ADVISORIES_ENTRY_LEN;
	struct fwa_writer w;
	uint8_t *buf;

	for (size_t i = 0; i < e->n; i++) {
		const struct fwa_advisory *a = &e->all[i];

		cap += a->filter.len + strlen(a->id) + strlen(a->vendor) + strlen(a->model) +
		       strlen(a->firmware_from) + strlen(a->firmware_to) + strlen(a->reference) + 6;
	}
	buf = malloc(cap);
	if (!buf)
		return -ENOMEM;
	w = fwa_writer(buf, cap);
	fwa_advisories_write(&w, e->all, (uint32_t)e->n, digest);
	if (w.full) {
		free(buf);
		return -E2BIG;
	}
	*ret = buf;
	*ret_len = w.len;
	return 0;
}
