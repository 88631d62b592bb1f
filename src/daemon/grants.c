/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/grants.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>

#include "base/log.h"
#include "base/util.h"
#include "daemon/event.h"
#include "daemon/journal.h"
#include "daemon/reload.h"
#include "host/grants.h"

#define FAR_AWAY ((time_t)INT32_MAX * 100)

/* --- ends ----------------------------------------------------------------------------------- */

static void on_over(const struct fwa_granted *g, void *userdata)
{
	log_info("grant %s: ended", g->terms.name);
	fwa_act(userdata, FWA_ACT_GRANT_ENDED, NULL, NULL, "%s: its time is over", g->terms.name);
	fwa_event(userdata, "grant_ended", NULL, "%s", g->terms.name);
}

void fwa_grants_tidy(struct fwa_daemon *d)
{
	struct fwa_moment now;
	int r;

	if (!d->grants_dir)
		return;
	fwa_moment_now(&now);
	r = fwa_grants_sweep(d->grants_dir, &now, on_over, d);
	if (r < 0)
		log_warning("%s: %s", d->grants_dir, strerror(-r));
}

static int on_end(sd_event_source *source, uint64_t us, void *userdata)
{
	if (fwa_reload_anyway(userdata, NULL, NULL, NULL) < 0)
		log_warning("grants that ended stay in the list: no memory");
	return 0;
}

void fwa_grants_expect(struct fwa_daemon *d)
{
	struct fwa_moment now;
	uint64_t end;
	int r;

	d->grant_end = sd_event_source_unref(d->grant_end);
	fwa_moment_now(&now);
	end = fwa_policy_files_next_end(d->policy, &now);
	if (!end || end == UINT64_MAX)
		return;
	r = sd_event_add_time(d->event, &d->grant_end, CLOCK_BOOTTIME, end / 1000 + 1, 0, on_end,
			      d);
	if (r < 0)
		log_warning("grants that end stay in the list: %s", strerror(-r));
}

/* --- the clock of the wall ------------------------------------------------------------------ */

/* A timer that never runs out and is cancelled when the clock is set. 0 or negative errno. */
static int arm(int fd)
{
	struct itimerspec far = { .it_value.tv_sec = FAR_AWAY };

	return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL) < 0
		       ? -errno
		       : 0;
}

static int on_clock(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	uint64_t n;

	if (read(fd, &n, sizeof(n)) < 0 && errno != ECANCELED)
		return 0;
	if (arm(fd) < 0)
		log_warning("the clock cannot be watched any more: %s", strerror(errno));
	log_info("the clock was set: the ends of grants are computed again");
	if (fwa_reload_anyway(userdata, NULL, NULL, NULL) < 0) /*= spec/SECURITY-MODEL.md#C20 */
		log_error("the ends of grants are not computed again: no memory");
	return 0;
}

int fwa_grants_watch(struct fwa_daemon *d)
{
	int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK), r;

	if (fd < 0)
		return -errno;
	r = arm(fd);
	if (r == 0)
		r = sd_event_add_io(d->event, &d->clock, fd, EPOLLIN, on_clock, d);
	if (r < 0) {
		close(fd);
		return r;
	}
	r = sd_event_source_set_io_fd_own(d->clock, true);
	if (r >= 0)
		fwa_grants_expect(d);
	return r < 0 ? r : 0;
}

void fwa_grants_unwatch(struct fwa_daemon *d)
{
	d->clock = sd_event_source_unref(d->clock);
	d->grant_end = sd_event_source_unref(d->grant_end);
}
