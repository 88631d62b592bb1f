/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit-worker: started by fwadmitd or by `fwadmit` (embedded mode), never by hand.
 *
 * Order matters: open the device, drop what is not needed for it, start the lanes, which are to have
 * no more either, close the sandbox, and only then read the device's first byte.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/bury.h"
#include "base/number.h"
#include "base/util.h"
#include "proto/control.h"
#include "worker/worker.h"

/* Nobody gave a table; one that was given and is none is not the same as that. */
#define NO_ADVISORIES -2

struct options {
	const char *name, *spec, *mode;
	const char *journal, *journal_reads;
	int device_fd, policy_fd, advisories_fd, client_fd, listen_fd, control_fd;
	unsigned int device_timeout_ms;
	struct fwa_ring_fds ring;
};

static const struct option long_options[] = {
	{ "name", required_argument, NULL, 'n' },
	{ "device", required_argument, NULL, 'd' },
	{ "mode", required_argument, NULL, 'm' },
	{ "device-fd", required_argument, NULL, 'D' },
	{ "policy-fd", required_argument, NULL, 'P' },
	{ "advisories-fd", required_argument, NULL, 'A' },
	{ "client-fd", required_argument, NULL, 'C' },
	{ "listen-fd", required_argument, NULL, 'L' },
	{ "control-fd", required_argument, NULL, 'K' },
	{ "device-timeout-ms", required_argument, NULL, 'T' },
	{ "journal", required_argument, NULL, 'J' },
	{ "journal-fds", required_argument, NULL, 'F' },
	{ "journal-reads", required_argument, NULL, 'R' },
	{ "list-sim", no_argument, NULL, 'S' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

static void list_sim(void)
{
	const char *name, *about;

	for (size_t i = 0; fwa_sim_personality(i, &name, &about); i++)
		printf("%s\t%s\n", name, about);
	exit(0);
}

static int take_fd(const char *text)
{
	char *end;
	long fd = strtol(text, &end, 10);

	if (!*text || *end || fd < 3 || fd > 1 << 20 || fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
		return -1;
	return (int)fd;
}

/* "MEMORY,DOORBELL,ACK". */
static void take_ring(const char *text, struct fwa_ring_fds *ret)
{
	char word[3][16], more;

	if (sscanf(text, "%15[0-9],%15[0-9],%15[0-9]%c", word[0], word[1], word[2], &more) != 3)
		exit(2);
	ret->memory = take_fd(word[0]);
	ret->doorbell = take_fd(word[1]);
	ret->ack = take_fd(word[2]);
	if (ret->memory < 0 || ret->doorbell < 0 || ret->ack < 0)
		exit(2);
}

/* 1 ms to an hour. */
static unsigned int take_ms(const char *text)
{
	uint64_t ms;

	if (!fwa_parse_number(text, 3600000, &ms) || !ms)
		exit(2);
	return (unsigned int)ms;
}

static void parse_options(int argc, char **argv, struct options *o)
{
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (c == 'n')
			o->name = optarg;
		else if (c == 'd')
			o->spec = optarg;
		else if (c == 'm')
			o->mode = optarg;
		else if (c == 'D')
			o->device_fd = take_fd(optarg);
		else if (c == 'P')
			o->policy_fd = take_fd(optarg);
		else if (c == 'A')
			o->advisories_fd = take_fd(optarg);
		else if (c == 'C')
			o->client_fd = take_fd(optarg);
		else if (c == 'L')
			o->listen_fd = take_fd(optarg);
		else if (c == 'K')
			o->control_fd = take_fd(optarg);
		else if (c == 'T')
			o->device_timeout_ms = take_ms(optarg);
		else if (c == 'J')
			o->journal = optarg;
		else if (c == 'F')
			take_ring(optarg, &o->ring);
		else if (c == 'R')
			o->journal_reads = optarg;
		else if (c == 'S')
			list_sim();
		else if (c == 'V')
			exit(printf("fwadmit-worker %s\n", FWADMIT_VERSION) < 0);
		else
			exit(2);
	}
}

/* There is one, or it was said that there is none: nobody forgets it (C31). */
/*= spec/SECURITY-MODEL.md#C31 */
static bool knows_journal(const struct options *o)
{
	bool none = o->journal && strcmp(o->journal, "none") == 0;

	if (o->journal && !none)
		return false;
	if (strcmp(o->journal_reads, "refuse") && strcmp(o->journal_reads, "pass"))
		return false;
	return none != (o->ring.memory >= 0);
}

static bool is_complete(const struct options *o)
{
	return o->name && o->spec && o->policy_fd >= 0 && o->control_fd >= 0 &&
	       (o->client_fd < 0) != (o->listen_fd < 0) &&
	       (!strcmp(o->mode, "strict") || !strcmp(o->mode, "linux")) && knows_journal(o);
}

/* Before the sandbox closes. The memory's descriptor is needed no more. */
static int open_journal(struct worker *w, const struct options *o)
{
	int r = o->ring.memory < 0 ? 0 : journal_open(w, &o->ring);

	fwa_close(o->ring.memory);
	return r;
}

static int open_lockdown(void)
{
	int fd = open("/sys/kernel/security/lockdown", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/*
 * Lets go of all but the device, its clients, and /proc, where it can be seen who they are. Where
 * that cannot be had their units stay unknown: said once, by workers that have many clients.
 */
static int drop(struct worker *w)
{
	int proc = identity_open(), r;

	w->proc_fd = proc < 0 ? -1 : proc;
	r = sandbox_drop(w->device, &w->proc_fd);
	if (r == 0 && w->proc_fd < 0 && w->listener >= 0)
		worker_log(w, "no grant to a unit will match: %s",
			   proc == -ENOPROTOOPT ? "the kernel has no SO_PEERPIDFD"
			   : proc < 0           ? "there is no usable /proc"
						: "the kernel has no Landlock");
	return r;
}

static int set_up(struct worker *w, const struct options *o, char error[FWA_ERROR_LEN])
{
	struct fwa_open_args args = { .spec = o->spec, .fd = o->device_fd };
	int r = sandbox_begin();

	if (r < 0)
		return r;
	r = open_journal(w, o);
	if (r < 0)
		return fwa_fail(error, r, "the journal's ring is none: %s", strerror(-r));
	r = fwa_device_open(&args, &w->device);
	if (r < 0)
		return fwa_fail(error, r, "%s", args.error);
	w->lockdown_fd = open_lockdown();
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll < 0)
		return -errno;
	r = drop(w);
	if (r == 0)
		r = lanes_start(&w->lanes, w->device->lanes);
	if (r == 0 && w->listener >= 0) /* in embedded mode the client is our own */
		r = fwa_bury_start();
	if (r == 0)
		r = sandbox_close(w->device, w->proc_fd);
	if (r == 0) /* a device that cannot be read at all is not served */
		r = profile_first(w, error);
	/* Which grants are for a device depends on who it says that it is. */
	if (r == 0)
		r = worker_load_policy(w, o->policy_fd);
	return r == 0 && o->advisories_fd != NO_ADVISORIES ? advice_load(w, o->advisories_fd) : r;
}

/* Why a device could not be opened: what was named is none, or it is and something went wrong. */
static enum fwa_control_kind no_device(int r)
{
	return r == -EINVAL || r == -ENOENT || r == -ENODEV ? FWA_CONTROL_NO_DEVICE
							    : FWA_CONTROL_FAILED;
}

static int serve(struct worker *w, const struct options *o)
{
	int r = 0;

	if (o->client_fd >= 0)
		r = worker_add_client(w, o->client_fd);
	if (r == 0)
		r = profile_tell(w); /* it is ready once it knows what it is held to */
	return r < 0 ? r : worker_loop(w);
}

int main(int argc, char **argv)
{
	struct options o = { .mode = "strict",
			     .journal_reads = "refuse",
			     .ring = { -1, -1, -1 },
			     .device_fd = -1,
			     .policy_fd = -1,
			     .advisories_fd = NO_ADVISORIES,
			     .client_fd = -1,
			     .listen_fd = -1,
			     .control_fd = -1,
			     .device_timeout_ms = DEVICE_TIMEOUT_MS };
	static struct worker w; /* the profile's table is large, and mostly untouched */
	char error[FWA_ERROR_LEN] = "";
	int r;

	parse_options(argc, argv, &o);
	if (!is_complete(&o)) {
		fprintf(stderr,
			"fwadmit-worker is started by fwadmitd and by fwadmit, not by hand\n");
		return 2;
	}
	w.name = o.name;
	w.mode = strcmp(o.mode, "linux") ? FWA_MODE_STRICT : FWA_MODE_LINUX;
	w.owner = getuid();
	w.control = o.control_fd;
	w.device_timeout_ms = o.device_timeout_ms;
	w.listener = o.listen_fd;
	fwa_list_init(&w.sessions);
	fwa_list_init(&w.dead);
	fwa_list_init(&w.accounts);
	queue_init(&w.queue);
	journal_init(&w.journal, strcmp(o.journal_reads, "pass") == 0);
	r = set_up(&w, &o, error);
	if (r < 0) {
		fwa_control_send(w.control, w.device ? FWA_CONTROL_FAILED : no_device(r),
				 error[0] ? error : strerror(-r), -1);
		return 1;
	}
	/* The device is not closed: the kernel does that, and the sandbox allows nothing else. */
	return serve(&w, &o) < 0;
}
