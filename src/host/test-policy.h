/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of policy files share.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "host/policy-internal.h"

#define MESSAGES 8192

#define GOOD "[grant a]\nuser = root\ndevice = mem0\nscope = debug-write\n"

/* Messages, one a line: "E:LINE:TEXT" or "W:LINE:TEXT". */
static inline void collect(const struct fwa_policy_message *m, void *userdata)
{
	char *all = userdata;
	size_t n = strlen(all);

	snprintf(all + n, MESSAGES - n, "%s%c:%u:%s", n ? "\n" : "", m->error ? 'E' : 'W', m->line,
		 m->text);
}

static inline struct fwa_policy_files *parse(const char *text, size_t len, char messages[MESSAGES],
					     int *ret_r)
{
	struct fwa_policy_files *p = NULL;

	messages[0] = '\0';
	*ret_r =
		fwa_policy_files_parse_memory("x.conf", fwa_span(text, len), collect, messages, &p);
	return p;
}
