/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The stable names, and the clause of spec/SECURITY-MODEL.md behind each.
 */
#include "core/reason.h"

#include <stddef.h>

static const struct {
	const char *name;
	unsigned int clause;
} reasons[FWA_REASON_COUNT] = {
	[FWA_REASON_MALFORMED] = { "malformed", 17 },
	[FWA_REASON_QUARANTINED] = { "quarantined", 22 },
	[FWA_REASON_UNDECLARED] = { "undeclared", 6 },
	[FWA_REASON_RESERVED_BITS] = { "reserved-bits", 8 },
	[FWA_REASON_PAYLOAD_SHAPE] = { "payload-shape", 18 },
	[FWA_REASON_NEVER] = { "never", 15 },
	[FWA_REASON_SCOPE_TOO_LOW] = { "scope-too-low", 13 },
	[FWA_REASON_LOCKDOWN] = { "lockdown", 21 },
	[FWA_REASON_NO_GRANT] = { "no-grant", 19 },
	[FWA_REASON_GRANT_SCOPE] = { "grant-scope", 19 },
	[FWA_REASON_GRANT_EFFECTS] = { "grant-effects", 14 },
	[FWA_REASON_GRANT_EXPIRED] = { "grant-expired", 20 },
	[FWA_REASON_DRIFT] = { "drift", 23 },
	[FWA_REASON_LEASE] = { "lease", 16 },
	[FWA_REASON_RATE] = { "rate", 24 },
	[FWA_REASON_JOURNAL] = { "journal", 31 },
	[FWA_REASON_ADMIT] = { "admit", 29 },
};

static const struct {
	const char *name;
	unsigned int clause;
} needs[FWA_NEED_COUNT] = {
	[FWA_NEED_PLAIN_READ] = { "plain-read", 13 },
	[FWA_NEED_DEBUG_READ] = { "debug-read", 13 },
	[FWA_NEED_USER_DATA] = { "user-data", 12 },
	[FWA_NEED_RESET_CONFIG] = { "reset-config", 13 },
	[FWA_NEED_CHANGE] = { "change", 13 },
	[FWA_NEED_EXCLUSIVE] = { "exclusive", 14 },
	[FWA_NEED_NEVER] = { "never", 15 },
	[FWA_NEED_LINUX] = { "linux", 28 },
	[FWA_NEED_NOT_UNDERSTOOD] = { "not-understood", 8 },
};

static const char *const details[FWA_DETAIL_COUNT] = {
	[FWA_DETAIL_NONE] = "",
	[FWA_DETAIL_SET] = "there is no such command set",
	[FWA_DETAIL_OPCODE_WIDTH] = "an NVMe opcode has 8 bits",
	[FWA_DETAIL_SCOPE] = "there is no such scope",
	[FWA_DETAIL_DATA_MAX] = "payload or reply is longer than any command's",
	[FWA_DETAIL_FIELDS] = "NVMe fields are set in a mailbox command",
	[FWA_DETAIL_NOT_LISTED] = "the device does not declare this command",
	[FWA_DETAIL_FEATURE_UNKNOWN] = "the device lists no Feature with this UUID",
	[FWA_DETAIL_FEATURE_READ_ONLY] = "the device says that this Feature cannot be changed",
	[FWA_DETAIL_LOG_UNKNOWN] = "the device lists no log with this UUID",
	[FWA_DETAIL_RESERVED_DECLARED] =
		"the declaration sets bits that have no meaning, so its effects are not known",
	[FWA_DETAIL_FEATURE_SILENT] =
		"the Feature can be changed, yet declares that nothing changes",
	[FWA_DETAIL_PAYLOAD_SHORT] = "the payload is shorter than the command's",
	[FWA_DETAIL_PAYLOAD_LONG] = "the payload is longer than the command's",
	[FWA_DETAIL_PAYLOAD_OVER_MAILBOX] = "the payload is longer than the device's mailbox",
	[FWA_DETAIL_REPLY_LENGTH] = "the reply length is not one that the command has",
	[FWA_DETAIL_DIRECTION] = "data goes the other way in this command",
	[FWA_DETAIL_ZERO_LENGTH] = "a length of zero is not allowed",
	[FWA_DETAIL_REPLY_OVER_MAILBOX] = "the reply would be longer than the device's mailbox",
	[FWA_DETAIL_LOG_RANGE] = "offset and length reach past the end of the log",
	[FWA_DETAIL_LSA_RANGE] = "offset and length reach past the end of the label storage area",
	[FWA_DETAIL_FEATURE_RANGE] = "offset and length reach past the end of the Feature",
	[FWA_DETAIL_DPA_ALIGN] = "the device physical address is not a multiple of 64",
	[FWA_DETAIL_DPA_WRAP] = "the range of device physical addresses wraps around",
	[FWA_DETAIL_TRANSFER_LENGTH] = "the length in the command is not the length of its data",
	[FWA_DETAIL_NAMESPACE_UNKNOWN] =
		"the format of the namespace is not known, or has separate metadata",
	[FWA_DETAIL_DMA] = "it makes the device read or write host memory of its own choice",
	[FWA_DETAIL_CARRIER] = "it carries another command that nobody judged",
	[FWA_DETAIL_OTHER_CLIENT] = "it acts on what another client or the kernel owns",
	[FWA_DETAIL_UNKNOWN_SELECTOR] = "its selector is reserved, so its effects are not known",
	[FWA_DETAIL_LINUX_OPCODE] = "Linux's fwctl passes only the Feature commands of CXL",
	[FWA_DETAIL_LINUX_FEATURE] = "Linux passes no Feature with these effects",
	[FWA_DETAIL_LID_UNLISTED] = "the controller's page 00h does not list this log page",
	[FWA_DETAIL_FID_UNLISTED] = "the controller's page 12h does not list this feature",
	[FWA_DETAIL_NO_TRANSFER] = "it names the Feature in transfer, and this session has none",
	[FWA_DETAIL_TRANSFER_OF_OTHER] = "another session's transfer of a Feature is in progress",
	[FWA_DETAIL_OTHER_COMMANDS] = "grants exist for this caller, but none for this command",
	[FWA_DETAIL_OPERATOR] = "an operator has quarantined the device",
	[FWA_DETAIL_GARBAGE] =
		"the device is quarantined, for it gave an answer that makes no sense",
	[FWA_DETAIL_TIME_OUT] = "the device is quarantined, for it did not answer in time",
	[FWA_DETAIL_IDENTITY_CHANGED] =
		"the device is quarantined, for it says that it is another one than before",
	[FWA_DETAIL_APPEARED] = "the accepted declarations do not have it",
	[FWA_DETAIL_LOST_EFFECT] = "it declares fewer effects than in the accepted declarations",
	[FWA_DETAIL_NOT_PINNED] =
		"this site demands accepted declarations, and this device has none",
	[FWA_DETAIL_USED_UP] = "the commands or bytes that the grant allows a second are used up",
	[FWA_DETAIL_SESSIONS] = "as many sessions as the grant allows are open",
	[FWA_DETAIL_BACKGROUND_OF_OTHER] =
		"background work that is not this caller's is running, or may be",
	[FWA_DETAIL_FIRMWARE_OF_OTHER] = "another session's transfer of firmware is in progress",
	[FWA_DETAIL_JOURNAL_DOWN] = "the journal cannot write",
	[FWA_DETAIL_ADVISORY] = "an advisory forbids it",
};

const char *fwa_reason_name(unsigned int reason)
{
	return reason < FWA_REASON_COUNT ? reasons[reason].name : NULL;
}

unsigned int fwa_reason_clause(unsigned int reason)
{
	return reason < FWA_REASON_COUNT ? reasons[reason].clause : 0;
}

const char *fwa_detail_text(unsigned int detail)
{
	return detail < FWA_DETAIL_COUNT ? details[detail] : "";
}

const char *fwa_need_name(unsigned int need)
{
	return need < FWA_NEED_COUNT ? needs[need].name : NULL;
}

unsigned int fwa_need_clause(unsigned int need)
{
	return need < FWA_NEED_COUNT ? needs[need].clause : 0;
}
