/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmitd's command line.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/number.h"
#include "base/util.h"
#include "daemon/daemon.h"
#include "daemon/varlink.h"
#include "host/state.h"

#define EXIT_USAGE 2
#define NAME_MAX_LEN 63
#define DEVICE_TIMEOUT_MAX (3600u * 1000)
#define JOURNAL_SIZE (UINT64_C(1) << 30)
#define JOURNAL_SEGMENT_MIN (UINT64_C(2) << 20) /* what may be unsynced, twice */
#define JOURNAL_DAYS_MAX 36500

static void help(void)
{
	printf("Usage: fwadmitd [OPTION]...\n"
	       "Serves the firmware of this machine's CXL and NVMe devices through fwadmit's "
	       "gate.\n"
	       "\n"
	       "      --socket-dir=DIR     where the sockets are made (default /run/fwadmit)\n"
	       "      --policy=DIR         read the policy from DIR alone\n"
	       "      --state-dir=DIR      where grants, baselines and quarantine are kept\n"
	       "                           (default /var/lib/fwadmit for root)\n"
	       "      --require-pinned     trust no declarations that are not pinned\n"
	       "      --device=NAME=SPEC   serve the device SPEC as NAME; may be repeated\n"
	       "      --no-discovery       serve only devices given with --device\n"
	       "      --mode=strict|linux  the rules to decide by (default strict)\n"
	       "      --device-timeout=MS  how long a device may take for a command\n"
	       "      --journal=DIR|none   where the journal is kept (default STATE/journal)\n"
	       "      --journal-key=FILE   sign it with this key (default: one is made, once)\n"
	       "      --journal-segment=BYTES  of each of its files (default 64M)\n"
	       "      --journal-size=BYTES of all of it; the oldest goes (default 1G)\n"
	       "      --journal-age=DAYS   what is older goes (default 0: never)\n"
	       "      --journal-reads=refuse|pass  while it cannot be written commands without\n"
	       "                           effects are refused, or pass unrecorded (default "
	       "refuse)\n"
	       "  -h, --help               show this help\n"
	       "      --version            show the version\n"
	       "\n"
	       "SIGHUP reads the policy again; one with an error leaves the old one in force.\n");
}

static int usage(const char *what, const char *value)
{
	fprintf(stderr, "fwadmitd: %s '%s' (see fwadmitd --help)\n", what, value);
	return EXIT_USAGE;
}

/* A name is part of paths and of policy patterns. */
static bool is_device_name(const char *name)
{
	static const char first[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	static const char all[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t len = strlen(name);

	return len >= 1 && len <= NAME_MAX_LEN && strspn(name, all) == len &&
	       strchr(first, name[0]) && strcmp(name, FWA_VARLINK_NAME) != 0;
}

/* Splits NAME=SPEC, in place. */
static int take_device(struct fwa_daemon_options *o, char *text)
{
	struct fwa_static_device *more;
	char *spec = strchr(text, '=');

	if (!spec || !spec[1])
		return usage("--device needs NAME=SPEC, not", text);
	*spec++ = '\0';
	if (!is_device_name(text))
		return usage("no name for a device:", text);
	for (size_t i = 0; i < o->n_devices; i++)
		if (strcmp(o->devices[i].name, text) == 0)
			return usage("two devices called", text);
	more = reallocarray(o->devices, o->n_devices + 1, sizeof(*more));
	if (!more)
		return EXIT_FAILURE;
	o->devices = more;
	o->devices[o->n_devices++] = (struct fwa_static_device){ text, spec };
	return 0;
}

static int take_timeout(struct fwa_daemon_options *o, const char *text)
{
	uint64_t ms;

	if (!fwa_parse_number(text, DEVICE_TIMEOUT_MAX, &ms) || ms == 0)
		return usage("--device-timeout needs milliseconds, at most an hour, not", text);
	o->device_timeout_ms = (unsigned int)ms;
	return 0;
}

/* "64M"; at least @min. */
static int take_size(const char *option, const char *text, uint64_t min, uint64_t *ret)
{
	static const char units[] = "KMG";
	size_t len = strlen(text);
	const char *unit = len ? strchr(units, text[len - 1]) : NULL;
	unsigned int shift = unit ? 10 * (unsigned int)(unit - units + 1) : 0;
	char number[24], what[80];
	uint64_t n;

	snprintf(number, sizeof(number), "%.*s", (int)(len - (unit != NULL)), text);
	if (fwa_parse_number(number, INT64_MAX >> shift, &n) && n << shift >= min) {
		*ret = n << shift;
		return 0;
	}
	snprintf(what, sizeof(what), "%s needs bytes, at least %llu, not", option,
		 (unsigned long long)min);
	return usage(what, text);
}

static int take_age(struct fwa_daemon_options *o, const char *text)
{
	uint64_t days;

	if (!fwa_parse_number(text, JOURNAL_DAYS_MAX, &days))
		return usage("--journal-age needs days, not", text);
	o->journal_age = days * 86400;
	return 0;
}

static int take_reads(struct fwa_daemon_options *o, const char *text)
{
	o->journal_reads_pass = strcmp(text, "pass") == 0;
	if (o->journal_reads_pass || strcmp(text, "refuse") == 0)
		return 0;
	return usage("--journal-reads needs refuse or pass, not", text);
}

enum {
	OPT_SOCKET_DIR = 256,
	OPT_POLICY,
	OPT_DEVICE,
	OPT_NO_DISCOVERY,
	OPT_MODE,
	OPT_STATE_DIR,
	OPT_REQUIRE_PINNED,
	OPT_DEVICE_TIMEOUT,
	OPT_JOURNAL,
	OPT_JOURNAL_KEY,
	OPT_JOURNAL_SEGMENT,
	OPT_JOURNAL_SIZE,
	OPT_JOURNAL_AGE,
	OPT_JOURNAL_READS,
	OPT_VERSION,
};

static const struct option options[] = {
	{ "socket-dir", required_argument, NULL, OPT_SOCKET_DIR },
	{ "policy", required_argument, NULL, OPT_POLICY },
	{ "device", required_argument, NULL, OPT_DEVICE },
	{ "no-discovery", no_argument, NULL, OPT_NO_DISCOVERY },
	{ "mode", required_argument, NULL, OPT_MODE },
	{ "state-dir", required_argument, NULL, OPT_STATE_DIR },
	{ "require-pinned", no_argument, NULL, OPT_REQUIRE_PINNED },
	{ "device-timeout", required_argument, NULL, OPT_DEVICE_TIMEOUT },
	{ "journal", required_argument, NULL, OPT_JOURNAL },
	{ "journal-key", required_argument, NULL, OPT_JOURNAL_KEY },
	{ "journal-segment", required_argument, NULL, OPT_JOURNAL_SEGMENT },
	{ "journal-size", required_argument, NULL, OPT_JOURNAL_SIZE },
	{ "journal-age", required_argument, NULL, OPT_JOURNAL_AGE },
	{ "journal-reads", required_argument, NULL, OPT_JOURNAL_READS },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* 0, or what the process is to exit with; -1 when it is none of the journal's. */
static int take_journal_option(struct fwa_daemon_options *o, int option)
{
	switch (option) {
	case OPT_JOURNAL:
		o->journal = optarg;
		return *optarg ? 0 : usage("--journal needs a directory, or none, not", optarg);
	case OPT_JOURNAL_KEY:
		o->journal_key = optarg;
		return 0;
	case OPT_JOURNAL_SEGMENT:
		return take_size("--journal-segment", optarg, JOURNAL_SEGMENT_MIN,
				 &o->journal_segment);
	case OPT_JOURNAL_SIZE:
		return take_size("--journal-size", optarg, JOURNAL_SEGMENT_MIN, &o->journal_size);
	case OPT_JOURNAL_AGE:
		return take_age(o, optarg);
	case OPT_JOURNAL_READS:
		return take_reads(o, optarg);
	default:
		return -1;
	}
}

/* 0 to go on; else the process is to exit with *ret_status. */
static int take_option(struct fwa_daemon_options *o, int option, int *ret_status)
{
	*ret_status = EXIT_SUCCESS;
	switch (option) {
	case OPT_SOCKET_DIR:
		o->socket_dir = optarg;
		return 0;
	case OPT_POLICY:
		o->policy_dir = optarg;
		return 0;
	case OPT_DEVICE:
		*ret_status = take_device(o, optarg);
		return *ret_status;
	case OPT_NO_DISCOVERY:
		o->discover = false;
		return 0;
	case OPT_MODE:
		o->mode = optarg;
		if (strcmp(optarg, "strict") == 0 || strcmp(optarg, "linux") == 0)
			return 0;
		*ret_status = usage("unknown mode", optarg);
		return 1;
	case OPT_STATE_DIR:
		o->state_dir = optarg;
		return 0;
	case OPT_REQUIRE_PINNED:
		o->require_pinned = true;
		return 0;
	case OPT_DEVICE_TIMEOUT:
		*ret_status = take_timeout(o, optarg);
		return *ret_status;
	case OPT_VERSION:
		printf("fwadmitd %s\n", FWADMIT_VERSION);
		return 1;
	case 'h':
		help();
		return 1;
	default:
		*ret_status = take_journal_option(o, option);
		if (*ret_status < 0) /* getopt_long() has said why */
			*ret_status = EXIT_USAGE;
		return *ret_status;
	}
}

int main(int argc, char **argv)
{
	struct fwa_daemon_options o = {
		.socket_dir = "/run/fwadmit",
		.mode = "strict",
		.discover = true,
		.journal_size = JOURNAL_SIZE,
	};
	fwa_auto_free char *state_dir = NULL;
	int option, status, stop = 0;

	while (!stop && (option = getopt_long(argc, argv, "h", options, NULL)) != -1)
		stop = take_option(&o, option, &status);
	if (!stop && optind < argc)
		status = stop = usage("unexpected argument", argv[optind]);
	state_dir = fwa_state_dir();
	if (!o.state_dir)
		o.state_dir = state_dir;
	if (!stop) {
		fwa_log_setup("fwadmitd");
		status = fwa_daemon_run(&o);
	}
	free(o.devices);
	return status;
}
