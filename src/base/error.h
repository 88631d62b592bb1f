/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One line that says what went wrong and why. Library code never prints: it fills the line that its
 * caller has for it, and returns a negative errno.
 */
#pragma once

#define FWA_ERROR_LEN 256 /* with the final NUL; what is longer is cut */

/* Fills @error and returns @r. */
int fwa_fail(char error[FWA_ERROR_LEN], int r, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
