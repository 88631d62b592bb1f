/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A QEMU process that models one device for us.
 *
 * 1. It never survives us: the kernel kills it when the thread that started it ends, and
 *    fwa_qemu_stop() kills and reaps it before that.
 * 2. It leaves nothing behind: its ROM, its disk and its standard error are memfds. It inherits
 *    these and its end of the qtest socket, and no other descriptor of ours.
 * 3. Its processor executes one halt instruction: the device is driven over qtest alone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

#define FWA_QEMU_PROGRAM "qemu-system-x86_64"
#define FWA_QEMU_PACKAGE "qemu-system-x86"

/* As an argument: the memfd of fwa_qemu_start()'s @disk_size bytes. */
#define FWA_QEMU_DISK "/proc/self/fd/5"

struct fwa_qemu {
	pid_t pid;
	int sock; /* our end of the qtest socket */
	int log;  /* memfd with the beginning of what it printed */
};

struct fwa_qemu_version {
	unsigned int major;
	unsigned int minor;
	char text[32]; /* "7.2.22" */
};

/*
 * Asks @program (a path, or a name to look up in PATH) for its version, which takes it some 15 ms.
 * 0; -ENOENT it is not there, -EPROTO it is no QEMU, other negative errno; @error says
 * what and why.
 */
int fwa_qemu_version(const char *program, struct fwa_qemu_version *ret, char error[FWA_ERROR_LEN]);

/*
 * Starts a q35 machine of 256 MiB with the further arguments @args (ended by NULL) and a disk of
 * @disk_size bytes (0: none). 0, or negative errno with @error filled. That QEMU could be executed
 * does not mean that it likes its arguments: its first answer tells.
 */
int fwa_qemu_start(const char *program, const char *const *args, size_t disk_size,
		   struct fwa_qemu *ret, char error[FWA_ERROR_LEN]);

/* Kills and reaps it and closes its descriptors. Takes a zeroed struct. */
void fwa_qemu_stop(struct fwa_qemu *qemu);

/* The first line that it printed, as printable text of at most @len - 1 bytes. */
void fwa_qemu_complaint(const struct fwa_qemu *qemu, char *text, size_t len);
