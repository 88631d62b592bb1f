/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preloaded into fwadmit-journald: records what it does to segments, in its order, in $RECORD_TRACE, a file of
 * zeroes that is mapped; and with each step what the rings $RECORD_RINGS (paths of their memory) said then
 * to be durable. Of writers that follow each other the steps follow each other.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "record.h"

#define FDS 1024

static int (*real_openat)(int dir, const char *name, int flags, ...);
static ssize_t (*real_write)(int fd, const void *data, size_t len, off64_t at);
static int (*real_datasync)(int fd);
static int (*real_sync)(int fd);
static int (*real_unlinkat)(int dir, const char *name, int flags);
static struct record_trace *trace;
static size_t room;
static const volatile uint64_t *rings[RECORD_WORDS];
static int files[FDS]; /* of each descriptor its file + 1, 0: none of ours */
static int folder = -1;

static void map_rings(char *text)
{
	char *saved, *path = strtok_r(text, ",", &saved);

	for (int i = 1; i < RECORD_WORDS && path; i++, path = strtok_r(NULL, ",", &saved)) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		void *map = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

		if (map == MAP_FAILED)
			abort();
		close(fd);
		rings[i] = map;
	}
}

__attribute__((constructor)) static void setup(void)
{
	const char *path = getenv("RECORD_TRACE");
	struct stat st;
	int fd;

	real_openat = (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, "openat64");
	real_write = (ssize_t(*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
	real_datasync = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
	real_sync = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
	real_unlinkat = (int (*)(int, const char *, int))dlsym(RTLD_NEXT, "unlinkat");
	fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0 || fstat(fd, &st) < 0)
		abort();
	room = (size_t)st.st_size;
	trace = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (trace == MAP_FAILED)
		abort();
	close(fd);
	if (trace->used == 0)
		trace->used = sizeof(*trace);
	if (getenv("RECORD_RINGS"))
		map_rings(getenv("RECORD_RINGS"));
	unsetenv("RECORD_RINGS");
}

/* The counter of the last durable record: ring.h. */
static struct record_step *begin_step(uint32_t kind, uint32_t file, const void *data, size_t len)
{
	struct record_step *s = (struct record_step *)((char *)trace + trace->used);

	if (trace->used + sizeof(*s) + len + 8 > room)
		abort();
	*s = (struct record_step){ .kind = kind, .file = file, .len = len };
	for (int i = 1; i < RECORD_WORDS; i++)
		s->durable[i] = rings[i] ? rings[i][72 / 8] : 0;
	if (len)
		memcpy(s + 1, data, len);
	trace->used += sizeof(*s) + ((len + 7) & ~(size_t)7);
	return s;
}

static bool is_segment(const char *name)
{
	size_t len = strlen(name);

	return len == 20 && strcmp(name + 16, ".fwj") == 0;
}

/* The last one of this name. */
static int find(const char *name)
{
	int i = (int)trace->n_files;

	while (i > 0 && strcmp(trace->names[i - 1], name) != 0)
		i--;
	return i;
}

static int make(const char *name)
{
	if (trace->n_files == RECORD_FILES)
		abort();
	snprintf(trace->names[trace->n_files++], sizeof(trace->names[0]), "%s", name);
	begin_step(RECORD_CREATE, (uint32_t)trace->n_files - 1, NULL, 0);
	return (int)trace->n_files;
}

int openat64(int dir, const char *name, int flags, ...);
int openat64(int dir, const char *name, int flags, ...)
{
	bool ours = is_segment(name);
	va_list args;
	mode_t mode;
	int fd;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	fd = real_openat(dir, name, ours ? flags & ~O_CREAT : flags, mode);
	if (ours)
		folder = dir;
	if (fd >= 0 && fd < FDS)
		files[fd] = ours ? find(name) : 0;
	if (!ours || fd >= 0 || errno != ENOENT || !(flags & O_CREAT))
		return fd;
	fd = real_openat(dir, name, flags, mode);
	if (fd >= 0 && fd < FDS)
		files[fd] = make(name);
	return fd;
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at);
ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
	if (fd >= 0 && fd < FDS && files[fd])
		begin_step(RECORD_WRITE, (uint32_t)files[fd] - 1, data, len)->offset = (uint64_t)at;
	return real_write(fd, data, len, at);
}

int fdatasync(int fd)
{
	int r = real_datasync(fd);

	if (fd >= 0 && fd < FDS && files[fd])
		begin_step(RECORD_SYNC, (uint32_t)files[fd] - 1, NULL, 0)->error =
			r < 0 ? -errno : 0;
	return r;
}

int fsync(int fd)
{
	int r = real_sync(fd);

	if (fd == folder)
		begin_step(RECORD_SYNC_DIR, 0, NULL, 0)->error = r < 0 ? -errno : 0;
	return r;
}

int unlinkat(int dir, const char *name, int flags)
{
	if (is_segment(name) && find(name))
		begin_step(RECORD_REMOVE, (uint32_t)find(name) - 1, NULL, 0);
	return real_unlinkat(dir, name, flags);
}
