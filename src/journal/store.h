/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store: the journal's one writer. It finds out what a crash has left, appends, commits, signs, rotates
 * and retires. One thread; it reads no clock of its own.
 *
 * 1. Appended is in memory; written is in the file; synced is on disk. Nobody is told that a record is
 *    durable before fwa_store_sync() said so.
 * 2. What is appended and not synced is at most FWA_STORE_UNSYNCED_MAX bytes, and kept in memory, so
 *    that after an error it can be written again elsewhere: an error of sync is never tried again on the
 *    same file (its pages may be lost), the segment is cut at what is durable and a new one begun.
 * 3. At the beginning the last segment is read from its last checkpoint on; what follows the last good
 *    record, up to FWA_STORE_UNSYNCED_MAX, is a torn tail: it is zeroed, and the START record says
 *    so with its digest. Further back it is damage: nothing of it is touched, a new segment begins,
 *    and START says that. The last FWA_STORE_UNSYNCED_MAX bytes are written once more and synced: a
 *    writer before may have died after a failed sync.
 * 4. Segments are filled with zeroes ahead of the records: a commit overwrites, and syncs no metadata.
 */
#pragma once

#include "journal/format.h"
#include "journal/fs.h"

#define FWA_STORE_UNSYNCED_MAX (1024u * 1024)

struct fwa_store;

struct fwa_store_options {
	uint64_t segment_max;      /* bytes at which a segment is handed over; 0: 64 MiB */
	uint64_t total_max;        /* oldest segments go while there are more bytes; 0: never */
	uint64_t age_max;          /* seconds after which a segment goes; 0: never */
	struct fwa_signer *signer; /* not owned */
	const char *version;
	uint8_t boot_id[16];
};

/* The time of an act: both clocks, read once. */
struct fwa_times {
	uint64_t real, boot;
};

/*
 * Opens the journal in @fs, or makes it; recovers; appends START. Nothing of that is durable before the
 * first sync. 0 or negative errno; -EBADMSG when its last segment's header is none.
 */
int fwa_store_open(const struct fwa_fs *fs, const struct fwa_store_options *o, struct fwa_times now,
		   struct fwa_store **ret);
/* Frees it; what was not synced may be lost. */
void fwa_store_free(struct fwa_store *s);

/*
 * Appends one record. A CLOCK record goes before it when the wall clock has been set since the last one.
 * Its number in *ret_seq. 0, or -ENOBUFS: as much is unsynced as may be, sync first; -EROFS: broken,
 * fwa_store_repair() first. Opens and closes decisions, sources, in what checkpoints carry on: -EMFILE when
 * more are open than may be; -EPROTO when @source is not attached, @counter is not its next one, or an
 * outcome closes no open decision; -EINVAL when the body is none. Then nothing was appended but a CLOCK.
 * @refers of an outcome may be 0: it is filled in. What the journal itself writes about a source has
 * counter 0.
 */
struct fwa_append {
	uint8_t kind;
	uint64_t source, counter, refers;
	struct fwa_span body;
};
int fwa_store_append(struct fwa_store *s, const struct fwa_append *a, struct fwa_times now,
		     uint64_t *ret_seq);
/* Whether a checkpoint is due: as many records as there may be, or @now - the last one >= 1 s. */
bool fwa_store_due(const struct fwa_store *s, struct fwa_times now);
/* Appends a signed checkpoint. There is room for one whenever the last append did not say -ENOBUFS, or since. */
int fwa_store_checkpoint(struct fwa_store *s, enum fwa_checkpoint_why why, struct fwa_times now);
/* Writes what was appended to the file. On an error the store is broken. */
int fwa_store_write(struct fwa_store *s);
/* The same, and puts it on disk: all that was appended is durable. On an error the store is broken. */
int fwa_store_sync(struct fwa_store *s);
/* Hands over to a new segment when this one is full, and retires old ones. Durable when it returns 0. */
int fwa_store_rotate(struct fwa_store *s, struct fwa_times now);
/* Tries to make a broken store whole: a new segment with what was not durable. 0 or negative errno. */
int fwa_store_repair(struct fwa_store *s, struct fwa_times now);

/* The last number that was appended, and that is durable; bytes that are not. */
uint64_t fwa_store_last(const struct fwa_store *s);
uint64_t fwa_store_durable(const struct fwa_store *s);
size_t fwa_store_unsynced(const struct fwa_store *s);

/* --- sources, decisions ------------------------------------------------------------------------------ */

/* The source with @id that was attached, or that a writer before has left; false when there is none. */
bool fwa_store_source(const struct fwa_store *s, const uint8_t id[16], struct fwa_open_source *ret);
/* The sequence number of the open decision @counter of @source; 0 when there is none. */
uint64_t fwa_store_open_decision(const struct fwa_store *s, uint64_t source, uint64_t counter);
/* How many decisions of @source are open. */
uint32_t fwa_store_open_count(const struct fwa_store *s, uint64_t source);
/*
 * Ends @source: appends an OUTCOME "unknown" for each of its open decisions, and SOURCE_END. Needs room
 * like any append, and goes on where it stopped when it is called again.
 */
int fwa_store_end_source(struct fwa_store *s, uint64_t source, enum fwa_source_end how,
			 struct fwa_times now);
/* Calls @each for every source that is not ended. It may not append. */
void fwa_store_each_source(const struct fwa_store *s,
			   void (*each)(void *arg, const struct fwa_open_source *source),
			   void *arg);

/* --- objects ------------------------------------------------------------------------------------------- */

/*
 * A record names an object for as long as its segment is there. So whoever keeps objects names those that are
 * still in use once more in each new segment, and may remove what fwa_store_names() does not know, but only
 * when fwa_store_find_names() has said 0: 1: call it again, it reads one segment a call; or negative errno,
 * then nothing may be removed.
 */
/* The first number of the segment that is written to: another one after it was handed over. */
uint64_t fwa_store_segment(const struct fwa_store *s);
/* Whether that segment has this very OBJECT record. */
bool fwa_store_has_object(const struct fwa_store *s, const struct fwa_record_object *o);
int fwa_store_find_names(struct fwa_store *s);
bool fwa_store_names(const struct fwa_store *s, const uint8_t sha256[FWA_HASH_LEN]);
