/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys of a grant: what each of their values may be, and what it makes of the grant.
 */
#include "host/policy-parser.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/util.h"
#include "base/uuid.h"
#include "core/command.h"
#include "core/decide.h"

#define LIST_SEPARATORS ", \t"

/* The offset of a copy of @text; 0, where "" is, when that cannot be. */
static size_t add_text(struct fwa_policy_parser *ps, const char *text)
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

/* --- whom ----------------------------------------------------------------------------------- */

static void add_subject(struct fwa_policy_parser *ps, uint32_t who, uint32_t id, uint32_t last)
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

static void take_name(struct fwa_policy_parser *ps, uint32_t who, const char *name)
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

static void take_range(struct fwa_policy_parser *ps, const char *item)
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

static void take_user(struct fwa_policy_parser *ps, char *item)
{
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

static void take_group(struct fwa_policy_parser *ps, char *item)
{
	if (item[0] == '@' || strchr(item, '*'))
		complain(ps, "unknown group '%s'; allowed: a name, a number", item);
	else
		take_name(ps, FWA_WHO_GID, item);
}

#define UNIT_PATTERN_MAX 512 /* a line is shorter than half of it */

/*
 * systemd writes "\x2d" for "-" in what a unit's name was made of. As a pattern that would be "x2d": for
 * who pastes the name the backslash stands for itself, as does one that is written twice.
 */
static void unit_pattern(const char *item, char text[UNIT_PATTERN_MAX])
{
	size_t len = 0;

	while (*item && len + 3 < UNIT_PATTERN_MAX) {
		bool twice = item[0] == '\\' && item[1] == '\\';

		if (item[0] == '\\' && item[1] == 'x' && isxdigit((unsigned char)item[2]) &&
		    isxdigit((unsigned char)item[3]))
			text[len++] = '\\';
		else if (twice)
			text[len++] = *item++;
		text[len++] = *item++;
	}
	text[len] = '\0';
}

/*
 * A pattern for names of units. One without a type and without a wildcard would match none.
 */
static void take_unit(struct fwa_policy_parser *ps, char *item)
{
	char pattern[UNIT_PATTERN_MAX];
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789:_.-@\\*?[]!^";
	size_t text;

	if (item[strspn(item, allowed)])
		complain(ps, "'%s' is not a pattern for systemd units", item);
	else if (!strpbrk(item, ".*?["))
		complain(ps, "unit '%s' has no type, as smartd.service has", item);
	else if (ps->p->n_units == FWA_POLICY_UNITS_MAX)
		complain(ps, "more than %u units in all grants", FWA_POLICY_UNITS_MAX);
	else {
		unit_pattern(item, pattern);
		text = add_text(ps, pattern);
		if (!text)
			return;
		ps->p->n_units++;
		add_subject(ps, FWA_WHO_UNIT, (uint32_t)text, 0);
	}
}

/* --- what ----------------------------------------------------------------------------------- */

static void take_device(struct fwa_policy_parser *ps, char *item)
{
	struct fwa_policy_files *p = ps->p;
	size_t len = strlen(item) + 1;

	if (fwa_policy_grow(&p->pool, 1, p->n_pool, len, &p->cap_pool) < 0) {
		ps->memory = true;
		return;
	}
	memcpy(p->pool + p->n_pool, item, len);
	p->n_pool += len;
	ps->rule.n_patterns++;
}

static void take_condition(struct fwa_policy_parser *ps, enum fwa_condition condition,
			   const char *item)
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

static void take_family(struct fwa_policy_parser *ps, char *item)
{
	take_condition(ps, FWA_CONDITION_FAMILY, item);
}

static void take_vendor(struct fwa_policy_parser *ps, char *item)
{
	take_condition(ps, FWA_CONDITION_VENDOR, item);
}

static void take_model(struct fwa_policy_parser *ps, char *item)
{
	take_condition(ps, FWA_CONDITION_MODEL, item);
}

static void take_firmware(struct fwa_policy_parser *ps, char *item)
{
	take_condition(ps, FWA_CONDITION_FIRMWARE, item);
}

static void take_serial(struct fwa_policy_parser *ps, char *item)
{
	take_condition(ps, FWA_CONDITION_SERIAL, item);
}

static void take_commands(struct fwa_policy_parser *ps, char *item)
{
	char error[FWA_ERROR_LEN];
	int r = fwa_policy_parse_commands(&ps->filter, ps->names, item, error);

	if (r == -ENOMEM)
		ps->memory = true;
	else if (r < 0)
		complain(ps, "%s", error);
}

static void take_ticket(struct fwa_policy_parser *ps, char *item)
{
	if (strlen(item) >= FWA_GRANT_TICKET_MAX)
		complain(ps, "a ticket has at most %d bytes", FWA_GRANT_TICKET_MAX - 1);
	else
		ps->rule.ticket = add_text(ps, item);
}

static void take_scope(struct fwa_policy_parser *ps, char *item)
{
	int scope = fwa_scope_by_name(item);

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

static void take_effect(struct fwa_policy_parser *ps, char *item)
{
	fwa_effects effect = fwa_effect_by_name(item, strlen(item));
	char allowed[512];

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

/* --- how long, and how much ------------------------------------------------------------------- */

static void take_until(struct fwa_policy_parser *ps, char *item)
{
	if (!fwa_time_parse(item, &ps->rule.until))
		complain(ps, "'%s' is not a time in UTC such as 2026-12-31T18:00:00Z", item);
	else if (ps->rule.until == 0)
		ps->rule.until = 1; /* 0 would be no end at all */
}

static void take_commands_per_second(struct fwa_policy_parser *ps, char *item)
{
	uint64_t n = 0;

	if (!fwa_policy_parse_count(item, UINT32_MAX, &n))
		complain(ps, "'%s' is not a number of commands from 1 to %u", item, UINT32_MAX);
	ps->rule.commands = (uint32_t)n;
}

static void take_bytes_per_second(struct fwa_policy_parser *ps, char *item)
{
	if (!fwa_policy_parse_size(item, INT64_MAX, &ps->rule.bytes))
		complain(ps, "'%s' is not a number of bytes such as 4096, 64K, 10M or 1G", item);
}

static void take_max_sessions(struct fwa_policy_parser *ps, char *item)
{
	uint64_t n = 0;

	if (!fwa_policy_parse_count(item, UINT32_MAX, &n))
		complain(ps, "'%s' is not a number of sessions from 1 to %u", item, UINT32_MAX);
	ps->rule.sessions = (uint32_t)n;
}

/* --- what the journal has of it ----------------------------------------------------------------- */

static void take_record(struct fwa_policy_parser *ps, char *item)
{
	if (strcmp(item, "payload") == 0)
		ps->rule.record_payload = true;
	else if (strcmp(item, "digest") != 0)
		complain(ps, "unknown record '%s'; allowed: digest, payload", item);
}

/* --- files of the store ----------------------------------------------------------------------- */

/* "BOOT-ID NS" */
static void take_boot_end(struct fwa_policy_parser *ps, char *item, struct fwa_policy_boot_end *ret)
{
	char *number = strchr(item, ' ');
	struct fwa_uuid uuid;

	if (number)
		*number++ = '\0';
	if (!number || !fwa_uuid_parse(item, &uuid) ||
	    !fwa_policy_parse_count(number, UINT64_MAX, &ret->at))
		complain(ps, "'boot' and 'later-boot' are the id of a boot and nanoseconds in it");
	else
		fwa_uuid_text(uuid.b, ret->boot_id);
}

static void take_boot(struct fwa_policy_parser *ps, char *item)
{
	take_boot_end(ps, item, &ps->more.boot);
}

static void take_later_boot(struct fwa_policy_parser *ps, char *item)
{
	take_boot_end(ps, item, &ps->more.later_boot);
}

/* "UID TIME" */
static void take_created(struct fwa_policy_parser *ps, char *item)
{
	char *time = strchr(item, ' ');
	uint64_t uid;

	if (time)
		*time++ = '\0';
	if (!time || !fwa_parse_number(item, UINT32_MAX - 1, &uid) ||
	    !fwa_time_parse(time, &ps->more.created))
		complain(ps, "'created' is a uid and a time");
	else
		ps->more.by = (uint32_t)uid;
}

/* --- all of them ------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	const char *separators; /* "": the value is one item */
	void (*take)(struct fwa_policy_parser *ps, char *item);
	bool once;
} keys[KEY_COUNT] = {
	[KEY_USER] = { "user", LIST_SEPARATORS, take_user, false },
	[KEY_GROUP] = { "group", LIST_SEPARATORS, take_group, false },
	[KEY_UNIT] = { "unit", LIST_SEPARATORS, take_unit, false },
	[KEY_DEVICE] = { "device", LIST_SEPARATORS, take_device, false },
	[KEY_FAMILY] = { "family", ",", take_family, false },
	[KEY_VENDOR] = { "vendor", ",", take_vendor, false },
	[KEY_MODEL] = { "model", ",", take_model, false },
	[KEY_FIRMWARE] = { "firmware", ",", take_firmware, false },
	[KEY_SERIAL] = { "serial", ",", take_serial, false },
	[KEY_SCOPE] = { "scope", LIST_SEPARATORS, take_scope, true },
	[KEY_EFFECTS] = { "effects", LIST_SEPARATORS, take_effect, false },
	[KEY_COMMANDS] = { "commands", ",", take_commands, false },
	[KEY_TICKET] = { "ticket", "", take_ticket, true },
	[KEY_UNTIL] = { "until", LIST_SEPARATORS, take_until, true },
	[KEY_COMMANDS_PER_SECOND] = { "commands-per-second", LIST_SEPARATORS,
				      take_commands_per_second, true },
	[KEY_BYTES_PER_SECOND] = { "bytes-per-second", LIST_SEPARATORS, take_bytes_per_second,
				   true },
	[KEY_MAX_SESSIONS] = { "max-sessions", LIST_SEPARATORS, take_max_sessions, true },
	[KEY_RECORD] = { "record", LIST_SEPARATORS, take_record, true },
	[KEY_BOOT] = { "boot", "", take_boot, true },
	[KEY_LATER_BOOT] = { "later-boot", "", take_later_boot, true },
	[KEY_CREATED] = { "created", "", take_created, true },
};

#define KEYS                                                                                   \
	"user, group, unit, device, family, vendor, model, firmware, serial, scope, effects, " \
	"commands, ticket, until, commands-per-second, bytes-per-second, max-sessions, record"

/* @item without the blanks around it. */
static char *trim(char *item)
{
	size_t len;

	item += strspn(item, FWA_POLICY_BLANKS);
	len = strlen(item);
	while (len && strchr(FWA_POLICY_BLANKS, item[len - 1]))
		len--;
	item[len] = '\0';
	return item;
}

static void take_item(struct fwa_policy_parser *ps, unsigned int k, char *item)
{
	if (keys[k].once && fwa_policy_has(ps, k)) {
		complain(ps, "a grant has one %s", keys[k].name);
		return;
	}
	ps->has |= 1u << k;
	if (ps->stored && ps->stored->item)
		ps->stored->item(keys[k].name, item, ps->stored->userdata);
	keys[k].take(ps, item);
}

void fwa_policy_take_key(struct fwa_policy_parser *ps, const char *key, char *value)
{
	unsigned int k = 0, n = ps->stored ? KEY_COUNT : KEY_BOOT;
	char *item, *save;

	/* most names differ in their first letter */
	while (k < n && (keys[k].name[0] != key[0] || strcmp(keys[k].name, key) != 0))
		k++;
	if (k == n) {
		complain(ps, "unknown key '%s'; allowed: " KEYS, key);
		return;
	}
	if (!ps->in_grant) {
		complain(ps, "'%s' outside of a [grant NAME] section", key);
		return;
	}
	if (fwa_policy_has(ps, KEY_CREATED)) /* so that a file that was cut off is seen to be */
		complain(ps, "'%s' behind 'created', which ends the file", key);
	item = strtok_r(value, keys[k].separators, &save);
	if (!item)
		complain(ps, "'%s' has no value", key);
	for (; item; item = strtok_r(NULL, keys[k].separators, &save))
		take_item(ps, k, trim(item));
}
