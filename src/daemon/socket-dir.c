/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory of sockets.
 *
 * 1. Only who holds the lock makes or removes sockets, so that a socket which is there already was
 *    left by a daemon that is dead.
 * 2. Only root or the daemon's own user can put something else under a name that clients trust.
 * 3. Anybody may connect: grants decide what that is good for (C3).
 */
#include "daemon/socket-dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "host/state.h"

#define BACKLOG 128

static int open_dir(const char *path)
{
	fwa_auto_close int fd = -1;
	struct stat st;

	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		goto fail;
	fd = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		goto fail;
	if (!fwa_is_ours(&st)) {
		log_error("%s: others may write to this directory: not safe for sockets", path);
		return -EPERM;
	}
	return fwa_steal_fd(&fd);
fail:
	log_error("%s: %s", path, strerror(errno));
	return -errno;
}

static int lock_dir(int dir_fd, const char *path)
{
	fwa_auto_close int fd = -1;

	fd = openat(dir_fd, "fwadmitd.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		log_error("%s/fwadmitd.lock: %s", path, strerror(errno));
		return -errno;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fwa_steal_fd(&fd);
	if (errno == EWOULDBLOCK) {
		log_error("%s: another fwadmitd is serving this directory", path);
		return -EBUSY;
	}
	log_error("%s/fwadmitd.lock: %s", path, strerror(errno));
	return -errno;
}

int fwa_socket_dir_open(const char *path, struct fwa_socket_dir *ret)
{
	int fd, lock_fd;

	fd = open_dir(path);
	if (fd < 0)
		return fd;
	lock_fd = lock_dir(fd, path);
	if (lock_fd < 0) {
		close(fd);
		return lock_fd;
	}
	*ret = (struct fwa_socket_dir){ path, fd, lock_fd };
	return 0;
}

void fwa_socket_dir_close(struct fwa_socket_dir *dir)
{
	dir->fd = fwa_close(dir->fd);
	dir->lock_fd = fwa_close(dir->lock_fd);
}

/* Removes a socket that was left; 0 when nothing is in the way (any more). */
static int clear_way(const struct fwa_socket_dir *dir, const char *path, const char *file)
{
	struct stat st;

	if (fstatat(dir->fd, file, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT)
			return 0;
	} else if (!S_ISSOCK(st.st_mode)) {
		log_error("%s: in the way, and not a socket: remove it", path);
		return -EEXIST;
	} else if (unlinkat(dir->fd, file, 0) == 0) {
		return 0;
	}
	log_error("%s: %s", path, strerror(errno));
	return -errno;
}

int fwa_socket_dir_listen(const struct fwa_socket_dir *dir, const char *name, int type)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char path[PATH_MAX], file[NAME_MAX + 1];
	fwa_auto_close int fd = -1;
	int r;

	snprintf(file, sizeof(file), "%s.sock", name);
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir->path, file) >=
	    sizeof(addr.sun_path)) {
		log_error("%s: too long for a socket's path (%zu bytes at most)", path,
			  sizeof(addr.sun_path) - 1);
		return -ENAMETOOLONG;
	}
	strcpy(addr.sun_path, path);
	r = clear_way(dir, path, file);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    fchmodat(dir->fd, file, 0666, 0) < 0 || listen(fd, BACKLOG) < 0) {
		r = -errno;
		log_error("%s: %s", path, strerror(errno));
		return r;
	}
	return fwa_steal_fd(&fd);
}

void fwa_socket_dir_remove(const struct fwa_socket_dir *dir, const char *name)
{
	char file[NAME_MAX + 1];

	snprintf(file, sizeof(file), "%s.sock", name);
	if (unlinkat(dir->fd, file, 0) < 0 && errno != ENOENT)
		log_warning("%s/%s: %s", dir->path, file, strerror(errno));
}
