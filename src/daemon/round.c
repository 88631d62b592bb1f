/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/round.h"

#include <stdlib.h>

struct fwa_round {
	unsigned int holds;
	void (*done)(void *userdata);
	void *userdata;
};

struct fwa_round *fwa_round_new(void (*done)(void *userdata), void *userdata)
{
	struct fwa_round *r = malloc(sizeof(*r));

	if (r)
		*r = (struct fwa_round){ 1, done, userdata };
	return r;
}

void fwa_round_hold(struct fwa_round *r)
{
	r->holds++;
}

void fwa_round_drop(struct fwa_round *r)
{
	if (--r->holds > 0)
		return;
	r->done(r->userdata);
	free(r);
}
