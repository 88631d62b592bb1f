/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The advisories in force, and what of them is about the device (C33).
 *
 * A table is folded once, when it comes or when the device is read again: no decision looks at what is
 * not about the device.
 */
#pragma once

#include "base/bytes.h"
#include "core/advisory.h"

struct worker;

/* Zeroed: there are none. */
struct advising {
	struct fwa_span table; /* what all views */
	struct fwa_advisories all;
	struct fwa_advice advice;
};

/*
 * Puts the table in the sealed memfd @fd in force, for everything that is judged from now on. Linear in
 * its length. 0, or negative errno and the one before stays.
 */
int advice_load(struct worker *w, int fd);
/* Who the device says that it is, or which firmware it has, may be another one. */
void advice_renew(struct worker *w);
/* Writes what of them is about the device as a table, which says of each command what all of them do. */
void advice_write(const struct worker *w, struct fwa_writer *out);
/* A message of whoever started us. */
void advice_on_advisories(struct worker *w, const char *text, int *fd);
