/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "journal/reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/hex.h"
#include "base/util.h"
#include "journal/private.h"

#define OBJECT_MAX (64u << 20)

int fwa_journal_open(const char *path, struct fwa_journal **ret)
{
	fwa_auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct fwa_journal *j;

	if (fd < 0)
		return -errno;
	j = calloc(1, sizeof(*j));
	if (!j)
		return -ENOMEM;
	j->dirfd = fwa_steal_fd(&fd);
	*ret = j;
	return 0;
}

void fwa_journal_close(struct fwa_journal *j)
{
	if (!j)
		return;
	fwa_close(j->dirfd);
	free(j->firsts);
	free(j->segments);
	free(j);
}

int fwa_journal_dirfd(const struct fwa_journal *j)
{
	return j->dirfd;
}

/* --- segments ---------------------------------------------------------------------------------- */

/* The number that a segment's name says; 0 for a name of something else. */
static uint64_t name_parse(const char *name)
{
	char again[FWA_SEGMENT_NAME];
	uint64_t first;

	if (strlen(name) != FWA_SEGMENT_NAME - 1)
		return 0;
	first = strtoull(name, NULL, 16);
	fwa_segment_file_name(first, again);
	return strcmp(again, name) ? 0 : first;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int firsts_add(struct fwa_journal *j, uint64_t first)
{
	if (j->n_firsts == j->room) {
		size_t room = j->room ? 2 * j->room : 64;
		uint64_t *more = reallocarray(j->firsts, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		j->firsts = more;
		j->room = room;
	}
	j->firsts[j->n_firsts++] = first;
	return 0;
}

int fwa_journal_look(struct fwa_journal *j)
{
	/* Its own open file: the position in the directory belongs to that. */
	int fd = openat(j->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!dir) {
		r = -errno;
		fwa_close(fd);
		return r;
	}
	j->n_firsts = 0;
	while (r == 0 && (errno = 0, e = readdir(dir))) {
		uint64_t first = name_parse(e->d_name);

		if (first)
			r = firsts_add(j, first);
	}
	if (r == 0 && errno)
		r = -errno;
	closedir(dir);
	if (j->n_firsts)
		qsort(j->firsts, j->n_firsts, sizeof(*j->firsts), compare);
	return r;
}

uint64_t fwa_journal_after(const struct fwa_journal *j, uint64_t first)
{
	for (size_t i = 0; i < j->n_firsts; i++)
		if (j->firsts[i] > first)
			return j->firsts[i];
	return 0;
}

uint64_t fwa_journal_holding(const struct fwa_journal *j, uint64_t seq)
{
	uint64_t found = j->n_firsts ? j->firsts[0] : 0;

	for (size_t i = 0; i < j->n_firsts && j->firsts[i] <= seq; i++)
		found = j->firsts[i];
	return found;
}

/* Looks at the file of the segment @first. False when it is gone: retired since. */
static bool segment_look(struct fwa_journal *j, uint64_t first, struct fwa_segment_file *ret)
{
	uint8_t header[FWA_SEGMENT_LEN];
	fwa_auto_close int fd = -1;
	struct stat st;

	*ret = (struct fwa_segment_file){ .bad = true };
	fwa_segment_file_name(first, ret->name);
	fd = openat(j->dirfd, ret->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return false;
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		ret->bytes = (uint64_t)st.st_size;
		ret->bad = pread(fd, header, sizeof(header), 0) != sizeof(header) ||
			   fwa_segment_decode(fwa_span(header, sizeof(header)), &ret->header) < 0 ||
			   ret->header.first != first;
	}
	if (ret->bad)
		ret->header = (struct fwa_segment){ .first = first };
	return true;
}

int fwa_journal_segments(struct fwa_journal *j, const struct fwa_segment_file **ret, size_t *ret_n)
{
	struct fwa_segment_file *all;
	int r = fwa_journal_look(j);
	size_t n = 0;

	if (r < 0)
		return r;
	all = reallocarray(j->segments, j->n_firsts + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	j->segments = all;
	for (size_t i = 0; i < j->n_firsts; i++)
		n += segment_look(j, j->firsts[i], &all[n]);
	*ret = all;
	*ret_n = n;
	return 0;
}

/* --- whether somebody writes ---------------------------------------------------------------------- */

bool fwa_journal_is_written(const struct fwa_journal *j)
{
	fwa_auto_close int fd =
		openat(j->dirfd, "lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return errno == EACCES; /* who may not look cannot say no */
	/* A writer that begins just now would be refused by this, and tries again. */
	return flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

/* --- objects ------------------------------------------------------------------------------------- */

static int read_whole(int fd, uint8_t **ret, size_t *ret_len)
{
	fwa_auto_free uint8_t *data = NULL;
	struct stat st;
	size_t len = 0;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > OBJECT_MAX)
		return -EBADMSG;
	data = malloc((size_t)st.st_size + 1);
	if (!data)
		return -ENOMEM;
	while (len < (size_t)st.st_size) {
		ssize_t n = read(fd, data + len, (size_t)st.st_size - len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -EBADMSG;
		len += n > 0 ? (size_t)n : 0;
	}
	*ret = fwa_steal(data);
	*ret_len = len;
	return 0;
}

int fwa_journal_object(struct fwa_journal *j, const uint8_t sha256[FWA_HASH_LEN], uint8_t **ret,
		       size_t *ret_len)
{
	char name[sizeof("objects/") + 2 * FWA_HASH_LEN] = "objects/";
	fwa_auto_free uint8_t *data = NULL;
	fwa_auto_close int fd = -1;
	uint8_t found[FWA_HASH_LEN];
	size_t len = 0;
	int r;

	fwa_hex_text(sha256, FWA_HASH_LEN, name + strlen(name));
	fd = openat(j->dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	r = read_whole(fd, &data, &len);
	if (r < 0)
		return r;
	fwa_sha256(fwa_span(data, len), found);
	if (memcmp(found, sha256, sizeof(found)) != 0)
		return -EBADMSG;
	*ret = fwa_steal(data);
	*ret_len = len;
	return 0;
}
