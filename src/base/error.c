/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

int fwa_fail(char error[FWA_ERROR_LEN], int r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(error, FWA_ERROR_LEN, format, ap);
	va_end(ap);
	return r;
}
