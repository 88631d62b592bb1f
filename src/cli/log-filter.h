/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which records: --since, --until, --device, --user, --refused, --effects.
 */
#pragma once

#include "cli/log-entry.h"

#define CLI_FILTER_MAX 64u /* users, and patterns of devices */

struct cli_filter {
	uint64_t since, until; /* ns; 0 and UINT64_MAX: any */
	bool refused;
	bool by_effects, no_effects; /* @effects at all; those without any */
	fwa_effects effects;
	uint32_t n_uids, n_devices;
	uint32_t uid[CLI_FILTER_MAX];
	char *device[CLI_FILTER_MAX]; /* patterns, views of @patterns */
	char *patterns;               /* owned */
	bool all;                     /* the journal's own records, too */
	bool outcomes;                /* and outcomes, as records of their own */
	bool decisions;               /* nothing else */
};

#define cli_auto_filter __attribute__((cleanup(cli_filter_clear)))

/* Reads the options. CLI_OK, or the exit code after cli_fail(). */
int cli_filter_read(const struct cli *cli, struct cli_filter *ret);
void cli_filter_clear(struct cli_filter *f);
/* Whether @e, of which all but the outcome is set, is wanted. */
bool cli_filter_takes(const struct cli_filter *f, const struct cli_entry *e);
bool cli_filter_takes_device(const struct cli_filter *f, const char *name);
/* Whether it asks for what an index can find. */
bool cli_filter_selects(const struct cli_filter *f);
/* Whether records other than decisions can be wanted. */
bool cli_filter_takes_others(const struct cli_filter *f);
