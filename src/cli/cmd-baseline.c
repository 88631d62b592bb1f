/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit baseline: what a device declares, against what was accepted of devices like it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/util.h"
#include "base/uuid.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/varlink.h"
#include "host/state.h"

/* The declarations of the subject, in fresh memory; NULL when there is no memory. */
static uint8_t *declarations(const struct cli_subject *s, size_t *ret_len)
{
	uint8_t *bytes = malloc(FWA_DECLARATIONS_MAX);
	struct fwa_writer w = fwa_writer(bytes, bytes ? FWA_DECLARATIONS_MAX : 0);

	fwa_declarations_write(&w, s->profile);
	*ret_len = w.len;
	return bytes;
}

static void identify(const struct fwa_profile *p, struct fwa_identified *ret)
{
	*ret = (struct fwa_identified){ .id = p->id, .commands = fwa_profile_count(p) };
	snprintf(ret->family, sizeof(ret->family), "%s", fwa_family_name(p->family));
}

/* --- save ----------------------------------------------------------------------------------- */

/* Where to write: --output, or in it when it is a folder, or here, under the name of the key. */
static char *save_path(const struct cli *cli, const char *name)
{
	const char *output = cli->args.text[CLI_OPT_OUTPUT];
	struct stat st;
	char *path;

	if (!output)
		return strdup(name);
	if (stat(output, &st) < 0 || !S_ISDIR(st.st_mode))
		return strdup(output);
	return asprintf(&path, "%s/%s", output, name) < 0 ? NULL : path;
}

static void say_saved(const struct cli *cli, const struct cli_subject *s, const char *path,
		      const char *name, struct fwa_span bytes)
{
	struct json_object *o;
	char digest[FWA_DIGEST_TEXT];

	fwa_sha256_text(bytes, digest);
	if (!cli->json) {
		if (strcmp(path, "-") != 0)
			printf("%s\n", path);
		return;
	}
	o = cli_json_begin(cli);
	json_object_object_add(o, "device", cli_json_device(s));
	json_object_object_add(o, "file", cli_json_text(path));
	json_object_object_add(o, "key", cli_json_text(name));
	json_object_object_add(o, "digest", cli_json_text(digest));
	cli_json_end(o);
}

int cli_cmd_baseline_save(struct cli *cli)
{
	cli_auto_subject struct cli_subject s = CLI_SUBJECT_NONE;
	fwa_auto_free uint8_t *bytes = NULL;
	fwa_auto_free char *path = NULL;
	char name[FWA_DIGEST_TEXT];
	struct fwa_identified who;
	size_t len;
	int r;

	r = cli_subject_open_device(cli, cli->word[0], &s);
	if (r != CLI_OK)
		return r;
	identify(s.profile, &who);
	fwa_baseline_name(&who, name);
	bytes = declarations(&s, &len);
	path = save_path(cli, name);
	if (!bytes || !path)
		return cli_fail(cli, CLI_FAILED, "out of memory");
	if (cli->json && strcmp(path, "-") == 0)
		return cli_fail(cli, CLI_USAGE, "--output=-: standard output has the JSON");
	r = cli_write_output(cli, path, fwa_span(bytes, len));
	if (r == CLI_OK)
		say_saved(cli, &s, path, name, fwa_span(bytes, len));
	return r;
}

/* --- diff ----------------------------------------------------------------------------------- */

/* What a difference is about, for people. */
static void subject_text(const struct fwa_difference *d, char *text, size_t size)
{
	char uuid[FWA_UUID_TEXT_LEN];

	if (d->uuid)
		fwa_uuid_text(d->uuid, uuid);
	switch (d->of) {
	case FWA_DIFFERENCE_COMMAND:
		cli_command_text(d->set, d->opcode, text, size);
		break;
	case FWA_DIFFERENCE_SETTING:
		snprintf(text, size, "setting Feature %s", uuid);
		break;
	case FWA_DIFFERENCE_FEATURE:
		snprintf(text, size, "Feature %s", uuid);
		break;
	case FWA_DIFFERENCE_LOG:
		snprintf(text, size, "log %s", uuid);
		break;
	default:
		snprintf(text, size, "%s %02xh",
			 d->of == FWA_DIFFERENCE_LID ? "log page" : "feature", d->id);
		break;
	}
}

static struct json_object *json_difference(const struct fwa_difference *d)
{
	struct json_object *o = json_object_new_object();
	char uuid[FWA_UUID_TEXT_LEN];
	bool command = d->of == FWA_DIFFERENCE_COMMAND;

	json_object_object_add(o, "of", cli_json_text(fwa_difference_of_name(d->of)));
	json_object_object_add(o, "how", cli_json_text(fwa_difference_how_name(d->how)));
	json_object_object_add(o, "drift", json_object_new_boolean(fwa_difference_drifts(d->how)));
	json_object_object_add(o, "set", command ? cli_json_text(fwa_set_name(d->set)) : NULL);
	json_object_object_add(o, "opcode", command ? json_object_new_int(d->opcode) : NULL);
	if (d->uuid)
		fwa_uuid_text(d->uuid, uuid);
	json_object_object_add(o, "uuid", d->uuid ? cli_json_text(uuid) : NULL);
	json_object_object_add(o, "id",
			       d->of == FWA_DIFFERENCE_LID || d->of == FWA_DIFFERENCE_FID
				       ? json_object_new_int(d->id)
				       : NULL);
	json_object_object_add(o, "before", cli_json_effects(d->before));
	json_object_object_add(o, "after", cli_json_effects(d->after));
	return o;
}

static void print_diff_json(const struct cli *cli, const struct cli_subject *s,
			    const struct fwa_profile *before, const char *source)
{
	struct json_object *o = cli_json_begin(cli), *a = json_object_new_array();
	struct fwa_difference_walk walk = { 0 };
	struct fwa_difference d;

	while (before && fwa_difference_next(before, s->profile, &walk, &d))
		json_object_array_add(a, json_difference(&d));
	json_object_object_add(o, "device", cli_json_device(s));
	json_object_object_add(o, "baseline", cli_json_text(source));
	json_object_object_add(o, "differences", a);
	cli_json_end(o);
}

static void print_diff_text(const struct cli *cli, const struct cli_subject *s,
			    const struct fwa_profile *before)
{
	static const char *const heads[] = { "WHAT", "DIFFERENCE", "ACCEPTED", "NOW" };
	struct libscols_table *t = cli_table_new(cli, heads, FWA_ARRAY_SIZE(heads));
	char what[96], was[CLI_EFFECTS_TEXT], is[CLI_EFFECTS_TEXT];
	struct fwa_difference_walk walk = { 0 };
	struct fwa_difference d;

	while (fwa_difference_next(before, s->profile, &walk, &d)) {
		const char *cells[] = { what, fwa_difference_how_name(d.how), was, is };

		subject_text(&d, what, sizeof(what));
		cli_effects_text(d.before, 0, " ", was);
		cli_effects_text(d.after, 0, " ", is);
		cli_table_add(t, cells, FWA_ARRAY_SIZE(cells), 0, NULL);
	}
	cli_table_print(t);
}

/* What follows, of @n differences that are drift; nothing does from those to a file. */
static void print_consequence(const struct cli *cli, uint32_t n)
{
	if (cli_given(&cli->args, CLI_OPT_FROM))
		return;
	if (n)
		printf("\n%u drifted: refused to all but root until accepted: `fwadmit baseline "
		       "accept %s`\n",
		       n, cli->word[0]);
	else
		puts("\nnone drifted: what a command gained it is judged with already, what was "
		     "removed is refused");
}

static int show_diff(const struct cli *cli, const struct cli_subject *s,
		     const struct fwa_profile *before, const char *source)
{
	uint32_t n = fwa_drift_count(before, s->profile);
	struct fwa_difference_walk walk = { 0 };
	struct fwa_difference d;

	if (cli->json) {
		print_diff_json(cli, s, before, source);
	} else if (!fwa_difference_next(before, s->profile, &walk, &d)) {
		printf("%s: it declares what %s does\n", s->name, source);
	} else {
		print_diff_text(cli, s, before);
		print_consequence(cli, n);
	}
	return n ? CLI_VIOLATION : CLI_OK;
}

/* Against the file that `baseline save` wrote. */
static int diff_file(const struct cli *cli, const struct cli_subject *s)
{
	const char *path = cli->args.text[CLI_OPT_FROM];
	fwa_auto_free struct fwa_profile *before = NULL;
	fwa_auto_free uint8_t *data = NULL;
	size_t len;
	int r = fwa_read_file(path, FWA_DECLARATIONS_MAX, &data, &len);

	if (r < 0)
		return cli_fail_file(cli, path, r);
	before = malloc(sizeof(*before));
	if (!before)
		return cli_fail(cli, CLI_FAILED, "out of memory");
	if (fwa_profile_parse(before, fwa_span(data, len)) < 0)
		return cli_fail(cli, CLI_FAILED, "%s: not a baseline", path);
	if (!fwa_drift_same_key(s->profile, before))
		cli_note(cli, "%s is of another model or firmware than %s", path, s->name);
	return show_diff(cli, s, before, path);
}

/* Against what its gate holds it to. */
static int diff_gate(const struct cli *cli, const struct cli_subject *s)
{
	static const char *const said[] = {
		[FWA_BASELINE_NONE] = "there is no baseline: what it declares is trusted",
		[FWA_BASELINE_SAME] = "it declares what its baseline does",
		[FWA_BASELINE_MISSING] = "there is no baseline that its gate trusts",
	};

	if (s->baseline_state == FWA_BASELINE_DIFFERS)
		return show_diff(cli, s, s->baseline, fwa_baseline_state_name(s->baseline_state));
	if (cli->json)
		print_diff_json(cli, s, NULL, fwa_baseline_state_name(s->baseline_state));
	else
		printf("%s: %s\n", s->name, said[s->baseline_state]);
	return s->baseline_state == FWA_BASELINE_MISSING ? CLI_VIOLATION : CLI_OK;
}

int cli_cmd_baseline_diff(struct cli *cli)
{
	cli_auto_subject struct cli_subject s = CLI_SUBJECT_NONE;
	int r = cli_subject_open_device(cli, cli->word[0], &s);

	if (r != CLI_OK)
		return r;
	return cli_given(&cli->args, CLI_OPT_FROM) ? diff_file(cli, &s) : diff_gate(cli, &s);
}

/* --- accept --------------------------------------------------------------------------------- */

static int accept_embedded(const struct cli *cli, const struct cli_subject *s)
{
	fwa_auto_free char *state = fwa_state_dir();
	struct fwa_baselines store = { .pinned_dir = fwa_pinned_dir(), .state_dir = state };
	int r;

	if (s->baseline_source == FWA_BASELINE_FROM_PINNED)
		return cli_fail(cli, CLI_FAILED,
				"%s: its baseline is pinned in %s, and that goes before", s->name,
				store.pinned_dir);
	if (!state)
		return cli_fail(cli, CLI_FAILED, "there is no folder to keep it in: set HOME");
	r = fwa_baselines_save(&store, FWA_BASELINE_FROM_ACCEPTED, &s->identity, s->declarations);
	if (r < 0)
		return cli_fail(cli, CLI_FAILED, "%s: %s", state, strerror(-r));
	return CLI_OK;
}

/* fwadmitd accepts what this program was shown, and nothing that the device declares since. */
static int accept_served(const struct cli *cli, const struct cli_subject *s, const char *digest)
{
	struct json_object *parameters = json_object_new_object(), *reply;
	int r;

	json_object_object_add(parameters, "device", json_object_new_string(s->name));
	json_object_object_add(parameters, "declarations_digest", json_object_new_string(digest));
	r = cli_varlink_call(cli, "AcceptBaseline", parameters, &reply);
	if (r == CLI_OK)
		json_object_put(reply);
	return r;
}

int cli_cmd_baseline_accept(struct cli *cli)
{
	cli_auto_subject struct cli_subject s = CLI_SUBJECT_NONE;
	fwa_auto_free uint8_t *bytes = NULL;
	char digest[FWA_DIGEST_TEXT];
	struct json_object *o;
	size_t len;
	int r;

	r = cli_subject_open_device(cli, cli->word[0], &s);
	if (r != CLI_OK)
		return r;
	bytes = declarations(&s, &len);
	if (!bytes)
		return cli_fail(cli, CLI_FAILED, "out of memory");
	fwa_sha256_text(fwa_span(bytes, len), digest);
	r = s.embedded ? accept_embedded(cli, &s) : accept_served(cli, &s, digest);
	if (r != CLI_OK)
		return r;
	if (!cli->json) {
		cli_note(cli, "%s: accepted, for every %.64s with firmware %.32s", s.name,
			 s.profile->id.model, s.profile->id.firmware);
		return CLI_OK;
	}
	o = cli_json_begin(cli);
	json_object_object_add(o, "device", cli_json_device(&s));
	json_object_object_add(o, "digest", cli_json_text(digest));
	cli_json_end(o);
	return CLI_OK;
}
