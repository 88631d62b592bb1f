/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One line a message. The journal takes the priority from its front; people see the program's name.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"

static bool journal;
static const char *program = "fwadmit";

void fwa_log_setup(const char *name)
{
	const char *stream = getenv("JOURNAL_STREAM"); /* systemd.exec(5): device:inode */
	char mine[64];
	struct stat st;

	program = name;
	if (!stream || fstat(2, &st) < 0)
		return;
	snprintf(mine, sizeof(mine), "%lu:%lu", (unsigned long)st.st_dev, (unsigned long)st.st_ino);
	journal = strcmp(mine, stream) == 0;
}

void fwa_log(int priority, const char *format, ...)
{
	char line[2048];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	fwa_make_printable(line); /* it may quote others: one line, no escape sequences */
	if (journal)
		fprintf(stderr, "<%d>%s\n", priority, line);
	else
		fprintf(stderr, "%s: %s%s\n", program, priority == LOG_WARNING ? "warning: " : "",
			line);
}
