/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Profiles to try the generator on: those of simulated devices, of QEMU's, and random ones.
 */
#pragma once

#include "core/profile.h"

struct test_profile {
	uint8_t *encoded;
	struct fwa_profile *profile;
};

/* Of a device that the transport opens: false, with a line on stderr, when it cannot. */
bool test_profile_of(struct test_profile *p, const char *spec);
/* Declarations, sizes, Features, logs and namespaces out of @seed, sensible or not. */
void test_profile_random(struct test_profile *p, uint64_t seed);
void test_profile_clear(struct test_profile *p);
