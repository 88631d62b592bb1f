/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Delta debugging: which of many things are needed for something to happen. Pure but for what the
 * caller's function does.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Tries the things @keep, @n indices in ascending order: 1 it happens with them alone, 0 it does not,
 * negative errno: no more can be tried.
 */
typedef int (*vfy_try_fn)(void *userdata, const uint32_t *keep, size_t n);

/*
 * Leaves in @keep, which holds *n ascending indices with which it happens, as few as it can, by at most
 * *budget calls of @try, of which the rest is left in *budget. 1: taking away any one of them was tried,
 * and it does not happen then; 0: the budget ended before that; negative errno of @try. In all cases it
 * happened with what is left when it was tried, or nothing was taken away.
 */
int vfy_minimise(uint32_t *keep, size_t *n, size_t *budget, vfy_try_fn try_fn, void *userdata);
