/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is asked for by user or device is also what operators did, by that user or to that device. What
 * is asked for by verdict or effects has one: a decision.
 */
#include "cli/log-filter.h"

#include <pwd.h>
#include <string.h>

#include "base/number.h"
#include "base/pattern.h"
#include "base/util.h"
#include "cli/log-time.h"

static const char separators[] = ", \t";

/* --- reading options ---------------------------------------------------------------------------- */

static int read_time(const struct cli *cli, enum cli_option_id id, uint64_t now, uint64_t *ret)
{
	const char *text = cli->args.text[id];

	if (!text || cli_stamp_parse(text, now, ret))
		return CLI_OK;
	return cli_fail(cli, CLI_USAGE,
			"--%s=%.64s: not a time such as \"2026-11-22 10:00\", yesterday, -1h or "
			"@1795341600",
			cli_options[id].name, text);
}

static bool uid_of(const char *name, uint32_t *ret)
{
	const struct passwd *pw;
	uint64_t n;

	if (fwa_parse_number(name, UINT32_MAX, &n)) {
		*ret = (uint32_t)n;
		return true;
	}
	pw = getpwnam(name);
	if (pw)
		*ret = pw->pw_uid;
	return pw != NULL;
}

/* Calls @take for each word of the list @id. */
static int each_word(const struct cli *cli, enum cli_option_id id, struct cli_filter *f,
		     int (*take)(const struct cli *cli, struct cli_filter *f, char *word))
{
	fwa_auto_free char *copy = NULL;
	char *word, *rest;
	int r = CLI_OK;

	if (!cli->args.text[id])
		return CLI_OK;
	copy = strdup(cli->args.text[id]);
	if (!copy)
		return cli_fail(cli, CLI_FAILED, "out of memory");
	word = strtok_r(copy, separators, &rest);
	if (!word)
		return cli_fail(cli, CLI_USAGE, "--%s: a list of nothing: give at least one",
				cli_options[id].name);
	for (; word && r == CLI_OK; word = strtok_r(NULL, separators, &rest))
		r = take(cli, f, word);
	return r;
}

static int take_user(const struct cli *cli, struct cli_filter *f, char *word)
{
	if (f->n_uids == CLI_FILTER_MAX)
		return cli_fail(cli, CLI_USAGE, "--user: more than %u", CLI_FILTER_MAX);
	if (!uid_of(word, &f->uid[f->n_uids]))
		return cli_fail(cli, CLI_USAGE,
				"--user=%.64s: there is no such user; a number "
				"needs no account",
				word);
	f->n_uids++;
	return CLI_OK;
}

static int take_effect(const struct cli *cli, struct cli_filter *f, char *word)
{
	fwa_effects effect = fwa_effect_by_name(word, strlen(word));

	if (!effect && strcmp(word, "none") == 0)
		f->no_effects = true;
	else if (!effect)
		return cli_fail(cli, CLI_USAGE, "--effects=%.64s: there is no such effect", word);
	f->effects |= effect;
	return CLI_OK;
}

static int take_devices(const struct cli *cli, struct cli_filter *f)
{
	const char *text = cli->args.text[CLI_OPT_LOG_DEVICE];
	char *word, *rest;

	if (!text)
		return CLI_OK;
	f->patterns = strdup(text);
	if (!f->patterns)
		return cli_fail(cli, CLI_FAILED, "out of memory");
	for (word = strtok_r(f->patterns, separators, &rest); word;
	     word = strtok_r(NULL, separators, &rest)) {
		if (f->n_devices == CLI_FILTER_MAX)
			return cli_fail(cli, CLI_USAGE, "--device: more than %u", CLI_FILTER_MAX);
		f->device[f->n_devices++] = word;
	}
	return f->n_devices
		       ? CLI_OK
		       : cli_fail(cli, CLI_USAGE, "--device: a list of nothing: give at least one");
}

int cli_filter_read(const struct cli *cli, struct cli_filter *ret)
{
	uint64_t now = fwa_clock_ns(CLOCK_REALTIME);
	const char *effects = cli->args.text[CLI_OPT_LOG_EFFECTS];
	int r;

	*ret = (struct cli_filter){ .until = UINT64_MAX };
	ret->refused = cli_given(&cli->args, CLI_OPT_REFUSED);
	ret->all = cli_given(&cli->args, CLI_OPT_ALL);
	ret->by_effects = cli_given(&cli->args, CLI_OPT_LOG_EFFECTS);
	r = read_time(cli, CLI_OPT_SINCE, now, &ret->since);
	if (r == CLI_OK)
		r = read_time(cli, CLI_OPT_UNTIL, now, &ret->until);
	if (r == CLI_OK)
		r = each_word(cli, CLI_OPT_LOG_USER, ret, take_user);
	if (r == CLI_OK)
		r = take_devices(cli, ret);
	if (ret->by_effects && (!effects || !*effects))
		ret->effects = FWA_EFFECTS_ALL;
	else if (r == CLI_OK)
		r = each_word(cli, CLI_OPT_LOG_EFFECTS, ret, take_effect);
	return r;
}

void cli_filter_clear(struct cli_filter *f)
{
	free(f->patterns);
	*f = (struct cli_filter){ 0 };
}

/* --- taking --------------------------------------------------------------------------------------- */

bool cli_filter_takes_device(const struct cli_filter *f, const char *name)
{
	for (uint32_t i = 0; i < f->n_devices; i++) {
		if (fwa_pattern_matches(f->device[i], name))
			return true;
	}
	return f->n_devices == 0;
}

static bool takes_uid(const struct cli_filter *f, uint32_t uid)
{
	for (uint32_t i = 0; i < f->n_uids; i++) {
		if (f->uid[i] == uid)
			return true;
	}
	return f->n_uids == 0;
}

static bool takes_effects(const struct cli_filter *f, fwa_effects effects)
{
	return !f->by_effects || effects & f->effects || (f->no_effects && !effects);
}

static bool takes_decision(const struct cli_filter *f, const struct fwa_record_decision *d)
{
	/* The gate's own commands are nobody's, whatever uid stands there. */
	return (f->n_uids == 0 || (!d->who.gate && takes_uid(f, d->who.uid))) &&
	       takes_effects(f, d->decision.effects) && !(f->refused && fwa_admitted(&d->decision));
}

bool cli_filter_takes_others(const struct cli_filter *f)
{
	return !f->by_effects && !f->decisions;
}

static bool takes_other(const struct cli_filter *f, const struct cli_entry *e)
{
	/* Of what decision it is nobody looks up: whoever takes outcomes takes them as they come. */
	if (e->frame.kind == FWA_RECORD_OUTCOME && e->decoded)
		return f->outcomes;
	if (!cli_filter_takes_others(f))
		return false;
	/* What nobody could write down was refused, too: it is no answer to leave that out. */
	if (f->refused)
		return e->decoded && e->frame.kind == FWA_RECORD_UNRECORDED && !f->n_uids;
	if (!f->all && !cli_entry_notable(e))
		return false;
	if (!f->n_uids)
		return true;
	return e->decoded && e->frame.kind == FWA_RECORD_CONTROL && takes_uid(f, e->control.uid);
}

bool cli_filter_takes(const struct cli_filter *f, const struct cli_entry *e)
{
	if (e->frame.time < f->since || e->frame.time > f->until ||
	    !cli_filter_takes_device(f, cli_entry_device(e)))
		return false;
	if (e->frame.kind == FWA_RECORD_DECISION && e->decoded)
		return takes_decision(f, &e->decision);
	return takes_other(f, e);
}

bool cli_filter_selects(const struct cli_filter *f)
{
	return !f->all && (f->n_uids || f->n_devices || f->refused || f->by_effects);
}
