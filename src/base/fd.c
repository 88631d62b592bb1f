/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All loops go on after a signal, and none takes more than its caller said.
 */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/bury.h"
#include "base/util.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

int fwa_write_all(int fd, struct fwa_span data)
{
	size_t done = 0;

	while (done < data.len) {
		ssize_t n = write(fd, data.data + done, data.len - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* Kernels before 6.3 do not know MFD_NOEXEC_SEAL. */
int fwa_memfd(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd < 0 ? -errno : fd;
}

int fwa_memfd_sealed(const char *name, struct fwa_span data)
{
	fwa_auto_close int fd = fwa_memfd(name);
	int r;

	if (fd < 0)
		return fd;
	r = fwa_write_all(fd, data);
	if (r == 0 && fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) < 0)
		r = -errno;
	return r < 0 ? r : fwa_steal_fd(&fd);
}

ssize_t fwa_memfd_size(int fd, size_t max)
{
	int seals = fcntl(fd, F_GET_SEALS);
	off_t size;

	if (seals < 0 || (seals & SEALS) != SEALS)
		return -EPERM;
	/* Not fstat(), which a sandbox cannot tell from stat() of any path. */
	size = lseek(fd, 0, SEEK_END);
	if (size < 0)
		return -errno;
	return (uint64_t)size > max ? -EMSGSIZE : size;
}

static int read_exactly(int fd, uint8_t *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, buf + done, len - done, (off_t)done);

		if (n == 0)
			return -EIO;
		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int fwa_memfd_copy(int fd, size_t len, uint8_t **ret)
{
	fwa_auto_free uint8_t *buf = NULL;
	ssize_t size = fwa_memfd_size(fd, len);
	int r;

	if (size < 0)
		return (int)size;
	if ((size_t)size != len)
		return -EMSGSIZE;
	buf = malloc(len ? len : 1);
	if (!buf)
		return -ENOMEM;
	r = read_exactly(fd, buf, len);
	if (r < 0)
		return r;
	*ret = fwa_steal(buf);
	return 0;
}

int fwa_memfd_map(int fd, size_t max, struct fwa_span *ret)
{
	ssize_t size = fwa_memfd_size(fd, max);
	void *map;

	if (size < 0)
		return (int)size;
	/* Private: old kernels share no mapping of what is sealed against writing. */
	map = size ? mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
	if (map == MAP_FAILED)
		return -errno;
	*ret = fwa_span(map, (size_t)size);
	return 0;
}

void fwa_memfd_unmap(struct fwa_span map)
{
	if (map.len)
		munmap((void *)map.data, map.len);
}

/* Reads up to @max + 1 bytes, so that "more than max" can be told from "max". */
static int slurp(int fd, size_t max, uint8_t **ret, size_t *ret_len)
{
	fwa_auto_free uint8_t *buf = NULL;
	size_t cap = 0, len = 0;

	for (;;) {
		ssize_t n;

		if (len == cap) {
			uint8_t *more;

			cap = cap ? cap * 2 : 8192;
			more = realloc(buf, cap + 1);
			if (!more)
				return -ENOMEM;
			buf = more;
		}
		n = read(fd, buf + len, cap - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > max)
			return -EFBIG;
	}
	buf[len] = '\0';
	*ret = fwa_steal(buf);
	*ret_len = len;
	return 0;
}

int fwa_read_file(const char *path, size_t max, uint8_t **ret, size_t *ret_len)
{
	fwa_auto_close int fd = -1;

	if (path[0] == '-' && path[1] == '\0')
		return slurp(STDIN_FILENO, max, ret, ret_len);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	return slurp(fd, max, ret, ret_len);
}

int fwa_send_message_fds(int sock, const struct iovec *parts, size_t n, const int *fds,
			 size_t n_fds)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(FWA_FDS_MAX * sizeof(int))];
	} control = { 0 };
	struct msghdr m = { .msg_iov = (struct iovec *)parts, .msg_iovlen = n };
	ssize_t sent;

	if (n_fds > FWA_FDS_MAX)
		return -EINVAL;
	if (n_fds) {
		struct cmsghdr *c;

		m.msg_control = control.buf;
		m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	do
		sent = sendmsg(sock, &m, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

int fwa_send_message(int sock, const struct iovec *parts, size_t n, int fd)
{
	return fwa_send_message_fds(sock, parts, n, &fd, fd >= 0 ? 1 : 0);
}

/* What one message may bring (SCM_MAX_FD): what finds no room the kernel closes in our name. */
#define FDS_MAX 253

/* The descriptors of a message, if there are at most @max; else all are buried: -EPROTO. */
static int take_fds(struct msghdr *m, int *ret_fds, size_t max, size_t *ret_n)
{
	int fds[FDS_MAX];
	size_t n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t len = c->cmsg_len - CMSG_LEN(0);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; at + sizeof(int) <= len && n < FDS_MAX; at += sizeof(int))
			memcpy(&fds[n++], CMSG_DATA(c) + at, sizeof(int));
	}
	if (n <= max && !(m->msg_flags & MSG_CTRUNC)) {
		if (n)
			memcpy(ret_fds, fds, n * sizeof(int));
		*ret_n = n;
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		fwa_bury(fds[i]);
	return -EPROTO;
}

/* @fds has @max places, all -1; none of them when there are none to be had (@fds is NULL). */
static ssize_t recv_fds(int sock, void *buf, size_t cap, int *fds, size_t max, size_t *ret_n)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control;
	struct iovec part = { buf, cap };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t n;
	int r = 0;

	if (fds) {
		m.msg_control = control.buf;
		m.msg_controllen = sizeof(control.buf);
	}
	do
		n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (fds)
		r = take_fds(&m, fds, max, ret_n);
	if (r == 0 && m.msg_flags & MSG_TRUNC) {
		r = -EMSGSIZE;
		while (fds && *ret_n) {
			*ret_n -= 1;
			fds[*ret_n] = fwa_bury(fds[*ret_n]);
		}
	}
	return r < 0 ? r : n;
}

ssize_t fwa_recv_message(int sock, void *buf, size_t cap, int *ret_fd)
{
	size_t n = 0;

	if (ret_fd)
		*ret_fd = -1;
	return recv_fds(sock, buf, cap, ret_fd, 1, &n);
}

ssize_t fwa_recv_message_fds(int sock, void *buf, size_t cap, int fds[FWA_FDS_MAX], size_t *ret_n)
{
	for (size_t i = 0; i < FWA_FDS_MAX; i++)
		fds[i] = -1;
	*ret_n = 0;
	return recv_fds(sock, buf, cap, fds, FWA_FDS_MAX, ret_n);
}
