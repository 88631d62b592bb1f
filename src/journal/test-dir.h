/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests on a real disk: a folder of the test's own.
 */
#pragma once

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

static char dir[64];
static int dirfd_;

static inline int set_up(void **state)
{
	strcpy(dir, "/tmp/fwadmit-journal-XXXXXX");
	dirfd_ = mkdtemp(dir) ? open(dir, O_RDONLY | O_DIRECTORY) : -1;
	return dirfd_ < 0;
}

static inline int tear_down(void **state)
{
	char command[128];

	fwa_close(dirfd_);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}
