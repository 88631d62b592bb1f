/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The judge: what changed, against what may. Pure: two snapshots, a mask and a claim go in, a
 * judgement comes out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/effects.h"
#include "verify/observe.h"
#include "verify/step.h"

/* What the device says of one command or of several together: unions. */
struct vfy_claim {
	fwa_effects
		declared; /* by the device: the CEL, for Set Feature the Feature's own entry (C10) */
	fwa_effects floor;      /* by the model */
	fwa_effects declarable; /* what this family has bits for (effects.h) */
	bool listed;            /* every command is declared at all */
	uint8_t scope; /* the most that the gate asks for, FWA_SCOPE_NEVER: it sends it to nobody */
	uint32_t n;    /* commands; 0: nothing was sent but what observes */
};

/*
 * Adds what @profile says of @cmd, by fwa_decide() with every right, so that the verifier and the
 * gate read a declaration the same way.
 */
void vfy_claim_add(struct vfy_claim *claim, const struct fwa_profile *profile,
		   const struct fwa_command *cmd);
/*
 * The device was reset: what the commands declare for such a reset (a cold one is a conventional one, and
 * both bring what a CXL reset does) may have changed its configuration.
 */
void vfy_claim_reset(struct vfy_claim *claim, enum fwa_reset kind);

/* One field of one observable that is not as it was. */
struct vfy_change {
	uint32_t observable; /* index in the plan */
	uint8_t field; /* index in the row; VFY_NO_FIELD: none of them, or the reading itself */
	bool reading;  /* could be read and cannot any more, or the other way round */
	bool grown;    /* VFY_RECORDS: only new records, the old ones are all there */
	uint32_t first, last; /* the first and last byte that differ */
	fwa_effects means;    /* any of them would have covered it */
	fwa_effects shown;    /* the one bit that it is called by */
	bool covered;
};
#define VFY_CHANGES_MAX 64u

enum vfy_severity {
	VFY_NOTE, /* nothing that a caller gains by */
	/* The gate was not fooled: the floor has it (C7), or it sends none of it to anybody (C6, C8, C15, C18). */
	VFY_LOW,
	VFY_MEDIUM, /* the gate asks for the same scope, and for a grant that does not name the effect (C14) */
	VFY_HIGH,     /* the gate asks for less scope than it should (C13) */
	VFY_CRITICAL, /* so much less that a reader changes data, security or the device (C13) */
	VFY_SEVERITIES,
};

struct vfy_judgement {
	fwa_effects observed;   /* all changes, as shown */
	fwa_effects undeclared; /* those that nothing covers; 0: honest, as far as this shows */
	uint8_t severity;       /* enum vfy_severity, of @undeclared */
	uint32_t
		n_changes; /* all of them; at most VFY_CHANGES_MAX are kept, uncovered ones first */
	struct vfy_change change[VFY_CHANGES_MAX];
};

/*
 * Judges what is different in @after. A change is covered when the claim has one of the effects it
 * means: declared, or in the floor where the family has no bit to declare it by. @observed_by_reply:
 * effects that the replies showed themselves (background).
 */
void vfy_judge(const struct vfy_plan *plan, const struct vfy_mask *mask,
	       const struct vfy_snapshot *before, const struct vfy_snapshot *after,
	       const struct vfy_claim *claim, fwa_effects observed_by_reply,
	       struct vfy_judgement *ret);

/* The severity of @undeclared under @claim, by the scopes of C12 to C15. Pure. */
enum vfy_severity vfy_severity_of(const struct vfy_claim *claim, fwa_effects undeclared);
/* "note", "low", "medium", "high", "critical". */
const char *vfy_severity_name(unsigned int severity);
