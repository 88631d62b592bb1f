/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/advised.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/pattern.h"
#include "base/util.h"
#include "base/version.h"
#include "cli/json.h"
#include "cli/subject.h"
#include "cli/text.h"
#include "host/advisory.h"
#include "host/state.h"

int cli_advised_take(struct cli_subject *s, struct fwa_span table)
{
	struct cli_advised *a = &s->advised;

	if (!table.len)
		return 0;
	a->encoded = malloc(table.len);
	a->advice = calloc(1, sizeof(*a->advice));
	if (!a->encoded || !a->advice)
		return -ENOMEM;
	memcpy(a->encoded, table.data, table.len);
	if (fwa_advisories_parse(&a->all, fwa_span(a->encoded, table.len)) < 0)
		return -EPROTO;
	fwa_advice_fold(&a->all, s->profile, fwa_pattern_matches, fwa_version_compare, a->advice);
	return 0;
}

void cli_advised_free(struct cli_advised *a)
{
	free(a->encoded);
	free(a->advice);
	*a = (struct cli_advised){ 0 };
}

uint32_t cli_advised_contract(struct cli_subject *s, const struct fwa_command *cmd)
{
	uint32_t entry = UINT32_MAX;

	if (s->advised.advice)
		fwa_contract_advise(&s->contract, s->advised.advice, cmd, s->now, &entry);
	return entry;
}

static bool names(struct fwa_span filter, unsigned int set, uint16_t opcode)
{
	struct fwa_term t;

	for (size_t i = 0; fwa_filter_term(filter, i, &t); i++)
		if (t.kind == FWA_TERM_COMMAND && t.set == set && t.value == opcode)
			return true;
	return false;
}

void cli_advised_each(const struct cli_subject *s, unsigned int set, uint16_t opcode,
		      cli_advised_fn fn, void *userdata)
{
	const struct fwa_advice *advice = s->advised.advice;
	struct fwa_advisory e;

	for (uint32_t i = 0; advice && i < advice->n; i++)
		if (fwa_advisories_entry(&s->advised.all, advice->entry[i], &e) &&
		    (!e.until || s->now < e.until) && names(e.filter, set, opcode))
			fn(&e, userdata);
}

static void add_effects(const struct fwa_advisory *e, void *userdata)
{
	fwa_effects *effects = userdata;

	*effects |= e->effects | (e->never ? FWA_EFFECT_UNKNOWN : 0);
}

/* By what all its forms together have; a form that nothing is said of may need less. */
void cli_advised_opcode(const struct cli_subject *s, struct fwa_decision *d)
{
	struct fwa_command cmd = { .set = d->set, .opcode = d->opcode };
	fwa_effects effects = 0;
	uint8_t need, required;

	if (!s->advised.advice)
		return;
	cli_advised_each(s, d->set, d->opcode, add_effects, &effects);
	effects |= fwa_advice_effects(s->advised.advice, &cmd, NULL, s->now, NULL);
	d->advisory |= effects;
	d->effects |= effects;
	required = fwa_scope_of(d->effects, FWA_CLASS_PLAIN, &need);
	if (required <= d->required)
		return;
	d->required = required;
	d->need = effects & FWA_EFFECT_UNKNOWN ? FWA_NEED_NEVER : need;
}

/* --- in words ------------------------------------------------------------------------------------- */

void cli_advised_text(const struct cli_subject *s, uint32_t entry, fwa_effects effects,
		      char text[CLI_ADVISED_TEXT])
{
	bool never = effects & FWA_EFFECT_UNKNOWN, found;
	char list[CLI_EFFECTS_TEXT];
	struct fwa_advisory e;

	found = s && entry != UINT32_MAX && fwa_advisories_entry(&s->advised.all, entry, &e);
	snprintf(text, CLI_ADVISED_TEXT, "%s%s %s%s%s%.256s%s", found ? "advisory " : "an advisory",
		 found ? e.id : "", never ? "forbids it" : "adds ",
		 never ? "" : cli_effects_text(effects, 0, ", ", list),
		 found && *e.reference ? " (" : "", found ? e.reference : "",
		 found && *e.reference ? ")" : "");
}

static void add_json(const struct fwa_advisory *e, void *userdata)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "id", cli_json_text(e->id));
	json_object_object_add(o, "reference", cli_json_text(e->reference));
	json_object_object_add(o, "effects", cli_json_effects(e->effects));
	json_object_object_add(o, "never", json_object_new_boolean(e->never));
	json_object_array_add(userdata, o);
}

struct json_object *cli_advised_json(const struct cli_subject *s, unsigned int set, uint16_t opcode)
{
	struct json_object *list = json_object_new_array();

	cli_advised_each(s, set, opcode, add_json, list);
	return list;
}

/* --- embedded mode -------------------------------------------------------------------------------- */

static void on_left_out(const struct fwa_advisory_file *f, void *userdata)
{
	const struct cli *cli = userdata;

	if (f->status == FWA_ADVISORY_BAD)
		cli_note(cli, "advisory %s is not in force: %s", f->id, f->error);
}

/* The table of one store; also an empty one. 0 or negative errno. */
static int compile(const struct cli *cli, const char *state, int *ret_fd)
{
	const struct fwa_advisory_place place = { .state = state };
	struct fwa_moment now;
	uint64_t until;

	fwa_moment_now(&now);
	return fwa_advisories_compile(&place, &now, on_left_out, (void *)cli, ret_fd, &until);
}

/* Both tables as one. 0 with its descriptor, or negative errno. */
static int join(struct fwa_span a, struct fwa_span b, int *ret_fd)
{
	fwa_auto_free uint8_t *bytes = malloc(a.len + b.len);
	struct fwa_writer w = fwa_writer(bytes, bytes ? a.len + b.len : 0);
	fwa_auto_free struct fwa_advisory *all = NULL;
	struct fwa_advisories own, machine;
	uint32_t n = 0;

	if (fwa_advisories_parse(&own, a) < 0 || fwa_advisories_parse(&machine, b) < 0)
		return -EBADMSG;
	all = calloc((size_t)own.n + machine.n + 1, sizeof(*all));
	if (!all || !bytes)
		return -ENOMEM;
	for (uint32_t i = 0; i < machine.n; i++)
		fwa_advisories_entry(&machine, i, &all[n++]);
	for (uint32_t i = 0; i < own.n; i++)
		fwa_advisories_entry(&own, i, &all[n++]);
	fwa_advisories_write(&w, all, n, machine.n ? machine.digest : own.digest);
	if (w.full)
		return -E2BIG;
	*ret_fd = fwa_memfd_sealed("fwadmit-advisories", fwa_span(w.buf, w.len));
	return *ret_fd < 0 ? *ret_fd : 0;
}

static int join_tables(int own, int machine, int *ret_fd)
{
	struct fwa_span a, b;
	int r = fwa_memfd_map(own, FWA_ADVISORIES_TABLE_MAX, &a);

	if (r < 0)
		return r;
	r = fwa_memfd_map(machine, FWA_ADVISORIES_TABLE_MAX, &b);
	if (r == 0) {
		r = join(a, b, ret_fd);
		fwa_memfd_unmap(b);
	}
	fwa_memfd_unmap(a);
	return r;
}

static int fail(char error[FWA_ERROR_LEN], const char *state, int r)
{
	snprintf(error, FWA_ERROR_LEN, "the advisories in %.128s cannot be read: %s", state,
		 strerror(-r));
	return CLI_FAILED;
}

/*= spec/SECURITY-MODEL.md#C33 */
int cli_advised_compile(const struct cli *cli, int *ret_fd, char error[FWA_ERROR_LEN])
{
	fwa_auto_free char *state = fwa_state_dir();
	fwa_auto_close int own = -1, machine = -1;
	int r;

	*ret_fd = -1;
	if (state) {
		r = compile(cli, state, &own);
		if (r < 0)
			return fail(error, state, r);
	}
	/* Where the environment names a state folder, or it is the machine's, there is no other one. */
	if (!getenv("FWADMIT_STATE_DIR") && (!state || strcmp(state, FWA_STATE_DIR) != 0)) {
		r = compile(cli, FWA_STATE_DIR, &machine);
		if (r < 0 && r != -EACCES)
			return fail(error, FWA_STATE_DIR, r);
	}
	if (own >= 0 && machine >= 0) {
		r = join_tables(own, machine, ret_fd);
		return r < 0 ? fail(error, state, r) : CLI_OK;
	}
	*ret_fd = fwa_steal_fd(own >= 0 ? &own : &machine);
	return CLI_OK;
}
