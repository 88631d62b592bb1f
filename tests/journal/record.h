/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file in which record.c notes what journald does, and crash.c reads it. */
#pragma once

#include <stdint.h>

#define RECORD_WORDS 4
#define RECORD_FILES 1024

/* As enum fwa_testfs_kind. */
enum {
	RECORD_CREATE,
	RECORD_WRITE,
	RECORD_SYNC,
	RECORD_SYNC_DIR,
	RECORD_REMOVE
};

struct record_trace {
	uint64_t used; /* bytes, with this */
	uint64_t n_files;
	char names[RECORD_FILES][32];
};

struct record_step {
	uint32_t kind, file;
	int32_t error;
	uint32_t zero;
	uint64_t offset, len;
	uint64_t durable[RECORD_WORDS];
	/* and the data, up to a multiple of 8 */
};
