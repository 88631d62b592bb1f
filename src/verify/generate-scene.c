/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenes: commands that show what they do only after others, in the order in which the specifications
 * want them. A scene is lines of opcodes; it is played for each form of its first line (each Feature, each
 * namespace), and the other lines select as that one does.
 */
#include "verify/generate-internal.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

#define LINES 6u

enum line_kind {
	END,
	CXL,
	ADMIN,
	IO,
	SETTLE,
	RESET,
};

struct line {
	uint8_t kind;
	uint16_t opcode;
	uint16_t op;       /* its operation, where it has any */
	uint8_t variation; /* of generate-cxl-own.c and generate-nvme.c */
};

#define DO(kind, opcode, op, variation)     \
	{                                   \
		kind, opcode, op, variation \
	}

static const struct line scenes[][LINES] = {
	/* the clock, the shutdown state, alerts, partitions and labels, and what they are then */
	{ DO(CXL, 0x0301, 0, 0), DO(CXL, 0x0300, 0, 0), DO(CXL, 0x0301, 0, 1) },
	{ DO(CXL, 0x4204, 0, 0), DO(CXL, 0x4203, 0, 0), DO(CXL, 0x4204, 0, 1) },
	{ DO(CXL, 0x4103, 0, 0), DO(CXL, 0x4102, 0, 0) },
	{ DO(CXL, 0x0404, 0, 0), { SETTLE }, DO(CXL, 0x0401, 0, 0) },
	/* Features in three parts; one that is given up */
	{ DO(CXL, 0x0502, 1, 0), DO(CXL, 0x0502, 2, 0), DO(CXL, 0x0502, 3, 0) },
	{ DO(CXL, 0x0502, 1, 1), DO(CXL, 0x0502, 2, 1), DO(CXL, 0x0502, 4, 1) },
	{ DO(CXL, 0x0502, 1, 4), DO(CXL, 0x0502, 2, 4), DO(CXL, 0x0502, 3, 4),
	  DO(CXL, 0x0501, 2, 0) },
	/* poison comes and goes */
	{ DO(CXL, 0x4301, 0, 0), DO(CXL, 0x4302, 0, 0) },
	{ DO(CXL, 0x4301, 0, 2), DO(CXL, 0x4300, 0, 0), DO(CXL, 0x4302, 0, 2) },
	/* the media is scanned, and that is given up */
	{ DO(CXL, 0x4304, 0, 1), { SETTLE }, DO(CXL, 0x4305, 0, 0) },
	{ DO(CXL, 0x4304, 0, 0), DO(CXL, 0x0005, 0, 0), { SETTLE } },
	/* firmware: in parts, given up, whole and activated */
	{ DO(CXL, 0x0201, 1, 0), DO(CXL, 0x0201, 2, 0), DO(CXL, 0x0201, 3, 0), { SETTLE } },
	{ DO(CXL, 0x0201, 1, 1), DO(CXL, 0x0201, 4, 1) },
	{ DO(CXL, 0x0201, 0, 0),
	  { SETTLE },
	  DO(CXL, 0x0202, 1, VFY_IN_SCENE),
	  DO(CXL, 0x0202, 0, VFY_IN_SCENE) },
	{ DO(CXL, 0x4400, 0, 0), DO(CXL, 0x0005, 0, 0), { SETTLE } },
	/* passphrases: set and forgotten, changed, erased by, locked by a reset and unlocked */
	{ DO(CXL, 0x4501, 0, 0), DO(CXL, 0x4502, 0, 0) },
	{ DO(CXL, 0x4501, 0, 3), DO(CXL, 0x4502, 0, 3) },
	{ DO(CXL, 0x4501, 0, 0), DO(CXL, 0x4501, 0, 1), DO(CXL, 0x4502, 0, 1) },
	{ DO(CXL, 0x4501, 0, 0), DO(CXL, 0x4505, 0, 0) },
	{ DO(CXL, 0x4501, 0, 3), DO(CXL, 0x4505, 0, 3), DO(CXL, 0x4502, 0, 3) },
	{ DO(CXL, 0x4501, 0, 0), { RESET }, DO(CXL, 0x4503, 0, 0), DO(CXL, 0x4502, 0, 0) },
	/* firmware of an NVMe controller, by each way to commit it */
	{ DO(ADMIN, 0x11, 0, 0), DO(ADMIN, 0x11, 0, 1), DO(ADMIN, 0x10, 0, 0) },
	{ DO(ADMIN, 0x11, 0, 0), DO(ADMIN, 0x10, 1, 0), DO(ADMIN, 0x10, 2, 0) },
	{ DO(ADMIN, 0x11, 0, 0), DO(ADMIN, 0x10, 3, 0) },
	/* self-tests that run, and that are given up */
	{ DO(ADMIN, 0x14, 1, 0), { SETTLE } },
	{ DO(ADMIN, 0x14, 1, 0), DO(ADMIN, 0x14, 15, 0) },
	{ DO(ADMIN, 0x14, 2, 0), DO(ADMIN, 0x14, 15, 0) },
	/* directives are enabled and read */
	{ DO(ADMIN, 0x19, 0, 2), DO(ADMIN, 0x1a, 0, 0), DO(ADMIN, 0x19, 0, 3) },
	/* blocks are written, compared, read, zeroed */
	{ DO(IO, 0x01, 0, 0), DO(IO, 0x00, 0, 0), DO(IO, 0x02, 0, 0) },
	{ DO(IO, 0x01, 0, 1), DO(IO, 0x05, 0, 1), DO(IO, 0x0c, 0, 1) },
	{ DO(IO, 0x01, 0, 1), DO(IO, 0x08, 0, 1), DO(IO, 0x02, 0, 1) },
	{ DO(IO, 0x04, 0, 2), DO(IO, 0x02, 0, 2), DO(IO, 0x01, 0, 2) },
};

#define SCENES (sizeof(scenes) / sizeof(scenes[0]))

/* What is sent in scenes only, for alone it is refused. */
static const struct {
	uint8_t set;
	uint16_t opcode;
	uint16_t from_op;
} not_alone[] = {
	{ FWA_SET_CXL, CXL_OP_ABORT_BACKGROUND, 0 },
	{ FWA_SET_CXL, CXL_OP_TRANSFER_FW, CXL_FW_INITIATE },
	{ FWA_SET_CXL, CXL_OP_SET_FEATURE, CXL_PART_INITIATE },
	{ FWA_SET_CXL, 0x4302, 0 },
	{ FWA_SET_CXL, 0x4305, 0 },
	{ FWA_SET_CXL, 0x4501, 0 },
	{ FWA_SET_CXL, 0x4502, 0 },
	{ FWA_SET_CXL, 0x4503, 0 },
	{ FWA_SET_CXL, 0x4505, 0 },
	{ FWA_SET_NVME_ADMIN, NVME_OP_SELF_TEST, NVME_SELF_TEST_ABORT },
};

bool vfy_scene_only(const struct vfy_form *f)
{
	for (size_t i = 0; i < sizeof(not_alone) / sizeof(not_alone[0]); i++)
		if (not_alone[i].set == f->step.set && not_alone[i].opcode == f->step.opcode &&
		    f->choice.op >= not_alone[i].from_op)
			return true;
	return false;
}

static uint8_t set_of(const struct line *l)
{
	return l->kind == CXL     ? FWA_SET_CXL
	       : l->kind == ADMIN ? FWA_SET_NVME_ADMIN
				  : FWA_SET_NVME_IO;
}

static bool is_command(const struct line *l)
{
	return l->kind >= CXL && l->kind <= IO;
}

/* Form @i of the command is what @l says, and selects as @like, if that is given. */
static bool fits(const struct vfy_form *f, const struct line *l, const struct vfy_choice *like)
{
	if (f->choice.has_op && f->choice.op != l->op)
		return false;
	if (!like)
		return true;
	if (like->by_uuid && f->choice.by_uuid &&
	    memcmp(like->uuid, f->choice.uuid, sizeof(like->uuid)) != 0)
		return false;
	return like->nsid == f->choice.nsid;
}

/* The form number @n of those that fit; VFY_NO_FORM past the last. */
static uint32_t find(const struct vfy_generator *g, const struct line *l,
		     const struct vfy_choice *like, uint32_t n)
{
	const struct vfy_gen_command *c = vfy_gen_command(g, set_of(l), l->opcode);

	for (uint32_t i = 0; c && i < c->n_forms; i++)
		if (fits(&g->form[c->first_form + i], l, like) && !n--)
			return c->first_form + i;
	return VFY_NO_FORM;
}

static bool is_wanted(const struct vfy_generator *g, const struct line *scene)
{
	bool wanted = false;

	for (unsigned int i = 0; i < LINES && scene[i].kind != END; i++) {
		if (scene[i].kind == RESET && !g->args.resets)
			return false;
		if (!is_command(&scene[i]))
			continue;
		if (find(g, &scene[i], NULL, 0) == VFY_NO_FORM)
			return false;
		wanted |= vfy_gen_wanted(g, set_of(&scene[i]), scene[i].opcode);
	}
	return wanted;
}

bool vfy_scene_next(const struct vfy_generator *g, uint32_t *scene, uint32_t *nth)
{
	while (*scene < SCENES) {
		const struct line *lines = scenes[*scene];

		if (is_wanted(g, lines) && find(g, &lines[0], NULL, *nth) != VFY_NO_FORM)
			return true;
		++*scene;
		*nth = 0;
	}
	return false;
}

fwa_effects vfy_scene_effects(const struct vfy_generator *g, uint32_t scene)
{
	fwa_effects effects = 0;

	for (const struct line *l = scenes[scene]; l < scenes[scene] + LINES; l++) {
		uint32_t form = is_command(l) ? find(g, l, NULL, 0) : VFY_NO_FORM;

		if (form != VFY_NO_FORM)
			effects |= g->form[form].declared | g->form[form].floor;
	}
	return effects;
}

static void play(struct vfy_generator *g, const struct line *l, const struct vfy_choice *like,
		 struct vfy_random *random)
{
	uint32_t form = find(g, l, like, 0);
	struct vfy_step step;

	if (form == VFY_NO_FORM ||
	    !vfy_input_valid(g, g->command[g->form[form].command].row, &g->form[form].choice,
			     l->variation, random, &step)) {
		g->burst.spoiled = true;
		return;
	}
	vfy_burst_add(g, &step, form);
}

void vfy_scene_play(struct vfy_generator *g, uint32_t scene, uint32_t nth,
		    struct vfy_random *random)
{
	uint32_t first = find(g, &scenes[scene][0], NULL, nth);
	struct vfy_choice like;

	vfy_burst_begin(g, LINES, LINES);
	g->burst.together = true;
	if (first == VFY_NO_FORM)
		return;
	like = g->form[first].choice;
	for (const struct line *l = scenes[scene]; l < scenes[scene] + LINES && l->kind; l++) {
		if (l->kind == SETTLE)
			vfy_burst_settle(g);
		else if (l->kind == RESET)
			vfy_burst_reset(g, FWA_RESET_COLD);
		else
			play(g, l, &like, random);
	}
}
