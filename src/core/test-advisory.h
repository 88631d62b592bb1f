/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests of advisories share: tables in one buffer, and devices that only say who they are.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/pattern.h"
#include "core/decide.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static uint8_t buf[1024 * 1024];
static const uint8_t digest[32] = { 0xd1, 0x9e };

static inline size_t encode(const struct fwa_advisory *all, uint32_t n)
{
	struct fwa_writer w = fwa_writer(buf, sizeof(buf));

	fwa_advisories_write(&w, all, n, digest);
	assert_false(w.full);
	return w.len;
}

/* 0 when @all make a table; -1 when they do not. */
static inline int parse(struct fwa_advisories *a, const struct fwa_advisory *all, uint32_t n)
{
	return fwa_advisories_parse(a, fwa_span(buf, encode(all, n)));
}

static inline struct fwa_profile device(unsigned int family, const char *vendor, const char *model,
					const char *firmware)
{
	struct fwa_profile p = { .family = (uint8_t)family };

	snprintf(p.id.vendor, sizeof(p.id.vendor), "%s", vendor);
	snprintf(p.id.model, sizeof(p.id.model), "%s", model);
	snprintf(p.id.firmware, sizeof(p.id.firmware), "%s", firmware);
	return p;
}

static inline void fold(const struct fwa_advisories *a, const struct fwa_profile *p,
			struct fwa_advice *advice)
{
	fwa_advice_fold(a, p, fwa_pattern_matches, strcmp, advice);
}
