/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * make-log DIR [NAME=NUMBER ..]: writes a journal by the store, with clocks of its own, always the same.
 *
 *   records  how many records of sources to write (100)
 *   sources  of how many sources (2)
 *   segment  bytes at which a segment is handed over
 *   total    bytes that are kept
 *   restart  a new writer after so many records, which takes the sources over
 *   crash    a new writer after so many records; what was not synced by then is zeroed, or torn
 *   step     the wall clock is set after so many records
 *   sync     a checkpoint and a sync after so many records (10)
 *   payload  the longest payload of a decision (0)
 *   leave    1: ends without closing anything, as a writer that is killed
 *   boot     the writer's clock begins here, in seconds (1000)
 *   fail     a sync fails after so many records, and what it was for is written elsewhere
 *   keep     1: what could not be synced stays in the old file
 *   lock     1: takes the lock while it writes
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/util.h"
#include "core/outcome.h"
#include "journal/store.h"

enum {
	RECORDS,
	SOURCES,
	SEGMENT,
	TOTAL,
	RESTART,
	CRASH,
	STEP,
	SYNC,
	PAYLOAD,
	LEAVE,
	BOOT,
	FAIL,
	KEEP,
	LOCK,
	OPTIONS
};
static const char *const names[OPTIONS] = { "records", "sources", "segment", "total",   "restart",
					    "crash",   "step",    "sync",    "payload", "leave",
					    "boot",    "fail",    "keep",    "lock" };
static uint64_t option[OPTIONS] = { [RECORDS] = 100, [SOURCES] = 2, [SYNC] = 10, [BOOT] = 1000 };

#define SOURCES_MAX 64u

static struct {
	int dirfd;
	struct fwa_fs fs;
	struct fwa_signer *signer;
	struct fwa_store *store;
	struct fwa_times now;
	struct source {
		uint64_t number, counter, open; /* the counter of a decision without an outcome */
		uint8_t id[16];
	} sources[SOURCES_MAX];
	uint64_t random;
	bool fails; /* the next sync */
} log_;

static void must(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(-r));
	exit(1);
}

static uint32_t any(uint32_t below)
{
	log_.random = log_.random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(log_.random >> 33) % below;
}

static void pass_time(uint64_t ns)
{
	log_.now.real += ns;
	log_.now.boot += ns;
}

static uint64_t append(uint8_t kind, uint64_t source, uint64_t counter, const struct fwa_writer *w)
{
	struct fwa_append a = { kind, source, counter, 0, fwa_span(w->buf, w->len) };
	uint64_t seq;
	int r;

	pass_time(1000);
	if (w->full)
		must(-EMSGSIZE, "body");
	while ((r = fwa_store_append(log_.store, &a, log_.now, &seq)) == -ENOBUFS)
		must(fwa_store_sync(log_.store), "sync");
	must(r, "append");
	return seq;
}

static void append_source(struct source *s, uint8_t kind, const struct fwa_writer *w)
{
	append(kind, s->number, ++s->counter, w);
}

/* The disk's error: what was written may be there or not. */
static int sync_or_fail(const struct fwa_fs *fs, int fd)
{
	if (!log_.fails)
		return fdatasync(fd) < 0 ? -errno : 0;
	log_.fails = false;
	return -EIO;
}

/* --- records ---------------------------------------------------------------------------------- */

static void name_source(struct source *s, unsigned int i)
{
	for (unsigned int k = 0; k < 16; k++)
		s->id[k] = (uint8_t)(17 * i + k + 1);
}

static void begin_source(struct source *s, unsigned int i)
{
	struct fwa_record_source r = { .kind = (uint8_t)(FWA_SOURCE_WORKER + i % 3),
				       .pid = 100 + i,
				       .uid = i,
				       .resumed = s->counter };
	static uint8_t body[4096];
	struct fwa_writer w = fwa_writer(body, sizeof(body));

	name_source(s, i);
	memcpy(r.id, s->id, sizeof(r.id));
	snprintf(r.name, sizeof(r.name), "nvme%u", i);
	snprintf(r.spec, sizeof(r.spec), "sim:honest,n=%u", i);
	fwa_record_source_encode(&w, &r);
	s->number = append(FWA_RECORD_SOURCE, 0, 0, &w);
}

static void decide(struct source *s, bool admit)
{
	static uint8_t body[FWA_RECORD_BODY_MAX], payload[FWA_RECORD_PAYLOAD_MAX];
	struct fwa_writer w = fwa_writer(body, sizeof(body));
	struct fwa_record_decision r = {
		.judged = log_.now.boot,
		.decision = { .reason = admit ? FWA_REASON_ADMIT : FWA_REASON_NO_GRANT,
			      .required = FWA_SCOPE_DEBUG_READ_ONLY,
			      .scope = FWA_SCOPE_DEBUG_READ_ONLY },
		.cmd = { .set = FWA_SET_NVME_ADMIN,
			 .opcode = (uint16_t)any(256),
			 .scope = FWA_SCOPE_LEAST },
		.who = { .uid = any(2000),
			 .gid = 100,
			 .pid = any(30000),
			 .unit = "fio.service",
			 .comm = "fio" },
	};

	r.cmd.cdw[0] = any(100);
	r.cmd.out_len = 4096;
	memset(r.profile_sha256, 0x11, FWA_HASH_LEN);
	memset(r.policy_digest, 0x22, FWA_HASH_LEN);
	memset(r.request_sha256, 0x33, FWA_HASH_LEN);
	if (option[PAYLOAD]) {
		r.payload = fwa_span(payload, any((uint32_t)option[PAYLOAD]) + 1);
		r.cmd.payload.len = r.payload.len;
		memset(payload, (int)any(256), r.payload.len);
	}
	if (admit)
		strcpy(r.grant, "readers");
	fwa_record_decision_encode(&w, &r);
	append_source(s, FWA_RECORD_DECISION, &w);
	s->open = admit ? s->counter : 0;
}

static void answer(struct source *s)
{
	struct fwa_record_outcome r = { .decision = s->open,
					.status = FWA_OUTCOME_COMPLETED,
					.out_len = 64,
					.duration_ns = any(100000) };
	uint8_t body[256];
	struct fwa_writer w = fwa_writer(body, sizeof(body));

	memset(r.response_sha256, 0x44, FWA_HASH_LEN);
	fwa_record_outcome_encode(&w, &r);
	append_source(s, FWA_RECORD_OUTCOME, &w);
	s->open = 0;
}

static void control(struct source *s)
{
	struct fwa_record_control r = { .act = (uint16_t)(1 + any(FWA_ACT_COUNT - 1)),
					.uid = 0,
					.pid = 1 };
	uint8_t body[2048];
	struct fwa_writer w = fwa_writer(body, sizeof(body));

	strcpy(r.device, "nvme0");
	strcpy(r.text, "somebody did something");
	fwa_record_control_encode(&w, &r);
	append_source(s, FWA_RECORD_CONTROL, &w);
}

static void unrecorded(struct source *s)
{
	struct fwa_record_unrecorded r = { .refused = 3, .since = 5, .until = 7 };
	uint8_t body[64];
	struct fwa_writer w = fwa_writer(body, sizeof(body));

	fwa_record_unrecorded_encode(&w, &r);
	append_source(s, FWA_RECORD_UNRECORDED, &w);
}

static void context(struct source *s)
{
	struct fwa_record_context r = { .identity = "Acme\tDrive\t1\tA" };
	uint8_t body[2048];
	struct fwa_writer w = fwa_writer(body, sizeof(body));

	fwa_record_context_encode(&w, &r);
	append_source(s, FWA_RECORD_CONTEXT, &w);
}

static void write_something(struct source *s)
{
	uint32_t what = any(100);

	if (s->open && what < 90)
		answer(s);
	else if (s->open || what >= 97)
		control(s);
	else if (what == 96)
		unrecorded(s);
	else if (what == 95)
		context(s);
	else
		decide(s, what < 75);
}

/* --- the writer --------------------------------------------------------------------------------- */

static void begin(void)
{
	struct fwa_store_options o = { .segment_max = option[SEGMENT],
				       .total_max = option[TOTAL],
				       .signer = log_.signer,
				       .version = "1.0",
				       .boot_id = "boot" };

	must(fwa_store_open(&log_.fs, &o, log_.now, &log_.store), "open");
	must(fwa_store_sync(log_.store), "sync");
	for (unsigned int i = 0; i < option[SOURCES]; i++) {
		struct fwa_open_source found;

		/* What did not reach the file is lost: it is as if it had never been. */
		name_source(&log_.sources[i], i);
		if (fwa_store_source(log_.store, log_.sources[i].id, &found)) {
			log_.sources[i].counter = found.counter;
			if (log_.sources[i].open > found.counter ||
			    !fwa_store_open_decision(log_.store, found.number,
						     log_.sources[i].open))
				log_.sources[i].open = 0;
		} else {
			log_.sources[i] = (struct source){ 0 };
		}
		begin_source(&log_.sources[i], i);
	}
}

static void commit(void)
{
	must(fwa_store_checkpoint(log_.store, FWA_CHECKPOINT_PERIODIC, log_.now), "checkpoint");
	must(fwa_store_sync(log_.store), "sync");
	must(fwa_store_rotate(log_.store, log_.now), "rotate");
	must(fwa_store_sync(log_.store), "sync");
}

/* The last bytes that were written are torn: those of a record from its middle on. */
static void tear(void)
{
	static const char garbage[] = "torn";
	char name[64] = "";
	struct stat st;
	off_t at;
	FILE *f;
	int fd;

	f = popen("ls *.fwj | tail -n 1", "r");
	if (!f || fscanf(f, "%63s", name) != 1)
		must(-EIO, "ls");
	pclose(f);
	fd = openat(log_.dirfd, name, O_RDWR);
	must(fd < 0 ? -errno : fstat(fd, &st), name);
	for (at = st.st_size - 1; at > 0; at--) {
		char c = 0;

		if (pread(fd, &c, 1, at) == 1 && c)
			break;
	}
	if (pwrite(fd, garbage, sizeof(garbage), at - 20) < 0)
		must(-errno, "tear");
	close(fd);
}

static void fail(void)
{
	log_.fails = true;
	if (fwa_store_sync(log_.store) != -EIO)
		must(-EINVAL, "it did not fail");
	if (!option[KEEP])
		tear();
	must(fwa_store_repair(log_.store, log_.now), "repair");
	must(fwa_store_sync(log_.store), "sync");
}

/* Ends the writer. With @orderly all is closed and signed. */
static void end(bool orderly)
{
	for (unsigned int i = 0; i < option[SOURCES] && orderly; i++)
		must(fwa_store_end_source(log_.store, log_.sources[i].number,
					  FWA_SOURCE_END_ORDERLY, log_.now),
		     "end");
	if (orderly) {
		must(fwa_store_checkpoint(log_.store, FWA_CHECKPOINT_STOP, log_.now), "stop");
		must(fwa_store_sync(log_.store), "sync");
	}
	fwa_store_free(log_.store);
}

static bool every(int what, uint64_t i)
{
	return option[what] && i % option[what] == option[what] - 1;
}

static void write_log(void)
{
	begin();
	for (uint64_t i = 0; i < option[RECORDS]; i++) {
		write_something(&log_.sources[any((uint32_t)option[SOURCES])]);
		if (every(FAIL, i))
			fail();
		if (every(SYNC, i))
			commit();
		if (every(STEP, i))
			log_.now.real += 3600 * FWA_NS_PER_S;
		if (every(CRASH, i)) {
			must(fwa_store_write(log_.store), "write");
			tear();
		}
		if (every(RESTART, i) || every(CRASH, i)) {
			end(false);
			pass_time(FWA_NS_PER_S);
			begin();
		}
	}
	end(!option[LEAVE]);
}

static void parse(int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		char *value = strchr(argv[i], '=');
		int k = 0;

		if (value)
			*value++ = '\0';
		while (k < OPTIONS && strcmp(names[k], argv[i]) != 0)
			k++;
		if (!value || k == OPTIONS)
			must(-EINVAL, argv[i]);
		option[k] = strtoull(value, NULL, 10);
	}
	if (!option[SOURCES] || option[SOURCES] > SOURCES_MAX)
		must(-EINVAL, "sources");
}

int main(int argc, char **argv)
{
	if (argc < 2)
		must(-EINVAL, "make-log DIR [NAME=NUMBER ..]");
	parse(argc, argv);
	if (mkdir(argv[1], 0700) < 0 && errno != EEXIST)
		must(-errno, argv[1]);
	log_.dirfd = open(argv[1], O_RDONLY | O_DIRECTORY);
	must(log_.dirfd < 0 || fchdir(log_.dirfd) < 0 ? -errno : 0, argv[1]);
	log_.fs = fwa_fs_real(&log_.dirfd);
	log_.fs.sync = sync_or_fail;
	if (option[LOCK] && flock(openat(log_.dirfd, "lock", O_RDWR | O_CREAT, 0600), LOCK_EX) < 0)
		must(-errno, "lock");
	log_.now = (struct fwa_times){ (1700000000 + option[BOOT]) * FWA_NS_PER_S,
				       option[BOOT] * FWA_NS_PER_S };
	must(fwa_signer_open(log_.dirfd, "key", &log_.signer), "key");
	write_log();
	fwa_signer_free(log_.signer);
	return 0;
}
