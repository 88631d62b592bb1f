/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store's parts: store.c appends and commits, store-segment.c makes, changes and retires files,
 * store-recover.c finds out what was left, store-objects.c knows which objects records name.
 */
#pragma once

#include "journal/ledger.h"
#include "journal/store.h"

#define FWA_SEGMENT_MAX (64u * 1024 * 1024) /* the usual */
#define FWA_SEGMENTS_MAX 65536u
#define FWA_FILL_MIN (64u * 1024)
#define FWA_FILL_MAX (4u * 1024 * 1024)
#define FWA_SEGMENT_NAME 32
/* What may be appended leaves room for a checkpoint behind it, and for one in it. */
#define FWA_STORE_APPEND_MAX (FWA_STORE_UNSYNCED_MAX - 2 * FWA_FRAME_MAX)

/* A file; the last one is written to. */
struct fwa_store_segment {
	uint64_t first, created, bytes;
	uint8_t before[FWA_HASH_LEN];
	bool readable; /* its header is one */
	bool retired;  /* a durable record says so; it could not be removed yet */
	bool named;    /* the objects that its records name are known */
};

/* An object that a record of a segment names. */
struct fwa_store_object {
	uint64_t segment; /* its first number */
	struct fwa_record_object object;
};

/* What the next record is chained to, and what the next checkpoint says. */
struct fwa_store_chain {
	uint64_t last;                /* number of the last record */
	uint64_t offset;              /* behind it, in the file */
	uint64_t open_n;              /* records since the last checkpoint */
	uint64_t first;               /* of the tree; meaningless while it is empty */
	uint8_t hash[FWA_HASH_LEN];   /* what the next record is chained to */
	uint8_t record[FWA_HASH_LEN]; /* of the last record: another one at a segment's front */
	struct fwa_tree tree;
};

struct fwa_store {
	struct fwa_fs fs;
	struct fwa_store_options options;
	uint8_t journal[16], key[FWA_KEY_LEN];

	int fd;
	uint64_t filled;  /* the file is allocated up to here, and zero behind its records */
	uint64_t written; /* and has what was appended up to here */
	struct fwa_store_chain now, durable;
	uint8_t *unsynced; /* the bytes of the file from durable.offset to now.offset */
	bool broken;
	bool tainted;      /* nothing may be written to the file any more */
	uint64_t leftover; /* a file of this name was begun in vain; 0: none */

	struct fwa_times last_time;
	uint64_t unsigned_since; /* CLOCK_BOOTTIME of the first record since the last checkpoint */

	struct fwa_store_segment *segments;
	size_t n_segments, cap_segments;
	struct fwa_store_object *objects;
	size_t n_objects, cap_objects;
	struct fwa_ledger ledger;
	uint64_t ending, ended; /* the source that is being ended, and decisions of it so far */
	uint8_t body[FWA_BODY_MAX];
};

void fwa_segment_name(uint64_t first, char name[FWA_SEGMENT_NAME]);
/* The number that a segment of this name begins with; 0 when it is none. */
uint64_t fwa_segment_number(const char *name);

void fwa_chain_add(struct fwa_store_chain *c, uint64_t seq, bool checkpoint);
/* Begins the tree, and what is signed, anew. */
void fwa_chain_reset(struct fwa_store_chain *c);
/* All that was appended is durable. */
void fwa_store_all_durable(struct fwa_store *s);
int fwa_store_put(struct fwa_store *s, struct fwa_frame *f);
/* Makes the body of a checkpoint that is number c->last + 1, in @w. 0 or negative errno. */
int fwa_store_sign(struct fwa_store *s, const struct fwa_store_chain *c, struct fwa_checkpoint *ck);

/* Room in the list, and the entry at its end. */
struct fwa_store_segment *fwa_store_add_segment(struct fwa_store *s);
/* Begins a file at number s->now.last + 1 + @gap; nothing is unsynced. 0 or negative errno. */
int fwa_store_begin_segment(struct fwa_store *s, uint64_t gap, uint64_t created);
/* Makes the file so long that it is zero up to @end at least, durably. 0; or an error, s->tainted set. */
int fwa_store_fill(struct fwa_store *s, uint64_t end);
/* Removes the files of retired segments. 0 or negative errno; what could not be removed stays marked. */
int fwa_store_remove_retired(struct fwa_store *s);

/* Notes that a record of the segment that begins with @segment names the object of @body. 0 or -ENOMEM. */
int fwa_store_name_object(struct fwa_store *s, uint64_t segment, struct fwa_span body);
void fwa_store_forget_objects(struct fwa_store *s, uint64_t segment);
