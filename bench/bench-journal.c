/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal's files: what a record takes, how fast a journal is verified beside a bare chain of SHA-256 over
 * the same records in the same files, and journals of any length for those who read them.
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
#include "journal/map.h"
#include "journal/private.h"
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

struct bare {
	size_t len;
	uint64_t records;
};

/* What a chain costs at the least: the file is mapped; of each record its length, and one digest. */
static void chain_segment(int dir, uint64_t first, uint8_t hash[FWA_HASH_LEN], struct bare *b)
{
	char name[FWA_SEGMENT_NAME];
	size_t at = FWA_SEGMENT_LEN, len;
	struct fwa_map m;
	int r;

	fwa_segment_file_name(first, name);
	r = fwa_map_open(dir, name, &m);
	if (r < 0)
		die(name, r);
	while (m.bytes.len - at >= 4 && (len = fwa_le32(m.bytes.data + at))) {
		SHA256_CTX ctx;

		SHA256_Init(&ctx);
		SHA256_Update(&ctx, hash, FWA_HASH_LEN);
		SHA256_Update(&ctx, m.bytes.data + at, len - FWA_HASH_LEN);
		SHA256_Final(hash, &ctx);
		if (memcmp(hash, m.bytes.data + at + len - FWA_HASH_LEN, FWA_HASH_LEN) != 0)
			die("chain", EBADMSG);
		at += len;
		b->len += len;
		b->records++;
	}
	fwa_map_close(&m);
}

static void chain(struct fwa_journal *j, struct bare *b, double *ret_ns, double *ret_cpu)
{
	double start = bench_now(), start_cpu = bench_cpu();
	const struct fwa_segment_file *files;
	uint8_t header[FWA_SEGMENT_LEN], hash[FWA_HASH_LEN];
	size_t n;
	int r = fwa_journal_segments(j, &files, &n);

	if (r < 0)
		die("segments", r);
	*b = (struct bare){ 0 };
	for (size_t i = 0; i < n; i++) {
		fwa_segment_encode(header, &files[i].header);
		fwa_segment_hash(header, hash);
		chain_segment(fwa_journal_dirfd(j), files[i].header.first, hash, b);
	}
	*ret_ns = bench_now() - start;
	*ret_cpu = bench_cpu() - start_cpu;
}

/* Alone by CPU time, as the chain; with all processors it is the time of day that counts. */
static double verify_once(struct fwa_journal *j, unsigned int threads, struct fwa_verified *ret)
{
	struct fwa_verify_options o = { .threads = threads };
	double (*clock)(void) = threads == 1 ? bench_cpu : bench_now, start = clock();
	int r = fwa_verify(j, &o, ret);

	if (r < 0)
		die("verify", r);
	if (ret->fault) {
		fprintf(stderr, "%s: %s\n", fwa_fault_name(ret->fault), ret->why);
		exit(1);
	}
	return clock() - start;
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
	double bare_ns[ROUNDS], bare_cpu[ROUNDS], one[ROUNDS], all[ROUNDS];
	struct fwa_verified v;
	struct fwa_journal *j;
	struct bare b;
	double base;
	int r = fwa_journal_open(path, &j);

	if (r < 0)
		die(path, r);
	for (int i = 0; i < ROUNDS; i++) {
		chain(j, &b, &bare_ns[i], &bare_cpu[i]);
		one[i] = verify_once(j, 1, &v);
		all[i] = verify_once(j, 0, &v);
	}
	if (v.records != b.records)
		die("verify: other records", EPROTO);
	base = bench_percentile(bare_cpu, ROUNDS, 0.5);
	print_speed("a bare chain of SHA-256, CPU time", base, &b, 0);
	print_speed("verify, one thread, CPU time", bench_percentile(one, ROUNDS, 0.5), &b, base);
	/* Whatever else runs here takes processors away: the least is what it takes by itself. */
	base = bench_percentile(bare_ns, ROUNDS, 0);
	print_speed("a bare chain of SHA-256, least time", base, &b, 0);
	print_speed("verify, all processors, least time", bench_percentile(all, ROUNDS, 0), &b,
		    base);
	printf("%llu records, %zu bytes, %llu checkpoints\n", (unsigned long long)b.records, b.len,
	       (unsigned long long)v.checkpoints);
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
