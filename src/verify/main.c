/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit-verify: holds a device to its word. Started by `fwadmit verify`, or by hand.
 *
 * The document goes to --out-fd, lines for people to stderr. The exit code is 0 when nothing accuses the
 * device (--replay: it did not happen again), 8 when something does (it did), 1 when it could not be done,
 * 2 for wrong options, 3 when there is no such device.
 *
 * Order matters: who uses the device is found out, and it is held against that, before it is confined; and
 * only then its first byte is read.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/number.h"
#include "base/util.h"
#include "host/discover.h"
#include "verify/confine.h"
#include "verify/evidence.h"
#include "verify/json.h"
#include "verify/preview.h"
#include "verify/safety.h"

#define TIMEOUT_MS 2000u
/* A simulated device answers at once or never: there a short campaign waits for less. */
#define TIMEOUT_SIM_MS 250u
#define TIMEOUTS_OF_BUDGET 20u
#define TIMEOUT_MS_MAX 600000u

enum {
	OK = 0,
	FAILED = 1,
	USAGE = 2,
	NO_DEVICE = 3,
	ACCUSED = 8,
};

struct options {
	struct vfy_campaign_args args;
	bool has_probe, plan, progress;
	const char *replay;
	int out_fd;
};

static const struct option long_options[] = {
	{ "device", required_argument, NULL, 'd' },
	{ "seed", required_argument, NULL, 's' },
	{ "probe", required_argument, NULL, 'p' },
	{ "budget-ms", required_argument, NULL, 'M' },
	{ "budget-commands", required_argument, NULL, 'C' },
	{ "set", required_argument, NULL, 'S' },
	{ "opcode", required_argument, NULL, 'O' },
	{ "phases", required_argument, NULL, 'P' },
	{ "repeats", required_argument, NULL, 'R' },
	{ "timeout", required_argument, NULL, 'T' },
	{ "serial", required_argument, NULL, 'N' },
	{ "plan", no_argument, NULL, 'L' },
	{ "replay", required_argument, NULL, 'r' },
	{ "out-fd", required_argument, NULL, 'o' },
	{ "progress", no_argument, NULL, 'v' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

static volatile int stop;

static void say(const char *text)
{
	fprintf(stderr, "fwadmit-verify: %s\n", text);
}

/* --- options ----------------------------------------------------------------------------------------- */

static void usage(const char *option, const char *text)
{
	fprintf(stderr, "fwadmit-verify: --%s: not \"%.64s\"\n", option, text);
	exit(USAGE);
}

static uint64_t take_number(const char *option, const char *text, uint64_t max)
{
	uint64_t n;

	if (!fwa_parse_number(text, max, &n))
		usage(option, text);
	return n;
}

/* The number of the word that @name gives. */
static unsigned int take_word(const char *option, const char *text, size_t len,
			      const char *(*name)(unsigned int), unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (strlen(name(i)) == len && strncmp(name(i), text, len) == 0)
			return i;
	usage(option, text);
	return 0;
}

/* "valid,random" */
static uint32_t take_phases(const char *text)
{
	uint32_t phases = 0;

	for (;;) {
		size_t len = strcspn(text, ",");

		phases |= 1u << take_word("phases", text, len, vfy_phase_name, VFY_PHASES);
		if (!text[len])
			return phases;
		text += len + 1;
	}
}

static void take_option(struct options *o, int c)
{
	struct vfy_campaign_args *a = &o->args;

	switch (c) {
	case 'd':
		a->spec = optarg;
		break;
	case 's':
		a->seed = take_number("seed", optarg, UINT64_MAX);
		break;
	case 'p':
		a->probe = (uint8_t)take_word("probe", optarg, strlen(optarg), vfy_probe_name,
					      VFY_PROBES);
		o->has_probe = true;
		break;
	case 'M':
		a->budget.ms = take_number("budget-ms", optarg, UINT64_MAX);
		break;
	case 'C':
		a->budget.commands = take_number("budget-commands", optarg, UINT64_MAX);
		break;
	case 'S':
		a->only_set =
			(int)take_word("set", optarg, strlen(optarg), fwa_set_name, FWA_SET_COUNT);
		break;
	case 'O':
		a->only_opcode = (uint32_t)take_number("opcode", optarg, UINT16_MAX);
		break;
	case 'P':
		a->phases = take_phases(optarg);
		break;
	case 'R':
		a->repeats = (unsigned int)take_number("repeats", optarg, 100);
		break;
	case 'T':
		a->timeout_ms = (unsigned int)take_number("timeout", optarg, TIMEOUT_MS_MAX);
		break;
	case 'N':
		a->serial = optarg;
		break;
	case 'L':
		o->plan = true;
		break;
	case 'r':
		o->replay = optarg;
		break;
	case 'o':
		o->out_fd = (int)take_number("out-fd", optarg, 1 << 20);
		break;
	case 'v':
		o->progress = true;
		break;
	case 'V':
		exit(printf("fwadmit-verify %s\n", FWADMIT_VERSION) < 0);
	default:
		exit(USAGE);
	}
}

static bool is_disposable(const char *spec)
{
	return strncmp(spec, "sim:", 4) == 0 || strncmp(spec, "qtest:", 6) == 0;
}

static unsigned int default_timeout(const struct vfy_campaign_args *a)
{
	uint64_t ms = a->budget.ms / TIMEOUTS_OF_BUDGET;

	if (!ms || ms >= TIMEOUT_MS || strncmp(a->spec, "sim:", 4))
		return TIMEOUT_MS;
	return ms < TIMEOUT_SIM_MS ? TIMEOUT_SIM_MS : (unsigned int)ms;
}

static void take_options(int argc, char **argv, struct options *o)
{
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		take_option(o, c);
	if (!o->args.spec || optind != argc) {
		say("--device=SPEC is needed, and no other words");
		exit(USAGE);
	}
	if (o->args.only_set < 0 && o->args.only_opcode) {
		say("--opcode needs --set");
		exit(USAGE);
	}
	if (!o->has_probe && is_disposable(o->args.spec))
		o->args.probe = VFY_PROBE_DESTRUCTIVE;
	if (!o->args.timeout_ms)
		o->args.timeout_ms = default_timeout(&o->args);
}

/* --- output ------------------------------------------------------------------------------------------- */

static int write_out(const struct options *o, json_object *document)
{
	fwa_auto_free char *text = document ? vfy_json_file(document) : NULL;
	int r;

	json_object_put(document);
	if (!text) {
		say("out of memory");
		return FAILED;
	}
	r = fwa_write_all(o->out_fd, fwa_span(text, strlen(text)));
	if (r == 0)
		return OK;
	fprintf(stderr, "fwadmit-verify: the document cannot be written: %s\n", strerror(-r));
	return FAILED;
}

static void on_progress(void *userdata, const struct vfy_campaign *c)
{
	size_t *said = userdata;

	if (*said > c->n_findings) /* one stands for others now */
		*said = c->n_findings;
	for (; *said < c->n_findings; ++*said)
		fprintf(stderr, "%s: %s\n", vfy_severity_name(c->finding[*said].severity),
			c->finding[*said].text);
	fprintf(stderr, "%llu experiments, %llu commands, %zu findings, %llu ms\n",
		(unsigned long long)c->experiments, (unsigned long long)c->target.commands,
		c->n_findings, (unsigned long long)c->elapsed_ms);
}

static int code_of(int r)
{
	return r == -ENODEV || r == -ENOENT || r == -EINVAL ? NO_DEVICE : FAILED;
}

/* --- what there is to do -------------------------------------------------------------------------------- */

static int run_plan(const struct options *o)
{
	char error[FWA_ERROR_LEN];
	json_object *document;
	int r = vfy_preview(&o->args, &document, error);

	if (r == 0)
		return write_out(o, document);
	say(error);
	return code_of(r);
}

static int run_campaign(struct options *o)
{
	struct vfy_campaign c;
	size_t said = 0;
	int r, code;

	if (o->progress) {
		o->args.progress = on_progress;
		o->args.userdata = &said;
	}
	o->args.stop = &stop;
	r = vfy_campaign_run(&c, &o->args);
	if (r < 0) {
		say(c.target.error);
		code = c.target.dev ? FAILED : code_of(r);
	} else {
		code = strcmp(vfy_campaign_verdict(&c), "breach") ? OK : ACCUSED;
		if (write_out(o, vfy_campaign_json(&c)) != OK)
			code = FAILED;
	}
	vfy_campaign_clear(&c);
	return code;
}

static json_object *replay_document(const struct options *o, const struct vfy_evidence *e,
				    const struct vfy_replayed *r, const char *why)
{
	static const char *const outcomes[] = {
		[VFY_REPRODUCED] = "reproduced",
		[VFY_NOT_REPRODUCED] = "not-reproduced",
		[VFY_OTHER_DEVICE] = "other-device",
		[VFY_NOT_RUN] = "not-run",
	};
	struct vfy_json j = { 0 };
	json_object *d = vfy_json_object(&j);

	vfy_json_number(&j, d, "format_version", 1);
	vfy_json_text(&j, d, "kind", "fwadmit-replay");
	vfy_json_text(&j, d, "evidence", e->id);
	vfy_json_text(&j, d, "text", e->finding.text);
	vfy_json_text(&j, d, "device", o->args.spec);
	vfy_json_text(&j, d, "outcome", outcomes[r->outcome]);
	vfy_json_bool(&j, d, "same", r->same);
	vfy_json_text(&j, d, "why", why);
	vfy_json_number(&j, d, "runs", r->runs);
	vfy_json_number(&j, d, "reproduced", r->reproduced);
	vfy_json_number(&j, d, "controls", r->controls);
	vfy_json_number(&j, d, "control_changed", r->control_changed);
	if (!j.failed)
		return d;
	json_object_put(d);
	return NULL;
}

static int run_replay(const struct options *o, const struct vfy_evidence *e)
{
	struct vfy_replayed replayed;
	char why[FWA_ERROR_LEN];
	int r = vfy_replay(e, &o->args, &replayed, why), code;

	if (r < 0) {
		say(why);
		return code_of(r);
	}
	code = replayed.outcome == VFY_NOT_RUN ? FAILED : replayed.same ? ACCUSED : OK;
	if (replayed.outcome == VFY_NOT_RUN)
		say(why);
	if (write_out(o, replay_document(o, e, &replayed, why)) != OK)
		code = FAILED;
	vfy_finding_clear(&replayed.finding);
	return code;
}

/* --- before that ------------------------------------------------------------------------------------------ */

/* Whether fwadmitd serves it: then others use it at the same time, and its journal has nothing of this. */
static void warn_of_daemon(const char *name)
{
	char path[96];
	struct stat st;

	snprintf(path, sizeof(path), "/run/fwadmit/%s.sock", name);
	if (stat(path, &st) == 0)
		fprintf(stderr,
			"fwadmit-verify: fwadmitd serves %s: what is sent now goes round the gate, "
			"and is not in its journal\n",
			name);
}

/* Only for what is not ours alone. What is held stays so until this process ends. */
static int check_use(const struct options *o)
{
	const char *path = vfy_spec_path(o->args.spec);
	char error[FWA_ERROR_LEN];
	struct fwa_found found;
	struct vfy_hold hold;
	int r;

	if (!path)
		return OK;
	r = fwa_discover_path(path, &found, error);
	if (r < 0) {
		say(error);
		return NO_DEVICE;
	}
	warn_of_daemon(found.name);
	if (o->args.probe == VFY_PROBE_READ_ONLY || o->plan)
		return OK;
	if (vfy_hold_take(&hold, &vfy_this_host, found.name, error) == 0)
		return OK;
	say(error);
	return FAILED;
}

static int read_evidence(const char *path, struct vfy_evidence *e)
{
	fwa_auto_free uint8_t *text = NULL;
	char error[FWA_ERROR_LEN];
	size_t len;
	int r = fwa_read_file(path, VFY_EVIDENCE_MAX, &text, &len);

	if (r < 0)
		fwa_fail(error, r, "%s", strerror(-r));
	else
		r = vfy_evidence_read(e, fwa_span(text, len), error);
	if (r < 0)
		fprintf(stderr, "fwadmit-verify: %.128s: %s\n", path, error);
	return r < 0 ? FAILED : OK;
}

static void on_signal(int signal)
{
	stop = 1;
}

static int begin(const struct options *o)
{
	struct sigaction end = { .sa_handler = on_signal, .sa_flags = SA_RESTART | SA_RESETHAND };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	char error[FWA_ERROR_LEN];
	int r = vfy_confine_begin(), code;

	if (r < 0) {
		say(strerror(-r));
		return FAILED;
	}
	if (!o->replay) { /* of which there is nothing to be said before its end */
		sigaction(SIGINT, &end, NULL);
		sigaction(SIGTERM, &end, NULL);
	}
	sigaction(SIGPIPE, &ignore, NULL);
	code = check_use(o);
	if (code != OK)
		return code;
	r = vfy_confine(o->args.spec, error);
	if (r == 0)
		return OK;
	say(error);
	return code_of(r);
}

int main(int argc, char **argv)
{
	struct options o = { .args = { .only_set = -1 }, .out_fd = STDOUT_FILENO };
	struct vfy_evidence evidence = { 0 };
	int code;

	take_options(argc, argv, &o);
	code = o.replay ? read_evidence(o.replay, &evidence) : OK;
	if (code == OK)
		code = begin(&o);
	if (code == OK && o.replay)
		code = run_replay(&o, &evidence);
	else if (code == OK)
		code = o.plan ? run_plan(&o) : run_campaign(&o);
	vfy_evidence_clear(&evidence);
	return code;
}
