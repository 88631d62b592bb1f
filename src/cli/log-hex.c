/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/log-hex.h"

#include <stdio.h>

#include "base/util.h"
#include "cli/log-time.h"

#define WORDS 128
#define REST SIZE_MAX /* all that is left */

/* --- lines -------------------------------------------------------------------------------------- */

static void print_bytes(size_t at, const uint8_t *data, size_t len, size_t columns)
{
	printf("%06zx  ", at);
	for (size_t i = 0; i < columns || i < len; i++) {
		if (i < len)
			printf("%02x ", data[i]);
		else
			fputs("   ", stdout);
	}
}

static void hex_line(size_t at, const uint8_t *data, size_t len, const char *what)
{
	print_bytes(at, data, len, 8);
	printf(" %s\n", what);
}

/* Bytes that are no number, with what can be read of them. */
static void hex_block(size_t at, const uint8_t *data, size_t len, const char *what)
{
	for (size_t i = 0; i < len; i += 16) {
		size_t n = len - i < 16 ? len - i : 16;

		print_bytes(at + i, data + i, n, 16);
		fputs(" |", stdout);
		for (size_t j = i; j < i + n; j++)
			putchar(data[j] >= 0x20 && data[j] < 0x7f ? data[j] : '.');
		printf("|%s%s\n", i ? "" : " ", i ? "" : what);
	}
}

/* --- bodies ------------------------------------------------------------------------------------- */

/* A field that each body of its kind has. Up to 8 bytes are a number: decimal, or a set of bits. */
enum how {
	DECIMAL,
	BITS,
	BYTES,
};
struct field {
	uint8_t kind, len;
	const char *name;
	enum how how;
};

static const struct field fields[] = {
	{ FWA_RECORD_START, 16, "boot id", DECIMAL },
	{ FWA_RECORD_START, 8, "CLOCK_BOOTTIME", DECIMAL },
	{ FWA_RECORD_START, 8, "first record that could not be read", DECIMAL },
	{ FWA_RECORD_START, 8, "offset of what was cut", DECIMAL },
	{ FWA_RECORD_START, 8, "bytes that were cut", DECIMAL },
	{ FWA_RECORD_START, 32, "hash of what was cut", DECIMAL },
	{ FWA_RECORD_START, 1, "length of the text", DECIMAL },
	{ FWA_RECORD_CHECKPOINT, 8, "statement", BYTES },
	{ FWA_RECORD_CHECKPOINT, 16, "id of the journal", DECIMAL },
	{ FWA_RECORD_CHECKPOINT, 8, "number of this record", DECIMAL },
	{ FWA_RECORD_CHECKPOINT, 8, "its time", DECIMAL },
	{ FWA_RECORD_CHECKPOINT, 8, "first record of the tree", DECIMAL },
	{ FWA_RECORD_CHECKPOINT, 32, "head: hash of the record before", DECIMAL },
	{ FWA_RECORD_CHECKPOINT, 32, "root of the tree", DECIMAL },
	{ FWA_RECORD_CHECKPOINT, 32, "public key", DECIMAL },
	{ FWA_RECORD_CHECKPOINT, 64, "signature of the statement", DECIMAL },
	{ FWA_RECORD_CHECKPOINT, 1, "why", DECIMAL },
	{ FWA_RECORD_CHECKPOINT, 1, "zero", DECIMAL },
	{ FWA_RECORD_CHECKPOINT, 2, "sources", DECIMAL },
	{ FWA_RECORD_CHECKPOINT, 4, "open decisions", DECIMAL },
	{ FWA_RECORD_RETIRED, 8, "first record of the segment", DECIMAL },
	{ FWA_RECORD_RETIRED, 8, "last one", DECIMAL },
	{ FWA_RECORD_RETIRED, 8, "bytes", DECIMAL },
	{ FWA_RECORD_RETIRED, 32, "hash of the last one", DECIMAL },
	{ FWA_RECORD_CLOCK, 8, "CLOCK_REALTIME that was expected", DECIMAL },
	{ FWA_RECORD_CLOCK, 8, "that was found", DECIMAL },
	{ FWA_RECORD_SOURCE, 16, "random id", DECIMAL },
	{ FWA_RECORD_SOURCE, 8, "counter under the writer before", DECIMAL },
	{ FWA_RECORD_SOURCE, 4, "pid", DECIMAL },
	{ FWA_RECORD_SOURCE, 4, "uid", DECIMAL },
	{ FWA_RECORD_SOURCE, 1, "kind of source", DECIMAL },
	{ FWA_RECORD_SOURCE, 1, "length of the device's name", DECIMAL },
	{ FWA_RECORD_SOURCE, 1, "length of what it was opened as", DECIMAL },
	{ FWA_RECORD_SOURCE_END, 4, "how", DECIMAL },
	{ FWA_RECORD_SOURCE_END, 4, "decisions that are unknown now", DECIMAL },
	{ FWA_RECORD_OBJECT, 32, "what records call it", DECIMAL },
	{ FWA_RECORD_OBJECT, 32, "hash of the stored bytes", DECIMAL },
	{ FWA_RECORD_OBJECT, 1, "kind of object", DECIMAL },
	{ FWA_RECORD_OBJECT, 1, "length of the text", DECIMAL },
	{ FWA_RECORD_DECISION, 2, "flags", BITS },
	{ FWA_RECORD_DECISION, 1, "reason", DECIMAL },
	{ FWA_RECORD_DECISION, 1, "detail", DECIMAL },
	{ FWA_RECORD_DECISION, 1, "need", DECIMAL },
	{ FWA_RECORD_DECISION, 1, "scope required", DECIMAL },
	{ FWA_RECORD_DECISION, 1, "scope asked for, resolved", DECIMAL },
	{ FWA_RECORD_DECISION, 1, "scope asked for", DECIMAL },
	{ FWA_RECORD_DECISION, 1, "command set", DECIMAL },
	{ FWA_RECORD_DECISION, 1, "mode", DECIMAL },
	{ FWA_RECORD_DECISION, 2, "opcode", BITS },
	{ FWA_RECORD_DECISION, 1, "quarantine", DECIMAL },
	{ FWA_RECORD_DECISION, 1, "transfer of a Feature", DECIMAL },
	{ FWA_RECORD_DECISION, 1, "the journal's state", DECIMAL },
	{ FWA_RECORD_DECISION, 1, "zero", DECIMAL },
	{ FWA_RECORD_DECISION, 8, "time of the decision (boot clock)", DECIMAL },
	{ FWA_RECORD_DECISION, 4, "declaration", BITS },
	{ FWA_RECORD_DECISION, 4, "attributes", BITS },
	{ FWA_RECORD_DECISION, 4, "effects declared", BITS },
	{ FWA_RECORD_DECISION, 4, "effects of the floor", BITS },
	{ FWA_RECORD_DECISION, 4, "effects of an advisory", BITS },
	{ FWA_RECORD_DECISION, 4, "effects of the advisory in force", BITS },
	{ FWA_RECORD_DECISION, 4, "length of the payload", DECIMAL },
	{ FWA_RECORD_DECISION, 4, "longest reply", DECIMAL },
	{ FWA_RECORD_DECISION, 4, "uid", DECIMAL },
	{ FWA_RECORD_DECISION, 4, "gid", DECIMAL },
	{ FWA_RECORD_DECISION, 4, "pid", DECIMAL },
	{ FWA_RECORD_DECISION, 1, "judged bytes", DECIMAL },
	{ FWA_RECORD_DECISION, 1, "groups", DECIMAL },
	{ FWA_RECORD_DECISION, 1, "length of the unit", DECIMAL },
	{ FWA_RECORD_DECISION, 1, "length of the program's name", DECIMAL },
	{ FWA_RECORD_DECISION, 1, "length of the grant's name", DECIMAL },
	{ FWA_RECORD_DECISION, 3, "zero", BITS },
	{ FWA_RECORD_DECISION, 32, "hash of the profile", DECIMAL },
	{ FWA_RECORD_DECISION, 32, "digest of the policy", DECIMAL },
	{ FWA_RECORD_OUTCOME, 8, "counter of the decision", DECIMAL },
	{ FWA_RECORD_OUTCOME, 8, "duration, ns", DECIMAL },
	{ FWA_RECORD_OUTCOME, 4, "the device's code", BITS },
	{ FWA_RECORD_OUTCOME, 4, "the device's result", BITS },
	{ FWA_RECORD_OUTCOME, 4, "errno of the transport", DECIMAL },
	{ FWA_RECORD_OUTCOME, 4, "length of the reply", DECIMAL },
	{ FWA_RECORD_OUTCOME, 4, "outcome", DECIMAL },
	{ FWA_RECORD_CONTEXT, 32, "hash of the profile", DECIMAL },
	{ FWA_RECORD_CONTEXT, 32, "digest of the policy", DECIMAL },
	{ FWA_RECORD_CONTEXT, 2, "length of the text", DECIMAL },
	{ FWA_RECORD_CONTROL, 4, "uid", DECIMAL },
	{ FWA_RECORD_CONTROL, 4, "pid", DECIMAL },
	{ FWA_RECORD_CONTROL, 2, "act", DECIMAL },
	{ FWA_RECORD_CONTROL, 2, "length of the device's name", DECIMAL },
	{ FWA_RECORD_CONTROL, 2, "length of the text", DECIMAL },
	{ FWA_RECORD_UNRECORDED, 8, "refusals", DECIMAL },
	{ FWA_RECORD_UNRECORDED, 8, "commands without effects", DECIMAL },
	{ FWA_RECORD_UNRECORDED, 8, "time of the first", DECIMAL },
	{ FWA_RECORD_UNRECORDED, 8, "time of the last", DECIMAL },
};

/* What of the body has not been printed yet. */
struct walk {
	const uint8_t *body;
	size_t len, at;
};

static void part(struct walk *w, size_t len, const char *name)
{
	size_t n = len < w->len - w->at ? len : w->len - w->at;

	hex_block(FWA_FRAME_LEN + w->at, w->body + w->at, n, name);
	w->at += n;
}

static void number(struct walk *w, size_t len, const char *name, bool bits)
{
	uint64_t value = 0;
	char text[WORDS];

	for (size_t i = len; i-- > 0;)
		value = value << 8 | w->body[w->at + i];
	snprintf(text, sizeof(text), bits ? "%s: %llxh" : "%s: %llu", name,
		 (unsigned long long)value);
	hex_line(FWA_FRAME_LEN + w->at, w->body + w->at, len, text);
	w->at += len;
}

static void fixed_part(struct walk *w, unsigned int kind)
{
	for (size_t i = 0; i < FWA_ARRAY_SIZE(fields); i++) {
		if (fields[i].kind != kind || fields[i].len > w->len - w->at)
			continue;
		if (fields[i].len <= 8 && fields[i].how != BYTES)
			number(w, fields[i].len, fields[i].name, fields[i].how == BITS);
		else
			part(w, fields[i].len, fields[i].name);
	}
}

static void decision_parts(struct walk *w)
{
	const uint8_t *b = w->body;
	unsigned int flags = fwa_le16(b);
	bool payload = flags & (1u << 8);

	part(w, fwa_le32(b + 48) ? FWA_HASH_LEN : 0, "hash of the payload");
	part(w, flags & (1u << 4) ? FWA_HASH_LEN : 0, "hash of the accepted declarations");
	part(w, flags & (1u << 5) ? 28 : 0, "nsid, CDW10 to CDW15");
	part(w, flags & (1u << 6) ? 8 : 0, "rights that are used up");
	part(w, flags & (1u << 7) ? 16 : 0, "UUID of the Feature");
	part(w, 4 * (size_t)b[69], "groups");
	part(w, b[70], "unit");
	part(w, b[71], "program");
	part(w, b[72], "grant");
	part(w, REST, payload ? "payload" : "judged bytes of the payload");
}

static void variable_part(struct walk *w, unsigned int kind)
{
	switch (kind) {
	case FWA_RECORD_START:
		part(w, REST, "version of the writer");
		break;
	case FWA_RECORD_CHECKPOINT:
		part(w, 104 * (size_t)fwa_le16(w->body + 210), "the sources");
		part(w, REST, "the open decisions");
		break;
	case FWA_RECORD_SOURCE:
		part(w, w->body[33], "device");
		part(w, REST, "what it was opened as");
		break;
	case FWA_RECORD_OBJECT:
		part(w, REST, "device");
		break;
	case FWA_RECORD_DECISION:
		decision_parts(w);
		break;
	case FWA_RECORD_OUTCOME:
		part(w, REST, "hash of the reply");
		break;
	case FWA_RECORD_CONTEXT:
		part(w, REST, "vendor, model, serial number, firmware");
		break;
	case FWA_RECORD_CONTROL:
		part(w, fwa_le16(w->body + 10), "device");
		part(w, REST, "text");
		break;
	default:
		break;
	}
}

/* A body that is none of its kind has bytes, and no fields. */
static void print_body(const struct cli_entry *e)
{
	struct walk w = { e->frame.body.data, e->frame.body.len, 0 };

	if (e->decoded) {
		fixed_part(&w, e->frame.kind);
		variable_part(&w, e->frame.kind);
	}
	part(&w, REST, "body");
}

/* --- all of it ---------------------------------------------------------------------------------- */

void cli_print_record_hex(const struct cli_entry *e)
{
	const struct fwa_frame *f = &e->frame;
	const uint8_t *b = e->bytes.data;
	size_t end = FWA_FRAME_LEN + f->body.len, hash = e->bytes.len - FWA_HASH_LEN;
	char time[CLI_STAMP_TEXT], text[WORDS];
	const char *kind = fwa_record_kind_name(f->kind);

	snprintf(text, sizeof(text), "length: %u", f->len);
	hex_line(0, b, 4, text);
	snprintf(text, sizeof(text), "kind: %u, %s", f->kind, kind ? kind : "unknown");
	hex_line(4, b + 4, 1, text);
	hex_line(5, b + 5, 1, "zero");
	snprintf(text, sizeof(text), "padding of the body: %u", fwa_le16(b + 6));
	hex_line(6, b + 6, 2, text);
	snprintf(text, sizeof(text), "sequence number: %llu", (unsigned long long)f->seq);
	hex_line(8, b + 8, 8, text);
	snprintf(text, sizeof(text), "time: %s", cli_stamp_text(f->time, 9, time));
	hex_line(16, b + 16, 8, text);
	snprintf(text, sizeof(text), "source: %llu", (unsigned long long)f->source);
	hex_line(24, b + 24, 8, text);
	snprintf(text, sizeof(text), "counter: %llu", (unsigned long long)f->counter);
	hex_line(32, b + 32, 8, text);
	snprintf(text, sizeof(text), "refers to: %llu", (unsigned long long)f->refers);
	hex_line(40, b + 40, 8, text);
	print_body(e);
	if (hash > end)
		hex_line(end, b + end, hash - end, "padding");
	hex_block(hash, b + hash, FWA_HASH_LEN, "hash");
}
