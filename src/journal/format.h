/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal on disk (spec/JOURNAL-FORMAT.md): segments of records in a chain of SHA-256, and signed
 * checkpoints. Encoding, decoding, hashing; no files. Numbers are little-endian.
 *
 * A journal is a directory:
 *   %016x.fwj   segments, by the sequence number of their first record, zero-filled to their end
 *   objects/    what records name by SHA-256: encoded profiles, policies, declarations
 *   key, key.pub the signing key (PEM), and its public half
 *   lock        held by the one writer
 *
 * Segment: a header of FWA_SEGMENT_LEN bytes, then records, then zeroes.
 *   header: "FWJSEG1\0", 16 bytes journal id, le64 first (sequence number of the first record), le64
 *   created (CLOCK_REALTIME ns), 32 bytes public key, 32 bytes before (hash of the record before the
 *   first; of none: zeroes), the first 24 bytes of the SHA-256 of these 104 = 128 bytes
 * Record: le32 len (of all of it, a multiple of 8), u8 kind, u8 0, le16 body padding (0..7), le64
 *   seq, le64 time (CLOCK_REALTIME ns), le64 source (seq of its SOURCE record, 0: the journal), le64
 *   counter (0: the journal), le64 refers (seq of the record that this one closes, or 0) = 48 bytes;
 *   the body; 0 to 7 zeroes; 32 bytes hash.
 *= spec/SECURITY-MODEL.md#C32
 * Chain: hash = SHA-256(hash before || the record without its hash). Before the first record of a segment
 *   stands SHA-256(header).
 * Tree: over the hashes of records, 16 children a node: node = SHA-256("FWJNODE1" || children). While there
 *   is more than one hash, each 16 in a row become one node; the last node of a level may have fewer
 *   children, also one. A single hash is its own root; of no records the root is zero. A checkpoint's
 *   tree is over the records from the checkpoint before (with it) to the one before itself: every
 *   record is in one tree. The journal's first checkpoint begins at the journal's first record.
 *
 * From segment to segment. A segment ends before the first number of the next one (by name, which is by
 * number); the header of the next one says the hash that it ends with:
 *   1. In order: its last record is a HANDOVER checkpoint, zeroes follow, and the next segment's first record
 *      is a BEGIN checkpoint. So the oldest segment that was not retired says what was open before it.
 *      A new key begins a segment, too, without a HANDOVER: nobody could sign it.
 *   2. After an error of the disk the next segment begins with the number after the last one that was
 *      durable. What the one before holds from that number on was never durable and is no part of the
 *      journal, whatever it is: torn, whole, or zeroes. Such a segment need not begin with a checkpoint.
 *   3. After damage further back than a crash can reach, the next segment's number leaves a gap behind
 *      the last record that could be read, whose hash its header says; START.damaged is the number
 *      that could not be read. The next checkpoint's tree begins with that segment's first record.
 *   A file whose header is none and in which all else is zeroes was being made when the machine stopped:
 *   it is the newest, and counts as not there. A RETIRED record allows its segment, and those before, to
 *   be missing; they need not be (a crash between). The rest of a segment behind its records is zeroes.
 *
 * Sources: a source that is attached again gets a new SOURCE record with the same id, whose `resumed` is its
 * counter before. From then on that record's number is its name, also for decisions that are still open
 * (in checkpoints: .source is the new number, .seq stays).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "core/record.h"
#include "journal/digest.h"

#define FWA_SEGMENT_LEN 128u
#define FWA_FRAME_LEN 48u /* before the body */
/* The longest body of all is that of a checkpoint with all that may be open. */
#define FWA_BODY_MAX (80u * 1024)
#define FWA_FRAME_MAX (FWA_FRAME_LEN + FWA_BODY_MAX + FWA_HASH_LEN)
#define FWA_TREE_CHILDREN 16u
#define FWA_CHECKPOINT_RECORDS 4096u /* most records between two checkpoints */
#define FWA_SIGNATURE_LEN 64u
#define FWA_KEY_LEN 32u

struct fwa_segment {
	uint8_t journal[16];
	uint64_t first, created;
	uint8_t key[FWA_KEY_LEN];
	uint8_t before[FWA_HASH_LEN];
};

void fwa_segment_encode(uint8_t out[FWA_SEGMENT_LEN], const struct fwa_segment *s);
int fwa_segment_decode(struct fwa_span header, struct fwa_segment *ret);
/* What the chain of a segment begins with. */
void fwa_segment_hash(const uint8_t header[FWA_SEGMENT_LEN], uint8_t out[FWA_HASH_LEN]);

struct fwa_frame {
	uint32_t len;
	uint8_t kind; /* enum fwa_record_kind, or one that this version does not know */
	uint64_t seq, time, source, counter, refers;
	struct fwa_span body; /* a view */
	const uint8_t *hash;  /* FWA_HASH_LEN bytes, a view */
};

/* The length of a record with a body of @len bytes. */
size_t fwa_frame_len(size_t len);
/* Appends the record to @w, chained to @hash, which becomes its own hash. */
void fwa_frame_write(struct fwa_writer *w, const struct fwa_frame *f, uint8_t hash[FWA_HASH_LEN]);
/*
 * Views the record at the beginning of @bytes, unhashed. 1 with it; 0 where records end (a zero
 * length); -1 when it is none, or not all there.
 */
int fwa_frame_parse(struct fwa_span bytes, struct fwa_frame *ret);
/* What @f, which was parsed from @bytes, hashes to behind @hash; then @hash is that. */
void fwa_frame_chain(struct fwa_span bytes, const struct fwa_frame *f, uint8_t hash[FWA_HASH_LEN]);
/* Whether @f, which was parsed from @bytes, hashes as it says behind @hash; then @hash is its own. */
bool fwa_frame_verify(struct fwa_span bytes, const struct fwa_frame *f, uint8_t hash[FWA_HASH_LEN]);

/* --- trees ------------------------------------------------------------------------------------------- */

/* A tree that grows record by record: O(1) memory. */
struct fwa_tree {
	uint64_t n;
	uint8_t nodes[8][FWA_TREE_CHILDREN][FWA_HASH_LEN];
	uint8_t used[8];
};
void fwa_tree_init(struct fwa_tree *t);
void fwa_tree_add(struct fwa_tree *t, const uint8_t hash[FWA_HASH_LEN]);
void fwa_tree_root(const struct fwa_tree *t, uint8_t out[FWA_HASH_LEN]);

/* --- checkpoints ------------------------------------------------------------------------------------- */

enum fwa_checkpoint_why {
	FWA_CHECKPOINT_PERIODIC = 0,
	FWA_CHECKPOINT_HANDOVER = 1, /* the last record of its segment */
	FWA_CHECKPOINT_STOP = 2,     /* the writer ends in order */
	FWA_CHECKPOINT_BEGIN = 3,    /* the first record of its segment */
	FWA_CHECKPOINT_WHYS,
};

/* What is signed. Encoded, in FWA_STATEMENT_LEN bytes: "FWJCKPT1", then these in their order. */
#define FWA_STATEMENT_LEN 144u
struct fwa_statement {
	uint8_t journal[16];
	uint64_t seq;               /* of the checkpoint's record */
	uint64_t time;              /* CLOCK_REALTIME ns */
	uint64_t first;             /* the tree is over records first..seq-1; seq: none */
	uint8_t head[FWA_HASH_LEN]; /* hash before it in the chain */
	uint8_t root[FWA_HASH_LEN];
	uint8_t key[FWA_KEY_LEN];
};
void fwa_statement_encode(uint8_t out[FWA_STATEMENT_LEN], const struct fwa_statement *s);
int fwa_statement_decode(struct fwa_span bytes, struct fwa_statement *ret);

/* A source that is attached, and a decision without an outcome, as checkpoints carry them on. */
struct fwa_open_source {
	uint64_t number, counter; /* of its last record */
	uint8_t id[16], kind;
	char name[64]; /* printable, "" for none */
};
struct fwa_open_decision {
	uint64_t source, counter, seq;
};
#define FWA_OPEN_SOURCES_MAX 256u
#define FWA_OPEN_DECISIONS_MAX 2048u

#define FWA_CHECKPOINT_LEN (FWA_STATEMENT_LEN + FWA_SIGNATURE_LEN + 8) /* before what is open */
#define FWA_OPEN_SOURCE_LEN 104u
#define FWA_OPEN_DECISION_LEN 24u

/*
 * Body of a checkpoint: the statement, the signature, u8 why, u8 0, le16 n_sources, le32 n_decisions, the
 * sources (le64 number, le64 counter, 16 id, u8 kind, 7 zeroes, 64 name), the decisions (3 le64: source,
 * counter, seq). Sources are in the order of their numbers, decisions in that of theirs. What is open is
 * that before this record.
 */
struct fwa_checkpoint {
	struct fwa_statement statement;
	uint8_t signature[FWA_SIGNATURE_LEN];
	uint8_t why;
	uint32_t n_sources, n_decisions;
	struct fwa_span sources, decisions; /* views, encoded */
};
_Static_assert(FWA_CHECKPOINT_LEN + FWA_OPEN_SOURCES_MAX * FWA_OPEN_SOURCE_LEN +
			       FWA_OPEN_DECISIONS_MAX * FWA_OPEN_DECISION_LEN <=
		       FWA_BODY_MAX,
	       "whatever is open fits into a checkpoint");
void fwa_checkpoint_encode(struct fwa_writer *w, const struct fwa_checkpoint *c);
void fwa_open_source_encode(struct fwa_writer *w, const struct fwa_open_source *s);
void fwa_open_decision_encode(struct fwa_writer *w, const struct fwa_open_decision *d);
/* 0 or -1. Both lists are whole and in order when it returns 0; the signature is not checked yet. */
int fwa_checkpoint_decode(struct fwa_span body, struct fwa_checkpoint *ret);
bool fwa_checkpoint_source(const struct fwa_checkpoint *c, uint32_t i, struct fwa_open_source *ret);
bool fwa_checkpoint_decision(const struct fwa_checkpoint *c, uint32_t i,
			     struct fwa_open_decision *ret);

/*
 * A checkpoint as one line for keeping elsewhere: "fwadmit-checkpoint-1 STATEMENT SIGNATURE", both in
 * hex. With the final newline and NUL FWA_CHECKPOINT_LINE bytes at most.
 */
#define FWA_CHECKPOINT_LINE 512
void fwa_checkpoint_line(const struct fwa_checkpoint *c, char line[FWA_CHECKPOINT_LINE]);
/* -1 when the line is none. The signature is not checked yet. */
int fwa_checkpoint_parse_line(const char *line, struct fwa_statement *ret,
			      uint8_t signature[FWA_SIGNATURE_LEN]);

/* --- keys: Ed25519 by libcrypto ------------------------------------------------------------------------ */

struct fwa_signer;
/*
 * Reads a private key (PEM), or makes one where there is none, durably and for its owner alone. For a @name
 * without a slash also NAME.pub is there afterwards. 0 or -errno; -EBADMSG: no such key, -EPERM: others may
 * read or write it.
 */
int fwa_signer_open(int dirfd, const char *name, struct fwa_signer **ret);
void fwa_signer_free(struct fwa_signer *s);
void fwa_signer_key(const struct fwa_signer *s, uint8_t key[FWA_KEY_LEN]);
/* Makes file @name say what the public half is (PEM), when it does not yet. 0 or -errno. */
int fwa_signer_publish(const struct fwa_signer *s, int dirfd, const char *name);
int fwa_sign(struct fwa_signer *s, struct fwa_span message, uint8_t signature[FWA_SIGNATURE_LEN]);
bool fwa_signed_by(const uint8_t key[FWA_KEY_LEN], struct fwa_span message,
		   const uint8_t signature[FWA_SIGNATURE_LEN]);
/* Reads a public key: a PEM file, or 64 hex digits. 0 or -errno; -EBADMSG: none of the kind. */
int fwa_public_key_read(const char *path_or_hex, uint8_t key[FWA_KEY_LEN]);
