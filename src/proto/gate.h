/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The gate's wire format (spec/GATE-PROTOCOL.md): one request, one reply, each one SOCK_SEQPACKET
 * message. A request is a header of fixed size and the payload; a payload longer than
 * FWA_GATE_INLINE_MAX travels in a sealed memfd. Numbers are little-endian.
 *
 * Encoding and decoding only; no sockets here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "core/decide.h"
#include "core/outcome.h"

#define FWA_GATE_MAGIC 0x31475746u /* "FWG1" */
#define FWA_GATE_VERSION 2
#define FWA_GATE_INLINE_MAX (64u * 1024)
#define FWA_GATE_REQUEST_LEN 64
#define FWA_GATE_REPLY_LEN 128
/* Of what advisories are about one device, as a table. */
#define FWA_GATE_ADVISORIES_MAX (4u * 1024 * 1024)
#define FWA_GATE_DESCRIBE_MAX                                          \
	(2 * FWA_PROFILE_MAX + FWA_GATE_ADVISORIES_MAX + 4096 +        \
	 FWA_RIGHTS_MAX * (FWA_GRANT_NAME_MAX + FWA_GRANT_TICKET_MAX + \
			   FWA_FILTER_TERMS_MAX * FWA_TERM_LEN))

enum fwa_gate_kind {
	FWA_GATE_DESCRIBE = 1, /* profile, contract, the caller's rights */
	FWA_GATE_SUBMIT = 2,   /* judge, and send if admitted */
};

/* Why a request could not be taken as one. */
enum fwa_gate_error {
	FWA_GATE_OK = 0,
	FWA_GATE_E_MALFORMED = 1, /* the message is no request; the connection ends after it */
	FWA_GATE_E_VERSION = 2,
	FWA_GATE_E_KIND = 3,
	FWA_GATE_E_PAYLOAD = 4, /* too long, or the memfd is not sealed or not that long */
	FWA_GATE_E_MEMORY = 5,
	FWA_GATE_E_GONE = 6, /* the device is gone */
	FWA_GATE_E_BUSY = 7, /* too many wait, or it has waited for too long; nothing was sent */
	FWA_GATE_E_COUNT,
};

struct fwa_request {
	uint16_t kind;
	uint64_t id;
	uint32_t timeout_ms; /* 0 = the gate's own */
	bool in_memfd;       /* the payload is in the passed descriptor */
	bool receipt;        /* the reply waits until its record is durable, and has its number */
	uint32_t in_len;
	struct fwa_command cmd; /* payload: set when it is inline */
};

struct fwa_gate_reply {
	uint16_t kind;
	uint64_t id;
	uint16_t error; /* enum fwa_gate_error */
	uint8_t status; /* enum fwa_outcome */
	bool out_memfd; /* the reply's data is in the passed descriptor */
	struct fwa_decision decision;
	uint32_t device_code;
	uint32_t device_result;
	int32_t transport_errno; /* why there is no device code: a positive errno, 0 when there is one */
	uint32_t out_len;
	uint64_t duration_ns;
	uint64_t seq; /* of its record in the journal; 0: none, or not numbered yet */
	char grant[FWA_GRANT_NAME_MAX];
};

#define FWA_CALLER_UNIT_MAX 256 /* each with the final NUL */
#define FWA_CALLER_LABEL_MAX 128
#define FWA_CALLER_COMM_MAX 16

/* Whom the gate takes the caller for (C2); "" is unknown. Nothing is decided by label and comm. */
struct fwa_caller {
	uint32_t uid, gid;
	char unit[FWA_CALLER_UNIT_MAX];
	char label[FWA_CALLER_LABEL_MAX]; /* printable */
	char comm[FWA_CALLER_COMM_MAX];   /* printable */
};

/*
 * What DESCRIBE answers with, as data of its reply. The contract's drift is not in it: whoever decides
 * by a description makes it of @profile and @accepted, when it binds.
 */
struct fwa_description {
	char name[FWA_TEXT_MAX];
	struct fwa_contract contract;
	uint64_t now;             /* CLOCK_BOOTTIME ns at the gate */
	struct fwa_rights rights; /* their filters view the encoded description */
	char grant_names[FWA_RIGHTS_MAX][FWA_GRANT_NAME_MAX];
	char tickets[FWA_RIGHTS_MAX][FWA_GRANT_TICKET_MAX];
	uint8_t policy_digest[32];
	struct fwa_span profile;  /* encoded */
	uint32_t baseline;        /* enum fwa_baseline_state */
	bool drift_binds;         /* whether what has drifted is refused to the caller */
	struct fwa_span accepted; /* encoded declarations that the profile differs from, or empty */
	struct fwa_caller caller;
	/*
	 * The advisories in force that are about the device, as a table (core/advisory.h), or empty: the contract
	 * has none, for they depend on the command. Whoever decides folds it, and calls fwa_contract_advise().
	 */
	struct fwa_span advisories;
};

/* Writes the header of @r, and its payload when that is inline. */
void fwa_request_encode(struct fwa_writer *w, const struct fwa_request *r);
/*
 * Reads one request out of @message. FWA_GATE_OK, or the error to reply with; ret->id is set
 * whenever the header was whole. With in_memfd the payload is still to be fetched.
 */
enum fwa_gate_error fwa_request_decode(struct fwa_span message, struct fwa_request *ret);

void fwa_reply_encode(struct fwa_writer *w, const struct fwa_gate_reply *r);
/* Reads a reply's header; @ret_data is what follows it. -1 when it is not a reply. */
int fwa_reply_decode(struct fwa_span message, struct fwa_gate_reply *ret,
		     struct fwa_span *ret_data);

void fwa_description_encode(struct fwa_writer *w, const struct fwa_description *d);
/* -1 when @data is not a description. Views point into @data. */
int fwa_description_decode(struct fwa_span data, struct fwa_description *ret);

/* One sentence for people. */
const char *fwa_gate_error_text(unsigned int error);
