/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the device is, for the process that started us: its clients, what waits, and what is held. Sent
 * when it has changed, at most once a second.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "proto/control.h"

struct worker;

struct state {
	bool changed;                        /* perhaps: it is looked at when it is time */
	uint64_t sent;                       /* CLOCK_MONOTONIC ns */
	char text[FWA_CONTROL_TEXT_MAX + 1]; /* what was sent */
};

/* It may have changed. O(1), and no system call. */
void state_changed(struct worker *w);
/* When it is looked at next, CLOCK_MONOTONIC ns; UINT64_MAX: not before it changes. */
uint64_t state_next(const struct worker *w);
void state_run(struct worker *w, uint64_t now);
