/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lanes: the threads in which a device's calls wait, so that nobody else does.
 *
 * They are made before the sandbox closes and live as long as the worker. A lane touches the device
 * and the one job that it was given, nothing else; all state of the worker belongs to the main
 * thread.
 */
#pragma once

#include <pthread.h>

#include "base/list.h"

#define LANES_MAX 8u

/* What a lane is given; part of a job. */
struct errand {
	struct fwa_link link;
	void (*run)(struct errand *e); /* in the lane */
};

struct lanes {
	unsigned int n;    /* 0: the device answers at once and needs none */
	unsigned int busy; /* the main thread's own count */
	int done_fd;       /* readable when errands are done */
	pthread_mutex_t lock;
	pthread_cond_t work;
	unsigned int started;
	struct fwa_link inbox, outbox;
};

/*
 * Starts @n threads (0 is fine), which run when this returns: a thread's own beginning makes system
 * calls that the sandbox does not allow. 0 or negative errno.
 */
int lanes_start(struct lanes *l, unsigned int n);
/* Whether one is free. */
bool lanes_free(const struct lanes *l);
/* Gives @e to a free lane. */
void lanes_give(struct lanes *l, struct errand *e);
/* Moves what is done to @ret, which is an empty list; done_fd is not readable after it. */
void lanes_collect(struct lanes *l, struct fwa_link *ret);
