/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Encoding and decoding of what is on disk. Whatever decodes encodes to the same bytes: reserved bytes and
 * padding are zero, lists are in order, and nothing is behind the end.
 */
#include "journal/format.h"

#include <endian.h>
#include <stdio.h>

#include "base/hex.h"
#include "journal/sha256.h"

#define SEGMENT_MAGIC "FWJSEG1" /* with its NUL */
#define STATEMENT_MAGIC "FWJCKPT1"
#define LINE_MAGIC "fwadmit-checkpoint-1 "
#define MAGIC_LEN 8
#define SUMMED_LEN 104 /* of a header: the rest says whether it is whole */

static bool all_zero(struct fwa_span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i])
			return false;
	return true;
}

static void copy_out(struct fwa_reader *r, void *to, size_t len)
{
	struct fwa_span s = fwa_read_span(r, len);

	if (s.len == len)
		memcpy(to, s.data, len);
	else
		memset(to, 0, len);
}

/* --- segments ------------------------------------------------------------------------------------ */

void fwa_segment_encode(uint8_t out[FWA_SEGMENT_LEN], const struct fwa_segment *s)
{
	struct fwa_writer w = fwa_writer(out, FWA_SEGMENT_LEN);
	uint8_t sum[FWA_HASH_LEN];

	fwa_write_bytes(&w, SEGMENT_MAGIC, MAGIC_LEN);
	fwa_write_bytes(&w, s->journal, sizeof(s->journal));
	fwa_write_le64(&w, s->first);
	fwa_write_le64(&w, s->created);
	fwa_write_bytes(&w, s->key, FWA_KEY_LEN);
	fwa_write_bytes(&w, s->before, FWA_HASH_LEN);
	fwa_sha256(fwa_span(out, w.len), sum);
	fwa_write_bytes(&w, sum, FWA_SEGMENT_LEN - w.len);
}

int fwa_segment_decode(struct fwa_span header, struct fwa_segment *ret)
{
	struct fwa_reader r = fwa_reader(header);
	uint8_t sum[FWA_HASH_LEN];
	struct fwa_segment s;
	char magic[MAGIC_LEN];

	copy_out(&r, magic, MAGIC_LEN);
	copy_out(&r, s.journal, sizeof(s.journal));
	s.first = fwa_read_le64(&r);
	s.created = fwa_read_le64(&r);
	copy_out(&r, s.key, FWA_KEY_LEN);
	copy_out(&r, s.before, FWA_HASH_LEN);
	if (r.bad || header.len < FWA_SEGMENT_LEN || memcmp(magic, SEGMENT_MAGIC, MAGIC_LEN) != 0)
		return -1;
	fwa_sha256(fwa_span(header.data, SUMMED_LEN), sum);
	if (s.first == 0 || memcmp(r.at, sum, FWA_SEGMENT_LEN - SUMMED_LEN) != 0)
		return -1;
	*ret = s;
	return 0;
}

void fwa_segment_hash(const uint8_t header[FWA_SEGMENT_LEN], uint8_t out[FWA_HASH_LEN])
{
	fwa_sha256(fwa_span(header, FWA_SEGMENT_LEN), out);
}

/* --- records ------------------------------------------------------------------------------------- */

static size_t padding(size_t len)
{
	return -len & 7;
}

size_t fwa_frame_len(size_t len)
{
	return FWA_FRAME_LEN + len + padding(len) + FWA_HASH_LEN;
}

#define SHORT_MAX 1024 /* most are a quarter of that */

/*
 * The same for what is short, with what SHA-256 puts behind it put there here: so libcrypto gets whole
 * blocks, and neither copies nor cleans what is no secret.
 */
static void chain_short(const uint8_t *record, size_t len, uint8_t hash[FWA_HASH_LEN])
{
	size_t all = FWA_HASH_LEN + len, padded = (all + 1 + 8 + 63) / 64 * 64;
	uint64_t bits = htobe64(8 * all);
	uint8_t blocks[SHORT_MAX];
	SHA256_CTX ctx;

	memset(blocks + padded - 128, 0, 128);
	memcpy(blocks, hash, FWA_HASH_LEN);
	memcpy(blocks + FWA_HASH_LEN, record, len);
	blocks[all] = 0x80;
	memcpy(blocks + padded - sizeof(bits), &bits, sizeof(bits));
	SHA256_Init(&ctx);
	SHA256_Update(&ctx, blocks, padded);
	for (unsigned int i = 0; i < FWA_HASH_LEN / 4; i++)
		ctx.h[i] = htobe32(ctx.h[i]);
	memcpy(hash, ctx.h, FWA_HASH_LEN);
}

static void chain(const uint8_t *record, size_t len, uint8_t hash[FWA_HASH_LEN])
{
	SHA256_CTX ctx;

	if (len <= SHORT_MAX - FWA_HASH_LEN - 64) {
		chain_short(record, len, hash);
		return;
	}
	SHA256_Init(&ctx);
	SHA256_Update(&ctx, hash, FWA_HASH_LEN);
	SHA256_Update(&ctx, record, len);
	SHA256_Final(hash, &ctx);
}

void fwa_frame_write(struct fwa_writer *w, const struct fwa_frame *f, uint8_t hash[FWA_HASH_LEN])
{
	size_t len = fwa_frame_len(f->body.len);
	uint8_t *record = f->body.len <= FWA_BODY_MAX ? fwa_write_room(w, len) : NULL;
	struct fwa_writer in = fwa_writer(record, len);

	if (!record) {
		w->full = true;
		return;
	}
	fwa_write_le32(&in, (uint32_t)len);
	fwa_write_u8(&in, f->kind);
	fwa_write_u8(&in, 0);
	fwa_write_le16(&in, (uint16_t)padding(f->body.len));
	fwa_write_le64(&in, f->seq);
	fwa_write_le64(&in, f->time);
	fwa_write_le64(&in, f->source);
	fwa_write_le64(&in, f->counter);
	fwa_write_le64(&in, f->refers);
	fwa_write_bytes(&in, f->body.data, f->body.len);
	fwa_write_room(&in, padding(f->body.len));
	chain(record, in.len, hash);
	fwa_write_bytes(&in, hash, FWA_HASH_LEN);
}

/* The words before the body; false when they cannot be those of a record. */
static bool parse_words(const uint8_t *p, struct fwa_frame *f, size_t *ret_padding)
{
	f->len = fwa_le32(p);
	f->kind = p[4];
	*ret_padding = fwa_le16(p + 6);
	f->seq = fwa_le64(p + 8);
	f->time = fwa_le64(p + 16);
	f->source = fwa_le64(p + 24);
	f->counter = fwa_le64(p + 32);
	f->refers = fwa_le64(p + 40);
	return f->kind != 0 && p[5] == 0 && f->seq != 0 && *ret_padding < 8;
}

int fwa_frame_parse(struct fwa_span bytes, struct fwa_frame *ret)
{
	struct fwa_frame f;
	size_t pad, end;

	if (bytes.len < 4 ? all_zero(bytes) : !fwa_le32(bytes.data))
		return 0;
	if (bytes.len < FWA_FRAME_LEN || !parse_words(bytes.data, &f, &pad))
		return -1;
	if (f.len % 8 || f.len < FWA_FRAME_LEN + pad + FWA_HASH_LEN || f.len > bytes.len)
		return -1;
	end = f.len - FWA_HASH_LEN;
	f.body = fwa_span(bytes.data + FWA_FRAME_LEN, end - FWA_FRAME_LEN - pad);
	if (f.body.len > FWA_BODY_MAX || !all_zero(fwa_span(bytes.data + end - pad, pad)))
		return -1;
	f.hash = bytes.data + end;
	*ret = f;
	return 1;
}

void fwa_frame_chain(struct fwa_span bytes, const struct fwa_frame *f, uint8_t hash[FWA_HASH_LEN])
{
	chain(bytes.data, f->len - FWA_HASH_LEN, hash);
}

bool fwa_frame_verify(struct fwa_span bytes, const struct fwa_frame *f, uint8_t hash[FWA_HASH_LEN])
{
	fwa_frame_chain(bytes, f, hash);
	return memcmp(hash, f->hash, FWA_HASH_LEN) == 0;
}

/* --- statements ------------------------------------------------------------------------------------ */

void fwa_statement_encode(uint8_t out[FWA_STATEMENT_LEN], const struct fwa_statement *s)
{
	struct fwa_writer w = fwa_writer(out, FWA_STATEMENT_LEN);

	fwa_write_bytes(&w, STATEMENT_MAGIC, MAGIC_LEN);
	fwa_write_bytes(&w, s->journal, sizeof(s->journal));
	fwa_write_le64(&w, s->seq);
	fwa_write_le64(&w, s->time);
	fwa_write_le64(&w, s->first);
	fwa_write_bytes(&w, s->head, FWA_HASH_LEN);
	fwa_write_bytes(&w, s->root, FWA_HASH_LEN);
	fwa_write_bytes(&w, s->key, FWA_KEY_LEN);
}

int fwa_statement_decode(struct fwa_span bytes, struct fwa_statement *ret)
{
	struct fwa_reader r = fwa_reader(bytes);
	struct fwa_statement s;
	char magic[MAGIC_LEN];

	copy_out(&r, magic, MAGIC_LEN);
	copy_out(&r, s.journal, sizeof(s.journal));
	s.seq = fwa_read_le64(&r);
	s.time = fwa_read_le64(&r);
	s.first = fwa_read_le64(&r);
	copy_out(&r, s.head, FWA_HASH_LEN);
	copy_out(&r, s.root, FWA_HASH_LEN);
	copy_out(&r, s.key, FWA_KEY_LEN);
	if (r.bad || r.left || memcmp(magic, STATEMENT_MAGIC, MAGIC_LEN) != 0)
		return -1;
	if (s.first == 0 || s.first > s.seq)
		return -1;
	*ret = s;
	return 0;
}

/* --- checkpoints ------------------------------------------------------------------------------------- */

void fwa_open_source_encode(struct fwa_writer *w, const struct fwa_open_source *s)
{
	uint8_t *name;
	size_t len = strnlen(s->name, sizeof(s->name) - 1);

	fwa_write_le64(w, s->number);
	fwa_write_le64(w, s->counter);
	fwa_write_bytes(w, s->id, sizeof(s->id));
	fwa_write_u8(w, s->kind);
	fwa_write_room(w, 7);
	name = fwa_write_room(w, sizeof(s->name));
	if (name)
		memcpy(name, s->name, len);
}

void fwa_open_decision_encode(struct fwa_writer *w, const struct fwa_open_decision *d)
{
	fwa_write_le64(w, d->source);
	fwa_write_le64(w, d->counter);
	fwa_write_le64(w, d->seq);
}

void fwa_checkpoint_encode(struct fwa_writer *w, const struct fwa_checkpoint *c)
{
	uint8_t statement[FWA_STATEMENT_LEN];

	fwa_statement_encode(statement, &c->statement);
	fwa_write_bytes(w, statement, FWA_STATEMENT_LEN);
	fwa_write_bytes(w, c->signature, FWA_SIGNATURE_LEN);
	fwa_write_u8(w, c->why);
	fwa_write_u8(w, 0);
	fwa_write_le16(w, (uint16_t)c->n_sources);
	fwa_write_le32(w, c->n_decisions);
	fwa_write_bytes(w, c->sources.data, c->sources.len);
	fwa_write_bytes(w, c->decisions.data, c->decisions.len);
}

/* Printable up to the first NUL, zeroes from there, and at least one of them. */
static bool decode_name(struct fwa_span field, char *name)
{
	size_t len = strnlen((const char *)field.data, field.len);

	if (len == field.len || !all_zero(fwa_span(field.data + len, field.len - len)))
		return false;
	for (size_t i = 0; i < len; i++)
		if (field.data[i] < ' ' || field.data[i] > '~')
			return false;
	memcpy(name, field.data, field.len);
	return true;
}

bool fwa_checkpoint_source(const struct fwa_checkpoint *c, uint32_t i, struct fwa_open_source *ret)
{
	struct fwa_span bytes;
	struct fwa_reader r;
	struct fwa_open_source s;

	if (i >= c->n_sources ||
	    !fwa_span_sub(c->sources, (size_t)i * FWA_OPEN_SOURCE_LEN, FWA_OPEN_SOURCE_LEN, &bytes))
		return false;
	r = fwa_reader(bytes);
	s.number = fwa_read_le64(&r);
	s.counter = fwa_read_le64(&r);
	copy_out(&r, s.id, sizeof(s.id));
	s.kind = fwa_read_u8(&r);
	if (s.number == 0 || s.kind == 0 || s.kind >= FWA_SOURCE_KINDS ||
	    !all_zero(fwa_read_span(&r, 7)) ||
	    !decode_name(fwa_read_span(&r, sizeof(s.name)), s.name))
		return false;
	*ret = s;
	return true;
}

bool fwa_checkpoint_decision(const struct fwa_checkpoint *c, uint32_t i,
			     struct fwa_open_decision *ret)
{
	struct fwa_span bytes;

	if (i >= c->n_decisions || !fwa_span_sub(c->decisions, (size_t)i * FWA_OPEN_DECISION_LEN,
						 FWA_OPEN_DECISION_LEN, &bytes))
		return false;
	ret->source = fwa_le64(bytes.data);
	ret->counter = fwa_le64(bytes.data + 8);
	ret->seq = fwa_le64(bytes.data + 16);
	return ret->source != 0 && ret->counter != 0 && ret->seq != 0;
}

/* Each entry is whole, of before the checkpoint, and behind the one before it. */
static bool check_lists(const struct fwa_checkpoint *c)
{
	struct fwa_open_decision d;
	struct fwa_open_source s;
	uint64_t last = 0;

	for (uint32_t i = 0; i < c->n_sources; last = s.number, i++)
		if (!fwa_checkpoint_source(c, i, &s) || s.number <= last ||
		    s.number >= c->statement.seq)
			return false;
	last = 0;
	for (uint32_t i = 0; i < c->n_decisions; last = d.seq, i++)
		if (!fwa_checkpoint_decision(c, i, &d) || d.seq <= last ||
		    d.seq >= c->statement.seq)
			return false;
	return true;
}

int fwa_checkpoint_decode(struct fwa_span body, struct fwa_checkpoint *ret)
{
	struct fwa_reader r = fwa_reader(body);
	struct fwa_checkpoint c;
	bool bad;

	bad = fwa_statement_decode(fwa_read_span(&r, FWA_STATEMENT_LEN), &c.statement) < 0;
	copy_out(&r, c.signature, FWA_SIGNATURE_LEN);
	c.why = fwa_read_u8(&r);
	bad |= c.why >= FWA_CHECKPOINT_WHYS || fwa_read_u8(&r) != 0;
	c.n_sources = fwa_read_le16(&r);
	c.n_decisions = fwa_read_le32(&r);
	if (bad || c.n_sources > FWA_OPEN_SOURCES_MAX || c.n_decisions > FWA_OPEN_DECISIONS_MAX)
		return -1;
	c.sources = fwa_read_span(&r, (size_t)c.n_sources * FWA_OPEN_SOURCE_LEN);
	c.decisions = fwa_read_span(&r, (size_t)c.n_decisions * FWA_OPEN_DECISION_LEN);
	if (r.bad || r.left || !check_lists(&c))
		return -1;
	*ret = c;
	return 0;
}

/* --- as a line ----------------------------------------------------------------------------------------- */

void fwa_checkpoint_line(const struct fwa_checkpoint *c, char line[FWA_CHECKPOINT_LINE])
{
	char statement[2 * FWA_STATEMENT_LEN + 1], signature[2 * FWA_SIGNATURE_LEN + 1];
	uint8_t bytes[FWA_STATEMENT_LEN];

	fwa_statement_encode(bytes, &c->statement);
	fwa_hex_text(bytes, sizeof(bytes), statement);
	fwa_hex_text(c->signature, FWA_SIGNATURE_LEN, signature);
	snprintf(line, FWA_CHECKPOINT_LINE, LINE_MAGIC "%s %s\n", statement, signature);
}

/* Reads 2 * @len digits; what is behind them, or NULL. */
static const char *read_hex(const char *text, uint8_t *to, size_t len)
{
	for (size_t i = 0; i < len; i++, text += 2)
		if (!fwa_hex_byte(text, &to[i]))
			return NULL;
	return text;
}

int fwa_checkpoint_parse_line(const char *line, struct fwa_statement *ret,
			      uint8_t signature[FWA_SIGNATURE_LEN])
{
	uint8_t bytes[FWA_STATEMENT_LEN], signed_[FWA_SIGNATURE_LEN];
	const char *at;

	if (strncmp(line, LINE_MAGIC, strlen(LINE_MAGIC)) != 0)
		return -1;
	at = read_hex(line + strlen(LINE_MAGIC), bytes, sizeof(bytes));
	if (!at || *at++ != ' ')
		return -1;
	at = read_hex(at, signed_, sizeof(signed_));
	if (!at || (strcmp(at, "") != 0 && strcmp(at, "\n") != 0))
		return -1;
	if (fwa_statement_decode(fwa_span(bytes, sizeof(bytes)), ret) < 0)
		return -1;
	memcpy(signature, signed_, FWA_SIGNATURE_LEN);
	return 0;
}
