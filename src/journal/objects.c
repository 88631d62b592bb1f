/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "journal/objects.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hex.h"
#include "base/util.h"
#include "journal/digest.h"
#include "journal/sha256.h"

#define FOLDER "objects"
#define TEMPORARY ".new"
#define NAME_LEN (2 * FWA_HASH_LEN + 1)

/* The folder, made when it is not there; its own name is on disk then. */
static int open_folder(int dirfd)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dirfd, FOLDER, flags);

	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? -errno : fd;
	if (mkdirat(dirfd, FOLDER, 0750) < 0 && errno != EEXIST)
		return -errno;
	if (fsync(dirfd) < 0)
		return -errno;
	fd = openat(dirfd, FOLDER, flags);
	return fd < 0 ? -errno : fd;
}

/* Whether file @name is there, is what its name says, and so long. */
static bool is_there(int folder, const char *name, size_t len, const uint8_t sha256[FWA_HASH_LEN])
{
	fwa_auto_close int fd =
		openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	uint8_t buf[16384], found[FWA_HASH_LEN];
	struct stat st;
	SHA256_CTX ctx;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size != (off_t)len)
		return false;
	SHA256_Init(&ctx);
	while ((n = read(fd, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno != EINTR)
			return false;
		SHA256_Update(&ctx, buf, n < 0 ? 0 : (size_t)n);
	}
	SHA256_Final(found, &ctx);
	/* A writer before may have died before it was on disk. */
	return memcmp(found, sha256, FWA_HASH_LEN) == 0 && fsync(fd) == 0 && fsync(folder) == 0;
}

static int write_object(int folder, const char *name, struct fwa_span data)
{
	fwa_auto_close int fd = -1;
	int r;

	unlinkat(folder, TEMPORARY, 0);
	fd = openat(folder, TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	r = fwa_write_all(fd, data);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && renameat(folder, TEMPORARY, folder, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(folder, TEMPORARY, 0);
	if (r == 0 && fsync(folder) < 0)
		r = -errno;
	return r;
}

int fwa_objects_put(int dirfd, struct fwa_span data, uint8_t sha256[FWA_HASH_LEN])
{
	fwa_auto_close int folder = -1;
	char name[NAME_LEN];

	if (data.len > FWA_OBJECT_MAX)
		return -EFBIG;
	fwa_sha256(data, sha256);
	fwa_hex_text(sha256, FWA_HASH_LEN, name);
	folder = open_folder(dirfd);
	if (folder < 0)
		return folder;
	return is_there(folder, name, data.len, sha256) ? 0 : write_object(folder, name, data);
}

/* The digest that @name is in lower-case hex; false when it is none. */
static bool object_name(const char *name, uint8_t sha256[FWA_HASH_LEN])
{
	char again[NAME_LEN];

	for (size_t i = 0; i < FWA_HASH_LEN; i++)
		if (!fwa_hex_byte(name + 2 * i, &sha256[i]))
			return false;
	fwa_hex_text(sha256, FWA_HASH_LEN, again);
	return strcmp(name, again) == 0;
}

int fwa_objects_sweep(int dirfd, bool (*keep)(void *arg, const uint8_t sha256[FWA_HASH_LEN]),
		      void *arg)
{
	int folder = open_folder(dirfd), r = 0;
	DIR *dir = folder < 0 ? NULL : fdopendir(folder);
	uint8_t sha256[FWA_HASH_LEN];
	struct dirent *e;

	if (!dir) {
		r = folder < 0 ? folder : -errno;
		fwa_close(folder);
		return r;
	}
	while ((e = readdir(dir))) {
		bool goes = object_name(e->d_name, sha256) ? !keep(arg, sha256)
							   : strcmp(e->d_name, TEMPORARY) == 0;

		if (goes && unlinkat(folder, e->d_name, 0) < 0 && errno != ENOENT && r == 0)
			r = -errno;
	}
	closedir(dir);
	return r;
}
