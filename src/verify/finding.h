/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Findings: what a campaign has to say about a device. The names are stable.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "verify/judge.h"
#include "verify/step.h"

enum vfy_kind {
	VFY_BREACH,        /* changed what was not declared */
	VFY_IMMEDIATE,     /* declared for a reset, and there at once */
	VFY_UNLISTED,      /* answers a command that it does not declare */
	VFY_HANG,          /* does not answer (C26) */
	VFY_GONE,          /* dies (C26) */
	VFY_GARBAGE,       /* answers what makes no sense (C25) */
	VFY_OVERRUN,       /* writes more than it says (C25) */
	VFY_UNSTABLE,      /* declares something else without a reason (C23) */
	VFY_CONTRADICTION, /* the declarations contradict each other or the specification (lint) */
	VFY_HALF_APPLIED,  /* a command that failed changed something that it declares: a note */
	VFY_WEDGED,        /* what could be read before cannot be read any more */
	VFY_NEVER_SEEN,    /* an effect was declared, and nothing of it was seen: a note */
	VFY_NEVER_CAME,    /* declared for a reset, and not there after it: a note */
	VFY_SLOW,          /* this input takes much longer than others: a note */
	VFY_KINDS,
};

/* "breach", "immediate", ... */
const char *vfy_kind_name(unsigned int kind);
/* One sentence, without names of commands. */
const char *vfy_kind_text(unsigned int kind);
/* 25 for C25. */
unsigned int vfy_kind_clause(unsigned int kind);
/* Whether it is a violation, and no note: it makes `verify` exit with 8. */
bool vfy_kind_accuses(unsigned int kind);

/* What a device answered to one step. */
struct vfy_answer {
	int32_t error; /* negative errno, else 0 */
	uint32_t code;
	uint32_t result;
	uint32_t out_len;
	uint64_t took_ns;
	uint8_t sha256[32]; /* of the reply */
	uint8_t head[64];   /* its beginning */
};

/* A change with its bytes, for people and for other machines. */
struct vfy_exhibit {
	char name[VFY_NAME_MAX]; /* the observable */
	char field[48];          /* "" for none */
	fwa_effects shown;
	bool covered;
	uint32_t first, last;
	uint32_t before_code, after_code;
	int32_t before_error, after_error;
	uint32_t before_len, after_len; /* bytes kept below, around first..last */
	uint32_t kept_from;
	uint8_t before[256], after[256];
};
#define VFY_EXHIBITS_MAX 16u
#define VFY_ALIKE_APART 16u /* so many that are alike stand alone */
#define VFY_ALIKE_MAX 512u

struct vfy_finding {
	uint8_t kind;     /* enum vfy_kind */
	uint8_t severity; /* enum vfy_severity */
	uint8_t set;      /* the command that is accused: the last step of the sequence */
	bool has_opcode;
	uint16_t opcode;
	struct vfy_claim claim;
	fwa_effects observed;
	fwa_effects undeclared;
	char text[256]; /* one line: what this one is about */
	struct vfy_sequence
		sequence;          /* as short as it was found; empty where no command is needed */
	struct vfy_answer *answer; /* by step; NULL: none */
	uint32_t n_exhibits;
	struct vfy_exhibit exhibit[VFY_EXHIBITS_MAX];
	/*
	 * The reading before is that of another fresh device, for observing this one first would have changed
	 * it. Else it is that of the last VFY_OBSERVE of the sequence, or of the device before the first step.
	 */
	bool apart;
	/* Only this observable is read, for reading all would hide it; "": all are. */
	char only[VFY_NAME_MAX];
	uint32_t runs;       /* how often it was tried on a fresh device */
	uint32_t reproduced; /* and how often it happened */
	uint32_t controls;   /* runs without the sequence, in which nothing may change */
	uint32_t control_changed;
	uint32_t from_steps; /* steps before it was made shorter */
	/* Others of its kind, in no order, for which it stands: vfy_finding_add(). */
	uint32_t n_alike; /* of which the commands of VFY_ALIKE_MAX at most are kept */
	uint16_t alike[VFY_ALIKE_MAX];
};

void vfy_finding_clear(struct vfy_finding *f);
/* How many of @f->alike are there. */
size_t vfy_finding_alike(const struct vfy_finding *f);
