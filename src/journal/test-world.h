/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For the tests of the store: a world with a journal on a file system in memory, what the journal was told,
 * and a busy life.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "base/util.h"
#include "journal/store.h"
#include "journal/testcheck.h"
#include "journal/testfs.h"

#define RECORDS_MAX 65536u

struct told {
	uint8_t kind;
	uint8_t body_sha256[FWA_HASH_LEN];
};

struct world {
	struct fwa_testfs t;
	struct fwa_fs fs;
	struct fwa_store_options options;
	struct fwa_store *store;
	struct fwa_times now;
	struct told told[RECORDS_MAX]; /* by number */
	uint64_t acknowledged, appended;
	uint64_t source, counter, open; /* of the one source; the counter of its open decision */
	uint8_t id[16];
	uint64_t seed;
};

extern struct world w;
extern struct fwa_signer *signer;

/* Of a group of tests. */
int make_signer(void **state);
int free_signer(void **state);

void begin_world(uint64_t segment_max, uint64_t total_max);
void end_world(void);
void time_goes(uint64_t ns);

int open_store(void);
/* And forgets what it was told. */
void close_store(void);
int sync_store(void);

int append(const struct fwa_append *a);
int append_source(void);
int append_control(size_t len);
int append_decision(bool admitted);
int append_outcome(uint64_t decision);

/* Opens it, with a source. */
int begin_life(void);
/* One step of a busy life. */
int step(unsigned int i);
/* All of one. */
int life(unsigned int steps);
/* Opens it again, and goes on a little. */
void live_again(void);

/* All of the journal is well, and @until at least is in it. */
void check_world(uint64_t until, struct fwa_testcheck *ret);

struct fwa_testfs_file *last_file(void);
/* The offset behind the last record of @f. */
size_t end_of(const struct fwa_testfs_file *f);
