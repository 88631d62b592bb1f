/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One device that is served.
 */
#include "daemon/served.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/util.h"
#include "daemon/log.h"
#include "host/launch.h"

#define SECOND 1000000ull

#define START_TIMEOUT (60 * SECOND)
#define STOP_TIMEOUT (2 * SECOND)
#define QUICK (10 * SECOND) /* a worker that lives shorter than this died quickly */
#define DELAY_FIRST (SECOND / 20)
#define DELAY_MAX (5 * SECOND)
#define QUICK_DEATHS_MAX 6
#define RETRY_AFTER (60 * SECOND)

static void start(struct fwa_served *s);

const char *fwa_served_state_name(enum fwa_served_state state)
{
	static const char *const names[FWA_SERVED_COUNT] = {
		[FWA_SERVED_STARTING] = "starting",
		[FWA_SERVED_READY] = "ready",
		[FWA_SERVED_FAILED] = "failed",
		[FWA_SERVED_GONE] = "gone",
	};

	return names[state];
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

static void kill_worker(struct fwa_served *s)
{
	if (s->pid > 0)
		kill(s->pid, SIGKILL); /* not yet waited for: the pid is still its own */
}

static int on_start_timeout(sd_event_source *source, uint64_t us, void *userdata)
{
	struct fwa_served *s = userdata;

	log_error("%s: worker %d is not ready in time: killed", s->name, s->pid);
	kill_worker(s);
	return 0;
}

static int on_stop_timeout(sd_event_source *source, uint64_t us, void *userdata)
{
	struct fwa_served *s = userdata;

	log_warning("%s: worker %d does not stop: killed", s->name, s->pid);
	kill_worker(s);
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
	fwa_close(accept4(fd, NULL, NULL, SOCK_CLOEXEC));
	return 0;
}

static void give_up(struct fwa_served *s)
{
	s->state = FWA_SERVED_FAILED;
	s->quick_deaths = 0;
	log_error("%s: failed %d times in a row; next attempt in %d s", s->name, QUICK_DEATHS_MAX,
		  (int)(RETRY_AFTER / SECOND));
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
	if (++s->quick_deaths >= QUICK_DEATHS_MAX) {
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
	s->policies_sent = 0;
	s->child = sd_event_source_unref(s->child);
	s->messages = sd_event_source_unref(s->messages);
	s->timer = sd_event_source_unref(s->timer);
	s->control_fd = fwa_close(s->control_fd);
}

static void log_end(const struct fwa_served *s, const siginfo_t *si)
{
	if (s->stopping)
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
	forget_worker(s);
	if (s->stopping)
		fwa_daemon_stopped(s->daemon, s);
	else
		schedule(s); /*= spec/SECURITY-MODEL.md#C26 */
	return 0;
}

/* --- what a worker says --------------------------------------------------------------------- */

static void on_ready(struct fwa_served *s, const char *text)
{
	s->state = FWA_SERVED_READY;
	s->timer = sd_event_source_unref(s->timer);
	strcpy(s->about, text);
	log_info("%s: ready (worker %d): %s", s->name, s->pid, text);
}

/* True when the message @kind makes sense now. */
static bool on_message(struct fwa_served *s, uint16_t kind, const char *text)
{
	switch (kind) {
	case FWA_CONTROL_READY:
		if (s->state != FWA_SERVED_STARTING)
			return false;
		on_ready(s, text);
		return true;
	case FWA_CONTROL_FAILED:
	case FWA_CONTROL_NO_DEVICE:
		if (s->state != FWA_SERVED_STARTING)
			return false;
		strcpy(s->about, text);
		log_error("%s: %s", s->name, text);
		return true;
	case FWA_CONTROL_IDENTITY:
	case FWA_CONTROL_QUARANTINED:
		return true;
	case FWA_CONTROL_DECLARATIONS:
		return fwa_control_send(s->control_fd, FWA_CONTROL_BASELINE, "none", -1) == 0;
	case FWA_CONTROL_GONE:
		if (s->state == FWA_SERVED_GONE)
			return false;
		s->state = FWA_SERVED_GONE;
		log_warning("%s: the device is gone", s->name);
		return true;
	case FWA_CONTROL_POLICY_OK:
	case FWA_CONTROL_POLICY_BAD:
		if (s->policies_sent == 0)
			return false;
		s->policies_sent--;
		if (kind == FWA_CONTROL_POLICY_OK)
			return true;
		log_error("%s: worker %d refuses the policy: %s", s->name, s->pid, text);
		kill_worker(s);
		return true;
	case FWA_CONTROL_STATE:
		return true;
	default:
		return false;
	}
}

static int on_control(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	char text[FWA_CONTROL_TEXT_MAX + 1];
	struct fwa_served *s = userdata;
	fwa_auto_close int passed = -1;
	uint16_t kind;
	int r;

	r = fwa_control_recv(fd, &kind, text, &passed);
	if (r == -EAGAIN || r == -EINTR)
		return 0;
	if (r == 0) {
		fwa_make_printable(text);
		if (on_message(s, kind, text))
			return 0;
	}
	if (r != -ECONNRESET)
		log_error("%s: worker %d sends nonsense: killed", s->name, s->pid);
	s->messages = sd_event_source_unref(s->messages);
	kill_worker(s); /* who hung up is ending, or of no use */
	return 0;
}

/* --- the start of a worker ------------------------------------------------------------------ */

/* The node that a spec names ("nvme:/dev/nvme0"), NULL when it names none ("sim:honest"). */
static const char *spec_node(const char *spec)
{
	const char *colon = strchr(spec, ':');

	return colon && colon[1] == '/' ? colon + 1 : NULL;
}

/* Opens the device's node. The descriptor, -1 when it has none; other negative errno. */
static int open_node(const struct fwa_served *s, int *ret_fd)
{
	const char *node = spec_node(s->spec);
	struct stat st;
	int fd = -1;

	if (node) {
		fd = open(node, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (fd < 0) {
			log_error("%s: %s: %s", s->name, node, strerror(errno));
			return -errno;
		}
		if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode)) {
			log_error("%s: %s: not a character device", s->name, node);
			close(fd);
			return -ENOTBLK;
		}
	}
	*ret_fd = fd;
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
	};
	int r;

	r = open_node(s, &device_fd);
	if (r < 0)
		return r;
	l.device_fd = device_fd;
	r = fwa_launch_worker(&l, &s->pid, &s->control_fd);
	if (r < 0)
		log_error("%s: cannot start fwadmit-worker: %s", s->name, strerror(-r));
	return r;
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
	r = sd_event_add_io(event, &s->messages, s->control_fd, EPOLLIN, on_control, s);
	if (r < 0)
		return r;
	return wait_for(s, START_TIMEOUT, on_start_timeout);
}

static void start(struct fwa_served *s)
{
	int r;

	s->state = FWA_SERVED_STARTING;
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
	kill_worker(s);
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

void fwa_served_stop(struct fwa_served *s)
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
	s->control_fd = fwa_close(s->control_fd); /* which tells the worker to end */
	if (wait_for(s, STOP_TIMEOUT, on_stop_timeout) < 0)
		kill_worker(s);
}

void fwa_served_retry(struct fwa_served *s)
{
	if (s->state == FWA_SERVED_FAILED)
		start(s);
	else if (s->state == FWA_SERVED_GONE)
		kill_worker(s);
}

/* --- policy --------------------------------------------------------------------------------- */

int fwa_served_prepare_policy(struct fwa_served *s, const struct fwa_policy_files *policy)
{
	int fd = fwa_policy_files_compile(policy, s->name, s->spec);

	if (fd < 0)
		return fd;
	fwa_close(s->next_policy_fd);
	s->next_policy_fd = fd;
	return 0;
}

void fwa_served_settle_policy(struct fwa_served *s, bool keep)
{
	int r;

	if (s->next_policy_fd < 0)
		return;
	if (!keep) {
		s->next_policy_fd = fwa_close(s->next_policy_fd);
		return;
	}
	fwa_close(s->policy_fd);
	s->policy_fd = s->next_policy_fd;
	s->next_policy_fd = -1;
	if (s->control_fd < 0)
		return;
	r = fwa_control_send(s->control_fd, FWA_CONTROL_POLICY, "", s->policy_fd);
	if (r == 0) {
		s->policies_sent++;
		return;
	}
	log_error("%s: cannot give worker %d the policy (%s): killed", s->name, s->pid,
		  strerror(-r));
	kill_worker(s);
}
