/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The decision: the one place where a command is admitted or refused.
 *
 * Pure and total: no allocation, no I/O, no clock, no globals but the constant model. Its cost does
 * not depend on the number of grants, opcodes, devices or past commands. The first step that fails
 * decides, in the order of enum fwa_reason.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/advisory.h"
#include "core/command.h"
#include "core/drift.h"
#include "core/effects.h"
#include "core/policy.h"
#include "core/profile.h"
#include "core/reason.h"

enum fwa_mode {
	FWA_MODE_STRICT, /* the default */
	FWA_MODE_LINUX,  /* Linux's fwctl-cxl rules, bit for bit (C28) */
};

/* Whose Set Feature in several parts is in progress, as far as this gate has seen (C16). */
enum fwa_transferor {
	FWA_TRANSFER_NONE,
	FWA_TRANSFER_OWN,
	FWA_TRANSFER_OTHER,
};

/* Why the device is quarantined (C22). The numbers are stable; one that is not here quarantines too. */
enum fwa_quarantine {
	FWA_QUARANTINE_NONE,
	FWA_QUARANTINE_OPERATOR,
	FWA_QUARANTINE_GARBAGE,  /* its answers make no sense */
	FWA_QUARANTINE_TIME_OUT, /* it did not answer */
	FWA_QUARANTINE_IDENTITY, /* it is another one than it was */
	FWA_QUARANTINE_COUNT,
};

/* Whether the journal can write (C31). The numbers are stable; one that is not here counts as down. */
enum fwa_journal_state {
	FWA_JOURNAL_OK,           /* it can, or there is none by choice */
	FWA_JOURNAL_DOWN,         /* it cannot, and nothing passes */
	FWA_JOURNAL_DOWN_EFFECTS, /* it cannot, and only what has no effects passes */
	FWA_JOURNAL_COUNT,
};

/* The state of the host and of the gate that a decision depends on. Zero is an ordinary day. */
struct fwa_contract {
	uint8_t mode;       /* enum fwa_mode */
	bool lockdown;      /* the kernel is locked down */
	uint8_t quarantine; /* enum fwa_quarantine */
	bool leased;        /* another session owns the background operation that runs */
	bool not_to_abort;  /* what runs in the background, or may, is not the caller's to abort */
	bool firmware_leased; /* another session's transfer of firmware is in progress */
	uint8_t transfer;     /* enum fwa_transferor */
	uint8_t journal;      /* enum fwa_journal_state */
	uint32_t rate_over;   /* bit i: the caller has used up what right i allows a second */
	uint32_t
		seats_over; /* bit i: as many of its sessions as right i allows hold it without this */
	fwa_effects
		advisory; /* effects that advisories add to this command; UNKNOWN: they forbid it */
	const struct fwa_drift
		*drift;            /* of the profile; NULL: none, or not for this caller (uid 0) */
	uint8_t transfer_uuid[16]; /* the caller's own: its Feature */
};

/* A zeroed decision denies (malformed). */
struct fwa_decision {
	uint8_t reason;   /* enum fwa_reason */
	uint8_t detail;   /* enum fwa_detail */
	uint8_t need;     /* enum fwa_need: why @required */
	uint8_t required; /* enum fwa_scope, up to FWA_SCOPE_NEVER */
	uint8_t scope;    /* what was asked for, FWA_SCOPE_LEAST resolved */
	uint8_t set;
	uint16_t opcode;
	uint32_t declared_raw;
	uint32_t attributes;
	fwa_effects declared;
	fwa_effects floor;
	fwa_effects advisory;
	fwa_effects effects; /* declared | floor | advisory */
	uint32_t grant;      /* 1 + index of the grant that admitted, 0 for none */
	uint32_t right;      /* and index of the right that it is; 0 for none */
};

static inline bool fwa_admitted(const struct fwa_decision *d)
{
	return d->reason == FWA_REASON_ADMIT;
}

/*
 * Whether the command that @d judges may change something: its record is durable before it is sent
 * (C31). Linux mode lets bits pass as effects that are none of ours.
 */
static inline bool fwa_may_change(const struct fwa_decision *d)
{
	return d->effects || (d->need == FWA_NEED_LINUX && d->required != FWA_SCOPE_CONFIGURATION);
}

/* What @d has of effects because of an advisory alone (C33): a refusal for these is its. */
static inline fwa_effects fwa_advised_alone(const struct fwa_decision *d)
{
	return d->advisory & ~(d->declared | d->floor);
}

/*
 * Sets @contract->advisory to what @advice says of @cmd at @now; the rest of @contract is as it will be
 * when the command is judged. *ret_entry (may be NULL): as of fwa_advice_effects().
 */
void fwa_contract_advise(struct fwa_contract *contract, const struct fwa_advice *advice,
			 const struct fwa_command *cmd, uint64_t now, uint32_t *ret_entry);

/*
 * Judges @cmd. @profile and @rights are those of the device and of the caller; @now is
 * CLOCK_BOOTTIME in ns. Never fails: what makes no sense is denied.
 */
struct fwa_decision fwa_decide(const struct fwa_contract *contract, const struct fwa_rights *rights,
			       const struct fwa_profile *profile, const struct fwa_command *cmd,
			       uint64_t now);

/*
 * The scope that @effects need in strict mode, for a command of class @class (C12 to C15), and why.
 * FWA_SCOPE_NEVER when none is enough.
 */
uint8_t fwa_scope_of(fwa_effects effects, unsigned int class, uint8_t *ret_need);

/*
 * The least scope that a command of @opcode needs, and in *ret_effects its least effects, on any
 * device and whatever it selects: what the model alone can say.
 */
uint8_t fwa_least_scope(enum fwa_set set, uint16_t opcode, fwa_effects *ret_effects);

/*
 * Linux's rule for a Feature's effects word (drivers/fwctl/cxl, cxlctl_validate_set_features): the
 * least scope at which Set Feature passes, or FWA_SCOPE_NEVER (C28).
 */
uint8_t fwa_linux_feature_scope(uint16_t word);

/*
 * What would make a refused command pass: all that is true here, together. Nothing of it is needed for
 * what is admitted.
 */
struct fwa_remedy {
	bool possible;       /* false: nothing of this would, and the rest is false too */
	bool ask;            /* to ask for @scope */
	bool grant;          /* another grant, of @scope and @effects, for this command */
	bool wait;           /* until other sessions, the rate or the journal allow it again */
	bool accept;         /* that an operator accepts what the device declares now */
	bool release;        /* that an operator ends the quarantine */
	uint8_t scope;       /* the scope to ask for and to be granted */
	fwa_effects effects; /* the effects that the grant must name */
};

/* What would pass, by the verdicts of fwa_decide() on the same arguments and without what is named. */
struct fwa_remedy fwa_remedy(const struct fwa_contract *contract, const struct fwa_rights *rights,
			     const struct fwa_profile *profile, const struct fwa_command *cmd,
			     uint64_t now);

/*
 * Whether a refusal is an advisory's: without the advisories the verdict on the same arguments would be
 * another one.
 */
bool fwa_refused_by_advisory(const struct fwa_contract *contract, const struct fwa_rights *rights,
			     const struct fwa_profile *profile, const struct fwa_command *cmd,
			     uint64_t now);

/*
 * The opcode's effects as `effects` lists them: declared by @profile, floor of the model without a
 * selector; required scope and need. False when the opcode is not declared.
 */
bool fwa_opcode_effects(const struct fwa_profile *profile, enum fwa_set set, uint16_t opcode,
			struct fwa_decision *ret);
