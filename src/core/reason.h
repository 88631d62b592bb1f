/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reason codes: why a command was admitted or refused, stable names, and the clause of
 * spec/SECURITY-MODEL.md that each one enforces. The order of the codes is the order of the steps
 * of the decision.
 */
#pragma once

#include <stdint.h>

enum fwa_reason {
	FWA_REASON_MALFORMED = 0, /* so that a zeroed decision denies */
	FWA_REASON_QUARANTINED,
	FWA_REASON_UNDECLARED,
	FWA_REASON_RESERVED_BITS,
	FWA_REASON_PAYLOAD_SHAPE,
	FWA_REASON_NEVER,
	FWA_REASON_SCOPE_TOO_LOW,
	FWA_REASON_LOCKDOWN,
	FWA_REASON_NO_GRANT,
	FWA_REASON_GRANT_SCOPE,
	FWA_REASON_GRANT_EFFECTS,
	FWA_REASON_GRANT_EXPIRED,
	FWA_REASON_DRIFT,
	FWA_REASON_LEASE,
	FWA_REASON_RATE,
	FWA_REASON_JOURNAL,
	FWA_REASON_ADMIT,
	FWA_REASON_COUNT,
};

/* What exactly a step did not like. One line of text each; the wire carries the number. */
enum fwa_detail {
	FWA_DETAIL_NONE = 0,
	/* malformed */
	FWA_DETAIL_SET,          /* no such command set */
	FWA_DETAIL_OPCODE_WIDTH, /* an NVMe opcode has 8 bits */
	FWA_DETAIL_SCOPE,        /* no such scope */
	FWA_DETAIL_DATA_MAX,     /* payload or reply longer than any command's */
	FWA_DETAIL_FIELDS,       /* NVMe fields set in a mailbox command */
	/* undeclared */
	FWA_DETAIL_NOT_LISTED,        /* the device's log does not list the opcode */
	FWA_DETAIL_FEATURE_UNKNOWN,   /* the device lists no such Feature */
	FWA_DETAIL_FEATURE_READ_ONLY, /* the device says that the Feature cannot be changed */
	FWA_DETAIL_LOG_UNKNOWN,       /* the device lists no such log */
	/* reserved-bits */
	FWA_DETAIL_RESERVED_DECLARED, /* the declaration sets bits that nobody has defined */
	FWA_DETAIL_FEATURE_SILENT,    /* a changeable Feature that declares no change */
	/* payload-shape */
	FWA_DETAIL_PAYLOAD_SHORT,
	FWA_DETAIL_PAYLOAD_LONG,
	FWA_DETAIL_PAYLOAD_OVER_MAILBOX,
	FWA_DETAIL_REPLY_LENGTH,
	FWA_DETAIL_DIRECTION,
	FWA_DETAIL_ZERO_LENGTH,
	FWA_DETAIL_REPLY_OVER_MAILBOX,
	FWA_DETAIL_LOG_RANGE,
	FWA_DETAIL_LSA_RANGE,
	FWA_DETAIL_FEATURE_RANGE,
	FWA_DETAIL_DPA_ALIGN,
	FWA_DETAIL_DPA_WRAP,
	FWA_DETAIL_TRANSFER_LENGTH, /* the length in the command is not the length of the data */
	FWA_DETAIL_NAMESPACE_UNKNOWN,
	/* never */
	FWA_DETAIL_DMA,
	FWA_DETAIL_CARRIER,
	FWA_DETAIL_OTHER_CLIENT,
	FWA_DETAIL_UNKNOWN_SELECTOR, /* a selector value that the specification reserves */
	/* linux mode */
	FWA_DETAIL_LINUX_OPCODE,
	FWA_DETAIL_LINUX_FEATURE,
	/* undeclared */
	FWA_DETAIL_LID_UNLISTED, /* page 00h does not list the log page */
	FWA_DETAIL_FID_UNLISTED, /* page 12h does not list the feature */
	FWA_DETAIL_NO_TRANSFER,  /* it names the Feature of a transfer that goes on; none does */
	FWA_DETAIL_TRANSFER_OF_OTHER, /* one is, of another session; also with lease */
	/* no-grant */
	FWA_DETAIL_OTHER_COMMANDS, /* the caller has grants, none of them covers the command */
	/* quarantined */
	FWA_DETAIL_OPERATOR,         /* an operator did it */
	FWA_DETAIL_GARBAGE,          /* the device answered what makes no sense */
	FWA_DETAIL_TIME_OUT,         /* the device did not answer */
	FWA_DETAIL_IDENTITY_CHANGED, /* the device says that it is another one */
	/* drift */
	FWA_DETAIL_APPEARED,    /* it was not declared */
	FWA_DETAIL_LOST_EFFECT, /* it was declared with an effect that it has no more */
	FWA_DETAIL_NOT_PINNED,  /* nothing is accepted of this device, and the site demands it */
	/* rate */
	FWA_DETAIL_USED_UP,  /* commands or bytes of this second */
	FWA_DETAIL_SESSIONS, /* as many sessions as the grant allows hold it */
	/* lease */
	FWA_DETAIL_BACKGROUND_OF_OTHER, /* background work of another one runs */
	FWA_DETAIL_FIRMWARE_OF_OTHER,   /* another session transfers firmware */
	/* journal */
	FWA_DETAIL_JOURNAL_DOWN, /* nothing can be recorded now */
	/* never */
	FWA_DETAIL_ADVISORY, /* an advisory forbids it */
	FWA_DETAIL_COUNT,
};

/* Why a command needs the scope that it needs. */
enum fwa_need {
	FWA_NEED_PLAIN_READ,
	FWA_NEED_DEBUG_READ,
	FWA_NEED_USER_DATA,
	FWA_NEED_RESET_CONFIG,
	FWA_NEED_CHANGE,
	FWA_NEED_EXCLUSIVE,
	FWA_NEED_NEVER,
	FWA_NEED_LINUX,
	FWA_NEED_NOT_UNDERSTOOD,
	FWA_NEED_COUNT,
};

/* "scope-too-low"; NULL for no reason. */
const char *fwa_reason_name(unsigned int reason);
/* The number of the clause that the reason enforces: 13 for C13. */
unsigned int fwa_reason_clause(unsigned int reason);
/* One sentence without a final stop; "" for FWA_DETAIL_NONE. */
const char *fwa_detail_text(unsigned int detail);
/* "plain-read", "change", ...; and the clause that says so. */
const char *fwa_need_name(unsigned int need);
unsigned int fwa_need_clause(unsigned int need);
