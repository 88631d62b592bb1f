/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Descriptors: sealed memfds, reading and writing to the end, messages that carry a descriptor.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"

/* An empty memfd that can be sealed. The descriptor, or negative errno. */
int fwa_memfd(const char *name);
/* A memfd that holds @data and can never change. The descriptor, or negative errno. */
int fwa_memfd_sealed(const char *name, struct fwa_span data);
/*
 * Copies all of the sealed memfd @fd to fresh memory (to be freed). It must be sealed against
 * writing, growing and shrinking, and hold exactly @len bytes: 0, or -EPERM, -EMSGSIZE, errno.
 */
int fwa_memfd_copy(int fd, size_t len, uint8_t **ret);
/*
 * Maps all of the sealed memfd @fd, of at most @max bytes, for reading: its seals keep it whole for as
 * long as it is mapped. 0, with what fwa_memfd_unmap() takes; or -EPERM, -EMSGSIZE, errno.
 */
int fwa_memfd_map(int fd, size_t max, struct fwa_span *ret);
void fwa_memfd_unmap(struct fwa_span map);
/* The size of the sealed memfd @fd, at most @max; or -EPERM, -EMSGSIZE, other negative errno. */
ssize_t fwa_memfd_size(int fd, size_t max);

/*
 * Reads the whole file @path ("-": standard input) into fresh memory (to be freed), ended with a NUL that is
 * not counted. 0 or negative errno; -EFBIG when it holds more than @max bytes; -EISDIR.
 */
int fwa_read_file(const char *path, size_t max, uint8_t **ret, size_t *ret_len);

/* Writes all of @data, however many calls that takes. 0 or negative errno. */
int fwa_write_all(int fd, struct fwa_span data);

struct iovec;
/* Sends one message of @n parts, and @fd with it unless it is -1. 0 or negative errno. No SIGPIPE. */
int fwa_send_message(int sock, const struct iovec *parts, size_t n, int fd);
/* The same with up to FWA_FDS_MAX descriptors. */
#define FWA_FDS_MAX 3u
int fwa_send_message_fds(int sock, const struct iovec *parts, size_t n, const int *fds,
			 size_t n_fds);
/*
 * Receives one message of at most @cap bytes. The length, 0 when the peer is gone; -EMSGSIZE for a
 * longer one (it is consumed), -EPROTO for more than one descriptor, -EAGAIN, other negative errno.
 * *ret_fd is the descriptor that came with it (close-on-exec, owned by the caller) or -1. With
 * @ret_fd NULL the kernel drops what descriptors come: they are never ours to close.
 */
ssize_t fwa_recv_message(int sock, void *buf, size_t cap, int *ret_fd);
/* The same with up to FWA_FDS_MAX descriptors: *ret_n of them, the others are -1. */
ssize_t fwa_recv_message_fds(int sock, void *buf, size_t cap, int fds[FWA_FDS_MAX], size_t *ret_n);
