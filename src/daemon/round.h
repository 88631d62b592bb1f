/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A change under way: something is to be done when every worker that it concerns has acknowledged it.
 */
#pragma once

struct fwa_round;

/* @done is called once, when all holds are dropped; never from within a hold. NULL: no memory. */
struct fwa_round *fwa_round_new(void (*done)(void *userdata), void *userdata);
/* Whoever makes a round has one hold. */
void fwa_round_hold(struct fwa_round *r);
void fwa_round_drop(struct fwa_round *r);
