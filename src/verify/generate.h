/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Experiments: what a campaign tries, one after the other. The generator knows the model and the
 * profile and nothing else of the device; the same seed, probe and profile give the same
 * experiments, as long as the answers are the same.
 *
 * It is asked for one experiment at a time and told what came of it: vendor commands are searched
 * for the lengths that they take, slow inputs for their neighbours.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/profile.h"
#include "verify/finding.h"
#include "verify/step.h"

enum vfy_probe {
	VFY_PROBE_READ_ONLY, /* only what the gate would admit and that has no effects */
	VFY_PROBE_DECLARED, /* also malformed ones of these, and well-formed ones that change policy, log or configuration */
	VFY_PROBE_DESTRUCTIVE, /* everything: data, security, firmware, undeclared opcodes, malformed writes */
	VFY_PROBES,
};

/* In the order in which they are run; the names are those of coverage. */
enum vfy_phase {
	VFY_PHASE_VALID,     /* each command, each selector and operation, well-formed */
	VFY_PHASE_BOUNDARY,  /* at the edges of its ranges and lengths */
	VFY_PHASE_MALFORMED, /* too short, too long, out of range, reserved values */
	VFY_PHASE_RESET,     /* what waits for a reset: not before it, and then */
	VFY_PHASE_VENDOR,    /* vendor commands: the lengths they take, then values */
	VFY_PHASE_REPEAT,    /* each read many times over */
	VFY_PHASE_PAIRS,     /* each ordered pair of reads, and of a write and a read */
	VFY_PHASE_TRIPLES,   /* each ordered triple of reads */
	VFY_PHASE_TRIGGERS,  /* ordinary data that carries commands and magic values */
	VFY_PHASE_SWEEP,     /* opcodes that are not declared */
	VFY_PHASE_RANDOM,    /* random inputs, until the budget ends */
	VFY_PHASES,
};
const char *vfy_phase_name(unsigned int phase);

struct vfy_experiment {
	uint8_t phase;
	/*
	 * The sequence is judged as a whole: what its commands declare together covers what is different
	 * after it. So a generator puts commands with effects together only where that is meant.
	 */
	struct vfy_sequence sequence;
	/*
	 * The last step is a reset: the campaign observes before it too, and what the commands declare for
	 * it must not be visible until then.
	 */
	bool deferred;
	bool settle; /* wait for background work before observing */
	bool fresh;  /* run on a device that nothing was done to, if there can be one */
};

struct vfy_generator;

struct vfy_generate_args {
	const struct fwa_profile *profile;
	uint64_t seed;
	uint8_t probe; /* enum vfy_probe */
	bool resets;   /* the transport can reset */
	/* Only this command (--command); -1: all. */
	int only_set;
	uint32_t only_opcode;
	uint32_t phases; /* bits; 0: all */
};

/* 0 or -ENOMEM. The profile must outlive it. */
int vfy_generator_make(const struct vfy_generate_args *args, struct vfy_generator **ret);
struct vfy_generator *vfy_generator_free(struct vfy_generator *g);
/* The next experiment, into @ret, cleared by the caller: 1; 0 when there is none left; negative errno. */
int vfy_generator_next(struct vfy_generator *g, struct vfy_experiment *ret);
/* What the device answered to each step of the last one; @n may be less when it was cut short. */
void vfy_generator_answered(struct vfy_generator *g, const struct vfy_experiment *e,
			    const struct vfy_answer *answer, size_t n);

/* How much of what there is was tried: by phase, in its own units. */
struct vfy_coverage {
	uint64_t planned; /* 0: without an end */
	uint64_t done;
	const char *unit; /* "commands", "pairs", "opcodes" */
};
void vfy_generator_coverage(const struct vfy_generator *g, unsigned int phase,
			    struct vfy_coverage *ret);

/* An input that takes much longer than others of its command, each time. */
struct vfy_slow {
	const struct vfy_step *step; /* the generator's */
	uint64_t usual_ns;           /* the median of the command's, for as many bytes */
	uint64_t took_ns;            /* the fastest of its repetitions */
	uint32_t neighbours;         /* how many inputs like it were tried */
	uint32_t slow_neighbours;    /* and how many of these were as slow */
};
/* Slow input @i; false past the last. */
bool vfy_generator_slow(const struct vfy_generator *g, size_t i, struct vfy_slow *ret);

/*
 * The probe that @step needs on a device whose @profile it is: what --plan prints and safety checks.
 * A property of the bytes, the declaration and the model; the more demanding of the two counts.
 * VFY_PROBES: none is enough, for it would break the host, or what the device is reached by.
 */
enum vfy_probe vfy_step_risk(const struct fwa_profile *profile, const struct vfy_step *step);
/*
 * Whether the bytes of @step are as the specification has them, as far as the model says; what is
 * undeclared is not.
 */
bool vfy_step_is_shaped(const struct fwa_profile *profile, const struct vfy_step *step);
/* "read-only", "declared", "destructive"; "never" for VFY_PROBES. */
const char *vfy_probe_name(unsigned int probe);
