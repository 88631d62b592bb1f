/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal's files on a real file system. Names stay in the directory, and are not followed.
 */
#include "journal/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

static int dirfd_of(const struct fwa_fs *fs)
{
	return *(const int *)fs->context;
}

static bool good_name(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/');
}

static int real_open(const struct fwa_fs *fs, const char *name, bool create)
{
	fwa_auto_close int fd = -1;
	struct stat st;

	if (!good_name(name))
		return -EINVAL;
	fd = openat(dirfd_of(fs), name,
		    O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK |
			    (create ? O_CREAT : 0),
		    0640);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	return fwa_steal_fd(&fd);
}

static void real_close(const struct fwa_fs *fs, int fd)
{
	fwa_close(fd);
}

static ssize_t real_size(const struct fwa_fs *fs, int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? -errno : (ssize_t)st.st_size;
}

static int real_write(const struct fwa_fs *fs, int fd, const void *data, size_t len,
		      uint64_t offset)
{
	while (len) {
		ssize_t n = pwrite(fd, data, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		data = (const char *)data + n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

static ssize_t real_read(const struct fwa_fs *fs, int fd, void *data, size_t len, uint64_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (char *)data + done, len - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static int real_sync(const struct fwa_fs *fs, int fd)
{
	return fdatasync(fd) < 0 ? -errno : 0;
}

static int real_sync_dir(const struct fwa_fs *fs)
{
	return fsync(dirfd_of(fs)) < 0 ? -errno : 0;
}

static int real_remove(const struct fwa_fs *fs, const char *name)
{
	if (!good_name(name))
		return -EINVAL;
	return unlinkat(dirfd_of(fs), name, 0) < 0 ? -errno : 0;
}

static int real_list(const struct fwa_fs *fs, void (*each)(void *arg, const char *name), void *arg)
{
	int fd = openat(dirfd_of(fs), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	int r;

	if (!dir) {
		r = -errno;
		fwa_close(fd);
		return r;
	}
	while (errno = 0, (e = readdir(dir)))
		each(arg, e->d_name);
	r = -errno;
	closedir(dir);
	return r;
}

struct fwa_fs fwa_fs_real(const int *dirfd)
{
	return (struct fwa_fs){
		.context = (void *)dirfd,
		.open = real_open,
		.close = real_close,
		.size = real_size,
		.write = real_write,
		.read = real_read,
		.sync = real_sync,
		.sync_dir = real_sync_dir,
		.remove = real_remove,
		.list = real_list,
	};
}
