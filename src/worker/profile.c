/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the profile, once and again, and asking what it is held to.
 */
#include "worker/worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/util.h"
#include "proto/control.h"
#include "wire/cxl.h"
#include "wire/nvme.h"
#include "worker/lease-own.h"

/* One reading: the gate's own job. */
struct reading {
	struct job job; /* first: job_free() frees the whole */
	uint8_t *encoded;
	size_t len;
	char error[FWA_ERROR_LEN];
};

/* --- taking a reading ----------------------------------------------------------------------------- */

/*
 * Puts the encoded profile in force; takes it over, less the room that it does not fill. False, and
 * nothing is declared, when it is none.
 */
static bool take(struct worker *w, uint8_t *encoded, size_t len)
{
	uint8_t *fitting = realloc(encoded, len ? len : 1);
	bool ok;

	if (fitting)
		encoded = fitting;
	ok = fwa_profile_parse(&w->profile, fwa_span(encoded, len)) == 0 &&
	     fwa_profile_check(&w->profile);

	if (!ok)
		memset(&w->profile, 0, sizeof(w->profile));
	free(w->encoded);
	w->encoded = encoded;
	journal_new_profile(w);
	sessions_unfold(w); /* conditions of grants name what the device says of itself */
	advice_renew(w);    /* as those of advisories do */
	return ok;
}

/* In place of one that cannot be had: who the device was, and nothing that it declares. */
static void take_nothing(struct worker *w)
{
	size_t cap = 1024;
	uint8_t *encoded = malloc(cap);
	struct fwa_writer out = fwa_writer(encoded, encoded ? cap : 0);

	fwa_profile_begin(&out, (enum fwa_family)w->profile.family);
	fwa_profile_add_identity(&out, &w->profile.id);
	take(w, encoded, out.len);
	w->profiling.lost = true;
}

int profile_first(struct worker *w, char error[FWA_ERROR_LEN])
{
	uint8_t *encoded = malloc(FWA_PROFILE_MAX);
	struct fwa_writer out = fwa_writer(encoded, encoded ? FWA_PROFILE_MAX : 0);
	int r = encoded ? fwa_profile_read(w->device, &out, error) : -ENOMEM;

	if (r < 0) {
		free(encoded);
		return r;
	}
	if (!take(w, encoded, out.len))
		return fwa_fail(error, -EPROTO, "its declarations are too long or make no profile");
	return 0;
}

/* --- reading again -------------------------------------------------------------------------------- */

static void read_device(struct job *j)
{
	struct reading *r = (struct reading *)j;
	struct fwa_writer out = fwa_writer(r->encoded, FWA_PROFILE_MAX);

	j->result = fwa_profile_read(j->worker->device, &out, r->error);
	r->len = out.len;
}

static bool same_device(const struct fwa_profile *p, enum fwa_family family,
			const struct fwa_identity *was)
{
	return p->family == family && strcmp(p->id.vendor, was->vendor) == 0 &&
	       strcmp(p->id.model, was->model) == 0 && strcmp(p->id.serial, was->serial) == 0;
}

/* The device gave no profile: there is nothing to judge by. */
/*= spec/SECURITY-MODEL.md#C23 */
static void lose(struct worker *w, int error, const char *text)
{
	char line[FWA_ERROR_LEN + 64];

	take_nothing(w);
	if (error == -ENODEV) {
		worker_device_gone(w);
		return;
	}
	snprintf(line, sizeof(line), "its profile could not be read again: %s",
		 text[0] ? text : strerror(-error));
	quarantine(w, error == -ETIMEDOUT ? FWA_QUARANTINE_TIME_OUT : FWA_QUARANTINE_GARBAGE, line);
}

/* Holds no longer, unless there is a reason to read once more. */
static void settle(struct worker *w)
{
	w->profiling.busy = w->profiling.asked = false;
	w->hold = false;
	if (w->profiling.due)
		profile_on_reprofile(w, "", NULL);
	if (!w->hold)
		jobs_start(w);
}

static void read_done(struct worker *w, struct job *j)
{
	struct reading *r = (struct reading *)j;
	struct fwa_identity was = w->profile.id;
	enum fwa_family family = (enum fwa_family)w->profile.family;
	uint8_t *encoded = fwa_steal(r->encoded);
	bool ok = j->result == 0;

	if (ok)
		ok = take(w, encoded, r->len);
	else
		free(encoded);
	if (!ok && !w->profile.family) { /* was no profile: keep who it was */
		w->profile.family = (uint8_t)family;
		w->profile.id = was;
		advice_renew(w);
	}
	if (!ok) {
		lose(w, j->result ? j->result : -EPROTO, r->error);
		settle(w);
	} else {
		w->profiling.lost = false;
		if (!same_device(&w->profile, family, &was)) /*= spec/SECURITY-MODEL.md#C22 */
			quarantine(w, FWA_QUARANTINE_IDENTITY,
				   "it gives another vendor, model or serial number than before");
		if (profile_tell(w) < 0)
			w->ending = true; /* who started us is gone */
	}
	job_free(j);
}

/* It is read when the quarantine is over. */
static void not_read(struct worker *w, struct job *j)
{
	free(((struct reading *)j)->encoded);
	job_free(j);
	w->profiling.due = true;
	settle(w);
}

/* Nothing is judged from now on until the profile was read and told, and BASELINE has come. */
/*= spec/SECURITY-MODEL.md#C23 */
static void begin(struct worker *w)
{
	struct reading *r = calloc(1, sizeof(*r));

	w->hold = w->profiling.busy = true;
	w->profiling.due = w->profiling.after_background = false;
	if (r)
		r->encoded = malloc(FWA_PROFILE_MAX);
	if (!r || !r->encoded) {
		free(r);
		lose(w, -ENOMEM, "");
		settle(w);
		return;
	}
	r->job.work = read_device;
	r->job.done = read_done;
	r->job.drop = not_read;
	r->job.wait.class = JOB_ALONE;
	job_own(w, &r->job);
}

/* A device that is quarantined gets nothing, this neither. */
static void begin_when_possible(struct worker *w)
{
	if (w->profiling.busy || w->quarantine)
		w->profiling.due = true;
	else if (!w->gone)
		begin(w);
}

void profile_on_reprofile(struct worker *w, const char *text, int *fd)
{
	begin_when_possible(w);
}

void profile_recover(struct worker *w)
{
	if (w->profiling.lost || w->profiling.due)
		begin_when_possible(w);
}

/* --- when ----------------------------------------------------------------------------------------- */

/* CXL Activate FW; NVMe Firmware Commit that activates without a reset. */
static bool activates_firmware(const struct fwa_command *cmd)
{
	if (cmd->set == FWA_SET_CXL)
		return cmd->opcode == CXL_OP_ACTIVATE_FW;
	return cmd->set == FWA_SET_NVME_ADMIN && cmd->opcode == NVME_OP_FW_COMMIT &&
	       NVME_COMMIT_ACTION(cmd->cdw[0]) == NVME_COMMIT_ACTIVATE_NOW;
}

bool profile_may_change(const struct fwa_command *cmd, fwa_effects effects)
{
	return activates_firmware(cmd) ||
	       effects & (FWA_EFFECT_NAMESPACE_CAPABILITY | FWA_EFFECT_NAMESPACE_INVENTORY);
}

/* What failed or is not known to have been executed may have changed it all the same. */
/*= spec/SECURITY-MODEL.md#C23 */
void profile_follow(struct worker *w, const struct job *j)
{
	const struct fwa_gate_reply *reply = &j->reply;

	if (reply->status == FWA_OUTCOME_REFUSED ||
	    !profile_may_change(&j->cmd, reply->decision.effects))
		return;
	if (reply->status == FWA_OUTCOME_COMPLETED && reply->device_code == CXL_RC_BACKGROUND &&
	    j->cmd.set == FWA_SET_CXL && w->leases.work.held && !w->leases.work.mute)
		w->profiling.after_background = true;
	else
		begin_when_possible(w);
}

void profile_settle(struct worker *w)
{
	if (!w->profiling.after_background || w->profiling.busy)
		return;
	lease_refresh(w); /* so that nothing more is judged by what was before */
	if (w->leases.work.held)
		return;
	w->profiling.after_background = false;
	begin_when_possible(w);
}

/* --- what it is held to --------------------------------------------------------------------------- */

static int tell_identity(struct worker *w)
{
	const struct fwa_profile *p = &w->profile;
	fwa_auto_close int fd = fwa_memfd_sealed("fwadmit-profile", p->encoded);
	char text[FWA_CONTROL_TEXT_MAX];

	if (fd < 0)
		return fd;
	snprintf(text, sizeof(text), "%s\n%s\n%s\n%s\n%s\n%u", fwa_family_name(p->family),
		 p->id.vendor, p->id.model, p->id.serial, p->id.firmware, fwa_profile_count(p));
	return fwa_control_send(w->control, FWA_CONTROL_IDENTITY, text, fd);
}

/* The canonical declarations of the profile in force, in fresh memory; NULL without. */
static uint8_t *declarations(const struct worker *w, size_t *ret_len)
{
	uint8_t *bytes = malloc(FWA_DECLARATIONS_MAX);
	struct fwa_writer out = fwa_writer(bytes, bytes ? FWA_DECLARATIONS_MAX : 0);

	fwa_declarations_write(&out, &w->profile);
	*ret_len = out.len;
	if (!out.full)
		return bytes;
	free(bytes);
	return NULL;
}

static int tell_declarations(struct worker *w)
{
	size_t len;
	fwa_auto_free uint8_t *bytes = declarations(w, &len);
	fwa_auto_close int fd = -1;

	if (!bytes)
		return -ENOMEM;
	fd = fwa_memfd_sealed("fwadmit-declarations", fwa_span(bytes, len));
	return fd < 0 ? fd : fwa_control_send(w->control, FWA_CONTROL_DECLARATIONS, "", fd);
}

static void forget_baseline(struct worker *w)
{
	struct profiling *p = &w->profiling;

	free(p->baseline);
	free(p->accepted);
	p->baseline = NULL;
	p->accepted = NULL;
	p->accepted_len = p->drifted = 0;
	p->drift.baseline = NULL;
	journal_new_baseline(w);
}

/* Takes the sealed memfd @fd as the baseline. 0, or negative errno and there is none. */
static int load_baseline(struct worker *w, int fd)
{
	struct profiling *p = &w->profiling;
	ssize_t len = fwa_memfd_size(fd, FWA_DECLARATIONS_MAX);
	int r = len < 0 ? (int)len : fwa_memfd_copy(fd, (size_t)len, &p->accepted);

	if (r < 0)
		return r;
	p->accepted_len = (uint32_t)len;
	p->baseline = malloc(sizeof(*p->baseline));
	if (!p->baseline)
		return -ENOMEM;
	if (fwa_profile_parse(p->baseline, fwa_span(p->accepted, (size_t)len)) < 0 ||
	    !fwa_drift_same_key(&w->profile, p->baseline))
		return -EBADMSG;
	return 0;
}

/* Whether the baseline is what the device declares, byte for byte. */
static bool is_same(const struct worker *w)
{
	size_t len;
	fwa_auto_free uint8_t *bytes = declarations(w, &len);

	return bytes && len == w->profiling.accepted_len &&
	       memcmp(bytes, w->profiling.accepted, len) == 0;
}

static void compare(struct worker *w, const char *source)
{
	struct profiling *p = &w->profiling;

	if (is_same(w)) {
		p->state = FWA_BASELINE_SAME;
		forget_baseline(w);
		return;
	}
	p->state = FWA_BASELINE_DIFFERS;
	p->drift.baseline = p->baseline;
	journal_new_baseline(w);
	p->drifted = fwa_drift_count(p->baseline, &w->profile);
	if (p->drifted && w->listener >= 0)
		worker_log(w, "%u of its declarations drifted from the %s baseline", p->drifted,
			   source);
}

/* A baseline that came and is none, or not this device's, is not the same as that there is none. */
static void hold_to(struct worker *w, const char *source, int fd)
{
	struct profiling *p = &w->profiling;
	int r = 0;

	forget_baseline(w);
	if (strcmp(source, "none") == 0 && fd < 0) {
		p->state = FWA_BASELINE_NONE;
		return;
	}
	p->state = FWA_BASELINE_MISSING;
	if (fd >= 0)
		r = load_baseline(w, fd);
	if (fd < 0 || r < 0) {
		forget_baseline(w);
		if (w->listener >= 0)
			worker_log(w, "nothing is accepted of what it declares: %s",
				   r < 0 ? "its baseline is none"
					 : "a pinned baseline is required");
		return;
	}
	compare(w, source);
}

static void say_ready(struct worker *w)
{
	char about[FWA_CONTROL_TEXT_MAX];

	snprintf(about, sizeof(about), "%s %s, firmware %s, %u commands", w->profile.id.vendor,
		 w->profile.id.model, w->profile.id.firmware, fwa_profile_count(&w->profile));
	w->profiling.serving = true;
	if (fwa_control_send(w->control, FWA_CONTROL_READY, about, -1) < 0)
		w->ending = true;
}

static void take_answer(struct worker *w, const char *source, int fd)
{
	hold_to(w, source, fd);
	state_changed(w);
	if (!w->profiling.asked)
		return; /* it was accepted meanwhile; a reading that is under way goes on */
	if (!w->profiling.serving)
		say_ready(w);
	settle(w);
}

void profile_on_baseline(struct worker *w, const char *text, int *fd)
{
	struct profiling *p = &w->profiling;
	char source[sizeof(p->answer)];
	int baseline = *fd;

	snprintf(source, sizeof(source), "%s", text);
	fwa_make_printable(source);
	if (w->listener < 0) {
		if (p->answered)
			fwa_close(p->answer_fd);
		p->answered = true;
		p->answer_fd = fwa_steal_fd(fd);
		strcpy(p->answer, source);
		p->answer_id = w->profile.id;
	}
	take_answer(w, source, baseline);
}

/* What was answered of the same firmware, without asking again. */
/*= spec/SECURITY-MODEL.md#C23 */
static void answer_again(struct worker *w)
{
	const struct profiling *p = &w->profiling;
	const struct fwa_identity *was = &p->answer_id, *is = &w->profile.id;
	bool same = strcmp(was->vendor, is->vendor) == 0 && strcmp(was->model, is->model) == 0 &&
		    strcmp(was->firmware, is->firmware) == 0;

	take_answer(w, same ? p->answer : "none", same ? p->answer_fd : -1);
}

int profile_tell(struct worker *w)
{
	struct profiling *p = &w->profiling;
	int r = 0;

	w->hold = p->busy = p->asked = true;
	if (p->answered) {
		answer_again(w);
		return 0;
	}
	r = tell_identity(w);
	return r < 0 ? r : tell_declarations(w);
}

const struct fwa_drift *profile_drift(const struct worker *w, uint32_t uid)
{
	const struct profiling *p = &w->profiling;
	bool open = p->state == FWA_BASELINE_NONE || p->state == FWA_BASELINE_SAME;

	return open || uid == 0 ? NULL : &p->drift;
}
