/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the journal says: the bodies of its records (spec/JOURNAL-FORMAT.md), written and read.
 *
 * Pure and total. Whoever decodes gets views of the body, and -1 for whatever is not one: too short,
 * too long, bytes behind its end, a number out of range, text that is not printable ASCII. What
 * decodes encodes to the same bytes. Whoever encodes gives numbers that are in range; of texts and
 * of what has no meaning here encoding makes what decodes, so that nobody's name stops the journal:
 * what is not printable becomes a '?', what is too long ends earlier.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "core/decide.h"
#include "core/outcome.h"

#define FWA_HASH_LEN 32

/* The longest body: a decision with its payload. */
#define FWA_RECORD_PAYLOAD_MAX (64u * 1024)
#define FWA_RECORD_BODY_MAX (FWA_RECORD_PAYLOAD_MAX + 4096)
#define FWA_RECORD_GROUPS_MAX 64u
#define FWA_RECORD_TEXT_MAX 1024u

/* The numbers are stable. */
enum fwa_record_kind {
	/* The journal's own. */
	FWA_RECORD_START = 1,  /* a writer began: struct fwa_record_start */
	FWA_RECORD_CHECKPOINT, /* what is before it, signed: journal/format.h */
	FWA_RECORD_RETIRED,    /* a segment is removed after this: struct fwa_record_retired */
	FWA_RECORD_CLOCK,      /* the wall clock was set: struct fwa_record_clock */
	FWA_RECORD_SOURCE,     /* somebody writes from now on: struct fwa_record_source */
	FWA_RECORD_SOURCE_END, /* and no more: struct fwa_record_source_end */
	FWA_RECORD_OBJECT,     /* a policy or profile was stored: struct fwa_record_object */
	/* Of sources. */
	FWA_RECORD_DECISION = 16, /* refused, or admitted and about to be sent */
	FWA_RECORD_OUTCOME,       /* what became of an admitted command */
	FWA_RECORD_CONTEXT,       /* what a worker decides by from now on */
	FWA_RECORD_CONTROL,       /* an operator's or the daemon's act */
	FWA_RECORD_UNRECORDED,    /* how many decisions could not be recorded */
};

/* --- of sources ------------------------------------------------------------------------------- */

/* Who asked. Texts are "" when unknown. */
struct fwa_record_who {
	uint32_t uid, gid, pid;
	bool owner;            /* as in struct fwa_principal */
	bool gate;             /* nobody: a command of the gate's own */
	const uint8_t *groups; /* le32 each; NULL for none */
	uint32_t n_groups;     /* recorded, at most FWA_RECORD_GROUPS_MAX */
	bool more_groups;      /* there were more */
	char unit[256], comm[16];
};

/*
 * A decision, with all that it depended on but the profile and the policy, which are stored once
 * (struct fwa_record_object). decision.grant and .right are not recorded; contract.drift only as
 * @drifted and @accepted.
 */
struct fwa_record_decision {
	uint64_t judged; /* CLOCK_BOOTTIME ns: the decision's argument @now */
	struct fwa_decision decision;
	struct fwa_contract contract;
	struct fwa_command cmd; /* payload: .len is the true length, .data is NULL */
	/*
	 * The leading bytes of the payload that decisions look at: fwa_command_judged_len() of them, or
	 * as many as there are.
	 */
	struct fwa_span judged_bytes;
	struct fwa_span payload; /* all of it, when the policy wants it recorded; else empty */
	bool payload_left_out;   /* it wants that, and it was too long */
	uint8_t request_sha256[FWA_HASH_LEN];  /* of the payload; zero when there is none */
	uint8_t profile_sha256[FWA_HASH_LEN];  /* of the encoded profile */
	uint8_t policy_digest[FWA_HASH_LEN];   /* as `fwadmit status` shows it */
	bool drifted;                          /* the profile was held to @accepted_sha256 */
	uint8_t accepted_sha256[FWA_HASH_LEN]; /* of the accepted declarations, zero for none */
	struct fwa_record_who who;
	char grant[FWA_GRANT_NAME_MAX]; /* that admitted; "" */
};

struct fwa_record_outcome {
	uint64_t decision; /* the counter of its decision, of the same source */
	uint8_t status;    /* enum fwa_outcome */
	uint32_t device_code, device_result;
	int32_t transport_errno;
	uint32_t out_len;
	uint64_t duration_ns;
	uint8_t response_sha256[FWA_HASH_LEN]; /* zero when there is no response */
};

struct fwa_record_context {
	uint8_t profile_sha256[FWA_HASH_LEN];
	uint8_t policy_digest[FWA_HASH_LEN];
	char identity[FWA_RECORD_TEXT_MAX]; /* "vendor\tmodel\tserial\tfirmware", each printable */
};

/* The numbers are stable. */
enum fwa_control_act {
	FWA_ACT_DAEMON_START = 1,
	FWA_ACT_DAEMON_STOP,
	FWA_ACT_POLICY_RELOADED,
	FWA_ACT_POLICY_REFUSED, /* an error in it: the old one stays */
	FWA_ACT_GRANT_CREATED,
	FWA_ACT_GRANT_REVOKED,
	FWA_ACT_GRANT_ENDED,
	FWA_ACT_QUARANTINED,
	FWA_ACT_RELEASED,
	FWA_ACT_BASELINE_ACCEPTED,
	FWA_ACT_REPROFILED,
	FWA_ACT_DRIFTED,
	FWA_ACT_DEVICE_ADDED,
	FWA_ACT_DEVICE_REMOVED,
	FWA_ACT_ADVISORY_IMPORTED,
	FWA_ACT_ADVISORY_REMOVED,
	FWA_ACT_ADVISORY_ENDED, /* its time was over */
	FWA_ACT_COUNT,
};

struct fwa_record_control {
	uint16_t act;
	uint32_t uid, pid;              /* who asked; the daemon's own when nobody did */
	char device[64];                /* "" for none */
	char text[FWA_RECORD_TEXT_MAX]; /* one line: which grant, why, what */
};

struct fwa_record_unrecorded {
	uint64_t refused; /* refusals that are not in the journal */
	uint64_t
		passed; /* commands without effects that were sent unrecorded, where that is allowed */
	uint64_t since, until; /* CLOCK_BOOTTIME ns of the first and of the last */
};

void fwa_record_decision_encode(struct fwa_writer *w, const struct fwa_record_decision *r);
int fwa_record_decision_decode(struct fwa_span body, struct fwa_record_decision *ret);
/* Whether it is one, and admits; cheaper where nothing else is wanted. */
bool fwa_record_decision_check(struct fwa_span body, bool *ret_admitted);
void fwa_record_outcome_encode(struct fwa_writer *w, const struct fwa_record_outcome *r);
int fwa_record_outcome_decode(struct fwa_span body, struct fwa_record_outcome *ret);
void fwa_record_context_encode(struct fwa_writer *w, const struct fwa_record_context *r);
int fwa_record_context_decode(struct fwa_span body, struct fwa_record_context *ret);
void fwa_record_control_encode(struct fwa_writer *w, const struct fwa_record_control *r);
int fwa_record_control_decode(struct fwa_span body, struct fwa_record_control *ret);
void fwa_record_unrecorded_encode(struct fwa_writer *w, const struct fwa_record_unrecorded *r);
int fwa_record_unrecorded_decode(struct fwa_span body, struct fwa_record_unrecorded *ret);

/* --- of the journal itself ---------------------------------------------------------------------- */

struct fwa_record_start {
	uint8_t boot_id[16];
	uint64_t boottime; /* CLOCK_BOOTTIME ns at the record's time */
	char version[32];
	uint64_t cut_offset, cut_bytes; /* of the torn tail that was cut; 0 bytes: none */
	uint8_t cut_sha256[FWA_HASH_LEN];
	uint64_t
		damaged; /* first sequence number that could not be read before this one; 0: none */
};

struct fwa_record_retired {
	uint64_t first, last; /* sequence numbers */
	uint8_t last_hash[FWA_HASH_LEN];
	uint64_t bytes;
};

struct fwa_record_clock {
	uint64_t before, after; /* CLOCK_REALTIME ns: expected, and found */
};

enum fwa_source_kind {
	FWA_SOURCE_WORKER = 1, /* of the daemon */
	FWA_SOURCE_DAEMON = 2,
	FWA_SOURCE_EMBEDDED = 3, /* a worker of one program's own */
	FWA_SOURCE_KINDS,
};

struct fwa_record_source {
	uint8_t id[16]; /* random */
	uint8_t kind;   /* enum fwa_source_kind */
	uint32_t pid, uid;
	uint64_t resumed; /* the counter of its last record before a new writer took over; 0: new */
	char name[64];    /* of the device; "" for the daemon */
	char spec[256];
};

struct fwa_record_source_end {
	uint8_t how;     /* enum fwa_source_end */
	uint32_t closed; /* decisions that were open and are unknown now */
};
enum fwa_source_end {
	FWA_SOURCE_END_ORDERLY = 0, /* its launcher said so, or left nothing open */
	FWA_SOURCE_END_LOST = 1,    /* it died, or a writer found it gone */
	FWA_SOURCE_END_NONSENSE = 2 /* it wrote what is no record: nothing more is taken from it */
};

enum fwa_object_kind {
	FWA_OBJECT_PROFILE = 1,
	FWA_OBJECT_POLICY = 2,
	FWA_OBJECT_ACCEPTED = 3
};

struct fwa_record_object {
	uint8_t kind;              /* enum fwa_object_kind */
	uint8_t key[FWA_HASH_LEN]; /* what decisions call it: profile_sha256, policy_digest, .. */
	uint8_t sha256[FWA_HASH_LEN]; /* of the stored bytes: their name in objects/ */
	char device[64];              /* a policy is compiled for one device; "" for others */
};

void fwa_record_start_encode(struct fwa_writer *w, const struct fwa_record_start *r);
int fwa_record_start_decode(struct fwa_span body, struct fwa_record_start *ret);
void fwa_record_retired_encode(struct fwa_writer *w, const struct fwa_record_retired *r);
int fwa_record_retired_decode(struct fwa_span body, struct fwa_record_retired *ret);
void fwa_record_clock_encode(struct fwa_writer *w, const struct fwa_record_clock *r);
int fwa_record_clock_decode(struct fwa_span body, struct fwa_record_clock *ret);
void fwa_record_source_encode(struct fwa_writer *w, const struct fwa_record_source *r);
int fwa_record_source_decode(struct fwa_span body, struct fwa_record_source *ret);
void fwa_record_source_end_encode(struct fwa_writer *w, const struct fwa_record_source_end *r);
int fwa_record_source_end_decode(struct fwa_span body, struct fwa_record_source_end *ret);
void fwa_record_object_encode(struct fwa_writer *w, const struct fwa_record_object *r);
int fwa_record_object_decode(struct fwa_span body, struct fwa_record_object *ret);

/* "decision", "outcome", ...; "grant-created", ...; NULL beyond the last. */
const char *fwa_record_kind_name(unsigned int kind);
const char *fwa_control_act_name(unsigned int act);

/*
 * Whether @body is a whole record of @kind, one of a source's: what the journal takes from a ring. A
 * decision's @ret_admitted says whether an outcome has to follow; an outcome's @ret_closes is the
 * counter of its decision. Both are 0 for other kinds.
 */
bool fwa_record_check(unsigned int kind, struct fwa_span body, bool *ret_admitted,
		      uint64_t *ret_closes);

/* How many leading bytes of @cmd's payload any decision on it can depend on (selectors, ranges). */
size_t fwa_command_judged_len(const struct fwa_command *cmd);

/*
 * Judges @r again: the policy that it names folded for its principal, on the profile that it names,
 * in the state that it records; of the gate's own command, by no policy at all. True when the verdict
 * and all that it says, and the name of the grant that admitted, are the recorded ones; *ret is the
 * new decision. @accepted: the accepted declarations that it names, NULL for none; looked at only
 * when @r->drifted. That @profile and @accepted hash as @r says is the caller's to check; of @policy
 * it is checked here.
 *
 * Also false, with *ret_why set to a text, when there was nothing to compare: another policy, or a
 * record that does not say enough (more groups than it lists). *ret is zero then: it denies.
 */
bool fwa_record_replay(const struct fwa_record_decision *r, const struct fwa_profile *profile,
		       const struct fwa_policy *policy, const struct fwa_profile *accepted,
		       fwa_pattern_fn match, struct fwa_decision *ret, const char **ret_why);
