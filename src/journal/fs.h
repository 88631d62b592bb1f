/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the store does to files, and nothing else does: one table, so that what a crash can leave can be
 * tried out (tests/journal). Every function returns 0, a count or a descriptor, or negative errno.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct fwa_fs {
	/* For whoever made the table. */
	void *context;
	/* Opens or makes file @name of the journal's directory for reading and writing. */
	int (*open)(const struct fwa_fs *fs, const char *name, bool create);
	void (*close)(const struct fwa_fs *fs, int fd);
	ssize_t (*size)(const struct fwa_fs *fs, int fd);
	/* All of it, or an error; what was written before an error is not known. */
	int (*write)(const struct fwa_fs *fs, int fd, const void *data, size_t len,
		     uint64_t offset);
	/* As many as there are, up to @len. */
	ssize_t (*read)(const struct fwa_fs *fs, int fd, void *data, size_t len, uint64_t offset);
	/* What was written to the file is on disk, its length too. After an error nothing is certain. */
	int (*sync)(const struct fwa_fs *fs, int fd);
	/* Names that were made or removed are on disk. */
	int (*sync_dir)(const struct fwa_fs *fs);
	int (*remove)(const struct fwa_fs *fs, const char *name);
	/* Calls @each for every name, in any order. */
	int (*list)(const struct fwa_fs *fs, void (*each)(void *arg, const char *name), void *arg);
};

/* The files of directory @dirfd, which stays the caller's, and must outlive the table. */
struct fwa_fs fwa_fs_real(const int *dirfd);
