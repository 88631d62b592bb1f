/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a journal, also while it is written: segments mapped one at a time, records in their order.
 * Believes no length and no name; a reader needs no key and no index.
 */
#pragma once

#include "journal/format.h"

struct fwa_journal;

/* Opens the journal in directory @path. 0 or negative errno; -ENOENT when there is none. */
int fwa_journal_open(const char *path, struct fwa_journal **ret);
void fwa_journal_close(struct fwa_journal *j);
int fwa_journal_dirfd(const struct fwa_journal *j);

/* Its segments, by number; looked for again by each call, which ends what the one before has returned. */
struct fwa_segment_file {
	char name[32];
	struct fwa_segment header; /* .first is that of the name */
	uint64_t bytes;
	bool bad; /* its header is none, or not that of its name: nothing else is there of it */
};
int fwa_journal_segments(struct fwa_journal *j, const struct fwa_segment_file **ret, size_t *ret_n);

/*
 * A place in the journal. Frames are views of mapped memory, until the cursor moves or is closed. What was
 * written since is seen by the next call.
 */
struct fwa_cursor;
struct fwa_cursor *fwa_cursor_new(
	struct fwa_journal *j); /* before the first record; NULL: memory */
void fwa_cursor_free(struct fwa_cursor *c);
/* Before record @seq, or the first one after it that is there. 0 or negative errno. */
int fwa_cursor_seek(struct fwa_cursor *c, uint64_t seq);
/* Before the first record whose time is @time or later: by segments' headers, then forwards. */
int fwa_cursor_seek_time(struct fwa_cursor *c, uint64_t time);
/* At a place that an index remembers: a segment and an offset of a record in it. */
int fwa_cursor_seek_place(struct fwa_cursor *c, uint64_t segment, uint64_t offset);
/*
 * The next record. 1 with it, 0 at the end for now, -EBADMSG where it cannot be read (the cursor
 * then stands at the next segment). Not hashed: fwa_verify() does that.
 */
int fwa_cursor_next(struct fwa_cursor *c, struct fwa_frame *ret);
/* The record before: as next. Slow where a segment was not read yet: it is read once from its front. */
int fwa_cursor_previous(struct fwa_cursor *c, struct fwa_frame *ret);
/* Where the record that was returned last is; all of its bytes. */
void fwa_cursor_place(const struct fwa_cursor *c, uint64_t *ret_segment, uint64_t *ret_offset);
struct fwa_span fwa_cursor_bytes(const struct fwa_cursor *c);

/* Copies object @sha256 (a policy, a profile) to fresh memory, after checking its digest. 0, -errno. */
int fwa_journal_object(struct fwa_journal *j, const uint8_t sha256[FWA_HASH_LEN], uint8_t **ret,
		       size_t *ret_len);
/* The last checkpoint that can be read. 0 or negative errno; -ENODATA. Views last as the cursor does. */
int fwa_journal_last_checkpoint(struct fwa_cursor *c, struct fwa_checkpoint *ret);
