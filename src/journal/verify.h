/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a journal is what was written: chain, numbers, counters of sources, outcomes, trees, signatures,
 * retirements. And proofs that one record is in it.
 */
#pragma once

#include "journal/reader.h"

/* What was found; the numbers are stable in JSON only by their names. */
enum fwa_verify_fault {
	FWA_FAULT_NONE = 0,
	FWA_FAULT_HEADER,    /* a segment's header is none, or of another journal */
	FWA_FAULT_GAP,       /* a segment is missing, without a record that retires it */
	FWA_FAULT_FRAME,     /* bytes that are no record */
	FWA_FAULT_HASH,      /* the chain is broken here */
	FWA_FAULT_SEQUENCE,  /* the number is not the next one */
	FWA_FAULT_COUNTER,   /* a source's counter is not its next one: records are missing */
	FWA_FAULT_BODY,      /* a record of a known kind whose body is none */
	FWA_FAULT_REFERS,    /* an outcome without its decision, or a second one */
	FWA_FAULT_ROOT,      /* the checkpoint's tree or head is another one */
	FWA_FAULT_SIGNATURE, /* not signed by its key */
	FWA_FAULT_KEY,       /* signed by a key that was not expected */
	FWA_FAULT_CHECKPOINT, /* the checkpoint that was kept elsewhere is not in it: rolled back, or forked */
	FWA_FAULT_UNSIGNED, /* more records after the last checkpoint than there may be */
	FWA_FAULT_TRAILING, /* bytes behind the end */
	FWA_FAULT_COUNT,
};
const char *fwa_fault_name(unsigned int fault);
const char *fwa_fault_text(unsigned int fault);

struct fwa_verify_options {
	/*
	 * Sequence numbers; 0: from the first, to the last. It begins at the last checkpoint before
	 * @from, ends with the first one behind @to, and holds all that was kept.
	 */
	uint64_t from, to;
	const uint8_t
		*key; /* that has to have signed; NULL: the one of the first segment's header */
	const struct fwa_statement *kept; /* checkpoints that must be in it */
	size_t n_kept;
	/* Called now and then with the last good number; may be NULL. */
	void (*progress)(void *arg, uint64_t seq);
	void *arg;
	unsigned int threads; /* 0: as many as there are processors */
};

struct fwa_verified {
	enum fwa_verify_fault fault;
	uint64_t bad;     /* first bad sequence number; 0: none */
	char segment[32]; /* and where it is; "" */
	uint64_t offset;
	char why[256];
	uint64_t first, last, records, bytes, checkpoints, signed_until;
	uint64_t open;      /* decisions without an outcome yet, at the end */
	uint64_t kept_gone; /* of the kept checkpoints those whose records were retired */
	uint8_t key[FWA_KEY_LEN];
};

/* 0 with what was found, also a fault; negative errno when it could not be read. */
int fwa_verify(struct fwa_journal *j, const struct fwa_verify_options *o, struct fwa_verified *ret);

/*
 * A proof that one record was in the journal when a checkpoint was signed: the record's bytes, the hash
 * before it, and for each level of the tree its node's other children. As JSON (spec/JOURNAL-FORMAT.md).
 */
#define FWA_PROOF_LEVELS 8
struct fwa_proof {
	uint8_t before[FWA_HASH_LEN];
	uint8_t *frame; /* owned */
	size_t frame_len;
	uint32_t n_levels;
	struct fwa_proof_level {
		uint8_t index, n; /* which child is ours, of how many */
		uint8_t children[FWA_TREE_CHILDREN][FWA_HASH_LEN]; /* all; ours is computed */
	} levels[FWA_PROOF_LEVELS];
	struct fwa_statement statement;
	uint8_t signature[FWA_SIGNATURE_LEN];
};
/* 0, or -ENOENT: no such record; -EAGAIN: no checkpoint after it yet; -EBADMSG. */
int fwa_prove(struct fwa_journal *j, uint64_t seq, struct fwa_proof *ret);
void fwa_proof_clear(struct fwa_proof *p);
/* Whether @p proves its record by the statement's key; *ret_why otherwise. */
bool fwa_proof_holds(const struct fwa_proof *p, const char **ret_why);
