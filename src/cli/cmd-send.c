/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit send: one command through the gate, and the device's answer; one that is too long in parts.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/advice.h"
#include "cli/output.h"
#include "cli/parts.h"
#include "cli/text.h"
#include "core/reason.h"
#include "core/status.h"
#include "wire/cxl.h"

#define BUSY_TIMEOUT_MS 60000
#define BUSY_INTERVAL_US 20000

struct sent {
	struct cli_parts parts;
	size_t part;            /* which of them, from 0 */
	struct fwa_command cmd; /* it */
	struct cli_verdict verdict;
	struct fwa_gate_reply reply;
	struct fwa_span data;
};

static void free_sent(struct sent *s)
{
	cli_parts_free(&s->parts);
}

static void print_json(const struct cli *cli, const struct cli_subject *subject,
		       const struct sent *s)
{
	struct json_object *o = cli_json_begin(cli);

	json_object_object_add(o, "device", cli_json_device(subject));
	json_object_object_add(o, "decision", cli_json_decision(cli, &s->verdict));
	json_object_object_add(o, "outcome",
			       cli_json_outcome(s->verdict.decision.set, &s->reply, s->data.len));
	json_object_object_add(o, "part", json_object_new_int64((int64_t)s->part + 1));
	json_object_object_add(o, "parts", json_object_new_int64((int64_t)s->parts.n));
	json_object_object_add(o, "output_hex", cli_json_hex(s->data.data, s->data.len));
	cli_json_end(o);
}

/* --- in text -------------------------------------------------------------------------------- */

/* What the kernel's errno means for a CXL command; it gives no other reason. */
static const char *kernel_hint(const struct fwa_gate_reply *r)
{
	if (r->decision.set != FWA_SET_CXL)
		return "";
	switch (r->transport_errno) {
	case EOPNOTSUPP:
		return "; it passes on what it has a number for, and the rest only when built with "
		       "CXL_MEM_RAW_COMMANDS";
	case EPERM:
		return "; by RAW it does not pass this command on, or nothing as it is locked down";
	default:
		return "";
	}
}

/* Where it stands in the journal; its number is what `fwadmit log show` takes. */
static const char *record_of(const struct sent *s, char text[48])
{
	if (s->reply.seq)
		snprintf(text, 48, "record %llu", (unsigned long long)s->reply.seq);
	else
		snprintf(text, 48, "not recorded");
	return text;
}

/*= spec/SECURITY-MODEL.md#C30 */
static void say_refused(const struct cli *cli, const struct sent *s, const char *command)
{
	const struct fwa_decision *d = &s->verdict.decision;
	struct cli_advice advice;
	char why[512], record[48];

	if (fwa_admitted(d)) {
		cli_fail(cli, CLI_REFUSED,
			 "%s was admitted, but the kernel does not take it: %s%s; %s", command,
			 strerror(s->reply.transport_errno), kernel_hint(&s->reply),
			 record_of(s, record));
		return;
	}
	cli_verdict_why(&s->verdict, why, sizeof(why));
	cli_advise(&s->verdict, &advice);
	cli_fail(cli, CLI_REFUSED, "%s refused: %s (C%u): %s; would pass: %s%s; %s", command,
		 fwa_reason_name(d->reason), fwa_reason_clause(d->reason), why, advice.pass[0],
		 s->verdict.remedy.grant ? " (`fwadmit explain` shows one)" : "",
		 record_of(s, record));
}

static void print_text(const struct cli *cli, const struct sent *s)
{
	const struct fwa_gate_reply *r = &s->reply;
	const struct fwa_decision *d = &s->verdict.decision;
	char command[160], name[96], record[48];

	cli_command_text(d->set, d->opcode, name, sizeof(name));
	snprintf(command, sizeof(command), "%s", name);
	if (s->parts.n > 1 && r->status != FWA_OUTCOME_COMPLETED)
		snprintf(command, sizeof(command), "%s, part %zu of %zu", name, s->part + 1,
			 s->parts.n);
	switch (r->status) {
	case FWA_OUTCOME_REFUSED:
		say_refused(cli, s, command);
		break;
	case FWA_OUTCOME_COMPLETED:
		cli_note(cli, "%s: %s", command, record_of(s, record));
		if (r->device_code) /* not an error: a background operation was started */
			cli_note(cli, "%s: the device returned %s (%02xh)%s", command,
				 fwa_status_name(d->set, r->device_code), r->device_code,
				 s->verdict.subject->embedded
					 ? ""
					 : "; `fwadmit status` shows how far it is");
		if (d->set != FWA_SET_CXL && r->device_result)
			printf("result %08xh\n", r->device_result);
		if (!cli_given(&cli->args, CLI_OPT_OUTPUT))
			cli_hex_dump(stdout, s->data.data, s->data.len);
		break;
	case FWA_OUTCOME_DEVICE_ERROR:
		cli_fail(cli, CLI_DEVICE_ERROR, "%s: the device returned %s (%02xh); %s", command,
			 fwa_status_name(d->set, r->device_code), r->device_code,
			 record_of(s, record));
		break;
	case FWA_OUTCOME_UNDELIVERABLE:
		cli_fail(cli, CLI_FAILED,
			 "%s was executed, but its answer could not be delivered; %s", command,
			 record_of(s, record));
		break;
	default:
		cli_fail(cli, CLI_FAILED,
			 "%s: %s; whether the device executed it is not known, and it was not "
			 "repeated; %s",
			 command, r->transport_errno ? strerror(r->transport_errno) : "no answer",
			 record_of(s, record));
		break;
	}
}

static int exit_code(const struct fwa_gate_reply *r)
{
	switch (r->status) {
	case FWA_OUTCOME_COMPLETED:
		return CLI_OK;
	case FWA_OUTCOME_REFUSED:
		return CLI_REFUSED;
	case FWA_OUTCOME_DEVICE_ERROR:
		return CLI_DEVICE_ERROR;
	default:
		return CLI_FAILED;
	}
}

/* --- sending -------------------------------------------------------------------------------- */

static int submit(const struct cli *cli, const struct cli_subject *subject, struct sent *s)
{
	unsigned int timeout = cli_timeout(cli, 0);
	int r;

	if (timeout) /* the gate gives up first, and says what it knows */
		fwa_client_set_timeout(subject->client, timeout + 2000);
	r = fwa_client_submit(subject->client, &s->cmd, timeout, &s->reply, &s->data);
	if (r < 0)
		return cli_fail(cli, CLI_FAILED,
				"%s: the gate did not answer: %s; whether the command was executed "
				"is not known",
				subject->name, strerror(-r));
	if (s->reply.error)
		return cli_fail(cli, CLI_FAILED, "%s: %s", subject->name,
				fwa_gate_error_text(s->reply.error));
	s->verdict.stale = s->verdict.decision.reason != s->reply.decision.reason;
	s->verdict.decision = s->reply.decision;
	s->verdict.grant = s->reply.grant;
	return CLI_OK;
}

/* The device does the part before still, and has not looked at this one. */
static bool is_busy(const struct sent *s)
{
	return s->cmd.set == FWA_SET_CXL && s->reply.status == FWA_OUTCOME_DEVICE_ERROR &&
	       s->reply.device_code == CXL_RC_BUSY;
}

static int submit_when_free(const struct cli *cli, const struct cli_subject *subject,
			    struct sent *s)
{
	uint64_t deadline = fwa_clock_ns(CLOCK_MONOTONIC) +
			    cli_timeout(cli, BUSY_TIMEOUT_MS) * UINT64_C(1000000);
	int r = submit(cli, subject, s);

	while (r == CLI_OK && s->part && is_busy(s) && fwa_clock_ns(CLOCK_MONOTONIC) < deadline) {
		usleep(BUSY_INTERVAL_US);
		r = submit(cli, subject, s);
	}
	return r;
}

/* For whoever waits at a terminal; @done of all parts, all of them to take it away again. */
static void progress(const struct cli *cli, const struct sent *s, size_t done)
{
	if (s->parts.n == 1 || cli->json || cli_given(&cli->args, CLI_OPT_QUIET) ||
	    !isatty(STDERR_FILENO))
		return;
	if (done < s->parts.n &&
	    (!done || done * 100 / s->parts.n != (done - 1) * 100 / s->parts.n))
		fprintf(stderr, "\r%zu %%", done * 100 / s->parts.n);
	else if (done == s->parts.n)
		fputs("\r\033[K", stderr);
}

/*
 * Sends all parts on the one connection, up to the first that is not done. What the device holds of
 * the others then is the gate's to abort, when the connection ends.
 */
static int submit_all(const struct cli *cli, const struct cli_subject *subject, struct sent *s)
{
	int r = CLI_OK;

	for (size_t i = 0; i < s->parts.n; i++) {
		s->part = i;
		s->cmd = cli_parts_get(&s->parts, i);
		progress(cli, s, i);
		r = submit_when_free(cli, subject, s);
		if (r != CLI_OK || s->reply.status != FWA_OUTCOME_COMPLETED)
			break;
	}
	progress(cli, s, s->parts.n);
	return r;
}

static int dry_run(const struct cli *cli, const struct cli_subject *subject, struct sent *s)
{
	s->reply.status = FWA_OUTCOME_DRY_RUN;
	if (cli->json)
		print_json(cli, subject, s);
	else
		cli_print_verdict(cli, &s->verdict);
	return fwa_admitted(&s->verdict.decision) ? CLI_OK : CLI_REFUSED;
}

static int check_output(const struct cli *cli)
{
	const char *path = cli->args.text[CLI_OPT_OUTPUT];

	if (!path || strcmp(path, "-") != 0)
		return CLI_OK;
	if (cli->json)
		return cli_fail(cli, CLI_USAGE, "--output=-: standard output has the JSON");
	if (isatty(STDOUT_FILENO))
		return cli_fail(cli, CLI_USAGE, "--output=-: not to a terminal");
	return CLI_OK;
}

static int send_it(const struct cli *cli, struct cli_subject *subject, struct sent *s)
{
	int r;

	fwa_client_ask_receipts(subject->client);
	s->cmd = cli_parts_get(&s->parts, 0);
	s->verdict = cli_verdict_of(subject, &s->cmd, cli_user_name());
	s->verdict.parts = s->parts.n;
	if (cli_given(&cli->args, CLI_OPT_DRY_RUN))
		return dry_run(cli, subject, s);
	r = submit_all(cli, subject, s);
	if (r == CLI_OK && s->reply.status == FWA_OUTCOME_COMPLETED &&
	    cli_given(&cli->args, CLI_OPT_OUTPUT))
		r = cli_write_output(cli, cli->args.text[CLI_OPT_OUTPUT], s->data);
	if (r != CLI_OK)
		return r;
	if (cli->json)
		print_json(cli, subject, s);
	else
		print_text(cli, s);
	return exit_code(&s->reply);
}

int cli_cmd_send(struct cli *cli)
{
	cli_auto_subject struct cli_subject subject = CLI_SUBJECT_NONE;
	cli_auto_command struct cli_command c = { 0 };
	__attribute__((cleanup(free_sent))) struct sent s = { 0 };
	int r;

	subject.journal.wanted = !cli_given(&cli->args, CLI_OPT_DRY_RUN);
	r = check_output(cli);
	if (r == CLI_OK)
		r = cli_subject_open_device(cli, cli->word[0], &subject);
	if (r == CLI_OK)
		r = cli_command_read(cli, &subject, cli->word[1], &c);
	if (r == CLI_OK)
		r = cli_parts_of(cli, &subject, &c, &s.parts);
	return r == CLI_OK ? send_it(cli, &subject, &s) : r;
}
