/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nothing here allocates or prints, but for cli_hex_dump().
 */
#include "cli/text.h"

#include <string.h>

#include "base/uuid.h"
#include "core/model.h"
#include "core/reason.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

/* How many bytes of @s are one character of UTF-8 (RFC 3629), 0 for none. */
static size_t utf8_length(const unsigned char *s)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t n = s[0] < 0x80   ? 1
		   : s[0] < 0xc2 ? 0
		   : s[0] < 0xe0 ? 2
		   : s[0] < 0xf0 ? 3
		   : s[0] < 0xf5 ? 4
				 : 0;

	/* no second spelling of shorter characters, no surrogates, nothing over U+10FFFF */
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i < n; i++) {
		if (s[i] < (i == 1 ? low : 0x80) || s[i] > (i == 1 ? high : 0xbf))
			return 0;
	}
	return n;
}

void cli_utf8(char *text)
{
	while (*text) {
		size_t n = utf8_length((const unsigned char *)text);

		if (!n)
			*text = '?';
		text += n ? n : 1;
	}
}

void cli_one_line(char *text)
{
	cli_utf8(text);
	for (unsigned char *c = (unsigned char *)text; *c; c++) {
		/* in UTF-8, U+0080 to U+009F are control characters, too */
		if (*c < 0x20 || *c == 0x7f)
			*c = '?';
		else if (c[0] == 0xc2 && c[1] < 0xa0)
			c[0] = c[1] = '?';
	}
}

void cli_opcode_hex(unsigned int set, uint16_t opcode, char text[CLI_OPCODE_TEXT])
{
	snprintf(text, CLI_OPCODE_TEXT, set == FWA_SET_CXL ? "%04xh" : "%02xh", opcode);
}

void cli_opcode_word(unsigned int set, uint16_t opcode, char text[CLI_OPCODE_TEXT])
{
	snprintf(text, CLI_OPCODE_TEXT,
		 set == FWA_SET_CXL       ? "%04xh"
		 : set == FWA_SET_NVME_IO ? "io:%02xh"
					  : "%02xh",
		 opcode);
}

const char *cli_effects_text(fwa_effects effects, fwa_effects added, const char *separator,
			     char text[CLI_EFFECTS_TEXT])
{
	size_t len = 0;

	text[0] = '\0';
	for (unsigned int bit = 0; bit < FWA_EFFECT_COUNT && len < CLI_EFFECTS_TEXT; bit++) {
		if (!(effects >> bit & 1))
			continue;
		len += (size_t)snprintf(text + len, CLI_EFFECTS_TEXT - len, "%s%s%s",
					len ? separator : "", added >> bit & 1 ? "+" : "",
					fwa_effect_name(bit));
	}
	return effects ? text : "none";
}

const char *cli_attributes_text(uint32_t attributes, char *text, size_t size)
{
	size_t len = 0;

	snprintf(text, size, "-");
	for (unsigned int bit = 0; bit < FWA_ATTR_COUNT && len < size; bit++) {
		if (attributes >> bit & 1)
			len += (size_t)snprintf(text + len, size - len, "%s%s", len ? " " : "",
						fwa_attribute_name(bit));
	}
	return text;
}

bool cli_is_vendor(unsigned int set, uint16_t opcode)
{
	if (set == FWA_SET_CXL)
		return opcode >= CXL_OP_VENDOR_FIRST;
	return opcode >= (set == FWA_SET_NVME_IO ? 0x80 : 0xc0);
}

const char *cli_command_name(unsigned int set, uint16_t opcode)
{
	const struct fwa_model_command *row = fwa_model_find(set, opcode);

	if (row)
		return row->name;
	return cli_is_vendor(set, opcode) ? "vendor-specific" : "unknown";
}

const char *cli_selector_name(const struct fwa_model_command *row, const struct fwa_selector *s)
{
	const struct fwa_selector_table *t = row ? row->select : NULL;
	struct fwa_variant_slice slice = { 0, t ? t->n_all : 0 };

	if (t && t->by_value)
		slice = t->by_value[s->value];
	for (uint16_t i = slice.first; i < slice.first + slice.count; i++) {
		const struct fwa_variant *v = &t->all[i];

		/* by number, what is named with a condition on other bits is a special case of it */
		if (t->by_value ? !v->mask : s->uuid && fwa_uuid_eq(v->uuid, s->uuid))
			return v->name;
	}
	return NULL;
}

unsigned int cli_need_clause(const struct fwa_decision *d)
{
	/* of what is never sent, a part is refused because nobody knows what it does */
	if (d->need == FWA_NEED_NEVER && d->effects & FWA_EFFECT_UNKNOWN)
		return fwa_reason_clause(FWA_REASON_RESERVED_BITS);
	return fwa_need_clause(d->need);
}

void cli_command_text(unsigned int set, uint16_t opcode, char *text, size_t size)
{
	char word[CLI_OPCODE_TEXT];

	cli_opcode_word(set, opcode, word);
	snprintf(text, size, "%s (%s)", cli_command_name(set, opcode), word);
}

/* For these, the finding's bits are effects; for all others those of the raw declaration. */
static bool bits_are_effects(unsigned int code)
{
	return code == FWA_FINDING_UNDER_DECLARED || code == FWA_FINDING_OVER_DECLARED ||
	       code == FWA_FINDING_FEATURE_EFFECTS;
}

/* "lid:07h", "nsid:1", "uuid:..." with what leads to it. */
static size_t filter_field(const struct fwa_term *t, char *text, size_t size)
{
	char uuid[FWA_UUID_TEXT_LEN];
	const char *lead = t->flags & FWA_TERM_AND ? "/" : t->flags & FWA_TERM_NOT ? " !" : " ";
	const char *name = fwa_field_name(t->kind);

	if (t->kind == FWA_FIELD_UUID) {
		fwa_uuid_text(t->uuid, uuid);
		return (size_t)snprintf(text, size, "%s%s:%s", lead, name, uuid);
	}
	if (t->kind == FWA_FIELD_NSID || t->kind == FWA_FIELD_SLOT || t->kind == FWA_FIELD_SEL ||
	    t->kind == FWA_FIELD_SV)
		return (size_t)snprintf(text, size, "%s%s:%u", lead, name, t->value);
	return (size_t)snprintf(text, size, "%s%s:%02xh", lead, name, t->value);
}

size_t cli_filter_item(struct fwa_span filter, size_t first, char text[CLI_FILTER_ITEM_TEXT])
{
	const struct fwa_model_command *row;
	char opcode[CLI_OPCODE_TEXT];
	struct fwa_term t;
	size_t i = first, len;

	if (!fwa_filter_term(filter, i, &t))
		return 0;
	row = fwa_model_find(t.set, (uint16_t)t.value);
	cli_opcode_hex(t.set, (uint16_t)t.value, opcode);
	len = (size_t)snprintf(text, CLI_FILTER_ITEM_TEXT, "%s%s%s",
			       t.flags & FWA_TERM_NOT ? "!" : "", fwa_set_prefix(t.set),
			       row ? row->name : opcode);
	while (fwa_filter_term(filter, ++i, &t) && t.kind != FWA_TERM_COMMAND &&
	       len < CLI_FILTER_ITEM_TEXT)
		len += filter_field(&t, text + len, CLI_FILTER_ITEM_TEXT - len);
	return i;
}

void cli_finding_text(const struct fwa_finding *f, char *text, size_t size)
{
	static const uint8_t none[FWA_UUID_LEN];
	char effects[CLI_EFFECTS_TEXT], which[FWA_UUID_TEXT_LEN + 16] = "", bits[32] = "";
	char uuid[FWA_UUID_TEXT_LEN];
	const char *list = "";

	if (bits_are_effects(f->code))
		list = cli_effects_text(f->bits, 0, ", ", effects);
	else if (f->bits)
		snprintf(bits, sizeof(bits), " (bits %04xh)", f->bits);
	if (!fwa_uuid_eq(f->uuid, none)) {
		fwa_uuid_text(f->uuid, uuid);
		snprintf(which, sizeof(which), ", Feature %s", uuid);
	} else if (f->has_id) {
		snprintf(which, sizeof(which), ", %s %02xh",
			 f->opcode == NVME_OP_GET_LOG_PAGE ? "log page" : "feature", f->id);
	}
	snprintf(text, size, "%s%s%s%s%s", fwa_finding_text(f->code), bits, *list ? ": " : "", list,
		 which);
}

static void dump_line(FILE *out, size_t at, const uint8_t *line, size_t n)
{
	fprintf(out, "%06zx  ", at);
	for (size_t i = 0; i < 16; i++) {
		if (i < n)
			fprintf(out, "%02x ", line[i]);
		else
			fputs("   ", out);
		if (i == 7)
			fputc(' ', out);
	}
	fputs(" |", out);
	for (size_t i = 0; i < n; i++)
		fputc(line[i] >= 0x20 && line[i] < 0x7f ? line[i] : '.', out);
	fputs("|\n", out);
}

void cli_hex_dump(FILE *out, const uint8_t *data, size_t len)
{
	bool squeezed = false;

	for (size_t at = 0; at < len; at += 16) {
		size_t n = len - at < 16 ? len - at : 16;
		bool again = at && n == 16 && memcmp(data + at, data + at - 16, 16) == 0;

		if (again && !squeezed)
			fputs("*\n", out);
		if (!again)
			dump_line(out, at, data + at, n);
		squeezed = again;
	}
	if (squeezed)
		fprintf(out, "%06zx\n", len);
}
