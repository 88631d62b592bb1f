/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that come and go. Listening begins before sysfs is read, so that none is missed; one that
 * is seen twice is served once.
 */
#include "daemon/monitor.h"

#include <errno.h>
#include <libudev.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"

struct fwa_monitor {
	struct fwa_daemon *daemon;
	struct udev *udev;
	struct udev_monitor *events;
	sd_event_source *source;
};

static void on_device(struct fwa_daemon *d, struct udev_device *dev)
{
	const char *subsystem = udev_device_get_subsystem(dev);
	const char *action = udev_device_get_action(dev);
	const char *name = udev_device_get_sysname(dev);
	struct fwa_found found;

	if (!subsystem || !action || !name || !fwa_discover_name(subsystem, name, &found))
		return;
	if (strcmp(action, "remove") == 0)
		fwa_daemon_remove(d, found.name);
	else if (strcmp(action, "add") == 0)
		fwa_daemon_add(d, found.name, found.spec);
}

static int on_events(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct fwa_monitor *m = userdata;
	struct udev_device *dev = udev_monitor_receive_device(m->events);

	if (!dev)
		return 0; /* not from udev, or of another subsystem */
	on_device(m->daemon, dev);
	udev_device_unref(dev);
	return 0;
}

static int listen_udev(struct fwa_monitor *m)
{
	int r;

	m->udev = udev_new();
	m->events = m->udev ? udev_monitor_new_from_netlink(m->udev, "udev") : NULL;
	if (!m->events)
		return -ENOMEM;
	r = udev_monitor_filter_add_match_subsystem_devtype(m->events, "nvme", NULL);
	if (r >= 0)
		r = udev_monitor_filter_add_match_subsystem_devtype(m->events, "cxl", NULL);
	if (r >= 0)
		r = udev_monitor_enable_receiving(m->events);
	if (r >= 0)
		r = sd_event_add_io(m->daemon->event, &m->source, udev_monitor_get_fd(m->events),
				    EPOLLIN, on_events, m);
	return r;
}

static int add_present(struct fwa_daemon *d)
{
	fwa_auto_free struct fwa_found *found = NULL;
	size_t n;
	int r;

	r = fwa_discover(&found, &n);
	if (r < 0) {
		log_error("cannot read sysfs: %s", strerror(-r));
		return r;
	}
	for (size_t i = 0; i < n && r == 0; i++)
		r = fwa_daemon_add(d, found[i].name, found[i].spec);
	return r;
}

int fwa_monitor_new(struct fwa_daemon *d, struct fwa_monitor **ret)
{
	struct fwa_monitor *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	m->daemon = d;
	r = listen_udev(m);
	if (r < 0)
		log_error("cannot listen to udev: %s", strerror(-r));
	else
		r = add_present(d);
	if (r < 0) {
		fwa_monitor_free(m);
		return r;
	}
	*ret = m;
	return 0;
}

struct fwa_monitor *fwa_monitor_free(struct fwa_monitor *m)
{
	if (!m)
		return NULL;
	sd_event_source_unref(m->source);
	udev_monitor_unref(m->events);
	udev_unref(m->udev);
	free(m);
	return NULL;
}
