/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a power cut can leave: from a record of what was done to files, each state of the disk after each
 * step.
 *
 * A write is on disk when a sync of its file that came later has succeeded; until then any of its sectors may
 * be, or none. After a failed sync what was written before it may be or not, for ever. A name is made or
 * removed on disk by a sync of the directory; until then it may be or not. Files' contents and names know
 * nothing of each other. That is less than file systems promise.
 */
#pragma once

#include "journal/testfs.h"

/* Who was told how far all is durable: by number of the journal, or by counters of sources. */
#define CRASH_WORDS 4

struct crash_trace {
	struct fwa_testfs_op *ops;        /* views of data: not owned */
	uint64_t (*durable)[CRASH_WORDS]; /* what had been said when the step was begun */
	size_t n;
};

enum crash_how {
	CRASH_DROP,
	CRASH_KEEP,
	CRASH_PREFIX, /* sectors before @at */
	CRASH_SUFFIX, /* and from @at on */
	CRASH_HOLE,   /* all but @at */
	CRASH_ONLY,   /* nothing but @at */
	CRASH_RANDOM, /* any, by the seed @at */
};

struct crash_choice {
	enum crash_how how;
	uint64_t at;
};

enum crash_fate {
	CRASH_PENDING,
	CRASH_DOOMED, /* a sync has failed: nobody knows */
	CRASH_SAFE,   /* on disk; it stays in the list behind what is doomed */
};

/* A step that is not on disk for certain. */
struct crash_pending {
	size_t op;
	enum crash_fate fate;
	struct crash_choice choice;
};

struct crash_file {
	char name[FWA_TESTFS_NAME];
	bool named; /* on disk, for certain */
	uint8_t *data;
	size_t len, cap;
};

struct crash_model {
	const struct crash_trace *trace;
	size_t at; /* steps done */
	struct crash_file *files;
	size_t n_files, cap_files;
	struct crash_pending *pending;
	size_t n_pending, cap_pending;
	uint64_t history; /* names what is on disk for certain */
};

/* At the beginning of @trace: with the files of @base, all on disk; NULL: with none. */
void crash_begin(struct crash_model *m, const struct crash_trace *trace,
		 const struct fwa_testfs *base);
void crash_end(struct crash_model *m);
/* Does the next step. False when there is none. */
bool crash_step(struct crash_model *m);
/* Whether the choice for @p is any. */
bool crash_is_open(const struct crash_pending *p);
/* Sectors of pending write @i; 1 for names. */
size_t crash_sectors(const struct crash_model *m, size_t i);
/* Makes the disk that the choices say, in @t, which is to be initialised. */
void crash_make(const struct crash_model *m, struct fwa_testfs *t);
/* Names that state: of two that are the same all bytes are. */
uint64_t crash_name(const struct crash_model *m);

struct crash_file *crash_find_file(struct crash_model *m, size_t file);
uint64_t crash_mix(uint64_t a, uint64_t b);
