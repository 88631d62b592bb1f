/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "journal/map.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

#define SLOTS 64

/* What is mapped, for the handler: begin is written last, and taken back first. */
static struct {
	_Atomic(uintptr_t) begin, end;
	atomic_bool used;
} slots[SLOTS];

static struct sigaction previous;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uintptr_t page_size;

static bool is_mapped(uintptr_t at)
{
	for (int i = 0; i < SLOTS; i++) {
		uintptr_t begin = atomic_load(&slots[i].begin);

		if (begin && at >= begin && at < atomic_load(&slots[i].end))
			return true;
	}
	return false;
}

/* A page of zeroes where the file has none; what is not ours goes to whom it went before. */
static void on_bus_error(int signal, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr;
	int saved = errno;

	if (!is_mapped(at) || mmap((void *)(at & ~(page_size - 1)), page_size, PROT_READ,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		sigaction(SIGBUS, &previous, NULL);
	errno = saved;
}

static void catch_bus_errors(void)
{
	struct sigaction now,
		ours = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_RESTART };

	pthread_mutex_lock(&lock);
	page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
	if (sigaction(SIGBUS, NULL, &now) == 0 && now.sa_sigaction != on_bus_error) {
		previous = now;
		sigaction(SIGBUS, &ours, NULL);
	}
	pthread_mutex_unlock(&lock);
}

static int slot_take(void)
{
	for (int i = 0; i < SLOTS; i++) {
		bool free_one = false;

		if (atomic_compare_exchange_strong(&slots[i].used, &free_one, true))
			return i;
	}
	return -EMFILE;
}

static void slot_set(int slot, struct fwa_span bytes)
{
	atomic_store(&slots[slot].begin, 0);
	atomic_store(&slots[slot].end, (uintptr_t)bytes.data + bytes.len);
	atomic_store(&slots[slot].begin, (uintptr_t)bytes.data);
}

static int map(int fd, size_t len, struct fwa_span *ret)
{
	void *at;

	if (!len) {
		*ret = fwa_span(NULL, 0);
		return 0;
	}
	at = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	madvise(at, len, MADV_SEQUENTIAL);
	*ret = fwa_span(at, len);
	return 0;
}

static void unmap(struct fwa_map *m)
{
	if (m->bytes.len) {
		slot_set(m->slot, fwa_span(NULL, 0));
		munmap((void *)m->bytes.data, m->bytes.len);
	}
	m->bytes = fwa_span(NULL, 0);
}

/* Its length, when it is a file like any. Not waiting for whoever would write to a FIFO. */
static int open_regular(int dirfd, const char *name, size_t *ret_len)
{
	fwa_auto_close int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*ret_len = (size_t)st.st_size;
	return fwa_steal_fd(&fd);
}

int fwa_map_open(int dirfd, const char *name, struct fwa_map *ret)
{
	struct fwa_map m = FWA_MAP_NONE;
	size_t len = 0;
	int r;

	catch_bus_errors();
	m.fd = open_regular(dirfd, name, &len);
	if (m.fd < 0)
		return m.fd;
	m.slot = slot_take();
	r = m.slot < 0 ? m.slot : map(m.fd, len, &m.bytes);
	if (r < 0) {
		fwa_map_close(&m);
		return r;
	}
	slot_set(m.slot, m.bytes);
	*ret = m;
	return 0;
}

void fwa_map_close(struct fwa_map *m)
{
	unmap(m);
	if (m->slot >= 0)
		atomic_store(&slots[m->slot].used, false);
	m->slot = -1;
	m->fd = fwa_close(m->fd);
}

int fwa_map_grow(struct fwa_map *m)
{
	struct fwa_span bytes;
	struct stat st;
	int r;

	if (fstat(m->fd, &st) < 0)
		return -errno;
	if ((size_t)st.st_size <= m->bytes.len)
		return 0;
	r = map(m->fd, (size_t)st.st_size, &bytes);
	if (r < 0)
		return r;
	unmap(m);
	m->bytes = bytes;
	slot_set(m->slot, bytes);
	return 0;
}
