/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file system in memory for tests of the store: it records what is done to it, fails and dies where it is
 * told, and can leave what a crash may leave.
 *
 * Each file has what programs see and what is on disk, with the writes between them that were not synced. A
 * failed sync loses some of them for good, while programs still see them, and the next sync knows nothing
 * of it: as Linux does it. Names are as files: made or removed on disk only by sync_dir.
 */
#pragma once

#include "journal/fs.h"

#define FWA_TESTFS_NAME 32

struct fwa_testfs_write {
	uint64_t offset;
	size_t len;
	uint8_t *data;
};

struct fwa_testfs_file {
	char name[FWA_TESTFS_NAME];
	bool named, disk_named;
	uint8_t *data, *disk;
	size_t len, disk_len, cap, disk_cap;
	struct fwa_testfs_write *unsynced;
	size_t n_unsynced, cap_unsynced;
};

enum fwa_testfs_kind {
	FWA_TESTFS_CREATE,
	FWA_TESTFS_WRITE,
	FWA_TESTFS_SYNC,
	FWA_TESTFS_SYNC_DIR,
	FWA_TESTFS_REMOVE,
};

/* What was done, in its order. A file is a number, also when a later one has the same name. */
struct fwa_testfs_op {
	enum fwa_testfs_kind kind;
	int error; /* it failed; of a write a part may have been done */
	size_t file;
	char name[FWA_TESTFS_NAME];
	uint64_t offset;
	size_t len;
	uint8_t *data;
};

struct fwa_testfs {
	struct fwa_testfs_file **files; /* also those that have no name any more */
	size_t n_files;

	bool record;
	struct fwa_testfs_op *ops;
	size_t n_ops, cap_ops;

	size_t calls; /* that change something */
	/* Calls @fail_from to @fail_to (not with it) fail with @fail_error: all, or those of one kind. */
	size_t fail_from, fail_to;
	int fail_error, fail_kind; /* kind -1: any */
	size_t die_at;             /* this call is done in part, and all later ones fail; 0: none */
	bool no_sync;              /* a sync does nothing: as if the store left it out */
	size_t space;              /* bytes that files may have; 0: any */
	uint64_t seed;             /* of what is lost and what is not */
};

void fwa_testfs_init(struct fwa_testfs *t);
void fwa_testfs_clear(struct fwa_testfs *t);
struct fwa_fs fwa_testfs_fs(struct fwa_testfs *t);
/*
 * The programs are gone, and nothing fails any more. With @power the machine too: of what was not synced any
 * sectors of 512 bytes may be on disk, and any names.
 */
void fwa_testfs_restart(struct fwa_testfs *t, bool power);
/* The file of this name, NULL when there is none; and one with these contents, on disk. */
struct fwa_testfs_file *fwa_testfs_find(struct fwa_testfs *t, const char *name);
struct fwa_testfs_file *fwa_testfs_put(struct fwa_testfs *t, const char *name, const void *data,
				       size_t len);
/* The next of a sequence of numbers that @seed begins. */
uint64_t fwa_testfs_random(uint64_t *seed);
