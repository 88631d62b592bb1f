/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts that a campaign is made of; replay uses them, too.
 *
 * An *attempt* is a sequence run on a device, and what it shows. A *symptom* is one thing that an attempt
 * shows and that may be a finding: it is one when it shows again on fresh devices and never without the
 * sequence. Every number here comes from counting, none from a clock but where it says so, so that the
 * same seed gives the same campaign.
 *
 * Of a sequence the part behind its last VFY_OBSERVE is *judged*: all before it is what happened to the
 * device earlier, and may be needed for what the judged part does.
 */
#pragma once

#include "verify/campaign.h"

/* --- symptoms (symptom.c) --------------------------------------------------------------------------- */

struct vfy_symptom {
	uint8_t kind;                        /* enum vfy_kind */
	fwa_effects bit;                     /* the one effect, 0: not about effects */
	const struct vfy_observe_row *group; /* what changed; NULL: no observable */
	size_t at;     /* the step that shows it; the sequence's length: observing afterwards */
	uint32_t code; /* of VFY_CONTRADICTION and VFY_UNLISTED: what was answered */
	uint8_t limit; /* no run that the gate asks this scope for, or more, shows it; 0: any may */
};
#define VFY_SYMPTOMS_MAX 512u /* more than steps of a burst */

/* --- attempts (attempt.c) ----------------------------------------------------------------------------- */

struct vfy_attempt {
	bool apart; /* the reading before is @engine->first, not @engine->before */
	bool light; /* rare observables are as in @engine->first, whatever happens */
	int error;  /* negative errno that ended it; 0: it came to its end */
	size_t at;  /* of @error: the step; the sequence's length: observing afterwards */
	uint32_t at_observable;    /* and of observing: what was being read; UINT32_MAX: unknown */
	struct vfy_answer *answer; /* by step, @n of them */
	size_t n, room;
	uint32_t beyond; /* bytes past the reply, of the step @beyond_at */
	size_t beyond_at;
	struct vfy_claim claim; /* of the judged part */
	fwa_effects by_reply;   /* effects that the replies showed */
	uint8_t resets;         /* kinds, bits, in the judged part */
	bool failed;            /* every command of the judged part was refused by the device */
	bool settle;            /* wait for background work, whatever the commands declare */
	bool judged;            /* @judgement is there */
	struct vfy_judgement judgement;
	uint64_t took_ns; /* all steps, without observing */
	uint64_t asked;   /* commands that asked whether background work was over */
};

/*
 * Runs steps @from to @to of @q, adding what they show to @a. A VFY_OBSERVE begins the judged part anew,
 * with its reading in @engine->before. 0, also where the device is of no use any more (a->error);
 * -ENOMEM.
 */
int vfy_perform(struct vfy_campaign *c, const struct vfy_sequence *q, size_t from, size_t to,
		struct vfy_attempt *a);
/* Waits for background work if there may be any, reads @engine->after, and judges. As vfy_perform(). */
int vfy_conclude(struct vfy_campaign *c, const struct vfy_sequence *q, bool rare,
		 struct vfy_attempt *a);
enum vfy_which {
	VFY_ALL,      /* observables */
	VFY_RARE,     /* those that are not read each time */
	VFY_NOT_RARE, /* those that are */
};
/* Judges what was read before and after @a, by its claim and the masks that its resets need. */
void vfy_rejudge(struct vfy_campaign *c, struct vfy_attempt *a, enum vfy_which which);

enum vfy_try_flags {
	VFY_TRY_APART = 1,   /* @before is the reading of another fresh device */
	VFY_TRY_CONTROL = 2, /* without the judged part's commands, as long as they took */
	VFY_TRY_BLIND = 4,   /* nothing is observed: what it is about is a command's answer */
	VFY_TRY_LIGHT = 8, /* what costs much is not read: it is taken to be as on a fresh device */
};
/*
 * Does all of @q on a fresh device (on the device as it is, where there are none) and concludes. 0 with
 * *a, to be cleared; negative errno: the device cannot be had, or no memory.
 */
int vfy_try(struct vfy_campaign *c, const struct vfy_sequence *q, unsigned int flags,
	    struct vfy_attempt *a);
void vfy_attempt_clear(struct vfy_attempt *a);

/* All symptoms of @a, a run of @q; at most VFY_SYMPTOMS_MAX. How many. */
size_t vfy_symptoms(const struct vfy_campaign *c, const struct vfy_sequence *q,
		    const struct vfy_attempt *a, struct vfy_symptom *ret);
/* Whether @a, a run of @q, shows @s at its end. */
bool vfy_shows(const struct vfy_campaign *c, const struct vfy_sequence *q,
	       const struct vfy_attempt *a, const struct vfy_symptom *s);
/* Whether @a, a control, shows the same, as far as that can be without a command. */
bool vfy_control_shows(const struct vfy_campaign *c, const struct vfy_sequence *q,
		       const struct vfy_attempt *a, const struct vfy_symptom *s);
/* The step that @s accuses: NULL when there is no command. */
const struct vfy_step *vfy_accused(const struct vfy_sequence *q, const struct vfy_symptom *s);
/* The last command of @q: what a sequence that was made short accuses. */
const struct vfy_step *vfy_last_command(const struct vfy_sequence *q);
/* Where the judged part of @q begins. */
size_t vfy_judged_part(const struct vfy_sequence *q);

/* --- the engine (engine.c) ---------------------------------------------------------------------------- */

/* What is known to show, or was given up, by command. */
struct vfy_known {
	uint8_t kind, set;
	uint16_t opcode;
	bool has_opcode;
	fwa_effects bit;
	const struct vfy_observe_row *group;
	bool is_finding;
	uint32_t tried; /* in vain; of a finding: whether less is enough */
	size_t steps;   /* of the finding */
	uint8_t scope;  /* and the least that the gate asks for it */
};

#define VFY_IN_VAIN_MAX 3u /* so often it is tried to make something happen again */
#define VFY_SHORTER_MAX 8u /* and so often, with less than was needed before */

struct vfy_engine {
	struct vfy_sequence tape;  /* all steps since the device was fresh */
	size_t since_fresh;        /* experiments */
	struct vfy_snapshot first; /* of a fresh device; whole once learning is over */
	struct vfy_snapshot before, after, spare;
	struct vfy_mask apart; /* what differs between fresh devices, and all that c->mask has */
	struct vfy_mask reset[FWA_RESET_COUNT]; /* and what a reset alone changes */
	uint8_t resets_known;                   /* for which it was learnt, bits */
	struct vfy_mask scratch;
	struct vfy_known *known;
	size_t n_known, known_room;
	char **forgotten; /* observables that reading does not do good: "name: why" */
	size_t n_forgotten;
	struct vfy_counts *counts; /* by row */
	uint64_t started_ns;
	uint64_t confirming; /* commands that went into confirming */
	uint64_t
		shorten_until_ns; /* CLOCK_MONOTONIC: then what is being confirmed is short enough */
	bool lost;                /* the device cannot be had any more */
	bool ending;              /* what is declared and never did anything may be said now */
	bool has_rare;            /* some observables are */
	const char *only; /* the name of the only observable of c->plan, while it is that; NULL */
	/* Experiments since those were read, where they begin on the tape, and what they declare. */
	uint32_t light;
	size_t light_from;
	struct vfy_claim light_claim;
};

/* What is counted of each row's command besides. */
struct vfy_counts {
	uint32_t took[64]; /* how often an answer took 2^i ns */
	uint32_t answers;
	uint32_t unsupported;        /* answers that say so */
	struct vfy_sequence refused; /* the command of the first of them */
	uint32_t waited, came;       /* changes declared for a reset: tried, and there afterwards */
	uint32_t useless;            /* how often the device was of no use afterwards */
	uint32_t useless_shaped;     /* and how often the command was well-formed then */
};

int vfy_engine_make(struct vfy_campaign *c);
void vfy_engine_clear(struct vfy_campaign *c);
/* Snapshots and masks for c->plan as it is now; nothing is learnt. 0 or -ENOMEM. */
int vfy_engine_remake(struct vfy_campaign *c);
/* Leaves observable @i out from now on: remake afterwards. */
int vfy_engine_forget(struct vfy_campaign *c, size_t i, const char *why);
/*
 * A fresh device with an empty tape, and its first reading in @engine->before where @observe. A device that
 * is not disposable stays as it is. 0; negative errno: it cannot be had, or (a device error) not be read.
 */
int vfy_engine_fresh(struct vfy_campaign *c, bool observe);
/* The first reading of a fresh device, in @engine->before, without what is rare: that is as in @first. */
int vfy_engine_observe_light(struct vfy_campaign *c);
/* The known entry for that, NULL for none. */
struct vfy_known *vfy_known_find(const struct vfy_campaign *c, const struct vfy_step *step,
				 const struct vfy_symptom *s);
/* Makes one. NULL: no memory. */
struct vfy_known *vfy_known_add(struct vfy_campaign *c, const struct vfy_step *step,
				const struct vfy_symptom *s);

/* --- learning (learn.c) -------------------------------------------------------------------------------- */

/*
 * What changes with nothing sent; with @accuse also what observing itself does, which is a finding. 0, or
 * negative errno: it cannot be watched.
 */
int vfy_learn_device(struct vfy_campaign *c, bool accuse);
/* Only what a fresh device's first reading is, in @engine->first, and what differs between two of them. */
int vfy_learn_first(struct vfy_campaign *c);
/* Makes the plan, and says which command the device did not survive meanwhile. As vfy_learn_device(). */
int vfy_learn_plan(struct vfy_campaign *c);
/*
 * Whether reading one thing hides that it changes another, or itself, for it then seems to change by itself
 * (disturb.c): a finding then. To be called when learning has ended, with its readings in the engine's
 * snapshots. 0: nothing was tried; else learning has to begin anew: 1: what was found is read no more; 2:
 * nothing was found. Negative errno.
 */
int vfy_learn_hidden(struct vfy_campaign *c);
/* Makes observable @i the only one of c->plan, and all again. Nothing is learnt then. 0 or -ENOMEM. */
int vfy_engine_only(struct vfy_campaign *c, size_t i, struct vfy_plan *ret_all);
int vfy_engine_all(struct vfy_campaign *c, struct vfy_plan *all);
/* What a reset of @kind alone changes. 0, -EOPNOTSUPP, or negative errno. */
int vfy_learn_reset(struct vfy_campaign *c, unsigned int kind);

/* Whether the campaign has to end: it was told to, or has used up what it was given (campaign.c). */
bool vfy_is_out_of_budget(const struct vfy_campaign *c);

/* --- confirming (confirm.c, shrink.c, report.c) --------------------------------------------------------- */

/*
 * @s was seen at the end of @core, which followed @tape on a fresh device. Makes it happen again, makes the
 * sequence shorter, repeats it with controls, and adds a finding. The device is used up by it. 0 whatever
 * came of it; negative errno: the device cannot be had, or no memory.
 */
int vfy_confirm(struct vfy_campaign *c, const struct vfy_sequence *tape,
		const struct vfy_sequence *core, const struct vfy_symptom *s, unsigned int flags);
/*
 * Does @q until it has shown @s @repeats times, or has not as often, with as many controls. 1: each time with
 * it and never without it; 0: not; *ret holds what came of it either way, to be cleared. Negative errno.
 */
int vfy_repeat(struct vfy_campaign *c, const struct vfy_sequence *q, const struct vfy_symptom *s,
	       unsigned int flags, uint32_t repeats, struct vfy_finding *ret);
/* Whether what was found is not to be made shorter any more: it has taken long, or all has to end. */
bool vfy_is_short_enough(const struct vfy_campaign *c);
/* As many of the payloads' bytes and of the dwords zero as can be, and payloads as short. */
int vfy_shrink(struct vfy_campaign *c, struct vfy_sequence *q, const struct vfy_symptom *s,
	       unsigned int flags, size_t *budget);
/* @f of what @a, a run of @q, shows; takes @q's steps and @a's answers over. */
void vfy_finding_of(struct vfy_campaign *c, struct vfy_sequence *q, struct vfy_attempt *a,
		    const struct vfy_symptom *s, unsigned int flags, struct vfy_finding *f);
/* Adds @f, which it takes over, or keeps the graver, else the shorter, one of two that say the same. */
int vfy_finding_add(struct vfy_campaign *c, struct vfy_finding *f);
/* Whether @a says more than @b: it weighs more, or needs less. */
bool vfy_finding_is_better(const struct vfy_finding *a, const struct vfy_finding *b);
/*
 * Whether there are so many like @f that one of them stands for all, with @f, which is cleared then (alike.c):
 * of one kind, of no more than low severity, and without an undeclared effect.
 */
bool vfy_alike_fold(struct vfy_campaign *c, struct vfy_finding *f);
/* How much of @text says what the finding itself is about. */
size_t vfy_alike_text(const char *text);
/* Whether it is a violation that was made to happen again. */
bool vfy_finding_accuses(const struct vfy_finding *f);
/* The beginning of f->text: what it is about. And, at its end, its effects. */
void vfy_finding_subject(struct vfy_finding *f);
void vfy_finding_effects(struct vfy_finding *f);
/* All of f->text. */
void vfy_finding_text(struct vfy_finding *f, uint32_t code);

/* --- the rest ------------------------------------------------------------------------------------------- */

/* What needs no experiment (contradict.c): adds findings about the declarations. 0 or -ENOMEM. */
int vfy_contradictions(struct vfy_campaign *c);
/* One experiment (experiment.c). 0; negative errno: the campaign cannot go on. */
int vfy_experiment_run(struct vfy_campaign *c, const struct vfy_experiment *e);
/* Rows of commands (rows.c). */
int vfy_rows_make(struct vfy_campaign *c);
void vfy_rows_clear(struct vfy_campaign *c);
struct vfy_row *vfy_row_of(struct vfy_campaign *c, unsigned int set, uint16_t opcode, bool make);
void vfy_rows_count(struct vfy_campaign *c, const struct vfy_sequence *q,
		    const struct vfy_attempt *a);
struct vfy_counts *vfy_counts_of(struct vfy_campaign *c, unsigned int set, uint16_t opcode);
/* From so many ns on an answer to this command is an outlier; UINT64_MAX: not known yet. */
uint64_t vfy_counts_slow(const struct vfy_campaign *c, unsigned int set, uint16_t opcode);
/* What is declared beyond what the specification says, and was not seen. */
static inline fwa_effects vfy_never_seen(fwa_effects declared, fwa_effects floor,
					 fwa_effects observed)
{
	return declared & FWA_EFFECTS_IMMEDIATE & ~floor & ~observed;
}
/* Commands that are declared, and of which the device said each time that it has no such command. */
int vfy_rows_refused(struct vfy_campaign *c);
/* Notes about what was declared and never seen. */
int vfy_rows_notes(struct vfy_campaign *c);
/* c->finding worst first. */
void vfy_findings_sort(struct vfy_campaign *c);
