/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory of sockets, which one daemon owns at a time.
 */
#pragma once

struct fwa_socket_dir {
	const char *path;
	int fd;
	int lock_fd;
};

/*
 * Makes the directory @path (its last part) if need be and locks it. 0, or negative errno after a
 * line in the log: -EBUSY another daemon has it. @path must outlive @ret.
 */
int fwa_socket_dir_open(const char *path, struct fwa_socket_dir *ret);
void fwa_socket_dir_close(struct fwa_socket_dir *dir);

/*
 * A listening, non-blocking socket of @type for everybody to connect to, DIR/NAME.sock. A socket
 * that a dead daemon left is replaced; anything else there is in the way. The descriptor, or
 * negative errno after a line in the log.
 */
int fwa_socket_dir_listen(const struct fwa_socket_dir *dir, const char *name, int type);
void fwa_socket_dir_remove(const struct fwa_socket_dir *dir, const char *name);
