/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loop: take, write, synchronise, say so.
 *
 * 1. A record whose source waits for it is on disk at the end of its round, with all that came in the same
 *    round: those who wait share one synchronisation. What nobody waits for is in the file at the end of its
 *    round, and on disk within a second, with a signed checkpoint.
 * 2. Nothing is released from a ring before it is in the file, nor said to be durable before it is (C31).
 * 3. What cannot be written stays: the store has it, then the rings have it, then their producers have no
 *    room, and refuse. Repair is tried until it succeeds.
 * 4. After a round with records it dozes, so that a stream of reads rings no bell; after one without it
 *    sleeps, with no time of waking unless something is still to be signed.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/log.h"
#include "base/util.h"
#include "journald/journald.h"

#define SYNC_BYTES (512u * 1024)
#define SIGN_NS FWA_NS_PER_S
#define REPAIR_NS (200 * FWA_NS_PER_MS)
#define REPAIR_LATER_NS FWA_NS_PER_S
#define REPAIR_SOON_NS (5 * FWA_NS_PER_S)
/* How long nobody but us has what cannot be written. */
#define ALONE_NS (600 * FWA_NS_PER_S)
#define EVENTS_MAX 64

static void read_clocks(struct journald *j)
{
	j->now = (struct fwa_times){ .real = fwa_clock_ns(CLOCK_REALTIME),
				     .boot = fwa_clock_ns(CLOCK_BOOTTIME) };
}

/* --- trouble ------------------------------------------------------------------------------------ */

static void begin_trouble(struct journald *j, int error)
{
	j->trouble = error;
	j->trouble_since = j->now.boot;
	j->repair_at = j->now.boot + REPAIR_NS;
	log_error("the journal cannot be written: %s; trying again", strerror(error));
	sources_trouble(j);
}

static void end_trouble(struct journald *j)
{
	j->trouble = 0;
	j->full = j->must_sync = false;
	log_warning("the journal is written again, after %llu ms; nothing is lost",
		    (unsigned long long)((j->now.boot - j->trouble_since) / FWA_NS_PER_MS));
	/* All that the store had is on disk now. */
	sources_release(j);
	sources_publish(j);
	sources_trouble(j);
}

static void repair(struct journald *j)
{
	int r;

	if (j->now.boot < j->repair_at)
		return;
	r = fwa_store_repair(j->store, j->now);
	if (r == 0) {
		end_trouble(j);
		return;
	}
	if (-r != j->trouble) {
		j->trouble = -r;
		sources_trouble(j);
	}
	j->repair_at =
		j->now.boot +
		(j->now.boot - j->trouble_since < REPAIR_SOON_NS ? REPAIR_NS : REPAIR_LATER_NS);
}

/* --- appending ---------------------------------------------------------------------------------- */

/* What follows from an append's result @r, which is returned. */
static int note(struct journald *j, int r)
{
	if (r == -ENOBUFS)
		j->full = true;
	else if (r == -EROFS && !j->trouble)
		begin_trouble(j, EROFS);
	else if (r == 0 && !j->sign_at)
		j->sign_at = j->now.boot + SIGN_NS;
	return r;
}

static int sign(struct journald *j, enum fwa_checkpoint_why why)
{
	int r = note(j, fwa_store_checkpoint(j->store, why, j->now));

	if (r == 0) {
		j->checkpoint = fwa_store_last(j->store);
		j->sign_at = 0;
		j->must_sync = true;
	} else if (r != -ENOBUFS && r != -EROFS) {
		log_error("a checkpoint cannot be signed: %s", strerror(-r));
		j->sign_at = j->now.boot + SIGN_NS;
	}
	return r;
}

int commit_append(struct journald *j, const struct fwa_append *a, uint64_t *ret_seq)
{
	return note(j, fwa_store_append(j->store, a, j->now, ret_seq));
}

int commit_end_source(struct journald *j, uint64_t number, enum fwa_source_end how)
{
	return note(j, fwa_store_end_source(j->store, number, how, j->now));
}

/* --- committing --------------------------------------------------------------------------------- */

/*= spec/SECURITY-MODEL.md#C31 */
static void write_out(struct journald *j, bool sync)
{
	int r = sync ? fwa_store_sync(j->store) : fwa_store_write(j->store);

	if (r == 0)
		sources_release(j);
	if (r == 0 && sync) {
		j->full = j->must_sync = false;
		sources_publish(j);
	}
	if (r < 0 && !j->trouble)
		begin_trouble(j, -r);
}

/* What was synchronised may have been the last of its segment. */
static void rotate(struct journald *j)
{
	int r = fwa_store_rotate(j->store, j->now);

	if (r < 0 && !j->trouble)
		begin_trouble(j, -r);
}

/* What was passed over is in the file already. */
static void write_nothing(struct journald *j)
{
	j->full = j->must_sync = false;
	sources_release(j);
}

static void commit(struct journald *j)
{
	bool sync;

	if (j->sign_at && j->now.boot >= j->sign_at)
		sign(j, FWA_CHECKPOINT_PERIODIC);
	if (j->trouble)
		return;
	if (!fwa_store_unsynced(j->store)) {
		write_nothing(j);
		return;
	}
	sync = j->must_sync || j->full || fwa_store_unsynced(j->store) >= SYNC_BYTES;
	write_out(j, sync);
	if (sync && !j->trouble)
		rotate(j);
}

/* Nobody comes to claim them any more. */
static bool unclaimed(const struct journald *j)
{
	return j->n_left && j->now.boot >= j->claim_until && (j->begun || !j->n_connections) &&
	       !j->full && !j->trouble;
}

static void round_once(struct journald *j)
{
	read_clocks(j);
	j->took = j->more = false;
	if (j->trouble)
		repair(j);
	if (j->trouble)
		return;
	objects_keep(j);
	sources_take(j);
	if (unclaimed(j))
		left_end(j);
	commit(j);
}

/* --- waiting ------------------------------------------------------------------------------------ */

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return !a || (b && b < a) ? b : a;
}

/* When something is to be done without being told; 0: never. */
static uint64_t next_time(const struct journald *j)
{
	uint64_t at = earlier(j->sign_at, sources_deadline(j));

	if (j->n_left && (j->begun || !j->n_connections))
		at = earlier(at, j->claim_until);
	at = earlier(at, j->sweep_at);
	return earlier(at, j->objects_at);
}

static int timeout_until(const struct journald *j, uint64_t at)
{
	uint64_t ns = at > j->now.boot ? at - j->now.boot : 0;

	return (int)((ns + FWA_NS_PER_MS - 1) / FWA_NS_PER_MS);
}

/* How long to wait, in ms: -1 for ever. All rings know that it sleeps when it is not 0. */
static int plan(struct journald *j)
{
	uint64_t at;

	if (j->trouble)
		return timeout_until(j, j->repair_at);
	if (j->more || j->full)
		return 0;
	if (!sources_sleep(j, j->took ? FWA_RING_DOZES : FWA_RING_SLEEPS))
		return 0;
	at = next_time(j);
	if (j->took)
		at = earlier(at, j->now.boot + LONGEST_DOZE_NS);
	if (at)
		return timeout_until(j, at);
	/* Nobody is left who could wake it. */
	return j->stopping ? 0 : -1;
}

static void handle(struct journald *j, void *what)
{
	switch (*(const enum watch *)what) {
	case WATCH_LISTENER:
		listen_accept(j);
		break;
	case WATCH_CONNECTION:
		connection_read(j, what);
		break;
	case WATCH_PROCESS:
		source_ended((struct source *)((char *)what - offsetof(struct source, process)));
		break;
	case WATCH_DOORBELL:
		break;
	}
}

/* Handlers free only what they are called for: what else was told of is still there. */
static void wait_for_events(struct journald *j)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(j->epoll, events, EVENTS_MAX, plan(j));

	sources_awake(j);
	read_clocks(j);
	for (int i = 0; i < n; i++)
		handle(j, events[i].data.ptr);
}

/* --- ending ------------------------------------------------------------------------------------- */

/* Whether nothing is to be done, and nobody there for whom something could be. */
static bool is_idle(const struct journald *j)
{
	return !j->n_connections && !j->n_sources && !j->n_left;
}

/* Nobody could be told of what cannot be written, and nobody has it but us. */
static bool gives_up(struct journald *j)
{
	if (!j->trouble || j->n_connections) {
		j->alone_since = 0;
		return false;
	}
	if (!j->alone_since)
		j->alone_since = j->now.boot;
	if (j->now.boot - j->alone_since < ALONE_NS)
		return false;
	log_error("what could not be written is lost: %s", strerror(j->trouble));
	return true;
}

/* Signs what is not signed by us, and has it on disk; false when that is to be tried again. */
static bool sign_off(struct journald *j)
{
	if (fwa_store_last(j->store) != j->checkpoint && sign(j, FWA_CHECKPOINT_STOP) < 0 &&
	    !j->full)
		return false;
	write_out(j, true);
	return !j->trouble && fwa_store_last(j->store) == j->checkpoint;
}

/* True when all is signed and on disk. */
static bool stop(struct journald *j)
{
	if (!j->stopping) {
		listen_accept(j);
		if (j->n_connections)
			return false;
		listen_close(j);
		j->stopping = true;
	}
	if (!sign_off(j))
		return false;
	/* Handing over and retiring append, too. That is signed once more, but hands over nothing. */
	rotate(j);
	return !j->trouble && sign_off(j);
}

int commit_loop(struct journald *j)
{
	for (;;) {
		round_once(j);
		if (gives_up(j))
			return -1;
		if (!j->trouble && is_idle(j) && stop(j))
			return 0;
		wait_for_events(j);
	}
}
