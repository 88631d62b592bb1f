/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One device that is served.
 */
#include "daemon/served.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/bury.h"
#include "base/log.h"
#include "base/util.h"
#include "daemon/event.h"
#include "daemon/journal.h"
#include "daemon/quarantine.h"
#include "daemon/round.h"
#include "host/launch.h"

#define SECOND FWA_US_PER_S

#define START_TIMEOUT (60 * SECOND)
#define STOP_TIMEOUT (2 * SECOND)
#define QUICK (10 * SECOND) /* a worker that lives shorter than this died quickly */
#define DELAY_FIRST (SECOND / 20)
#define DELAY_MAX (5 * SECOND)
#define QUICK_DEATHS_MAX 6
#define RETRY_AFTER (60 * SECOND)
#define MESSAGES_MAX 64 /* of a worker in a second; the others wait for the next */

static void start(struct fwa_served *s);

const struct fwa_quarantined *fwa_served_quarantine(const struct fwa_served *s)
{
	char key[FWA_DIGEST_TEXT];

	if (!s->identified)
		return NULL;
	fwa_device_digest(&s->who, key);
	return fwa_quarantine_find(&s->daemon->quarantine, key);
}

const char *fwa_served_state_name(const struct fwa_served *s)
{
	static const char *const names[FWA_SERVED_COUNT] = {
		[FWA_SERVED_STARTING] = "starting",
		[FWA_SERVED_READY] = "ready",
		[FWA_SERVED_FAILED] = "failed",
		[FWA_SERVED_GONE] = "gone",
	};

	if (s->state == FWA_SERVED_READY && fwa_served_quarantine(s))
		return "quarantined";
	return names[s->state];
}

static uint64_t now_us(void)
{
	return fwa_clock_ns(CLOCK_MONOTONIC) / 1000;
}

/* Calls @fn in @us; there is one timer, for what the device waits for now. 0 or negative errno. */
static int wait_for(struct fwa_served *s, uint64_t us, sd_event_time_handler_t fn)
{
	s->timer = sd_event_source_unref(s->timer);
	return sd_event_add_time_relative(s->daemon->event, &s->timer, CLOCK_MONOTONIC, us,
					  us / 10 + 1, fn, s);
}

/* --- the end of a worker -------------------------------------------------------------------- */

void fwa_served_kill(struct fwa_served *s)
{
	if (s->pid > 0)
		kill(s->pid, SIGKILL); /* not yet waited for: the pid is still its own */
}

static int on_start_timeout(sd_event_source *source, uint64_t us, void *userdata)
{
	struct fwa_served *s = userdata;

	log_error("%s: worker %d is not ready in time: killed", s->name, s->pid);
	fwa_served_kill(s);
	return 0;
}

static int on_stop_timeout(sd_event_source *source, uint64_t us, void *userdata)
{
	struct fwa_served *s = userdata;

	log_warning("%s: worker %d does not stop: killed", s->name, s->pid);
	fwa_served_kill(s);
	return 0;
}

static int on_restart(sd_event_source *source, uint64_t us, void *userdata)
{
	start(userdata);
	return 0;
}

/* While there is no worker for long, a client is told at once: its connection ends. */
static int on_refuse(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	if (fwa_buried() >= FWA_BURIED_MAX) /* then they wait */
		return sd_event_source_set_enabled(source, SD_EVENT_OFF);
	fwa_bury_socket(accept4(fd, NULL, NULL, SOCK_CLOEXEC));
	return 0;
}

static void give_up(struct fwa_served *s)
{
	char why[64] = "no such device";

	if (!s->hopeless)
		snprintf(why, sizeof(why), "failed %d times in a row", QUICK_DEATHS_MAX);
	s->state = FWA_SERVED_FAILED;
	s->quick_deaths = 0;
	log_error("%s: %s; next attempt in %d s", s->name, why, (int)(RETRY_AFTER / SECOND));
	fwa_event(s->daemon, "device_failed", s->name, "%s", s->about);
	if (sd_event_add_io(s->daemon->event, &s->refuse, s->listen_fd, EPOLLIN, on_refuse, s) < 0)
		log_warning("%s: clients have to wait until then", s->name);
}

/* There is no worker now: when will there be one? */
static void schedule(struct fwa_served *s)
{
	uint64_t delay = DELAY_FIRST;

	if (now_us() - s->started > QUICK)
		s->quick_deaths = 0;
	s->state = FWA_SERVED_STARTING;
	if (++s->quick_deaths >= QUICK_DEATHS_MAX || s->hopeless) {
		give_up(s);
		delay = RETRY_AFTER;
	} else {
		delay <<= s->quick_deaths - 1;
		if (delay > DELAY_MAX)
			delay = DELAY_MAX;
	}
	if (wait_for(s, delay, on_restart) < 0)
		log_error("%s: no timer: not started again", s->name);
}

static void forget_worker(struct fwa_served *s)
{
	s->pid = 0;
	s->failed = s->judged = false;
	s->news = (struct fwa_served_news){ 0 };
	s->child = sd_event_source_unref(s->child);
	s->messages = sd_event_source_unref(s->messages);
	s->timer = sd_event_source_unref(s->timer);
	s->control_fd = fwa_close(s->control_fd);
	s->profile_fd = fwa_close(s->profile_fd);
	s->declarations_fd = fwa_close(s->declarations_fd);
	s->baseline_fd = fwa_close(s->baseline_fd);
	s->source =
		fwa_source_end(s->source, s->lost ? FWA_SOURCE_END_LOST : FWA_SOURCE_END_ORDERLY);
	fwa_served_forget_acks(s);
	if (s->reprofile)
		fwa_round_drop(s->reprofile);
	s->reprofile = NULL;
}

static void log_end(const struct fwa_served *s, const siginfo_t *si)
{
	if (s->stopping || (s->failed && si->si_code == CLD_EXITED)) /* it has said why */
		return;
	if (si->si_code == CLD_EXITED)
		log_warning("%s: worker %d exited with status %d", s->name, s->pid, si->si_status);
	else
		log_warning("%s: worker %d killed by signal %d (%s)", s->name, s->pid,
			    si->si_status, strsignal(si->si_status));
}

static int on_end(sd_event_source *source, const siginfo_t *si, void *userdata)
{
	struct fwa_served *s = userdata;

	log_end(s, si);
	s->lost = si->si_code != CLD_EXITED;
	forget_worker(s);
	if (s->stopping)
		fwa_daemon_stopped(s->daemon, s);
	else
		schedule(s); /*= spec/SECURITY-MODEL.md#C26 */
	return 0;
}

/* --- the start of a worker ------------------------------------------------------------------ */

/* The node that a spec names ("nvme:/dev/nvme0"), NULL when it names none ("sim:honest"). */
static const char *spec_node(const char *spec)
{
	const char *colon = strchr(spec, ':');

	return colon && colon[1] == '/' ? colon + 1 : NULL;
}

/* Says why the node cannot be had; what is not there, or is no device, will not be soon. */
static int no_node(struct fwa_served *s, const char *node, int r)
{
	snprintf(s->about, sizeof(s->about), "%s: %s", node,
		 r == -ENOTBLK ? "not a character device" : strerror(-r));
	fwa_make_printable(s->about);
	log_error("%s: %s", s->name, s->about);
	s->hopeless = r == -ENOENT || r == -ENOTDIR || r == -ENODEV || r == -ENXIO ||
		      r == -ENOTBLK || r == -EISDIR;
	return r;
}

/* Opens the device's node. 0 with the descriptor, or -1 when it has none; or negative errno. */
static int open_node(struct fwa_served *s, int *ret_fd)
{
	const char *node = spec_node(s->spec);
	struct stat st;
	int fd = -1;

	if (node) {
		fd = open(node, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (fd < 0)
			return no_node(s, node, -errno);
		if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode)) {
			close(fd);
			return no_node(s, node, -ENOTBLK);
		}
	}
	*ret_fd = fd;
	return 0;
}

/* What its worker decides is recorded through a ring of its own. 0 or negative errno. */
static int give_ring(struct fwa_served *s, struct fwa_launch *l)
{
	int r = fwa_source_new(s->daemon->journald, s, &s->source);

	if (r < 0 || !s->source)
		return r;
	l->ring = fwa_source_fds(s->source);
	l->reads_pass = s->daemon->options->journal_reads_pass;
	fwa_served_keep(s);
	return 0;
}

static int launch(struct fwa_served *s)
{
	fwa_auto_close int device_fd = -1;
	struct fwa_launch l = {
		.name = s->name,
		.spec = s->spec,
		.mode = s->daemon->options->mode,
		.listen_fd = s->listen_fd,
		.client_fd = -1,
		.policy_fd = s->policy_fd,
		.advisories_fd = s->daemon->advisories.table_fd,
		.device_timeout_ms = s->daemon->options->device_timeout_ms,
	};
	int r;

	r = open_node(s, &device_fd);
	if (r < 0)
		return r;
	l.device_fd = device_fd;
	r = give_ring(s, &l);
	if (r == 0)
		r = fwa_launch_worker(&l, &s->pid, &s->control_fd);
	if (r < 0) {
		log_error("%s: cannot start fwadmit-worker: %s", s->name,
			  r == -EBUSY ? "the journal is behind" : strerror(-r));
		s->source = fwa_source_end(s->source, FWA_SOURCE_END_ORDERLY);
		return r;
	}
	fwa_source_begin(s->source, s->pid);
	return 0;
}

static int watch(struct fwa_served *s)
{
	sd_event *event = s->daemon->event;
	int r;

	r = sd_event_add_child(event, &s->child, s->pid, WEXITED, on_end, s);
	if (r < 0)
		return r;
	/* What it said last is heard before its end is noticed. */
	r = sd_event_source_set_priority(s->child, SD_EVENT_PRIORITY_NORMAL + 10);
	if (r < 0)
		return r;
	if (fcntl(s->control_fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	r = sd_event_add_io(event, &s->messages, s->control_fd, EPOLLIN, fwa_served_on_control, s);
	if (r >= 0) /*= spec/SECURITY-MODEL.md#C26 */
		r = sd_event_source_set_ratelimit(s->messages, SECOND, MESSAGES_MAX);
	if (r < 0)
		return r;
	return wait_for(s, START_TIMEOUT, on_start_timeout);
}

static void start(struct fwa_served *s)
{
	int r;

	s->state = FWA_SERVED_STARTING;
	s->hopeless = false;
	s->refuse = sd_event_source_unref(s->refuse);
	s->restarts += s->started != 0;
	s->started = now_us();
	if (launch(s) < 0) {
		schedule(s);
		return;
	}
	r = watch(s);
	if (r == 0)
		return;
	log_error("%s: cannot watch worker %d: %s", s->name, s->pid, strerror(-r));
	fwa_served_kill(s);
	if (!s->child) {
		waitpid(s->pid, NULL, 0);
		forget_worker(s);
		schedule(s);
	}
}

/* --- the device ----------------------------------------------------------------------------- */

struct fwa_served *fwa_served_free(struct fwa_served *s)
{
	if (!s)
		return NULL;
	forget_worker(s);
	sd_event_source_unref(s->refuse);
	fwa_close(s->listen_fd);
	fwa_close(s->policy_fd);
	fwa_close(s->next_policy_fd);
	free(s->name);
	free(s->spec);
	free(s);
	return NULL;
}

int fwa_served_new(struct fwa_daemon *d, const char *name, const char *spec,
		   struct fwa_served **ret)
{
	struct fwa_served *s = calloc(1, sizeof(*s));
	int r = -ENOMEM;

	if (!s)
		return -ENOMEM;
	s->daemon = d;
	s->listen_fd = s->policy_fd = s->next_policy_fd = s->control_fd = -1;
	s->profile_fd = s->declarations_fd = s->baseline_fd = -1;
	s->name = strdup(name);
	s->spec = strdup(spec);
	if (s->name && s->spec)
		r = fwa_policy_files_compile(d->policy, name, spec);
	if (r < 0) {
		log_error("%s: cannot compile the policy: %s", name, strerror(-r));
		fwa_served_free(s);
		return r;
	}
	s->policy_fd = r;
	s->listen_fd = fwa_socket_dir_listen(&d->dir, name, SOCK_SEQPACKET);
	if (s->listen_fd < 0) {
		r = s->listen_fd;
		fwa_served_free(s);
		return r;
	}
	start(s);
	*ret = s;
	return 0;
}

void fwa_served_stop(struct fwa_served *s, bool unplugged)
{
	if (s->stopping)
		return;
	s->stopping = true;
	fwa_socket_dir_remove(&s->daemon->dir, s->name);
	s->timer = sd_event_source_unref(s->timer);
	s->refuse = sd_event_source_unref(s->refuse);
	if (s->pid == 0) {
		fwa_daemon_stopped(s->daemon, s);
		return;
	}
	s->messages = sd_event_source_unref(s->messages);
	if (unplugged && s->control_fd >= 0)
		fwa_control_send(s->control_fd, FWA_CONTROL_REMOVED, "", -1);
	fwa_served_forget_acks(s);
	s->control_fd = fwa_close(s->control_fd); /* which tells the worker to end */
	if (wait_for(s, STOP_TIMEOUT, on_stop_timeout) < 0)
		fwa_served_kill(s);
}

void fwa_served_retry(struct fwa_served *s)
{
	if (s->state == FWA_SERVED_FAILED)
		start(s);
	else if (s->state == FWA_SERVED_GONE)
		fwa_served_kill(s);
}
