/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dump: what the C reader says, for tests to compare. A command a line on standard input, a line or more of
 * answers, each answer ended with an empty line:
 *
 *   list DIR              a line a record: segment offset kind seq time source counter refers hash body
 *   back DIR              the same from the end to the beginning
 *   verify DIR [NAME=..]  fault bad segment offset first last records checkpoints signed open gone why
 *                         from= to= threads= numbers; key= hex; kept= a line of a checkpoint with '_' for ' '
 *   last DIR              the last checkpoint, as a line to keep
 *   prove DIR SEQ         a proof as JSON, or an error
 *   time DIR THREADS      nanoseconds of a verification, and of hashing the same records and nothing else
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/util.h"
#include "journal/map.h"
#include "journal/verify.h"

static void print_hex(const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		printf("%02x", p[i]);
}

static void print_record(const struct fwa_cursor *c, const struct fwa_frame *f)
{
	uint64_t segment, offset;

	fwa_cursor_place(c, &segment, &offset);
	printf("%" PRIu64 " %" PRIu64 " %u %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
	       " ",
	       segment, offset, f->kind, f->seq, f->time, f->source, f->counter, f->refers);
	print_hex(f->hash, FWA_HASH_LEN);
	printf(" ");
	print_hex(f->body.data, f->body.len);
	printf("\n");
}

static void list(struct fwa_journal *j, bool back)
{
	struct fwa_cursor *c = fwa_cursor_new(j);
	struct fwa_frame f;
	int r = back ? fwa_cursor_seek(c, UINT64_MAX) : 0;

	while (r >= 0 && (r = back ? fwa_cursor_previous(c, &f) : fwa_cursor_next(c, &f)) != 0) {
		if (r > 0)
			print_record(c, &f);
		else if (r == -EBADMSG)
			printf("bad\n"), r = 0;
	}
	fwa_cursor_free(c);
}

/* --- verifying ------------------------------------------------------------------------------------ */

struct request {
	struct fwa_verify_options o;
	uint8_t key[FWA_KEY_LEN];
	struct fwa_statement kept[4];
};

static void take_kept(struct request *q, char *value)
{
	uint8_t signature[FWA_SIGNATURE_LEN];

	for (char *p = value; *p; p++)
		if (*p == '_')
			*p = ' ';
	if (q->o.n_kept == FWA_ARRAY_SIZE(q->kept) ||
	    fwa_checkpoint_parse_line(value, &q->kept[q->o.n_kept], signature) < 0)
		abort();
	q->o.n_kept++;
	q->o.kept = q->kept;
}

static void take_option(struct request *q, const char *name, char *value)
{
	if (strcmp(name, "from") == 0)
		q->o.from = strtoull(value, NULL, 10);
	else if (strcmp(name, "to") == 0)
		q->o.to = strtoull(value, NULL, 10);
	else if (strcmp(name, "threads") == 0)
		q->o.threads = (unsigned int)strtoul(value, NULL, 10);
	else if (strcmp(name, "kept") == 0)
		take_kept(q, value);
	else if (strcmp(name, "key") == 0 && fwa_public_key_read(value, q->key) == 0)
		q->o.key = q->key;
	else
		abort();
}

static void verify(struct fwa_journal *j, char *rest)
{
	struct request q = { .o = { .threads = 1 } };
	struct fwa_verified v;
	char *word;
	int r;

	while ((word = strsep(&rest, " "))) {
		char *value = strchr(word, '=');

		if (!value)
			continue;
		*value = '\0';
		take_option(&q, word, value + 1);
	}
	r = fwa_verify(j, &q.o, &v);
	if (r < 0) {
		printf("error %s\n", strerror(-r));
		return;
	}
	printf("%s %" PRIu64 " %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
	       " %" PRIu64 " %" PRIu64 " %" PRIu64 " %s\n",
	       fwa_fault_name(v.fault), v.bad, *v.segment ? v.segment : "-", v.offset, v.first,
	       v.last, v.records, v.checkpoints, v.signed_until, v.open, v.kept_gone, v.why);
}

static uint64_t hash_segment(struct fwa_span file, uint8_t hash[FWA_HASH_LEN])
{
	struct fwa_frame f;
	uint64_t n = 0;

	for (size_t at = FWA_SEGMENT_LEN; at < file.len; at += f.len, n++) {
		f.len = fwa_le32(file.data + at);
		if (!f.len)
			break;
		fwa_frame_chain(fwa_span(file.data + at, file.len - at), &f, hash);
	}
	return n;
}

/* The digests of the chain, over the same bytes at the same place, and nothing else. */
static uint64_t bare_chain(struct fwa_journal *j)
{
	uint64_t begun = fwa_clock_ns(CLOCK_MONOTONIC), n_records = 0;
	const struct fwa_segment_file *all;
	uint8_t hash[FWA_HASH_LEN] = { 0 };
	struct fwa_map map;
	size_t n;

	if (fwa_journal_segments(j, &all, &n) < 0)
		abort();
	for (size_t i = 0; i < n; i++) {
		if (fwa_map_open(fwa_journal_dirfd(j), all[i].name, &map) < 0)
			abort();
		n_records += hash_segment(map.bytes, hash);
		fwa_map_close(&map);
	}
	if (!n_records)
		abort();
	return fwa_clock_ns(CLOCK_MONOTONIC) - begun;
}

static void time_it(struct fwa_journal *j, const char *threads)
{
	struct fwa_verify_options o = { .threads = (unsigned int)strtoul(threads, NULL, 10) };
	uint64_t before = fwa_clock_ns(CLOCK_MONOTONIC), spent;
	struct fwa_verified v;

	if (fwa_verify(j, &o, &v) < 0 || v.fault)
		abort();
	spent = fwa_clock_ns(CLOCK_MONOTONIC) - before;
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", v.records, v.bytes, spent,
	       bare_chain(j));
}

/* --- checkpoints, proofs ---------------------------------------------------------------------------- */

static void last(struct fwa_journal *j)
{
	struct fwa_cursor *c = fwa_cursor_new(j);
	char line[FWA_CHECKPOINT_LINE];
	struct fwa_checkpoint ck;

	if (fwa_journal_last_checkpoint(c, &ck) == 0) {
		fwa_checkpoint_line(&ck, line);
		printf("%s", line);
	}
	fwa_cursor_free(c);
}

static void print_member(const char *name, const void *data, size_t len, const char *end)
{
	printf("\"%s\":\"", name);
	print_hex(data, len);
	printf("\"%s", end);
}

static void print_proof(const struct fwa_proof *p)
{
	struct fwa_checkpoint c = { .statement = p->statement };
	char line[FWA_CHECKPOINT_LINE];

	memcpy(c.signature, p->signature, sizeof(c.signature));
	fwa_checkpoint_line(&c, line);
	printf("{\"format\":\"fwadmit-proof-1\",");
	print_member("before", p->before, FWA_HASH_LEN, ",");
	print_member("frame", p->frame, p->frame_len, ",\"levels\":[");
	for (uint32_t i = 0; i < p->n_levels; i++) {
		const struct fwa_proof_level *l = &p->levels[i];

		printf("%s{\"index\":%u,\"children\":[", i ? "," : "", l->index);
		for (unsigned int k = 0; k < l->n; k++) {
			printf(k ? ",\"" : "\"");
			print_hex(l->children[k], FWA_HASH_LEN);
			printf("\"");
		}
		printf("]}");
	}
	printf("],\"checkpoint\":\"%.*s\"}\n", (int)strcspn(line, "\n"), line);
}

static void prove(struct fwa_journal *j, const char *seq)
{
	struct fwa_proof p;
	const char *why = "";
	int r = fwa_prove(j, strtoull(seq, NULL, 10), &p);

	if (r < 0) {
		printf("error %s\n", strerror(-r));
		return;
	}
	if (!fwa_proof_holds(&p, &why))
		printf("error %s\n", why);
	print_proof(&p);
	fwa_proof_clear(&p);
}

static void serve(char *line)
{
	const char *what = strsep(&line, " "), *dir = line ? strsep(&line, " ") : "";
	struct fwa_journal *j;
	int r = fwa_journal_open(dir, &j);

	if (r < 0) {
		printf("error %s\n", strerror(-r));
		return;
	}
	if (strcmp(what, "list") == 0 || strcmp(what, "back") == 0)
		list(j, *what == 'b');
	else if (strcmp(what, "verify") == 0)
		verify(j, line);
	else if (strcmp(what, "last") == 0)
		last(j);
	else if (strcmp(what, "prove") == 0)
		prove(j, line ? line : "");
	else if (strcmp(what, "time") == 0)
		time_it(j, line ? line : "0");
	else
		abort();
	fwa_journal_close(j);
}

int main(void)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;

	while ((len = getline(&line, &cap, stdin)) > 0) {
		line[len - 1] = '\0';
		serve(line);
		printf("\n");
		fflush(stdout);
	}
	free(line);
	return 0;
}
