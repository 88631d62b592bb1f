/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What changes because something else is read.
 */
#include <errno.h>

#include "verify/compare.h"

/* How often one must stay as it is, and how often it must change, before anybody is said to change it. */
#define TIMES 3

struct watching {
	struct vfy_plan plan; /* of the one that may be disturbed */
	struct vfy_snapshot s[2];
	struct fwa_device *dev;
	vfy_submit_fn submit;
	void *userdata;
	bool differs;
};

static void on_difference(void *userdata, const struct vfy_difference *d)
{
	struct watching *w = userdata;

	w->differs = true;
}

static int look(struct watching *w, int i)
{
	return vfy_observe(&w->plan, w->dev, w->submit, w->userdata, NULL, &w->s[i]);
}

/* Whether the one differs each time @by is read between, or never when that is NULL: in *ret. */
static int always(struct watching *w, const struct vfy_plan *by, struct vfy_snapshot *by_snapshot,
		  bool *ret)
{
	*ret = true;
	for (int i = 0; i < TIMES && *ret; i++) {
		int r = look(w, 0);

		if (r == 0 && by && by_snapshot)
			r = vfy_observe(by, w->dev, w->submit, w->userdata, NULL, by_snapshot);
		if (r == 0)
			r = look(w, 1);
		if (r < 0)
			return r;
		w->differs = false;
		vfy_compare(&w->plan, NULL, &w->s[0], &w->s[1], on_difference, w);
		*ret = w->differs == (by != NULL);
	}
	return 0;
}

static int try_one(struct watching *w, const struct vfy_plan *plan, size_t by, bool *ret)
{
	struct vfy_snapshot s = { 0 };
	struct vfy_plan other;
	int r = vfy_plan_only(&other, plan, by);

	if (r == 0)
		r = vfy_snapshot_make(&s, &other);
	if (r == 0)
		r = always(w, &other, &s, ret);
	vfy_snapshot_clear(&s);
	vfy_plan_clear(&other);
	return r;
}

static int search(struct watching *w, const struct vfy_plan *plan, size_t i, size_t *ret_by)
{
	bool found = false;
	int r = look(w, 0); /* what the first reading changes is another matter */

	if (r == 0)
		r = always(w, NULL, NULL, &found);
	if (r < 0 || !found)
		return r;
	for (size_t by = 0; by < plan->n; by++) {
		if (by == i)
			continue;
		r = try_one(w, plan, by, &found);
		if (r < 0)
			return r;
		if (!found)
			continue;
		r = always(w, NULL, NULL, &found); /* and without it nothing changes, still */
		if (r < 0 || !found)
			return r;
		*ret_by = by;
		return 1;
	}
	return 0;
}

int vfy_disturbed(const struct vfy_plan *plan, struct fwa_device *dev, vfy_submit_fn submit,
		  void *userdata, size_t i, size_t *ret_by)
{
	struct watching w = { .dev = dev, .submit = submit, .userdata = userdata };
	int r = vfy_plan_only(&w.plan, plan, i);

	for (int k = 0; k < 2 && r == 0; k++)
		r = vfy_snapshot_make(&w.s[k], &w.plan);
	if (r == 0)
		r = search(&w, plan, i, ret_by);
	for (int k = 0; k < 2; k++)
		vfy_snapshot_clear(&w.s[k]);
	vfy_plan_clear(&w.plan);
	return r;
}
