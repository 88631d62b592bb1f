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
#include "host/policy-internal.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "core/command.h"
#include "core/decide.h"

#define BLANKS " \t\r"
#define LIST_SEPARATORS ", \t"

struct parser {
	struct fwa_policy_files *p;
	struct fwa_policy_names *names;
	struct fwa_policy_report *report;
	const char *file;
	const uint8_t *at, *end;
	unsigned int line;
	bool memory; /* ran out of it */

	bool in_grant;
	struct fwa_policy_rule rule;
	struct fwa_policy_filter filter;
	bool has_user, has_group, has_device, has_scope, has_effects;
};

#define complain(ps, ...) fwa_policy_report((ps)->report, true, (ps)->file, (ps)->line, __VA_ARGS__)
#define warn(ps, ...) fwa_policy_report((ps)->report, false, (ps)->file, (ps)->line, __VA_ARGS__)

/* --- whom ----------------------------------------------------------------------------------- */

static void add_subject(struct parser *ps, uint32_t who, uint32_t id, uint32_t last)
{
	struct fwa_policy_files *p = ps->p;

	if (p->n_subjects == FWA_POLICY_GRANTS_MAX) {
		complain(ps, "more than %u users and groups in all grants", FWA_POLICY_GRANTS_MAX);
		return;
	}
	if (fwa_policy_grow(&p->subjects, sizeof(*p->subjects), p->n_subjects, 1,
			    &p->cap_subjects) < 0) {
		ps->memory = true;
		return;
	}
	p->subjects[p->n_subjects++] = (struct fwa_policy_subject){ who, id, last };
	ps->rule.n_subjects++;
}

static void take_name(struct parser *ps, uint32_t who, const char *name)
{
	const char *kind = who == FWA_WHO_UID ? "user" : "group";
	uint32_t id;

	switch (fwa_policy_names_find(ps->names, who, name, &id)) {
	case FWA_LOOKUP_FOUND:
		add_subject(ps, who, id, 0);
		break;
	case FWA_LOOKUP_UNKNOWN:
		warn(ps, "this machine has no %s '%s'; the grant gives it nothing", kind, name);
		break;
	case FWA_LOOKUP_FAILED:
		warn(ps, "cannot look up %s '%s' now; the grant gives it nothing", kind, name);
		break;
	case FWA_LOOKUP_BAD:
		complain(ps, "'%s' is not a number that a %s can have", name, kind);
		break;
	case FWA_LOOKUP_MEMORY:
		ps->memory = true;
		break;
	}
}

/* "1000-1999": no name of a user has only digits and one hyphen between them. */
static bool is_range(const char *item)
{
	size_t first = strspn(item, "0123456789");

	return first && item[first] == '-' && item[first + 1] &&
	       item[first + 1 + strspn(item + first + 1, "0123456789")] == '\0';
}

static void take_range(struct parser *ps, const char *item)
{
	unsigned long long first, last;
	char *end;

	errno = 0;
	first = strtoull(item, &end, 10);
	last = strtoull(end + 1, NULL, 10);
	if (errno || last >= UINT32_MAX || first > last) /* (uid_t)-1 is nobody at all */
		complain(ps, "'%s' is not a range of numbers that users can have", item);
	else if (ps->p->n_ranges == FWA_POLICY_RANGES_MAX)
		complain(ps, "more than %u ranges of users in all grants", FWA_POLICY_RANGES_MAX);
	else {
		ps->p->n_ranges++;
		add_subject(ps, FWA_WHO_UID_RANGE, (uint32_t)first, (uint32_t)last);
	}
}

static void take_user(struct parser *ps, char *item)
{
	ps->has_user = true;
	if (strcmp(item, "*") == 0)
		add_subject(ps, FWA_WHO_ANY, 0, 0);
	else if (strcmp(item, "@owner") == 0)
		add_subject(ps, FWA_WHO_OWNER, 0, 0);
	else if (is_range(item))
		take_range(ps, item);
	else if (item[0] == '@' || strchr(item, '*'))
		complain(ps, "unknown user '%s'; allowed: a name, a number, a range, @owner, *",
			 item);
	else
		take_name(ps, FWA_WHO_UID, item);
}

static void take_group(struct parser *ps, char *item)
{
	ps->has_group = true;
	if (item[0] == '@' || strchr(item, '*'))
		complain(ps, "unknown group '%s'; allowed: a name, a number", item);
	else
		take_name(ps, FWA_WHO_GID, item);
}

/* --- what ----------------------------------------------------------------------------------- */

static void take_device(struct parser *ps, char *item)
{
	struct fwa_policy_files *p = ps->p;
	size_t len = strlen(item) + 1;

	ps->has_device = true;
	if (fwa_policy_grow(&p->pool, 1, p->n_pool, len, &p->cap_pool) < 0) {
		ps->memory = true;
		return;
	}
	memcpy(p->pool + p->n_pool, item, len);
	p->n_pool += len;
	ps->rule.n_patterns++;
}

/* The offset of a copy of @text; 0, where "" is, when that cannot be. */
static size_t add_text(struct parser *ps, const char *text)
{
	struct fwa_policy_files *p = ps->p;
	size_t len = strlen(text) + 1, first = p->n_texts ? 0 : 1, at = p->n_texts + first;

	if (at + len > FWA_POLICY_TEXT_MAX) {
		complain(ps, "more than %u bytes of patterns and tickets in all grants",
			 FWA_POLICY_TEXT_MAX);
		return 0;
	}
	if (fwa_policy_grow(&p->texts, 1, p->n_texts, first + len, &p->cap_texts) < 0) {
		ps->memory = true;
		return 0;
	}
	p->texts[0] = '\0';
	memcpy(p->texts + at, text, len);
	p->n_texts = at + len;
	return at;
}

static void take_condition(struct parser *ps, enum fwa_condition condition, const char *item)
{
	struct fwa_policy_files *p = ps->p;
	size_t text;

	if (!*item) {
		complain(ps, "'%s' has an empty pattern", fwa_condition_name(condition));
		return;
	}
	if (p->n_conditions == FWA_POLICY_PATTERNS_MAX) {
		complain(ps, "more than %u patterns in all grants", FWA_POLICY_PATTERNS_MAX);
		return;
	}
	text = add_text(ps, item);
	if (!text)
		return;
	if (fwa_policy_grow(&p->conditions, sizeof(*p->conditions), p->n_conditions, 1,
			    &p->cap_conditions) < 0) {
		ps->memory = true;
		return;
	}
	p->conditions[p->n_conditions++] = (struct fwa_pattern){ condition, (uint32_t)text };
	ps->rule.n_conditions++;
}

static void take_family(struct parser *ps, char *item)
{
	take_condition(ps, FWA_CONDITION_FAMILY, item);
}

static void take_vendor(struct parser *ps, char *item)
{
	take_condition(ps, FWA_CONDITION_VENDOR, item);
}

static void take_model(struct parser *ps, char *item)
{
	take_condition(ps, FWA_CONDITION_MODEL, item);
}

static void take_firmware(struct parser *ps, char *item)
{
	take_condition(ps, FWA_CONDITION_FIRMWARE, item);
}

static void take_serial(struct parser *ps, char *item)
{
	take_condition(ps, FWA_CONDITION_SERIAL, item);
}

static void take_commands(struct parser *ps, char *item)
{
	char error[FWA_ERROR_LEN];
	int r = fwa_policy_parse_commands(&ps->filter, item, error);

	if (r == -ENOMEM)
		ps->memory = true;
	else if (r < 0)
		complain(ps, "%s", error);
}

static void take_ticket(struct parser *ps, char *item)
{
	if (ps->rule.ticket)
		complain(ps, "a grant has one ticket");
	else if (strlen(item) >= FWA_GRANT_TICKET_MAX)
		complain(ps, "a ticket has at most %d bytes", FWA_GRANT_TICKET_MAX - 1);
	else
		ps->rule.ticket = add_text(ps, item);
}

static void take_scope(struct parser *ps, char *item)
{
	int scope = fwa_scope_by_name(item);

	if (ps->has_scope) {
		complain(ps, "a grant has one scope");
		return;
	}
	ps->has_scope = true;
	if (scope < 0) {
		complain(ps, "unknown scope '%s'; allowed: %s, %s, %s, %s", item,
			 fwa_scope_name(FWA_SCOPE_CONFIGURATION),
			 fwa_scope_name(FWA_SCOPE_DEBUG_READ_ONLY),
			 fwa_scope_name(FWA_SCOPE_DEBUG_WRITE),
			 fwa_scope_name(FWA_SCOPE_DEBUG_WRITE_FULL));
		return;
	}
	ps->rule.scope = (uint32_t)scope;
}

/* "config, data, ...": the effects that a grant can name. */
static const char *effects_allowed(char text[512])
{
	size_t n = 0;

	for (unsigned int bit = 0; bit < FWA_EFFECT_COUNT; bit++)
		if (FWA_EFFECTS_GRANTABLE & 1u << bit)
			n += (size_t)snprintf(text + n, 512 - n, "%s, ", fwa_effect_name(bit));
	snprintf(text + n, 512 - n, "none");
	return text;
}

static void take_effect(struct parser *ps, char *item)
{
	fwa_effects effect = fwa_effect_by_name(item, strlen(item));
	char allowed[512];

	ps->has_effects = true;
	if (strcmp(item, "none") == 0)
		return;
	if (!effect)
		complain(ps, "unknown effect '%s'; allowed: %s", item, effects_allowed(allowed));
	else if (effect & FWA_EFFECTS_NEVER) /*= spec/SECURITY-MODEL.md#C15 */
		complain(ps, "effect '%s' can never be granted; allowed: %s", item,
			 effects_allowed(allowed));
	else
		ps->rule.effects |= effect;
}

static const struct {
	const char *name;
	const char *separators; /* "": the value is one item */
	void (*take)(struct parser *ps, char *item);
} keys[] = {
	{ "user", LIST_SEPARATORS, take_user },
	{ "group", LIST_SEPARATORS, take_group },
	{ "device", LIST_SEPARATORS, take_device },
	{ "family", ",", take_family },
	{ "vendor", ",", take_vendor },
	{ "model", ",", take_model },
	{ "firmware", ",", take_firmware },
	{ "serial", ",", take_serial },
	{ "scope", LIST_SEPARATORS, take_scope },
	{ "effects", LIST_SEPARATORS, take_effect },
	{ "commands", ",", take_commands },
	{ "ticket", "", take_ticket },
};

#define KEYS                                                                             \
	"user, group, device, family, vendor, model, firmware, serial, scope, effects, " \
	"commands, ticket"

/* @item without the blanks around it. */
static char *trim(char *item)
{
	size_t len;

	item += strspn(item, BLANKS);
	len = strlen(item);
	while (len && strchr(BLANKS, item[len - 1]))
		len--;
	item[len] = '\0';
	return item;
}

/* Called by libinih for each "key = value". Nonzero: go on. */
static int take_key(void *userdata, const char *section, const char *key, const char *value)
{
	struct parser *ps = userdata;
	fwa_auto_free char *copy = NULL;
	char *item, *save;
	size_t k = 0;

	while (k < FWA_ARRAY_SIZE(keys) && strcmp(keys[k].name, key) != 0)
		k++;
	if (k == FWA_ARRAY_SIZE(keys)) {
		complain(ps, "unknown key '%s'; allowed: " KEYS, key);
		return 1;
	}
	if (!ps->in_grant) {
		complain(ps, "'%s' outside of a [grant NAME] section", key);
		return 1;
	}
	copy = strdup(value);
	if (!copy) {
		ps->memory = true;
		return 1;
	}
	item = strtok_r(copy, keys[k].separators, &save);
	if (!item)
		complain(ps, "'%s' has no value", key);
	for (; item; item = strtok_r(NULL, keys[k].separators, &save))
		keys[k].take(ps, trim(item));
	return 1;
}

/* --- grants --------------------------------------------------------------------------------- */

/* A grant that names effects which its scope does not reach is probably not what was meant. */
/*= spec/SECURITY-MODEL.md#C13 */
static void check_reach(struct parser *ps)
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
static void end_commands(struct parser *ps)
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

static void end_grant(struct parser *ps)
{
	struct fwa_policy_rule *r = &ps->rule;
	struct fwa_policy_files *p = ps->p;
	unsigned int line = ps->line;

	if (!ps->in_grant)
		return;
	ps->in_grant = false;
	ps->line = r->line;
	if (!ps->has_user && !ps->has_group)
		complain(ps, "grant '%s' has neither user nor group", r->name);
	if (ps->has_user && ps->has_group)
		complain(ps, "grant '%s' has both user and group: make it two", r->name);
	if (!ps->has_device)
		complain(ps, "grant '%s' has no device", r->name);
	if (!ps->has_scope)
		complain(ps, "grant '%s' has no scope", r->name);
	if (!ps->has_effects)
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

static void begin_grant(struct parser *ps, const char *name, size_t len)
{
	ps->in_grant = true;
	ps->filter.n = 0;
	ps->has_user = ps->has_group = ps->has_device = ps->has_scope = ps->has_effects = false;
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
	for (size_t i = 0; i < len; i++) {
		if (!strchr("-_.", name[i]) && !(name[i] >= '0' && name[i] <= '9') &&
		    !((name[i] | 32) >= 'a' && (name[i] | 32) <= 'z')) {
			complain(ps,
				 "the name of a grant has letters, digits, '-', '_' and '.' only");
			break;
		}
	}
}

/* @text: what follows '['. */
static void take_section(struct parser *ps, char *text)
{
	char *close = strchr(text, ']');
	char *rest = close ? close + 1 + strspn(close + 1, BLANKS) : text;
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

/* --- lines ---------------------------------------------------------------------------------- */

static bool line_is_text(struct parser *ps, const uint8_t *line, size_t len)
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
	struct parser *ps = userdata;
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
			  struct fwa_policy_report *report, const char *file, struct fwa_span text)
{
	struct parser ps = {
		.p = p,
		.names = names,
		.report = report,
		.file = file,
		.at = text.data,
		.end = text.data + text.len,
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
	return ps.memory ? -ENOMEM : 0;
}
