/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal's files: what a record takes, how fast a journal is verified beside a bare chain of SHA-256 over
 * the same records, and journals of any length for those who read them.
 *
 *	bench-journal size
 *	bench-journal make DIR COMMANDS [USERS]
 *	bench-journal verify DIR
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "bench-record.h"
#include "journal/sha256.h"
#include "journal/store.h"
#include "journal/verify.h"

#define ROUNDS 9
#define SOURCES 4

static void die(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerror(error < 0 ? -error : error));
	exit(1);
}

/* --- bytes a record ----------------------------------------------------------------------------- */

static int size(void)
{
	struct bench_records b;
	size_t decision, outcome;
	double share = (double)fwa_frame_len(FWA_CHECKPOINT_LEN) / FWA_CHECKPOINT_RECORDS;

	bench_records_make(&b);
	decision = fwa_frame_len(b.decision_len);
	outcome = fwa_frame_len(b.outcome_len);
	printf("bytes: a decision %zu, a refusal %zu, an outcome %zu; a command %.1f with its "
	       "share "
	       "of a checkpoint\n",
	       decision, fwa_frame_len(b.refused_len), outcome,
	       (double)(decision + outcome) + 2 * share);
	return 0;
}

/* --- making one --------------------------------------------------------------------------------- */

struct making {
	struct fwa_store *store;
	struct fwa_times now;
	uint64_t numbers[SOURCES], counters[SOURCES];
};

static void append(struct making *m, const struct fwa_append *a, uint64_t *ret_seq)
{
	int r = fwa_store_append(m->store, a, m->now, ret_seq);

	m->now.real += 10000;
	m->now.boot += 10000;
	if (r == -ENOBUFS) {
		r = fwa_store_sync(m->store);
		if (r == 0)
			r = fwa_store_rotate(m->store, m->now);
		if (r == 0)
			r = fwa_store_append(m->store, a, m->now, ret_seq);
	}
	if (r < 0)
		die("append", r);
}

static void begin_sources(struct making *m)
{
	for (int i = 0; i < SOURCES; i++) {
		struct fwa_record_source source = { .kind = FWA_SOURCE_WORKER, .pid = 100 };
		struct fwa_append a = { .kind = FWA_RECORD_SOURCE };
		uint8_t body[512];
		struct fwa_writer w = fwa_writer(body, sizeof(body));

		source.id[0] = (uint8_t)(i + 1);
		snprintf(source.name, sizeof(source.name), "nvme%d", i);
		fwa_record_source_encode(&w, &source);
		a.body = fwa_span(body, w.len);
		append(m, &a, &m->numbers[i]);
	}
}

/* Users and refusals by turns, so that who looks for some of them has something to leave out. */
static void add_command(struct making *m, struct bench_records *b, uint64_t i, uint32_t users)
{
	size_t source = i % SOURCES;
	struct fwa_record_decision r =
		bench_decision(i % 100 ? FWA_REASON_ADMIT : FWA_REASON_NO_GRANT);
	uint8_t body[1024];
	struct fwa_writer w = fwa_writer(body, sizeof(body));
	struct fwa_append a = { .kind = FWA_RECORD_DECISION, .source = m->numbers[source] };

	r.who.uid = 1000 + (uint32_t)(i * 2654435761u % users);
	fwa_record_decision_encode(&w, &r);
	a.body = fwa_span(body, w.len);
	a.counter = ++m->counters[source];
	append(m, &a, NULL);
	if (r.decision.reason != FWA_REASON_ADMIT)
		return;
	a.kind = FWA_RECORD_OUTCOME;
	a.body = bench_outcome(b, a.counter);
	a.counter = ++m->counters[source];
	append(m, &a, NULL);
}

static int make(const char *path, uint64_t commands, uint32_t users)
{
	struct fwa_store_options o = { .version = "bench" };
	struct making m = { .now = { 1700000000ull * 1000000000, 1000000000 } };
	struct bench_records b;
	struct fwa_fs fs;
	int dir, r;

	bench_records_make(&b);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		die(path, errno);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		die(path, errno);
	fs = fwa_fs_real(&dir);
	r = fwa_signer_open(dir, "key", &o.signer);
	if (r < 0)
		die("key", r);
	r = fwa_store_open(&fs, &o, m.now, &m.store);
	if (r < 0)
		die("store", r);
	begin_sources(&m);
	for (uint64_t i = 0; i < commands; i++)
		add_command(&m, &b, i, users);
	r = fwa_store_sync(m.store);
	if (r == 0)
		r = fwa_store_checkpoint(m.store, FWA_CHECKPOINT_STOP, m.now);
	if (r == 0)
		r = fwa_store_sync(m.store);
	if (r < 0)
		die("sync", r);
	printf("%llu records\n", (unsigned long long)fwa_store_last(m.store));
	fwa_store_free(m.store);
	fwa_signer_free(o.signer);
	close(dir);
	return 0;
}

/* --- verifying ---------------------------------------------------------------------------------- */

/* All records of a journal in memory that is there, one behind the other: as a bare chain has them. */
struct bare {
	uint8_t *bytes;
	size_t len;
	uint64_t records;
};

static void load(struct fwa_journal *j, struct bare *b)
{
	struct fwa_cursor *c = fwa_cursor_new(j);
	struct fwa_frame f;
	size_t cap = 0;

	if (!c || fwa_cursor_seek(c, 0) < 0)
		die("cursor", errno);
	while (fwa_cursor_next(c, &f) == 1) {
		struct fwa_span s = fwa_cursor_bytes(c);

		if (b->len + s.len > cap) {
			cap = 2 * cap + (1u << 24);
			b->bytes = realloc(b->bytes, cap);
			if (!b->bytes)
				die("memory", ENOMEM);
		}
		memcpy(b->bytes + b->len, s.data, s.len);
		b->len += s.len;
		b->records++;
	}
	fwa_cursor_free(c);
}

/* What a chain costs at the least: of each record its length, and one digest. */
static double chain(const struct bare *b)
{
	double start = bench_now();
	uint8_t hash[FWA_HASH_LEN] = { 0 };
	size_t at = 0;

	while (at < b->len) {
		size_t len = fwa_le32(b->bytes + at);
		SHA256_CTX ctx;

		SHA256_Init(&ctx);
		SHA256_Update(&ctx, hash, sizeof(hash));
		SHA256_Update(&ctx, b->bytes + at, len - FWA_HASH_LEN);
		SHA256_Final(hash, &ctx);
		at += len;
	}
	if (hash[0] == 1 && hash[1] == 2 && hash[2] == 3 && hash[3] == 4) /* it is looked at */
		putchar('\n');
	return bench_now() - start;
}

static double verify_once(struct fwa_journal *j, unsigned int threads, struct fwa_verified *ret)
{
	struct fwa_verify_options o = { .threads = threads };
	double start = bench_now();
	int r = fwa_verify(j, &o, ret);

	if (r < 0)
		die("verify", r);
	if (ret->fault) {
		fprintf(stderr, "%s: %s\n", fwa_fault_name(ret->fault), ret->why);
		exit(1);
	}
	return bench_now() - start;
}

static void print_speed(const char *name, double ns, const struct bare *b, double base)
{
	printf("%-36s %9.0f records/s %7.0f MB/s", name, (double)b->records * 1e9 / ns,
	       (double)b->len * 1e3 / ns);
	if (base > 0)
		printf("   %.2f of the bare chain (target: 0.8 or more)", base / ns);
	printf("\n");
}

static int verify(const char *path)
{
	double bare_ns[ROUNDS], one[ROUNDS], all[ROUNDS];
	struct fwa_verified v;
	struct fwa_journal *j;
	struct bare b = { NULL };
	double base;
	int r = fwa_journal_open(path, &j);

	if (r < 0)
		die(path, r);
	load(j, &b);
	for (int i = 0; i < ROUNDS; i++) {
		bare_ns[i] = chain(&b);
		one[i] = verify_once(j, 1, &v);
		all[i] = verify_once(j, 0, &v);
	}
	if (v.records != b.records)
		die("verify: other records", EPROTO);
	base = bench_percentile(bare_ns, ROUNDS, 0.5);
	print_speed("a bare chain of SHA-256", base, &b, 0);
	print_speed("verify, one thread", bench_percentile(one, ROUNDS, 0.5), &b, base);
	print_speed("verify, all processors", bench_percentile(all, ROUNDS, 0.5), &b, base);
	printf("%llu records, %zu bytes, %llu checkpoints\n", (unsigned long long)b.records, b.len,
	       (unsigned long long)v.checkpoints);
	free(b.bytes);
	fwa_journal_close(j);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "size") == 0)
		return size();
	if (argc >= 4 && strcmp(argv[1], "make") == 0)
		return make(argv[2], strtoull(argv[3], NULL, 10),
			    argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 1000);
	if (argc == 3 && strcmp(argv[1], "verify") == 0)
		return verify(argv[2]);
	fprintf(stderr, "usage: bench-journal size | make DIR COMMANDS [USERS] | verify DIR\n");
	return 2;
}
