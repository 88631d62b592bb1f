/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A campaign as one JSON document, and each finding as a file that stands on its own
 * (spec/EVIDENCE-FORMAT.md).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hex.h"
#include "base/util.h"
#include "verify/digest.h"
#include "verify/engine.h"
#include "verify/evidence-internal.h"

/* --- what both have ---------------------------------------------------------------------------------- */

static void tool(struct vfy_json *j, json_object *o)
{
	json_object *t = vfy_json_object(j);

	vfy_json_text(j, t, "name", "fwadmit-verify");
	vfy_json_text(j, t, "version", FWADMIT_VERSION);
	vfy_json_put(j, o, "tool", t);
}

static void now(struct vfy_json *j, json_object *o)
{
	time_t t = time(NULL);
	struct tm tm;
	char text[32];

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	vfy_json_text(j, o, "time", text);
}

static void device(struct vfy_json *j, json_object *o, const struct vfy_campaign *c)
{
	const struct fwa_profile *p = c->target.profile;
	json_object *d = vfy_json_object(j);

	vfy_json_text(j, d, "spec", c->args.spec);
	vfy_json_text(j, d, "family", fwa_family_name(p->family));
	vfy_json_text(j, d, "vendor", p->id.vendor);
	vfy_json_text(j, d, "model", p->id.model);
	vfy_json_text(j, d, "serial", p->id.serial);
	vfy_json_text(j, d, "firmware", p->id.firmware);
	vfy_json_put(j, d, "transport", NULL);
	vfy_json_put(j, o, "device", d);
}

static void profile(struct vfy_json *j, json_object *o, const struct vfy_campaign *c)
{
	struct fwa_span bytes = fwa_span(c->target.profile_bytes, c->target.profile_len);
	json_object *p = vfy_json_object(j);
	uint8_t digest[32];

	vfy_sha256(bytes, digest);
	vfy_json_hex(j, p, "sha256", fwa_span(digest, sizeof(digest)));
	vfy_json_base64(j, p, "base64", bytes);
	vfy_json_put(j, o, "profile", p);
}

static void seed(struct vfy_json *j, json_object *o, const struct vfy_campaign *c)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)c->args.seed);
	vfy_json_text(j, o, "seed", text);
}

/* --- evidence ---------------------------------------------------------------------------------------- */

static json_object *evidence(struct vfy_json *j, const struct vfy_campaign *c,
			     const struct vfy_finding *f)
{
	json_object *o = vfy_json_object(j);
	char zeroes[EVIDENCE_DIGEST_DIGITS + 1], id[32];

	memset(zeroes, '0', EVIDENCE_DIGEST_DIGITS);
	zeroes[EVIDENCE_DIGEST_DIGITS] = '\0';
	snprintf(id, sizeof(id), EVIDENCE_ID "%.*s", (int)EVIDENCE_ID_DIGITS, zeroes);
	vfy_json_number(j, o, "format_version", 1);
	vfy_json_text(j, o, "kind", "fwadmit-evidence");
	vfy_json_text(j, o, "id", id);
	tool(j, o);
	now(j, o);
	device(j, o, c);
	profile(j, o, c);
	seed(j, o, c);
	vfy_json_put(j, o, "finding", vfy_finding_json(j, f));
	vfy_json_text(j, o, "sha256", zeroes);
	return o;
}

/* The digits that were zeroes while the digest was made. */
static void sign(struct vfy_json *j, json_object *o, const uint8_t digest[32])
{
	char digits[EVIDENCE_DIGEST_DIGITS + 1], id[32];

	fwa_hex_text(digest, 32, digits);
	snprintf(id, sizeof(id), EVIDENCE_ID "%.*s", (int)EVIDENCE_ID_DIGITS, digits);
	vfy_json_text(j, o, "id", id);
	vfy_json_text(j, o, "sha256", digits);
}

json_object *vfy_evidence_json(const struct vfy_campaign *c, size_t i)
{
	struct vfy_json j = { 0 };
	json_object *o = evidence(&j, c, &c->finding[i]);
	fwa_auto_free char *text = j.failed ? NULL : vfy_json_file(o);
	uint8_t digest[32];
	size_t id, sha256;

	if (text && vfy_evidence_digest(text, strlen(text), digest, &id, &sha256))
		sign(&j, o, digest);
	else
		j.failed = true;
	if (!j.failed)
		return o;
	json_object_put(o);
	return NULL;
}

/* The text of the file, so that who has the campaign need not know how it is digested. */
static void evidence_text(struct vfy_json *j, json_object *o, const struct vfy_campaign *c,
			  size_t i)
{
	json_object *e = vfy_evidence_json(c, i);
	fwa_auto_free char *text = e ? vfy_json_file(e) : NULL;
	json_object *value = text ? json_object_new_string(text) : NULL;

	json_object_put(e);
	j->failed |= !value;
	vfy_json_put(j, o, "evidence", value);
}

/* --- a campaign --------------------------------------------------------------------------------------- */

static void budget(struct vfy_json *j, json_object *o, const struct vfy_campaign *c)
{
	json_object *b = vfy_json_object(j);

	vfy_json_number(j, b, "ms", c->args.budget.ms);
	vfy_json_number(j, b, "commands", c->args.budget.commands);
	vfy_json_put(j, o, "budget", b);
}

static const char *source_of(const struct vfy_observable *o)
{
	if (o->row->each == VFY_EACH_REGISTERS)
		return "registers";
	return o->row->each == VFY_EACH_MEDIA ? "media" : o->row->name;
}

static uint64_t count_masked(const struct vfy_campaign *c, size_t i)
{
	const struct vfy_value *v = &c->engine->before.value[i];
	uint64_t n = 0;

	for (size_t b = v->at; b < (size_t)v->at + v->len && b < c->mask.n_bytes; b++)
		n += c->mask.bytes[b / 8] >> (b % 8) & 1;
	return n;
}

static void observables(struct vfy_json *j, json_object *o, const struct vfy_campaign *c)
{
	json_object *all = vfy_json_array(j);

	for (size_t i = 0; i < c->plan.n && i < c->engine->before.n; i++) {
		const struct vfy_observable *x = &c->plan.observable[i];
		json_object *row = vfy_json_object(j);

		vfy_json_text(j, row, "name", x->name);
		vfy_json_text(j, row, "title", x->row->title);
		vfy_json_number(j, row, "bytes", x->len);
		vfy_json_number(j, row, "masked", count_masked(c, i));
		vfy_json_text(j, row, "source", source_of(x));
		vfy_json_append(j, all, row);
	}
	vfy_json_put(j, o, "observables", all);
}

static void left_out(struct vfy_json *j, json_object *o, const struct vfy_campaign *c)
{
	const struct vfy_engine *e = c->engine;
	json_object *all = vfy_json_array(j);

	for (size_t i = 0; i < c->plan.n_left_out; i++)
		vfy_json_append(j, all, json_object_new_string(c->plan.left_out[i]));
	for (size_t i = 0; i < e->n_forgotten; i++)
		vfy_json_append(j, all, json_object_new_string(e->forgotten[i]));
	vfy_json_put(j, o, "left_out", all);
}

static void coverage(struct vfy_json *j, json_object *o, const struct vfy_campaign *c)
{
	json_object *all = vfy_json_object(j);

	for (unsigned int phase = 0; phase < VFY_PHASES && c->generator; phase++) {
		json_object *one = vfy_json_object(j);
		struct vfy_coverage k = { 0 };

		vfy_generator_coverage(c->generator, phase, &k);
		vfy_json_number(j, one, "done", k.done);
		if (k.planned)
			vfy_json_number(j, one, "planned", k.planned);
		else
			vfy_json_put(j, one, "planned", NULL);
		vfy_json_text(j, one, "unit", k.unit);
		vfy_json_put(j, all, vfy_phase_name(phase), one);
	}
	vfy_json_put(j, o, "coverage", all);
}

static json_object *command(struct vfy_json *j, const struct vfy_row *row)
{
	const struct fwa_model_command *m = fwa_model_find(row->set, row->opcode);
	json_object *o = vfy_json_object(j);

	vfy_json_command(j, o, row->set, row->opcode);
	vfy_json_text(j, o, "title", m ? m->title : NULL);
	vfy_json_bool(j, o, "vendor", !m);
	vfy_json_bool(j, o, "listed", row->listed);
	vfy_json_effects(j, o, "declared", row->declared);
	vfy_json_effects(j, o, "floor", row->floor);
	vfy_json_effects(j, o, "observed", row->observed);
	vfy_json_effects(j, o, "undeclared", row->undeclared);
	vfy_json_number(j, o, "tried", row->tried);
	vfy_json_number(j, o, "succeeded", row->succeeded);
	return o;
}

static void commands(struct vfy_json *j, json_object *o, const struct vfy_campaign *c)
{
	json_object *all = vfy_json_array(j);

	for (size_t i = 0; i < c->n_rows; i++)
		vfy_json_append(j, all, command(j, &c->row[i]));
	vfy_json_put(j, o, "commands", all);
}

static void findings(struct vfy_json *j, json_object *o, const struct vfy_campaign *c)
{
	json_object *all = vfy_json_array(j);

	for (size_t i = 0; i < c->n_findings; i++) {
		json_object *f = vfy_finding_json(j, &c->finding[i]);

		evidence_text(j, f, c, i);
		vfy_json_append(j, all, f);
	}
	vfy_json_put(j, o, "findings", all);
}

static void numbers(struct vfy_json *j, json_object *o, const struct vfy_campaign *c)
{
	vfy_json_number(j, o, "executed", c->target.commands);
	vfy_json_number(j, o, "experiments", c->experiments);
	vfy_json_number(j, o, "snapshots", c->snapshots);
	vfy_json_number(j, o, "elapsed_ms", c->elapsed_ms);
	vfy_json_number(j, o, "openings", c->target.openings);
	vfy_json_number(j, o, "not_confirmed", c->not_confirmed);
	vfy_json_number(j, o, "masked_late", c->masked_late);
	vfy_json_number(j, o, "repeated", c->dropped);
	vfy_json_number(j, o, "left", c->left);
	vfy_json_bool(j, o, "out_of_budget", c->out_of_budget);
}

json_object *vfy_campaign_json(const struct vfy_campaign *c)
{
	struct vfy_json j = { 0 };
	json_object *o = vfy_json_object(&j);

	vfy_json_number(&j, o, "format_version", 1);
	vfy_json_text(&j, o, "kind", "fwadmit-campaign");
	tool(&j, o);
	now(&j, o);
	device(&j, o, c);
	profile(&j, o, c);
	seed(&j, o, c);
	vfy_json_text(&j, o, "probe", vfy_probe_name(c->args.probe));
	budget(&j, o, c);
	numbers(&j, o, c);
	observables(&j, o, c);
	left_out(&j, o, c);
	coverage(&j, o, c);
	commands(&j, o, c);
	findings(&j, o, c);
	vfy_json_text(&j, o, "verdict", vfy_campaign_verdict(c));
	if (!j.failed)
		return o;
	json_object_put(o);
	return NULL;
}
