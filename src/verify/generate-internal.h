/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the generator know of one another.
 *
 * A *form* is one well-formed way to send one command: an opcode, what it selects and the operation that
 * it asks for. Forms come from the model and the profile; vendor commands get theirs when a device has
 * taken them. A form has *variations*: other payloads that are well-formed for the same.
 *
 * A phase is a numbered list of *jobs*. A job fills the *burst* with steps, from which experiments are
 * cut. The random numbers of a job depend on the seed, the phase and its number, so that no job depends
 * on the luck of another one.
 */
#pragma once

#include "base/uuid.h"
#include "core/decide.h"
#include "verify/generate.h"

#define VFY_NO_FORM UINT32_MAX
#define VFY_EXPERIMENT_STEPS 1024u              /* most steps of an experiment */
#define VFY_EXPERIMENT_BYTES (2u * 1024 * 1024) /* of its payloads; a single one may have more */
#define VFY_VARIATIONS 8u
#define VFY_IN_SCENE VFY_VARIATIONS /* a further one, that makes sense only behind other commands */
#define VFY_NVME_DATA_MAX 65536u    /* most data of the NVMe commands that are made here */

/* --- numbers -------------------------------------------------------------------------------------- */

struct vfy_random {
	uint64_t state;
};

/* splitmix64 */
static inline uint64_t vfy_random(struct vfy_random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* 0 to @n - 1; 0 when @n is. */
static inline uint32_t vfy_random_below(struct vfy_random *r, uint32_t n)
{
	return n ? (uint32_t)(vfy_random(r) % n) : 0;
}

static inline void vfy_random_fill(struct vfy_random *r, uint8_t *to, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = (uint8_t)vfy_random(r);
}

/* The numbers of one job. */
static inline struct vfy_random vfy_random_of(uint64_t seed, uint64_t phase, uint64_t job)
{
	struct vfy_random of_phase = { seed + phase };
	struct vfy_random of_job = { vfy_random(&of_phase) + job };

	return (struct vfy_random){ vfy_random(&of_job) };
}

static inline uint32_t vfy_least(uint64_t a, uint64_t b)
{
	return (uint32_t)(a < b ? a : b);
}

/* --- commands and forms --------------------------------------------------------------------------- */

#define VFY_TIMES 32u

struct vfy_gen_command {
	uint8_t set;
	uint16_t opcode;
	const struct fwa_model_command *row; /* NULL: a vendor's */
	uint32_t first_form, n_forms;        /* those of the model */
	uint64_t times[VFY_TIMES];           /* generate-slow.c: ns of the last answers */
	uint32_t n_times;                    /* of all */
	uint32_t n_slow;
	uint32_t lost;        /* how often the device was of no use any more behind it */
	uint32_t lost_shaped; /* and how often it was well-formed then */
};

/* What makes a form one of its own. */
struct vfy_choice {
	uint8_t uuid[FWA_UUID_LEN];
	bool by_uuid;
	bool has_op;
	uint16_t op;
	uint32_t nsid;
	uint32_t cdw10; /* selector, and the bits that its condition asks for */
};

enum vfy_form_state {
	VFY_FORM_UNTRIED,
	VFY_FORM_REFUSED,
	VFY_FORM_TAKEN, /* the device did it once, or began it */
};

#define VFY_HEAD 64u

struct vfy_form {
	uint32_t command; /* index */
	struct vfy_choice choice;
	uint8_t variation;           /* that @step is */
	struct vfy_step step;        /* with a payload of its own */
	fwa_effects declared, floor; /* of these very bytes */
	uint8_t risk;                /* enum vfy_probe; VFY_PROBES: never */
	uint8_t state;               /* enum vfy_form_state */
	uint32_t sent_in;            /* bits by phase */
	uint32_t result;             /* what it last returned */
	uint8_t head_len;
	uint8_t head[VFY_HEAD];
};

static inline bool vfy_form_reads(const struct vfy_form *f)
{
	return f->risk == VFY_PROBE_READ_ONLY;
}

/* --- making well-formed inputs -------------------------------------------------------------------- */

/* What a maker of inputs knows, and where it puts them. */
struct vfy_make {
	struct vfy_generator *g;
	const struct fwa_model_command *row;
	const struct vfy_choice *choice;
	unsigned int variation;
	struct vfy_random *random;
	struct vfy_step *step; /* its payload is g->data, g->room bytes */
	uint32_t room;         /* most bytes of payload */
};

/* The payload gets this length, and is zeroed. False when there is no room for it. */
bool vfy_make_len(struct vfy_make *m, uint64_t len);
/* Fills part of a payload with what the variation stands for; @known (may be NULL): what is there now. */
void vfy_make_fill(struct vfy_make *m, uint32_t at, uint32_t len, const uint8_t *known,
		   uint32_t known_len);
/* Parts of something of @size bytes, of which at most @most go at once. False: no such variation. */
bool vfy_make_range(const struct vfy_make *m, uint64_t size, uint64_t most, uint64_t *ret_at,
		    uint64_t *ret_len);

/* --- bursts --------------------------------------------------------------------------------------- */

#define VFY_SLOW_MAX 64u
#define VFY_LOST_MAX 3u /* what the device did not survive so often is sent no more */

/* An input that took long. */
struct vfy_slow_input {
	struct vfy_step step; /* with a payload of its own */
	uint8_t stage;
	uint64_t usual;   /* ns, per so many bytes */
	uint64_t fastest; /* of its repetitions; UINT64_MAX: it is not always slow */
	uint32_t repeated;
	uint32_t neighbours, slow_neighbours;
};

#define VFY_WORDS 256u
#define VFY_WORD 24u
#define VFY_CONTENT 128u

/* What is known of a step of a burst. */
struct vfy_note {
	uint32_t form; /* VFY_NO_FORM: none */
	fwa_effects declared, floor;
	bool listed;
	bool reads;
	bool refused; /* its form, each time so far */
};

struct vfy_burst {
	struct vfy_sequence steps;
	struct vfy_note *note; /* by step */
	size_t notes_room;
	uint8_t phase;        /* that its experiments are of */
	size_t at;            /* the next step to hand out */
	size_t piece;         /* the first one of the last experiment */
	unsigned int resumed; /* how often an experiment was cut short */
	uint64_t units;       /* counted as done when all of it was handed out */
	/* Most steps of an experiment of what changes nothing, and of another one. */
	unsigned int reads, writes;
	unsigned int overlap; /* with how many of its last steps the next piece begins again */
	bool together;        /* makes sense only as a whole: one experiment, or none */
	bool mixed;           /* steps of different claims may be judged as one */
	bool deferred, settle;
	bool spoiled; /* a step of it may not be sent */
	bool full;    /* there were more steps than a sequence takes */
	bool damages; /* what comes next is to run on a fresh device */
	int error;    /* -ENOMEM */
};

struct vfy_generator {
	struct vfy_generate_args args;
	const struct fwa_profile *profile;
	bool nvme;
	uint32_t mailbox; /* most bytes of a CXL payload */
	uint32_t room;    /* bytes of @data */
	uint8_t *data;    /* the payload of the input that is being made */

	struct vfy_gen_command *command; /* by set and opcode */
	uint32_t n_commands;
	struct vfy_form *form;
	uint32_t n_forms, forms_room;
	uint32_t n_model_forms; /* these come first; what follows is of vendor commands */

	uint8_t phase;
	bool entered;
	uint64_t job;
	bool damaged;
	struct vfy_burst burst;
	const struct vfy_phase_ops *ops; /* of the phase */
	uint64_t planned[VFY_PHASES], done[VFY_PHASES];
	uint32_t last[VFY_EXPERIMENT_STEPS]; /* forms of the last experiment's steps */
	size_t n_last;
	bool uncounted; /* the last experiment is not in @done yet */
	int failed;     /* -ENOMEM, for the next experiment */

	struct vfy_valid_job *valid; /* generate-valid.c */
	uint32_t n_valid;
	struct vfy_vendor *vendor; /* generate-vendor.c: commands that the model does not know */
	uint32_t n_vendor;
	uint32_t *reads, *pivots; /* generate-order.c: forms */
	uint32_t n_reads, n_pivots;
	uint32_t n_all_reads; /* with those that are too long to be sent over and over */
	struct vfy_slow_input slow[VFY_SLOW_MAX];
	uint32_t n_slow;
	uint32_t looking_into;       /* which of them the burst is about; VFY_SLOW_MAX: none */
	struct vfy_carrier *carrier; /* generate-trigger.c */
	uint32_t n_carriers;
	char word[VFY_WORDS][VFY_WORD]; /* generate-content.c: of the titles of commands */
	uint32_t n_words;
	uint16_t *cycle; /* indexes in @reads */
	uint32_t n_cycle;
};

/* --- what each file offers ------------------------------------------------------------------------ */

/* risk.c: vfy_step_risk(), and what the gate would say to it. */
enum vfy_probe vfy_step_judged(const struct fwa_profile *profile, const struct vfy_step *step,
			       struct fwa_decision *ret);

/* Of what the gate would say to a step: its bytes are as the specification has them. */
static inline bool vfy_is_shaped(const struct fwa_decision *d)
{
	return d->reason == FWA_REASON_ADMIT || d->reason == FWA_REASON_NEVER ||
	       (d->reason == FWA_REASON_RESERVED_BITS && d->detail != FWA_DETAIL_UNKNOWN_SELECTOR);
}

/* generate-form.c: commands and forms out of profile and model. 0 or -ENOMEM. */
int vfy_forms_make(struct vfy_generator *g);
void vfy_forms_clear(struct vfy_generator *g);
/* Adds the form of @command that is @step. 0 or -ENOMEM. */
int vfy_form_add(struct vfy_generator *g, uint32_t command, const struct vfy_choice *choice,
		 unsigned int variation, const struct vfy_step *step);
/* The declared command, NULL for none. */
struct vfy_gen_command *vfy_gen_command(const struct vfy_generator *g, uint8_t set,
					uint16_t opcode);
/* Whether --command leaves @opcode in. */
static inline bool vfy_gen_wanted(const struct vfy_generator *g, uint8_t set, uint16_t opcode)
{
	return g->args.only_set < 0 || (g->args.only_set == set && g->args.only_opcode == opcode);
}

/*
 * generate-input.c: the well-formed input number @variation of @choice, in *ret, whose payload is
 * g->data. False: there is none of that number.
 */
bool vfy_input_valid(struct vfy_generator *g, const struct fwa_model_command *row,
		     const struct vfy_choice *choice, unsigned int variation,
		     struct vfy_random *random, struct vfy_step *ret);
/*
 * How many forms one job bends: so many that experiments are full, so few that their payloads fit a
 * sequence.
 */
static inline uint32_t vfy_forms_of_job(const struct vfy_generator *g)
{
	return g->mailbox > 16384 ? 1 : 16;
}
/* A copy of @from in g->data, to be changed. */
struct vfy_step vfy_step_copy(struct vfy_generator *g, const struct vfy_step *from);
/* generate-cxl.c, generate-nvme.c: the same, but for what selects and for the check of its shape. */
bool vfy_make_cxl(struct vfy_make *m);
bool vfy_make_nvme(struct vfy_make *m);
/* Bytes of media, as Identify Memory Device said; the address that the variation is about. */
#define VFY_CXL_CAPACITY_UNIT (256ull << 20)
uint64_t vfy_cxl_capacity(const struct vfy_make *m);
uint64_t vfy_cxl_dpa(const struct vfy_make *m);
/* The blocks of namespace @nsid, as Identify Namespace said; never 0. */
uint64_t vfy_nvme_blocks(const struct vfy_generator *g, uint32_t nsid);
/* The format of @nsid's blocks as CDW10 of Format NVM has it, as far as Identify Namespace said. */
uint32_t vfy_nvme_format(const struct vfy_generator *g, uint32_t nsid);
/*
 * generate-cxl-own.c: whether the opcode has payloads that stand as they are, or a maker of its own; in
 * *ret_made, whether it has one for this variation.
 */
bool vfy_make_cxl_fixed(struct vfy_make *m, bool *ret_made);
bool vfy_make_cxl_own(struct vfy_make *m, bool *ret_made);

/* generate-burst.c */
void vfy_burst_begin(struct vfy_generator *g, unsigned int reads, unsigned int writes);
/* Appends @step, of @form or VFY_NO_FORM, where the probe may send it; else what is together is spoiled. */
void vfy_burst_add(struct vfy_generator *g, const struct vfy_step *step, uint32_t form);
void vfy_burst_reset(struct vfy_generator *g, enum fwa_reset reset);
void vfy_burst_settle(struct vfy_generator *g);
/* All steps of the burst are there. */
void vfy_burst_ready(struct vfy_generator *g);
/* The next experiment out of the burst: 1, 0 when it is used up, negative errno. */
int vfy_burst_cut(struct vfy_generator *g, struct vfy_experiment *ret);
/* Counts the last experiment as done, unless it was not run. */
void vfy_burst_count(struct vfy_generator *g, bool was_run);
/* The last experiment ended at its step @n: goes on behind it, and behind those that are the same. */
void vfy_burst_resume(struct vfy_generator *g, size_t n);
void vfy_burst_clear(struct vfy_burst *b);

/* generate-vendor.c: takes what a vendor command was answered. 0 or -ENOMEM. */
int vfy_vendor_learn(struct vfy_generator *g, const struct vfy_step *step,
		     const struct vfy_answer *answer);
/* generate-slow.c: takes how long a step took. 0 or -ENOMEM. */
int vfy_slow_learn(struct vfy_generator *g, const struct vfy_step *step,
		   const struct vfy_answer *answer);
/* Fills the burst with what a slow input asks for; false: none does. Without @random no neighbours. */
bool vfy_slow_fill(struct vfy_generator *g, bool random);
void vfy_slow_answered(struct vfy_generator *g, const struct vfy_experiment *e,
		       const struct vfy_answer *answer, size_t n);
void vfy_slow_clear(struct vfy_generator *g);
/* generate-learn.c: whether the device did it, or began it. */
bool vfy_is_taken(const struct vfy_step *step, const struct vfy_answer *answer);
/* Takes what a step of @form was answered. */
void vfy_learn(struct vfy_generator *g, uint32_t form, const struct vfy_step *step,
	       const struct vfy_answer *answer);
/*
 * What a form of @opcode that the device has taken returned last; NULL for none. @like: it selects the same.
 * The operation counts only where @like has none.
 */
const struct vfy_form *vfy_taken(const struct vfy_generator *g, uint8_t set, uint16_t opcode,
				 const struct vfy_choice *like);
/* The one whose variation is @variation. */
const struct vfy_form *vfy_taken_as(const struct vfy_generator *g, uint8_t set, uint16_t opcode,
				    unsigned int variation);
/* A little-endian number out of that, @otherwise when it is not there. */
uint64_t vfy_fact(const struct vfy_generator *g, uint8_t set, uint16_t opcode,
		  const struct vfy_choice *like, unsigned int at, unsigned int width,
		  uint64_t otherwise);

/* generate-content.c: content @i, at most VFY_CONTENT bytes: its length, 0 past the last. */
void vfy_content_plan(struct vfy_generator *g);
uint32_t vfy_contents(const struct vfy_generator *g);
size_t vfy_content(const struct vfy_generator *g, uint32_t i, uint8_t to[VFY_CONTENT]);

/* generate-scene.c: whether the form is sent in scenes only. */
bool vfy_scene_only(const struct vfy_form *f);
/* The next scene that can be played, and for which form; the caller goes on to the next @nth. False: none. */
bool vfy_scene_next(const struct vfy_generator *g, uint32_t *scene, uint32_t *nth);
fwa_effects vfy_scene_effects(const struct vfy_generator *g, uint32_t scene);
void vfy_scene_play(struct vfy_generator *g, uint32_t scene, uint32_t nth,
		    struct vfy_random *random);

struct vfy_phase_ops {
	const char *unit;
	bool by_forms; /* forms are what is counted as done, else the units of bursts */
	/* How much there is to do, in g->planned: when the generator is made, and when the phase begins. */
	int (*plan)(struct vfy_generator *g);
	/* Fills the burst with job @job: true. False when there is no such job. */
	bool (*fill)(struct vfy_generator *g, uint64_t job);
};
extern const struct vfy_phase_ops vfy_phase_valid, vfy_phase_boundary, vfy_phase_malformed,
	vfy_phase_reset, vfy_phase_vendor, vfy_phase_repeat, vfy_phase_pairs, vfy_phase_triples,
	vfy_phase_triggers, vfy_phase_sweep, vfy_phase_random;

void vfy_valid_clear(struct vfy_generator *g);
void vfy_vendor_clear(struct vfy_generator *g);
void vfy_order_clear(struct vfy_generator *g);
void vfy_trigger_clear(struct vfy_generator *g);
