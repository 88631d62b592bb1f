/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit-journald: started by fwadmitd or by `fwadmit`, never by hand.
 *
 * Order matters: take the lock, open what is ever opened, close the sandbox, and only then read what is in the
 * journal, or what others say.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/number.h"
#include "base/util.h"
#include "base/uuid.h"
#include "journald/journald.h"

struct options {
	const char *dir, *key;
	struct fwa_store_options store;
	int control_fd;
};

static const struct option long_options[] = {
	{ "dir", required_argument, NULL, 'd' },     { "key", required_argument, NULL, 'k' },
	{ "segment", required_argument, NULL, 'g' }, { "size", required_argument, NULL, 's' },
	{ "age", required_argument, NULL, 'a' },     { "control-fd", required_argument, NULL, 'c' },
	{ "version", no_argument, NULL, 'V' },       { 0 },
};

static uint64_t take_number(const char *text, uint64_t max)
{
	uint64_t n;

	if (!fwa_parse_number(text, max, &n))
		exit(2);
	return n;
}

static void parse_options(int argc, char **argv, struct options *o)
{
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (c == 'd')
			o->dir = optarg;
		else if (c == 'k')
			o->key = optarg;
		else if (c == 'g')
			o->store.segment_max = take_number(optarg, INT64_MAX);
		else if (c == 's')
			o->store.total_max = take_number(optarg, INT64_MAX);
		else if (c == 'a')
			o->store.age_max = take_number(optarg, INT32_MAX);
		else if (c == 'c')
			o->control_fd = (int)take_number(optarg, 1 << 20);
		else if (c == 'V')
			exit(printf("fwadmit-journald %s\n", FWADMIT_VERSION) < 0);
		else
			exit(2);
	}
}

/* It ends with its work. Whoever wants it to end sooner ends those it works for. */
static void ignore_signals(void)
{
	static const int ignored[] = {
		SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP, SIGXFSZ
	};

	for (size_t i = 0; i < FWA_ARRAY_SIZE(ignored); i++)
		signal(ignored[i], SIG_IGN);
}

static int read_boot_id(uint8_t id[16])
{
	char text[FWA_UUID_TEXT_LEN] = "";
	fwa_auto_close int fd =
		open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct fwa_uuid uuid;

	if (fd < 0)
		return -errno;
	if (read(fd, text, sizeof(text) - 1) != sizeof(text) - 1 || !fwa_uuid_parse(text, &uuid))
		return -EIO;
	memcpy(id, uuid.b, sizeof(uuid.b));
	return 0;
}

/*
 * Whoever else may write in the folder can put his own key, segments, or an end to it there. And root's
 * journal is not kept for another one.
 */
/*= spec/SECURITY-MODEL.md#C32 */
static int open_folder(struct journald *j, const char *path, char error[FWA_ERROR_LEN])
{
	struct stat st;

	j->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (j->dirfd < 0 || fstat(j->dirfd, &st) < 0)
		return fwa_fail(error, -errno, "%s: %s", path, strerror(errno));
	if ((st.st_uid && st.st_uid != geteuid()) || st.st_mode & (S_IWGRP | S_IWOTH))
		return fwa_fail(error, -EPERM, "%s: others than uid %u may write in it", path,
				geteuid());
	return 0;
}

/* -EWOULDBLOCK when another one has the journal. */
static int lock(struct journald *j)
{
	j->lock = openat(j->dirfd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY,
			 0600);
	return j->lock < 0 || flock(j->lock, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}

/* The key; and whatever libcrypto opens or loads at its first use, before nothing can be opened. */
static int open_key(struct journald *j, const char *path)
{
	uint8_t signature[FWA_SIGNATURE_LEN];
	int r = fwa_signer_open(j->dirfd, path ? path : "key", &j->signer);

	return r < 0 ? r : fwa_sign(j->signer, fwa_span("", 0), signature);
}

static int open_all(struct journald *j, struct options *o, char error[FWA_ERROR_LEN])
{
	int r = open_folder(j, o->dir, error);

	if (r < 0)
		return r;
	r = lock(j);
	if (r < 0)
		return fwa_fail(error, r, "%s/lock: %s", o->dir, strerror(-r));
	r = open_key(j, o->key);
	if (r < 0)
		return fwa_fail(error, r, "%s%s: %s", o->key ? o->key : o->dir,
				o->key ? "" : "/key", strerror(-r));
	r = read_boot_id(o->store.boot_id);
	if (r == 0) {
		j->epoll = epoll_create1(EPOLL_CLOEXEC);
		r = j->epoll < 0 ? -errno : listen_open(j);
	}
	if (r < 0)
		return fwa_fail(error, r, "%s/socket: %s", o->dir, strerror(-r));
	/* No file system is held because we were started there. */
	return chdir("/") < 0 ? -errno : 0;
}

static int begin(struct journald *j, struct options *o, char error[FWA_ERROR_LEN])
{
	int r = sandbox_begin();

	if (r == 0)
		r = open_all(j, o, error);
	if (r == 0)
		r = sandbox_close(j);
	if (r < 0)
		return r;
	o->store.signer = j->signer;
	o->store.version = FWADMIT_VERSION;
	j->fs = fwa_fs_real(&j->dirfd);
	j->now = (struct fwa_times){ .real = fwa_clock_ns(CLOCK_REALTIME),
				     .boot = fwa_clock_ns(CLOCK_BOOTTIME) };
	r = fwa_store_open(&j->fs, &o->store, j->now, &j->store);
	if (r == 0) /* that there is a writer, and what was found, before anybody relies on it */
		r = fwa_store_sync(j->store);
	if (r == -EBADMSG)
		return fwa_fail(error, r,
				"%s: damaged, or of a newer version: `fwadmit log verify` says "
				"more",
				o->dir);
	if (r < 0)
		return fwa_fail(error, r, "%s: %s", o->dir, strerror(-r));
	j->retires = o->store.total_max || o->store.age_max;
	left_find(j);
	return 0;
}

static int fail(int control, int r, const char *error)
{
	struct fwa_attach_message m = { .kind = FWA_ATTACH_FAILED, .error = -r };

	snprintf(m.text, sizeof(m.text), "%s", error[0] ? error : strerror(-r));
	if (r != -EWOULDBLOCK)
		log_error("%s", m.text);
	fwa_attach_send(control, &m);
	return 1;
}

int main(int argc, char **argv)
{
	static struct journald j = { .dirfd = -1, .lock = -1, .epoll = -1, .listener = -1 };
	struct options o = { .control_fd = -1 };
	char error[FWA_ERROR_LEN] = "";
	int r;

	parse_options(argc, argv, &o);
	if (!o.dir || o.control_fd < 3 || fcntl(o.control_fd, F_SETFD, FD_CLOEXEC) < 0 ||
	    fcntl(o.control_fd, F_SETFL, O_NONBLOCK) < 0) {
		fprintf(stderr,
			"fwadmit-journald is started by fwadmitd and by fwadmit, not by hand\n");
		return 2;
	}
	ignore_signals();
	umask(0027);
	fwa_log_setup("fwadmit-journald");
	fwa_list_init(&j.connections);
	fwa_list_init(&j.sources);
	fwa_list_init(&j.objects);
	r = begin(&j, &o, error);
	if (r == 0)
		r = connection_add(&j, o.control_fd);
	if (r < 0)
		return fail(o.control_fd, r, error);
	return commit_loop(&j) < 0;
}
