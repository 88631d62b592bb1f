/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rings that are attached.
 *
 * 1. A source is hostile: what it wrote is a copy by now, is a whole record of a kind that its kind of
 *    source may write, with the next counter, and closes only what is open; or the source is done with, and
 *    that stands in the journal (C31). Other sources see nothing of it.
 * 2. None takes more of a round than another: each ring gives so many records and bytes, and each round
 *    begins with another ring.
 * 3. A record is taken when the store has it. When it has not, the ring has it still.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "journald/journald.h"

#define ROUND_RECORDS 256u
#define ROUND_BYTES (128u * 1024)
#define HELD_NS (20 * FWA_NS_PER_MS)
/* So long one waits for others' outcomes. */
#define HELD_MAX_NS (2 * FWA_NS_PER_S)

#define TOO_MANY "too many decisions without an outcome"

static const char *name_of(const struct source *s)
{
	return s->about.name[0] ? s->about.name : "fwadmitd";
}

static void source_free(struct journald *j, struct source *s)
{
	fwa_list_remove(&s->link);
	j->n_sources--;
	/* Others have the eventfd too, so that closing it here would not be enough. */
	epoll_ctl(j->epoll, EPOLL_CTL_DEL, s->ring.doorbell, NULL);
	fwa_ring_reader_close(&s->ring);
	fwa_close(s->pidfd);
	free(s);
}

/* Nothing more is taken from it: said to its launcher, and in the journal. */
static void source_break(struct journald *j, struct source *s, const char *why)
{
	log_warning("%s: nothing more is taken from it: %s", name_of(s), why);
	if (s->owner)
		connection_bad(j, s->owner, s->token, why);
	s->broken = s->ending = true;
	s->held = false;
	s->how = FWA_SOURCE_END_NONSENSE;
	s->owner = NULL;
}

/* --- coming ------------------------------------------------------------------------------------- */

static bool is_attached(const struct journald *j, const struct connection *c,
			const struct fwa_attach_message *m)
{
	fwa_list_each(at, next, &j->sources)
	{
		const struct source *s = fwa_list_entry(at, struct source, link);

		if ((s->owner == c && s->token == m->token) ||
		    memcmp(s->about.id, m->source.id, sizeof(m->source.id)) == 0)
			return true;
	}
	return false;
}

/* Opens its ring behind what the file has of it already. */
static int open_ring(struct journald *j, struct source *s, const int fds[3])
{
	struct fwa_ring_fds ring = { fds[0], fds[1], fds[2] };
	struct fwa_open_source before;

	if (fwa_store_source(j->store, s->about.id, &before))
		s->about.resumed = before.counter;
	return fwa_ring_reader_open(&s->ring, &ring, s->about.resumed);
}

static int add(struct journald *j, struct source *s)
{
	int r = watch_fd(j, s->ring.doorbell, EPOLLIN | EPOLLET, &s->watch);

	if (r < 0)
		return r;
	s->pidfd = (int)syscall(SYS_pidfd_open, (pid_t)s->about.pid, 0);
	fwa_list_append(&j->sources, &s->link);
	j->n_sources++;
	fwa_ring_set_trouble(&s->ring, j->trouble);
	return 0;
}

void source_attach(struct journald *j, struct connection *c, struct fwa_attach_message *m)
{
	struct source *s = NULL;
	int r = -EMFILE;

	if (is_attached(j, c, m))
		r = -EEXIST;
	else if (j->n_sources < SOURCES_MAX)
		s = calloc(1, sizeof(*s));
	if (s) {
		*s = (struct source){ .watch = WATCH_DOORBELL,
				      .process = WATCH_PROCESS,
				      .owner = c,
				      .token = m->token,
				      .about = m->source,
				      .ring = { .doorbell = -1, .ack = -1 },
				      .pidfd = -1 };
		r = open_ring(j, s, m->fds);
	}
	if (r == 0) {
		m->fds[1] = m->fds[2] = -1; /* the ring's now */
		r = add(j, s);
	}
	for (int i = 0; i < 3; i++)
		fwa_close(m->fds[i]);
	if (r < 0) {
		connection_bad(j, c, m->token, strerror(-r));
		if (s)
			fwa_ring_reader_close(&s->ring);
		free(s);
	}
}

/* Writes its SOURCE record; false when there is no room for that now. */
static bool begin(struct journald *j, struct source *s)
{
	uint8_t body[1024];
	struct fwa_writer w = fwa_writer(body, sizeof(body));
	struct fwa_append a = { .kind = FWA_RECORD_SOURCE };
	int r;

	fwa_record_source_encode(&w, &s->about);
	a.body = fwa_span(body, w.len);
	r = w.full ? -EINVAL : commit_append(j, &a, &s->number);
	if (r == 0 || r == -ENOBUFS || r == -EROFS)
		return r == 0;
	source_break(j, s, strerror(-r));
	return false;
}

/* --- taking ------------------------------------------------------------------------------------- */

/* Workers decide, the daemon governs. */
static bool may_write(const struct source *s, unsigned int kind)
{
	if (kind == FWA_RECORD_CONTROL)
		return s->about.kind == FWA_SOURCE_DAEMON;
	return s->about.kind != FWA_SOURCE_DAEMON || kind == FWA_RECORD_UNRECORDED;
}

/* NULL, or why it cannot be taken. */
/*= spec/SECURITY-MODEL.md#C31 */
static const char *check(const struct journald *j, const struct source *s,
			 const struct fwa_ring_record *r, struct fwa_append *ret, bool *ret_opens)
{
	uint64_t closes;

	if (!may_write(s, r->kind) || !fwa_record_check(r->kind, r->body, ret_opens, &closes))
		return "a record that is none";
	*ret = (struct fwa_append){
		.kind = r->kind, .source = s->number, .counter = r->counter, .body = r->body
	};
	if (r->kind == FWA_RECORD_OUTCOME) {
		ret->refers = fwa_store_open_decision(j->store, s->number, closes);
		if (!ret->refers)
			return "an outcome without its decision";
	}
	return *ret_opens && s->open >= SOURCE_OPEN_MAX ? TOO_MANY : NULL;
}

/*
 * No more decisions can be open, and @s waits because of that. What would close some may stand behind it in the
 * rings of others, which wait, too; or whoever opened them never closes them. Whoever has most then has to go.
 */
static void hold(struct journald *j, struct source *s)
{
	struct source *most = s;
	uint32_t n = 0;

	if (!s->held)
		s->held_since = j->now.boot;
	s->held = true;
	if (j->now.boot - s->held_since < HELD_MAX_NS)
		return;
	s->held_since = j->now.boot;
	fwa_list_each(at, next, &j->sources)
	{
		struct source *other = fwa_list_entry(at, struct source, link);
		uint32_t open = fwa_store_open_count(j->store, other->number);

		if (open <= n)
			continue;
		most = other;
		n = open;
	}
	if (n && !most->broken) /* else they are of sources that nobody has claimed yet */
		source_break(j, most, TOO_MANY);
}

/* What the store said to a record of @s; false when the record is to be taken another time. */
static bool settle(struct journald *j, struct source *s, int r)
{
	if (r == -EMFILE)
		hold(j, s);
	else
		s->held = false;
	if (r < 0 && r != -ENOBUFS && r != -EROFS && r != -EMFILE)
		source_break(j, s, "a record that the journal refuses");
	return r == 0;
}

/* Takes one record. 1, 0 when there is none or it cannot be taken now, -1 when there will be no more. */
static int take_one(struct journald *j, struct source *s, size_t *bytes)
{
	static uint8_t buf[FWA_RECORD_BODY_MAX];
	struct fwa_ring_reader before = s->ring;
	struct fwa_ring_record record;
	const char *wrong = "its ring holds nonsense";
	struct fwa_append a;
	uint64_t seq;
	bool opens;
	int r = fwa_ring_take(&s->ring, buf, &record);

	if (r == 0)
		return 0;
	if (r > 0)
		wrong = check(j, s, &record, &a, &opens);
	if (wrong) {
		source_break(j, s, wrong);
		return -1;
	}
	if (!settle(j, s, commit_append(j, &a, &seq))) {
		s->ring = before;
		return s->broken ? -1 : 0;
	}
	s->open += opens;
	if (record.kind == FWA_RECORD_OUTCOME && s->open)
		s->open--;
	if (record.urgent) {
		fwa_ring_receipt(&s->ring, record.counter, seq);
		s->urgent = j->must_sync = true;
	}
	*bytes += record.body.len;
	return 1;
}

/* True when the ring is empty. */
static bool take(struct journald *j, struct source *s)
{
	size_t bytes = 0;

	for (unsigned int n = 0; n < ROUND_RECORDS && bytes < ROUND_BYTES; n++) {
		int r = take_one(j, s, &bytes);

		if (r <= 0)
			return r == 0 && !j->full && !j->trouble && !s->held;
		j->took = true;
	}
	j->more = true;
	return false;
}

/* --- going -------------------------------------------------------------------------------------- */

void source_detach(struct journald *j, struct connection *c, uint32_t token,
		   enum fwa_source_end how)
{
	fwa_list_each(at, next, &j->sources)
	{
		struct source *s = fwa_list_entry(at, struct source, link);

		if (s->owner != c || s->token != token)
			continue;
		/* It stays its launcher's, who is to hear if what is left in the ring is nonsense. */
		s->ending = true;
		s->how = how;
	}
}

void source_ended(struct source *s)
{
	s->ending = true;
}

/*
 * Whoever launched it can no more say when it has ended. It ends with its launcher, but a little later: what it
 * puts into its ring until then belongs into the journal.
 */
static void orphan(struct journald *j, struct source *s)
{
	s->deadline = j->now.boot + ORPHAN_UNSEEN_NS;
	if (s->pidfd >= 0 && watch_fd(j, s->pidfd, EPOLLIN | EPOLLONESHOT, &s->process) == 0)
		s->deadline = j->now.boot + ORPHAN_NS;
}

void sources_orphan(struct journald *j, struct connection *c)
{
	fwa_list_each(at, next, &j->sources)
	{
		struct source *s = fwa_list_entry(at, struct source, link);

		if (s->owner != c)
			continue;
		s->owner = NULL;
		if (!s->ending)
			orphan(j, s);
	}
}

uint64_t sources_deadline(const struct journald *j)
{
	uint64_t first = 0;

	fwa_list_each(at, next, &j->sources)
	{
		const struct source *s = fwa_list_entry(at, struct source, link);

		uint64_t at_ns = s->held ? j->now.boot + HELD_NS : s->ending ? 0 : s->deadline;

		if (at_ns && (!first || at_ns < first))
			first = at_ns;
	}
	return first;
}

/*
 * Tells what it counted as lost, and could not tell any more; as its last record. False when that is to be tried
 * another time.
 */
/*= spec/SECURITY-MODEL.md#C31 */
static bool confess(struct journald *j, struct source *s)
{
	struct fwa_record_unrecorded lost;
	uint8_t body[64];
	struct fwa_writer w = fwa_writer(body, sizeof(body));
	struct fwa_append a = { .kind = FWA_RECORD_UNRECORDED,
				.source = s->number,
				.counter = s->ring.counter + 1 };
	int r;

	if (s->confessed || s->broken || !fwa_ring_lost(s->ring.ring, &lost))
		return true;
	fwa_record_unrecorded_encode(&w, &lost);
	a.body = fwa_span(body, w.len);
	r = commit_append(j, &a, NULL);
	if (r == -ENOBUFS || r == -EROFS)
		return false;
	if (r == 0)
		s->ring.counter++;
	else
		log_warning("%s: what it says of what is lost is nonsense", name_of(s));
	s->confessed = true;
	return true;
}

/* Ends it in the journal, and for us. */
static void end(struct journald *j, struct source *s)
{
	if (s->deadline && !s->broken)
		s->how = s->open || s->about.resumed ? FWA_SOURCE_END_LOST : FWA_SOURCE_END_ORDERLY;
	if (!s->number || commit_end_source(j, s->number, s->how) == 0)
		source_free(j, s);
}

static void round_of(struct journald *j, struct source *s)
{
	bool empty = true;

	if (s->deadline && j->now.boot >= s->deadline)
		s->ending = true;
	if (!s->broken && (s->number || begin(j, s)))
		empty = take(j, s);
	else if (!s->broken)
		empty = false;
	if (!s->ending || !(empty || s->broken) || !confess(j, s))
		return;
	/*
	 * First all of it is in the file, and the ring says so, then that it has ended: should we die
	 * between, whoever launched it sees what to attach again.
	 */
	if (s->drained == DRAINED_WRITTEN)
		end(j, s);
	else
		s->drained = DRAINED;
}

void sources_take(struct journald *j)
{
	/* Whoever had its turn goes to the end: when it must be cut short the next ones are first then. */
	for (unsigned int n = j->n_sources; n && !j->full && !j->trouble; n--) {
		struct fwa_link *first = j->sources.next;

		fwa_list_remove(first);
		fwa_list_append(&j->sources, first);
		round_of(j, fwa_list_entry(first, struct source, link));
	}
}

/* --- all of them -------------------------------------------------------------------------------- */

void sources_release(struct journald *j)
{
	fwa_list_each(at, next, &j->sources)
	{
		struct source *s = fwa_list_entry(at, struct source, link);

		fwa_ring_release(&s->ring);
		if (s->drained != DRAINED)
			continue;
		fwa_ring_lost_told(&s->ring);
		s->drained = DRAINED_WRITTEN;
	}
}

void sources_publish(struct journald *j)
{
	uint64_t head = fwa_store_durable(j->store);

	fwa_list_each(at, next, &j->sources)
	{
		struct source *s = fwa_list_entry(at, struct source, link);

		fwa_ring_publish(&s->ring, head, s->urgent);
		s->urgent = false;
	}
}

void sources_trouble(struct journald *j)
{
	fwa_list_each(at, next, &j->sources)
		fwa_ring_set_trouble(&fwa_list_entry(at, struct source, link)->ring, j->trouble);
}

/* One that is held back is not looked at: its time comes otherwise. */
bool sources_sleep(struct journald *j, uint32_t how)
{
	fwa_list_each(at, next, &j->sources)
	{
		struct source *s = fwa_list_entry(at, struct source, link);

		if (!s->held && (s->ending || !fwa_ring_sleep(&s->ring, how))) {
			sources_awake(j);
			return false;
		}
	}
	return true;
}

void sources_awake(struct journald *j)
{
	fwa_list_each(at, next, &j->sources)
		fwa_ring_awake(&fwa_list_entry(at, struct source, link)->ring);
}

/* --- those of a writer before -------------------------------------------------------------------- */

static void note(void *arg, const struct fwa_open_source *source)
{
	struct journald *j = arg;

	if (j->n_left < SOURCES_MAX)
		j->left[j->n_left++] = source->number;
}

void left_find(struct journald *j)
{
	fwa_store_each_source(j->store, note, j);
	if (j->n_left)
		j->claim_until = j->now.boot + CLAIM_NS;
}

void left_end(struct journald *j)
{
	while (j->n_left) {
		uint64_t number = j->left[j->n_left - 1];
		int r = commit_end_source(j, number, FWA_SOURCE_END_LOST);

		if (r == -ENOBUFS || r == -EROFS)
			return;
		j->n_left--;
	}
}
