/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One policy file, from text to rules (C3: the operator decides by grants).
 *
 * libinih splits lines into keys and values and drops comments. It also joins indented lines,
 * cuts long lines and section names, and does not mention an empty section; here each of these
 * would be a grant other than the one that was written. So the reader below, which hands it one
 * line at a time, knows the line's number, refuses what does not fit, takes away the indentation
 * and handles the section lines itself.
 *
 * A file with an error is read to its end, so that the operator sees all errors at once.
 */
#include "host/policy-parser.h"

#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "core/command.h"
#include "core/decide.h"
#include "host/grants.h"

#define LINE_MAX_BYTES 1024 /* or fewer, if libinih cannot take so many */

/* --- grants --------------------------------------------------------------------------------- */

/* A grant that names effects which its scope does not reach is probably not what was meant. */
/*= spec/SECURITY-MODEL.md#C13 */
static void check_reach(struct fwa_policy_parser *ps)
{
	char out[512] = "";
	size_t n = 0;

	for (unsigned int bit = 0; bit < FWA_EFFECT_COUNT; bit++) {
		fwa_effects effect = ps->rule.effects & 1u << bit;
		uint8_t need;

		if (effect && fwa_scope_of(effect, FWA_CLASS_PLAIN, &need) > ps->rule.scope)
			n += (size_t)snprintf(out + n, sizeof(out) - n, " %s",
					      fwa_effect_name(bit));
	}
	if (n)
		warn(ps, "grant '%s': scope %s does not reach effects:%s", ps->rule.name,
		     fwa_scope_name(ps->rule.scope), out);
}

/* Appends the grant's commands to those of all grants. */
static void end_commands(struct fwa_policy_parser *ps)
{
	struct fwa_policy_files *p = ps->p;
	size_t n = ps->filter.n;

	ps->rule.terms = p->n_terms;
	if (p->n_terms + n > FWA_POLICY_TERMS_MAX) {
		complain(ps, "more than %u commands and fields in all grants",
			 FWA_POLICY_TERMS_MAX);
		return;
	}
	if (fwa_policy_grow(&p->terms, sizeof(*p->terms), p->n_terms, n, &p->cap_terms) < 0) {
		ps->memory = true;
		return;
	}
	memcpy(p->terms + p->n_terms, ps->filter.term, n * sizeof(*p->terms));
	p->n_terms += n;
	ps->rule.n_terms = n;
}

/* Users, groups or units: the grants for all of them are found in different ways. */
static void check_kinds(struct fwa_policy_parser *ps)
{
	bool user = fwa_policy_has(ps, KEY_USER), group = fwa_policy_has(ps, KEY_GROUP);
	bool unit = fwa_policy_has(ps, KEY_UNIT);

	if (!user && !group && !unit)
		complain(ps, "grant '%s' has neither user, group nor unit", ps->rule.name);
	if (user + group + unit > 1)
		complain(ps, "grant '%s' has both %s and %s: make it two", ps->rule.name,
			 user ? "user" : "group", unit ? "unit" : "group");
}

/* What a file of the store must have besides. */
static void end_stored(struct fwa_policy_parser *ps)
{
	static const struct {
		enum fwa_policy_key key;
		const char *name;
	} required[] = { { KEY_UNTIL, "until" }, { KEY_BOOT, "boot" }, { KEY_CREATED, "created" } };
	struct fwa_policy_files *p = ps->p;

	for (size_t i = 0; i < FWA_ARRAY_SIZE(required); i++)
		if (!fwa_policy_has(ps, required[i].key))
			complain(ps, "grant '%s' has no %s", ps->rule.name, required[i].name);
	if (ps->more.created >= ps->rule.until)
		complain(ps, "grant '%s' ends before it was made", ps->rule.name);
	else if (ps->rule.until - ps->more.created > FWA_GRANT_SECONDS_MAX)
		complain(ps, "grant '%s' lasts longer than %u days", ps->rule.name,
			 FWA_GRANT_SECONDS_MAX / 86400);
	if (fwa_policy_grow(&p->stored, sizeof(*p->stored), p->n_stored, 1, &p->cap_stored) < 0) {
		ps->memory = true;
		return;
	}
	p->stored[p->n_stored++] = ps->more;
	ps->rule.stored = p->n_stored;
}

static void end_grant(struct fwa_policy_parser *ps)
{
	struct fwa_policy_rule *r = &ps->rule;
	struct fwa_policy_files *p = ps->p;
	unsigned int line = ps->line;

	if (!ps->in_grant)
		return;
	ps->in_grant = false;
	ps->line = r->line;
	check_kinds(ps);
	if (!fwa_policy_has(ps, KEY_DEVICE))
		complain(ps, "grant '%s' has no device", r->name);
	if (!fwa_policy_has(ps, KEY_SCOPE))
		complain(ps, "grant '%s' has no scope", r->name);
	if (ps->stored)
		end_stored(ps);
	if (!fwa_policy_has(ps, KEY_EFFECTS))
		r->effects = fwa_grant_default_effects(r->scope); /*= spec/SECURITY-MODEL.md#C14 */
	else
		check_reach(ps);
	end_commands(ps);
	ps->line = line;
	if (fwa_policy_grow(&p->rules, sizeof(*p->rules), p->n_rules, 1, &p->cap_rules) < 0)
		ps->memory = true;
	else
		p->rules[p->n_rules++] = *r;
}

static void begin_grant(struct fwa_policy_parser *ps, const char *name, size_t len)
{
	ps->in_grant = true;
	ps->filter.n = 0;
	ps->has = 0;
	ps->more = (struct fwa_policy_stored){ 0 };
	ps->rule = (struct fwa_policy_rule){
		.subjects = ps->p->n_subjects,
		.patterns = ps->p->n_pool,
		.conditions = ps->p->n_conditions,
		.file = ps->p->n_files - 1,
		.line = ps->line,
	};
	if (len == 0)
		complain(ps, "a grant needs a name: [grant NAME]");
	else if (len >= FWA_GRANT_NAME_MAX)
		complain(ps, "the name of a grant has at most %d characters",
			 FWA_GRANT_NAME_MAX - 1);
	else
		memcpy(ps->rule.name, name, len);
	if (name[strspn(name, FWA_GRANT_NAME_CHARACTERS)])
		complain(ps, "the name of a grant has letters, digits, '-', '_' and '.' only");
	if (!ps->stored)
		return;
	if (strcmp(name, ps->stored->name) != 0)
		complain(ps, "its file is called %s.conf", ps->stored->name);
	if (ps->p->n_rules != ps->first_rule)
		complain(ps, "a file of the store has one grant");
}

/* @text: what follows '['. */
static void take_section(struct fwa_policy_parser *ps, char *text)
{
	char *close = strchr(text, ']');
	char *rest = close ? close + 1 + strspn(close + 1, FWA_POLICY_BLANKS) : text;
	size_t skip;

	end_grant(ps);
	if (!close || (*rest && *rest != '#' && *rest != ';')) {
		complain(ps, "a section line is '[grant NAME]' and nothing else");
		return;
	}
	*close = '\0';
	skip = strcmp(text, "grant") == 0 ? 5 : 6;
	if (skip == 6 && strncmp(text, "grant ", 6) != 0) {
		complain(ps, "unknown section '[%s]'; allowed: [grant NAME]", text);
		return;
	}
	begin_grant(ps, text + skip, strlen(text + skip));
}

/* Called by libinih for each "key = value". Nonzero: go on. */
static int take_key(void *userdata, const char *section, const char *key, const char *value)
{
	char copy[LINE_MAX_BYTES];
	size_t len = strlen(value);

	if (len >= sizeof(copy)) /* not out of a line of read_line() */
		return 0;
	memcpy(copy, value, len + 1);
	fwa_policy_take_key(userdata, key, copy);
	return 1;
}

/* --- lines ---------------------------------------------------------------------------------- */

static bool line_is_text(struct fwa_policy_parser *ps, const uint8_t *line, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((line[i] < ' ' && line[i] != '\t' && line[i] != '\r') || line[i] == 0x7f) {
			complain(ps, "the line holds a control character");
			return false;
		}
	}
	return true;
}

/* libinih's ini_reader: the next line into @buf, NULL at the end. */
static char *read_line(char *buf, int cap, void *userdata)
{
	struct fwa_policy_parser *ps = userdata;
	const uint8_t *nl, *start;
	size_t len;

	if (ps->at == ps->end || ps->memory)
		return NULL;
	ps->line++;
	start = ps->at;
	nl = memchr(start, '\n', (size_t)(ps->end - start));
	len = (size_t)((nl ? nl : ps->end) - start);
	ps->at = nl ? nl + 1 : ps->end;
	while (len && (*start == ' ' || *start == '\t' || *start == '\r')) {
		start++;
		len--;
	}
	if (cap > LINE_MAX_BYTES)
		cap = LINE_MAX_BYTES;
	strcpy(buf, "\n");
	if (len && (*start == '#' || *start == ';'))
		return buf;
	if (len + 2 > (size_t)cap) {
		complain(ps,
			 "the line is longer than %d bytes; lists may be split over several lines",
			 cap - 2);
		return buf;
	}
	if (!line_is_text(ps, start, len))
		return buf;
	memcpy(buf, start, len);
	buf[len] = '\0';
	if (*buf == '[') {
		take_section(ps, buf + 1);
		strcpy(buf, "\n");
	} else {
		strcpy(buf + len, "\n");
	}
	return buf;
}

static int add_file(struct fwa_policy_files *p, const char *file)
{
	char *copy;

	if (fwa_policy_grow(&p->files, sizeof(*p->files), p->n_files, 1, &p->cap_files) < 0)
		return -ENOMEM;
	copy = strdup(file);
	if (!copy)
		return -ENOMEM;
	p->files[p->n_files++] = copy;
	return 0;
}

int fwa_policy_parse_text(struct fwa_policy_files *p, struct fwa_policy_names *names,
			  struct fwa_policy_report *report, const char *file, struct fwa_span text,
			  const struct fwa_policy_stored_file *stored)
{
	struct fwa_policy_parser ps = {
		.p = p,
		.names = names,
		.report = report,
		.file = file,
		.at = text.data,
		.end = text.data + text.len,
		.stored = stored,
		.first_rule = p->n_rules,
	};
	int bad;

	if (add_file(p, file) < 0)
		return -ENOMEM;
	if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
		ps.at += 3; /* the byte order mark that some editors write */
	bad = ini_parse_stream(read_line, &ps, take_key, &ps);
	if (ps.memory || bad == -2)
		return -ENOMEM;
	end_grant(&ps);
	ps.line = (unsigned int)bad;
	if (bad > 0)
		complain(&ps, "neither 'key = value', nor '[grant NAME]', nor a comment");
	ps.line = 0;
	if (stored && p->n_rules == ps.first_rule)
		complain(&ps, "there is no grant in it");
	return ps.memory ? -ENOMEM : 0;
}
