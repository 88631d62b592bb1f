/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records through rings into a real fwadmit-journald, beside the disk's own rate of fdatasync in the same
 * directory, by turns. Usage: bench-waits DIR; $FWADMIT_JOURNALD is the program.
 *
 * 1. Records a second that get durable when 1, 4 and 16 processes write as many as their rings take.
 * 2. Commands a second when 1, 16 and 64 wait: each waits until its decision is durable, then has its
 *    outcome recorded, then is followed by the next one. In one worker, and each in a worker of its own.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>

#include "bench-record.h"
#include "host/journal.h"

#define ROUNDS 7
#define ROUND_NS 0.4e9
#define WORKERS_MAX 64
#define DISK_BLOCKS 4096

static void die(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerror(error < 0 ? -error : error));
	exit(1);
}

/* --- the disk ------------------------------------------------------------------------------------- */

/* A file of which all blocks are there, as the journal's are. */
static int disk_file(const char *dir)
{
	static const uint8_t block[4096];
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/anchor", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		die(path, errno);
	for (int i = 0; i < DISK_BLOCKS; i++)
		if (write(fd, block, sizeof(block)) != sizeof(block))
			die(path, errno);
	if (fsync(fd) < 0)
		die(path, errno);
	return fd;
}

/* Writes of 512 bytes one behind the other, each followed by fdatasync: how many a second. */
static double disk_rate(int fd)
{
	static off_t at;
	double start = bench_now(), end = start + ROUND_NS;
	uint8_t block[512];
	unsigned int n = 0;

	memset(block, 0x5a, sizeof(block));
	while (bench_now() < end) {
		if (pwrite(fd, block, sizeof(block), at) != sizeof(block) || fdatasync(fd) < 0)
			die("fdatasync", errno);
		at = (at + 512) % (DISK_BLOCKS * 4096);
		n++;
	}
	return n * 1e9 / (bench_now() - start);
}

/* --- workers ---------------------------------------------------------------------------------------- */

/* What the processes share with who started them. */
struct board {
	_Atomic bool go, stop;
	_Atomic uint64_t done[WORKERS_MAX];
};

struct job {
	unsigned int workers, waiting; /* 0 waiting: it writes all that fits */
};

struct worker {
	struct fwa_ring_writer ring;
	struct bench_records b;
	uint64_t open[2048]; /* counters of decisions, in their order */
	unsigned int first, n;
};

static void wait_for_journal(struct worker *w)
{
	struct pollfd p = { .fd = w->ring.ack, .events = POLLIN };

	poll(&p, 1, 50);
	fwa_ring_acked(&w->ring);
	if (fwa_ring_trouble(&w->ring))
		die("the journal", fwa_ring_trouble(&w->ring));
}

/* Puts one in, waiting for room. Its counter. */
static uint64_t put(struct worker *w, enum fwa_record_kind kind, struct fwa_span body, bool urgent)
{
	uint64_t counter;

	while (!(counter = fwa_ring_put(&w->ring, kind, body, urgent)))
		if (!fwa_ring_ask_room(&w->ring, fwa_ring_need(body.len)))
			wait_for_journal(w);
	return counter;
}

static void write_all(struct worker *w, struct board *board, unsigned int i)
{
	while (!board->stop) {
		uint64_t decision = put(w, FWA_RECORD_DECISION,
					fwa_span(w->b.decision, w->b.decision_len), false);

		put(w, FWA_RECORD_OUTCOME, bench_outcome(&w->b, decision), false);
		board->done[i] = fwa_ring_durable(&w->ring);
	}
}

static void begin_command(struct worker *w)
{
	w->open[(w->first + w->n++) % 2048] =
		put(w, FWA_RECORD_DECISION, fwa_span(w->b.decision, w->b.decision_len), true);
}

static void write_waiting(struct worker *w, struct board *board, unsigned int i,
			  unsigned int waiting)
{
	while (w->n < waiting)
		begin_command(w);
	while (!board->stop) {
		uint64_t durable = fwa_ring_durable(&w->ring);

		if (w->open[w->first] > durable) {
			wait_for_journal(w);
			continue;
		}
		while (w->n && w->open[w->first] <= durable) {
			put(w, FWA_RECORD_OUTCOME, bench_outcome(&w->b, w->open[w->first]), false);
			w->first = (w->first + 1) % 2048;
			w->n--;
			board->done[i]++;
		}
		while (w->n < waiting)
			begin_command(w);
	}
}

static void end_all(struct worker *w)
{
	for (; w->n; w->n--, w->first = (w->first + 1) % 2048)
		put(w, FWA_RECORD_OUTCOME, bench_outcome(&w->b, w->open[w->first]), false);
}

static void worker(const struct fwa_ring_fds *fds, struct board *board, unsigned int i,
		   const struct job *job)
{
	static struct worker w;
	int r;

	prctl(PR_SET_PDEATHSIG, 9);
	bench_records_make(&w.b);
	r = fwa_ring_writer_open(&w.ring, fds);
	if (r < 0)
		die("ring", r);
	while (!board->go)
		usleep(1000);
	if (job->waiting)
		write_waiting(&w, board, i, job->waiting);
	else
		write_all(&w, board, i);
	end_all(&w);
	_exit(0);
}

/* --- one measurement -------------------------------------------------------------------------------- */

static uint32_t tokens;

static void attach(int sock, const struct fwa_ring_fds *fds, uint32_t token)
{
	struct fwa_attach_message m = { .kind = FWA_ATTACH_SOURCE,
					.token = token,
					.source = { .kind = FWA_SOURCE_WORKER },
					.fds = { fds->memory, fds->doorbell, fds->ack } };
	int r;

	m.source.pid = (uint32_t)getpid();
	snprintf(m.source.name, sizeof(m.source.name), "bench%u", token);
	if (getrandom(m.source.id, sizeof(m.source.id), 0) != sizeof(m.source.id))
		die("getrandom", errno);
	r = fwa_attach_send(sock, &m);
	if (r < 0)
		die("attach", r);
}

static void detach(int sock, uint32_t token)
{
	struct fwa_attach_message m = { .kind = FWA_ATTACH_DETACH, .token = token };
	int r = fwa_attach_send(sock, &m);

	if (r < 0)
		die("detach", r);
}

static uint64_t total(const struct board *board, const struct job *job)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < job->workers; i++)
		n += board->done[i];
	return n;
}

/* What is durable, or done, a second while @job runs. */
static double measure(int sock, const struct job *job)
{
	struct board *board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	static struct fwa_ring_fds fds[WORKERS_MAX];
	uint32_t first = tokens + 1;
	double start, ns;
	uint64_t before, n;

	if (board == MAP_FAILED)
		die("memory", errno);
	for (unsigned int i = 0; i < job->workers; i++) {
		int r = fwa_ring_create(&fds[i]);

		if (r < 0)
			die("ring", r);
		attach(sock, &fds[i], ++tokens);
		if (fork() == 0)
			worker(&fds[i], board, i, job);
	}
	board->go = true;
	usleep(50000);
	before = total(board, job);
	start = bench_now();
	usleep((useconds_t)(ROUND_NS / 1e3));
	n = total(board, job) - before;
	ns = bench_now() - start;
	board->stop = true;
	for (unsigned int i = 0; i < job->workers; i++)
		if (wait(NULL) < 0)
			die("wait", errno);
	for (unsigned int i = 0; i < job->workers; i++) {
		detach(sock, first + i);
		fwa_ring_close(&fds[i]);
	}
	munmap(board, sizeof(*board));
	return (double)n * 1e9 / ns;
}

/* --- all of them ------------------------------------------------------------------------------------ */

static const struct job jobs[] = {
	{ 1, 0 }, { 4, 0 }, { 16, 0 }, { 1, 1 }, { 1, 16 }, { 1, 64 }, { 16, 1 }, { 64, 1 },
};
#define JOBS (sizeof(jobs) / sizeof(jobs[0]))
#define ONE_WAITING 3

static double rates[JOBS][ROUNDS], disk[ROUNDS];

static int start(const char *dir)
{
	struct fwa_attach_message m;
	char path[4096];
	struct fwa_journal_options o = { .dir = path, .log = true };
	pid_t pid;
	int sock, r;

	snprintf(path, sizeof(path), "%s/journal", dir);
	r = fwa_journal_launch(&o, false, &pid, &sock);
	if (r == 0)
		r = fwa_attach_recv(sock, &m);
	if (r < 0)
		die("fwadmit-journald", r);
	if (m.kind != FWA_ATTACH_READY) {
		fprintf(stderr, "fwadmit-journald: %s\n", m.text);
		exit(1);
	}
	m = (struct fwa_attach_message){ .kind = FWA_ATTACH_BEGIN };
	r = fwa_attach_send(sock, &m);
	if (r < 0)
		die("begin", r);
	return sock;
}

static void print_job(const struct job *job, double rate, double one, double base)
{
	char name[64];

	if (!job->waiting)
		snprintf(name, sizeof(name), "durable records a second, %u worker%s", job->workers,
			 job->workers > 1 ? "s" : "");
	else
		snprintf(name, sizeof(name), "durable commands a second, %u x %u waiting",
			 job->workers, job->waiting);
	printf("%-44s %9.0f   %7.2f x fdatasync (%.0f/s)", name, rate, rate / base, base);
	if (job->waiting * job->workers > 1)
		printf("   %.1f x one waiting (target: %u or more)", rate / one,
		       job->waiting * job->workers == 16 ? 6u : 12u);
	printf("\n");
}

int main(int argc, char **argv)
{
	double median[JOBS], base;
	int file, sock;

	if (argc != 2) {
		fprintf(stderr, "usage: bench-waits DIR\n");
		return 2;
	}
	file = disk_file(argv[1]);
	sock = start(argv[1]);
	for (int i = 0; i < ROUNDS; i++) {
		disk[i] = disk_rate(file);
		for (size_t k = 0; k < JOBS; k++)
			rates[k][i] = measure(sock, &jobs[k]);
	}
	close(sock);
	base = bench_percentile(disk, ROUNDS, 0.5);
	for (size_t k = 0; k < JOBS; k++)
		median[k] = bench_percentile(rates[k], ROUNDS, 0.5);
	for (size_t k = 0; k < JOBS; k++)
		print_job(&jobs[k], median[k], median[ONE_WAITING], base);
	return 0;
}
