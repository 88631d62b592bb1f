/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit-journald as the daemon keeps it running.
 */
#include "daemon/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/util.h"
#include "daemon/event.h"
#include "daemon/journal-internal.h"

#define MS FWA_NS_PER_MS
#define US_PER_MS (FWA_US_PER_S / 1000)

#define QUICK (10 * FWA_NS_PER_S)    /* one that lives shorter than this died quickly */
#define DELAY_FIRST (50 * US_PER_MS) /* of the second quick death; the first is no delay */
#define DELAY_MAX (5 * FWA_US_PER_S)
#define PATIENCE (2 * FWA_NS_PER_S)          /* for a record to become durable */
#define END_PATIENCE (10 * FWA_US_PER_S)     /* for the journal to be complete; */
#define END_PATIENCE_DOWN (2 * FWA_US_PER_S) /* while it cannot be written */
#define LOOK_AGAIN (250 * US_PER_MS)         /* while something is under way */

static uint64_t now_ns(void)
{
	return fwa_clock_ns(CLOCK_MONOTONIC);
}

/* --- how it is -------------------------------------------------------------------------------- */

/* Whether a record of the daemon's own is overdue. */
static bool is_late(struct fwa_journald *j)
{
	uint64_t durable = j->own ? fwa_ring_durable(&j->writer) : 0;

	if (durable != j->durable || durable >= j->writer.counter) {
		j->durable = durable;
		j->progress = now_ns();
	}
	return durable < j->writer.counter && now_ns() - j->progress >= PATIENCE;
}

/* What is wrong, "" when nothing is. */
static void find_trouble(struct fwa_journald *j, char text[256])
{
	int trouble = j->own ? fwa_ring_trouble(&j->writer) : ENOMEM;
	bool late = is_late(j);

	text[0] = '\0';
	if (j->failure[0])
		snprintf(text, 256, "%s", j->failure);
	else if (trouble)
		snprintf(text, 256, "%.120s: %s", j->dir, strerror(trouble));
	else if (late)
		snprintf(text, 256, "%.120s: nothing is written in time", j->dir);
	fwa_make_printable(text);
}

bool fwa_journald_look(struct fwa_journald *j)
{
	char trouble[sizeof(j->trouble)];
	bool down;

	find_trouble(j, trouble);
	down = trouble[0] != '\0';
	if (strcmp(trouble, j->trouble) == 0)
		return !down;
	strcpy(j->trouble, trouble);
	if (down) {
		log_error("journal: %s; what cannot be recorded is refused", trouble);
		fwa_event(j->daemon, "journal_trouble", NULL, "%s", trouble);
	} else {
		log_info("journal: %s: it is written again", j->dir);
		fwa_event(j->daemon, "journal_written", NULL, "%s", j->dir);
	}
	return !down;
}

struct fwa_ring_writer *fwa_journald_ring(struct fwa_journald *j)
{
	return j && j->own ? &j->writer : NULL;
}

void fwa_journald_status(struct fwa_journald *j, struct fwa_journald_status *ret)
{
	bool ok = fwa_journald_look(j);

	*ret = (struct fwa_journald_status){
		.state = !ok         ? FWA_JOURNALD_TROUBLE
			 : !j->ready ? FWA_JOURNALD_STARTING
				     : FWA_JOURNALD_OK,
		.path = j->dir,
		.trouble = j->trouble,
		.pid = j->pid,
		.head = j->own ? fwa_ring_head(&j->writer) : 0,
	};
	for (const struct fwa_source *src = j->sources; src; src = src->next)
		ret->unsynced += fwa_source_waiting(src);
}

/* --- its end ---------------------------------------------------------------------------------- */

static void start(struct fwa_journald *j);

static void fail(struct fwa_journald *j, const char *text)
{
	snprintf(j->failure, sizeof(j->failure), "%s", text);
	fwa_make_printable(j->failure);
	fwa_journald_look(j);
}

static void hang_up(struct fwa_journald *j)
{
	j->messages = sd_event_source_unref(j->messages);
	j->sock = fwa_close(j->sock);
	j->ready = false;
}

static void finish(struct fwa_journald *j)
{
	void (*done)(struct fwa_daemon * d) = fwa_steal(j->done);

	j->patience = sd_event_source_unref(j->patience);
	if (done)
		done(j->daemon);
}

static int on_restart(sd_event_source *source, uint64_t us, void *userdata)
{
	start(userdata);
	return 0;
}

static void schedule(struct fwa_journald *j)
{
	uint64_t delay = 0;

	if (now_ns() - j->started > QUICK)
		j->deaths = 0;
	if (++j->deaths > 1) {
		delay = DELAY_FIRST << (j->deaths < 8 ? j->deaths - 2 : 6);
		delay = delay < DELAY_MAX ? delay : DELAY_MAX;
	}
	j->restart = sd_event_source_unref(j->restart);
	if (sd_event_add_time_relative(j->daemon->event, &j->restart, CLOCK_MONOTONIC, delay, 1,
				       on_restart, j) < 0)
		log_error("journal: no timer: fwadmit-journald is not started again");
}

static int on_child(sd_event_source *source, const siginfo_t *si, void *userdata)
{
	struct fwa_journald *j = userdata;
	bool orderly = j->hung_up && si->si_code == CLD_EXITED && si->si_status == 0;
	char text[sizeof(j->failure)];

	if (si->si_code == CLD_EXITED)
		snprintf(text, sizeof(text), "fwadmit-journald %d exited with status %d", j->pid,
			 si->si_status);
	else
		snprintf(text, sizeof(text), "fwadmit-journald %d was killed by signal %d (%s)",
			 j->pid, si->si_status, strsignal(si->si_status));
	j->pid = 0;
	j->child = sd_event_source_unref(j->child);
	hang_up(j);
	if (orderly && fwa_sources_sweep(j)) {
		finish(j);
		return 0;
	}
	if (!j->failure[0]) /* else it has said why */
		fail(j, text);
	schedule(j); /*= spec/SECURITY-MODEL.md#C31 */
	return 0;
}

/* --- its own ring ----------------------------------------------------------------------------- */

static int on_ack(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct fwa_journald *j = userdata;

	fwa_ring_acked(&j->writer);
	fwa_journald_look(j);
	return 0;
}

/* Gives the daemon a ring, and another one when that is spoilt. 0 or negative errno. */
static int own_ring(struct fwa_journald *j)
{
	int r;

	j->ack = sd_event_source_unref(j->ack);
	r = fwa_journald_own(j);
	if (r == 0)
		r = sd_event_add_io(j->daemon->event, &j->ack, j->own->fds.ack, EPOLLIN, on_ack, j);
	return r < 0 ? r : 0;
}

/* --- what it is told, and says ---------------------------------------------------------------- */

static void take_message(struct fwa_journald *j, const struct fwa_attach_message *m)
{
	char text[FWA_ATTACH_TEXT_MAX + 1];

	strcpy(text, m->text);
	fwa_make_printable(text);
	switch (m->kind) {
	case FWA_ATTACH_READY:
		j->ready = true;
		j->failure[0] = '\0';
		log_info("journal: %s (fwadmit-journald %d): %s", j->dir, j->pid, text);
		fwa_journald_look(j);
		break;
	case FWA_ATTACH_BAD:
		fwa_source_spoilt(j, m->token, text);
		if (!j->own && own_ring(j) < 0)
			log_error("journal: no new ring for what fwadmitd does");
		break;
	case FWA_ATTACH_FAILED:
		if (!text[0])
			snprintf(text, sizeof(text), "%.100s: %s", j->dir, strerror(m->error));
		fail(j, text);
		break;
	default: /* of a newer one */
		break;
	}
}

/* Takes one message. What a journald that hangs up leaves behind is seen to when it has ended. */
static void receive(struct fwa_journald *j)
{
	struct fwa_attach_message m;
	int r = fwa_attach_recv(j->sock, &m);

	if (r == -EAGAIN || r == -EINTR)
		return;
	if (r == 0) {
		for (size_t i = 0; i < FWA_ARRAY_SIZE(m.fds); i++)
			fwa_close(m.fds[i]);
		take_message(j, &m);
		return;
	}
	if (r != -ECONNRESET)
		log_error("journal: fwadmit-journald %d sends nonsense: killed", j->pid);
	hang_up(j);
	if (!j->hung_up && j->pid > 0)
		kill(j->pid, SIGKILL);
}

/* Says what there is to say, and asks to be told when there is room for the rest. */
static void tell(struct fwa_journald *j)
{
	bool over = fwa_sources_sweep(j);
	int r = j->sock < 0 || j->hung_up ? 0 : fwa_sources_tell(j);

	if (r < 0 && r != -EAGAIN) {
		log_error("journal: fwadmit-journald %d cannot be told: %s", j->pid, strerror(-r));
		hang_up(j);
		kill(j->pid, SIGKILL);
		return;
	}
	if (j->messages)
		sd_event_source_set_io_events(j->messages, EPOLLIN | (r == -EAGAIN ? EPOLLOUT : 0));
	if (r == 0 && j->done && over && j->sock >= 0 && !j->hung_up) {
		j->hung_up = true; /* which tells it to complete the journal, and to end */
		shutdown(j->sock, SHUT_WR);
	}
}

static int on_messages(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct fwa_journald *j = userdata;

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		receive(j);
	tell(j);
	return 0;
}

/* --- its beginning ---------------------------------------------------------------------------- */

static int watch(struct fwa_journald *j)
{
	sd_event *event = j->daemon->event;
	int r;

	if (fcntl(j->sock, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	r = sd_event_add_io(event, &j->messages, j->sock, EPOLLIN, on_messages, j);
	if (r >= 0)
		r = sd_event_add_child(event, &j->child, j->pid, WEXITED, on_child, j);
	/* What it said last is heard before its end is noticed. */
	if (r >= 0)
		r = sd_event_source_set_priority(j->child, SD_EVENT_PRIORITY_NORMAL + 10);
	return r < 0 ? r : 0;
}

static void start(struct fwa_journald *j)
{
	char text[sizeof(j->failure)];
	int r;

	j->restart = sd_event_source_unref(j->restart);
	j->started = now_ns();
	j->begun = j->hung_up = false;
	r = fwa_journal_launch(&j->options, false, &j->pid, &j->sock);
	if (r == 0) {
		r = watch(j);
		if (r < 0)
			kill(j->pid, SIGKILL);
		if (r < 0 && !j->child)
			waitpid(j->pid, NULL, 0);
	}
	if (r == 0) {
		fwa_sources_forget(j);
		tell(j);
		return;
	}
	snprintf(text, sizeof(text), "fwadmit-journald cannot be started: %s", strerror(-r));
	fail(j, text);
	hang_up(j);
	if (!j->child) {
		j->pid = 0;
		schedule(j);
	}
}

/* --- waiting ---------------------------------------------------------------------------------- */

static int on_timer(sd_event_source *source, uint64_t us, void *userdata)
{
	struct fwa_journald *j = userdata;
	bool settled;

	fwa_journald_look(j);
	tell(j);
	settled = fwa_sources_sweep(j) && (!j->own || j->durable >= j->writer.counter);
	if (settled)
		return 0;
	sd_event_source_set_time_relative(source, LOOK_AGAIN);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void look_later(struct fwa_journald *j)
{
	if (!j->timer) {
		sd_event_add_time_relative(j->daemon->event, &j->timer, CLOCK_MONOTONIC, LOOK_AGAIN,
					   LOOK_AGAIN / 4, on_timer, j);
		return;
	}
	if (sd_event_source_get_enabled(j->timer, NULL) > 0)
		return;
	sd_event_source_set_time_relative(j->timer, LOOK_AGAIN);
	sd_event_source_set_enabled(j->timer, SD_EVENT_ONESHOT);
}

void fwa_journald_stir(struct fwa_journald *j)
{
	tell(j);
	look_later(j);
}

/* Waits for a word of journald, until @deadline at most, and heeds it. */
static void heed(struct fwa_journald *j, uint64_t deadline)
{
	uint64_t now = now_ns();
	struct pollfd p[] = {
		{ .fd = j->own ? j->own->fds.ack : -1, .events = POLLIN },
		{ .fd = j->sock, .events = POLLIN },
	};

	if (poll(p, 2, deadline > now ? (int)((deadline - now) / MS + 1) : 0) <= 0)
		return;
	if (p[0].revents)
		fwa_ring_acked(&j->writer);
	if (p[1].revents)
		receive(j);
}

bool fwa_journald_is_down(struct fwa_journald *j)
{
	return j->sock < 0 || !j->own || fwa_ring_trouble(&j->writer) || is_late(j);
}

const char *fwa_journald_trouble(struct fwa_journald *j)
{
	fwa_journald_look(j);
	return j->trouble[0] ? j->trouble : "fwadmit-journald does not run";
}

int fwa_journald_wait(struct fwa_journald *j, uint64_t counter)
{
	const struct fwa_source *own = j->own;
	uint64_t deadline = now_ns() + PATIENCE;

	while (own == j->own && fwa_ring_durable(&j->writer) < counter) {
		if (fwa_journald_is_down(j) || now_ns() >= deadline) {
			fwa_journald_look(j);
			return -EIO;
		}
		heed(j, deadline);
	}
	return own == j->own ? 0 : -EIO;
}

/* --- all of it -------------------------------------------------------------------------------- */

static int set_up(struct fwa_journald *j)
{
	const struct fwa_daemon_options *o = j->daemon->options;

	if (!o->journal && !o->state_dir) {
		log_error("there is no place for the journal: give --journal=DIR, or none");
		return -ENOENT;
	}
	if (o->journal)
		j->dir = strdup(o->journal);
	else if (asprintf(&j->dir, "%s/journal", o->state_dir) < 0)
		j->dir = NULL;
	if (!j->dir)
		return -ENOMEM;
	j->options = (struct fwa_journal_options){
		.dir = j->dir,
		.key = o->journal_key,
		.segment_max = o->journal_segment,
		.total_max = o->journal_size,
		.age_max = o->journal_age,
		.log = true,
	};
	return own_ring(j);
}

int fwa_journald_new(struct fwa_daemon *d, struct fwa_journald **ret)
{
	struct fwa_journald *j;
	int r;

	*ret = NULL;
	if (d->options->journal && strcmp(d->options->journal, FWA_JOURNAL_NONE) == 0) {
		log_warning("there is no journal: nothing of what is done here is recorded");
		return 0;
	}
	j = calloc(1, sizeof(*j));
	if (!j)
		return -ENOMEM;
	j->daemon = d;
	j->sock = -1;
	r = set_up(j);
	if (r < 0) {
		log_error("the journal cannot be kept: %s", strerror(-r));
		fwa_journald_free(j);
		return r;
	}
	start(j);
	*ret = j;
	return 0;
}

static int on_patience(sd_event_source *source, uint64_t us, void *userdata)
{
	struct fwa_journald *j = userdata;

	log_error("journal: %s: not complete: %s", j->dir,
		  j->trouble[0] ? j->trouble : "fwadmit-journald does not end");
	finish(j);
	return 0;
}

void fwa_journald_end(struct fwa_journald *j, void (*done)(struct fwa_daemon *d))
{
	uint64_t patience = fwa_journald_is_down(j) ? END_PATIENCE_DOWN : END_PATIENCE;

	j->done = done;
	if (sd_event_add_time_relative(j->daemon->event, &j->patience, CLOCK_MONOTONIC, patience, 0,
				       on_patience, j) < 0) {
		finish(j);
		return;
	}
	if (j->own) {
		j->own->ended = true;
		j->own->how = FWA_SOURCE_END_ORDERLY;
	}
	fwa_journald_stir(j);
}

struct fwa_journald *fwa_journald_free(struct fwa_journald *j)
{
	if (!j)
		return NULL;
	sd_event_source_unref(j->child);
	sd_event_source_unref(j->restart);
	sd_event_source_unref(j->timer);
	sd_event_source_unref(j->ack);
	sd_event_source_unref(j->patience);
	hang_up(j);
	fwa_sources_free(j);
	free(j->dir);
	free(j);
	return NULL;
}
