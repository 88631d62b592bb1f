/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the declarations say against themselves and against the specification: lint's errors, read again
 * from fresh devices as often as any finding is repeated. Nothing is sent for it but what reads them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "base/uuid.h"
#include "core/lint.h"
#include "verify/engine.h"

#define CONTRADICTIONS_MAX 128u

struct contradiction {
	struct fwa_finding f;
	uint32_t seen;
};

struct list {
	struct contradiction at[CONTRADICTIONS_MAX];
	size_t n;
	size_t more; /* that have no room */
	bool first;  /* this reading may add */
};

static bool same(const struct fwa_finding *a, const struct fwa_finding *b)
{
	return a->code == b->code && a->set == b->set && a->has_opcode == b->has_opcode &&
	       a->opcode == b->opcode && a->bits == b->bits && a->has_id == b->has_id &&
	       a->id == b->id && fwa_uuid_eq(a->uuid, b->uuid);
}

static void note(const struct fwa_finding *f, void *userdata)
{
	struct list *l = userdata;

	if (f->severity != FWA_ERROR)
		return;
	for (size_t i = 0; i < l->n; i++)
		if (same(&l->at[i].f, f)) {
			l->at[i].seen++;
			return;
		}
	if (!l->first)
		return;
	if (l->n < CONTRADICTIONS_MAX)
		l->at[l->n++] = (struct contradiction){ .f = *f, .seen = 1 };
	else
		l->more++;
}

static int lint(struct fwa_device *dev, struct list *l)
{
	fwa_auto_free uint8_t *bytes = malloc(FWA_PROFILE_MAX);
	fwa_auto_free struct fwa_profile *profile = calloc(1, sizeof(*profile));
	struct fwa_writer w = fwa_writer(bytes, FWA_PROFILE_MAX);
	char error[FWA_ERROR_LEN];

	if (!bytes || !profile)
		return -ENOMEM;
	if (fwa_profile_read(dev, &w, error) == 0 &&
	    fwa_profile_parse(profile, fwa_span(w.buf, w.len)) == 0)
		fwa_lint(profile, note, l);
	return 0;
}

/*
 * Reads the declarations again: of another device, of which nothing else was read before, where there is one.
 * 0, also where they cannot be read; or negative errno.
 */
static int read_again(struct vfy_campaign *c, struct list *l)
{
	struct fwa_open_args args = { .spec = c->args.spec, .fd = -1 };
	struct fwa_device *dev;
	int r;

	if (!c->target.disposable)
		return lint(c->target.dev, l);
	r = fwa_device_open(&args, &dev);
	if (r < 0)
		return r;
	c->target.openings++;
	r = lint(dev, l);
	fwa_device_close(dev);
	return r;
}

/* --- as findings ------------------------------------------------------------------------------------- */

/* What is left out is effects; else bits of a word. */
static bool is_about_effects(const struct fwa_finding *f)
{
	return f->code == FWA_FINDING_UNDER_DECLARED || f->code == FWA_FINDING_FEATURE_EFFECTS;
}

static void describe(const struct fwa_finding *l, struct vfy_finding *f)
{
	char uuid[FWA_UUID_TEXT_LEN], about[64] = "";
	static const uint8_t no_uuid[FWA_UUID_LEN];
	size_t len;

	if (!fwa_uuid_eq(l->uuid, no_uuid)) {
		fwa_uuid_text(l->uuid, uuid);
		snprintf(about, sizeof(about), " for Feature %s", uuid);
	} else if (l->has_id) {
		snprintf(about, sizeof(about), " for %02xh", l->id);
	}
	len = strlen(f->text);
	snprintf(f->text + len, sizeof(f->text) - len, "%s: %s", about, fwa_finding_text(l->code));
	len = strlen(f->text);
	if (l->bits && !is_about_effects(l))
		snprintf(f->text + len, sizeof(f->text) - len, " (%xh)", l->bits);
}

static int say(struct vfy_campaign *c, const struct contradiction *k, uint32_t runs)
{
	const struct fwa_finding *l = &k->f;
	struct vfy_finding f = {
		.kind = l->code == FWA_FINDING_UNSTABLE ? VFY_UNSTABLE : VFY_CONTRADICTION,
		.severity = l->code == FWA_FINDING_UNSTABLE ? VFY_MEDIUM : VFY_LOW,
		.set = l->set,
		.has_opcode = l->has_opcode,
		.opcode = l->opcode,
		.claim = { .declared = l->declared, .floor = l->expected, .listed = true },
		.undeclared = is_about_effects(l) ? l->bits : 0,
		.runs = runs,
		.reproduced = k->seen,
	};

	vfy_finding_subject(&f);
	describe(l, &f);
	vfy_finding_effects(&f);
	return vfy_finding_add(c, &f);
}

int vfy_contradictions(struct vfy_campaign *c)
{
	uint32_t repeats = c->args.repeats ? c->args.repeats : 3;
	struct list *l = calloc(1, sizeof(*l));
	int r = 0;

	if (!l)
		return -ENOMEM;
	l->first = true;
	fwa_lint(c->target.profile, note, l);
	l->first = false;
	for (uint32_t i = 1; l->n && i < repeats && r == 0; i++)
		r = read_again(c, l);
	for (size_t i = 0; i < l->n && r == 0; i++)
		if (l->at[i].seen >= repeats)
			r = say(c, &l->at[i], repeats);
		else
			c->not_confirmed++;
	c->dropped += l->more;
	free(l);
	return r;
}
