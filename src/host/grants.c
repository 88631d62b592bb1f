/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing the store: grants come, end and are revoked.
 */
#include "host/grants.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/util.h"
#include "core/decide.h"
#include "host/grants-internal.h"
#include "host/state.h"

#define ITEM_MAX 128

/* --- what may be asked for -------------------------------------------------------------------- */

/* A name is a file's, too: so no dot in front. */
static bool is_name(const char *name)
{
	return *name && *name != '.' && strlen(name) < FWA_GRANT_NAME_MAX &&
	       !name[strspn(name, FWA_GRANT_NAME_CHARACTERS)];
}

/* Printable ASCII; of that, nothing that would end an item or begin a comment. */
static bool is_item(const char *item, const char *without)
{
	size_t len = strlen(item);

	if (!len || len > ITEM_MAX || *item == ' ' || item[len - 1] == ' ')
		return false;
	for (; *item; item++)
		if (*item < ' ' || *item > '~' || strchr(without, *item))
			return false;
	return true;
}

static int check_list(const struct fwa_grant_list *list, const char *key, char *error)
{
	const char *without = strcmp(key, "commands") == 0 ? ",;" : " ,;";

	if (list->n > FWA_GRANT_ITEMS_MAX)
		return fwa_fail(error, -EINVAL, "more than %d items of '%s'", FWA_GRANT_ITEMS_MAX,
				key);
	for (size_t i = 0; i < list->n; i++) {
		char item[ITEM_MAX + 1];

		if (is_item(list->item[i], without))
			continue;
		snprintf(item, sizeof(item), "%s", list->item[i]);
		fwa_make_printable(item);
		return fwa_fail(error, -EINVAL,
				"'%s' cannot be '%s': an item has 1 to %d characters of printable "
				"ASCII without '%c', '%c' and blanks around it",
				key, item, ITEM_MAX, without[strlen(without) - 2],
				without[strlen(without) - 1]);
	}
	return 0;
}

static int check_terms(const struct fwa_grant_terms *t, uint64_t seconds, char *error)
{
	if (t->name && !is_name(t->name))
		return fwa_fail(
			error, -EINVAL,
			"the name of a grant has 1 to %d letters, digits, '-', '_' and '.', "
			"which is not the first",
			FWA_GRANT_NAME_MAX - 1);
	if (seconds == 0)
		return fwa_fail(error, -EINVAL, "a grant lasts a second or longer");
	if (seconds > FWA_GRANT_SECONDS_MAX)
		return fwa_fail(error, -EINVAL,
				"a grant lasts %u days at most; one that is to stay belongs into a "
				"policy file",
				FWA_GRANT_SECONDS_MAX / 86400);
	if (t->ticket && (!is_item(t->ticket, ";") || strlen(t->ticket) >= FWA_GRANT_TICKET_MAX))
		return fwa_fail(
			error, -EINVAL,
			"a ticket has 1 to %d characters of printable ASCII without ';' and "
			"blanks around it",
			FWA_GRANT_TICKET_MAX - 1);
	if (t->commands_per_second > UINT32_MAX || t->max_sessions > UINT32_MAX ||
	    t->bytes_per_second > INT64_MAX)
		return fwa_fail(error, -EINVAL, "a limit is too great to be one");
	if (t->records && strcmp(t->records, "digest") != 0 && strcmp(t->records, "payload") != 0)
		return fwa_fail(error, -EINVAL, "a grant records the digest, or the payload");
	for (size_t i = 0; i < FWA_GRANT_LISTS; i++) {
		int r = check_list(fwa_grant_list_at(t, i), fwa_grant_lists[i].key, error);

		if (r < 0)
			return r;
	}
	return 0;
}

/* The least scope that covers the effects, when none is given. */
static int choose_scope(struct fwa_grant_terms *t, char *error)
{
	fwa_effects effects = 0;
	unsigned int scope;
	uint8_t need;

	if (t->scope)
		return is_item(t->scope, " ,;") ? 0
						: fwa_fail(error, -EINVAL, "the scope is not one");
	if (!t->effects.n)
		return fwa_fail(error, -EINVAL, "a grant needs a scope, or effects");
	for (size_t i = 0; i < t->effects.n; i++)
		effects |= fwa_effect_by_name(t->effects.item[i], strlen(t->effects.item[i]));
	scope = fwa_scope_of(effects & FWA_EFFECTS_GRANTABLE, FWA_CLASS_PLAIN, &need);
	t->scope = fwa_scope_name(scope);
	return 0;
}

/* Commands come as in a policy file, several in a line: one an item is easier to check. */
static int split_commands(struct fwa_grant_terms *t, char **ret_memory, char *error)
{
	struct fwa_grant_list split = { 0 };
	size_t len = 1, used = 0;

	for (size_t i = 0; i < t->commands.n; i++)
		len += strlen(t->commands.item[i]) + 1;
	*ret_memory = malloc(len);
	if (!*ret_memory)
		return fwa_fail(error, -ENOMEM, "out of memory");
	for (size_t i = 0; i < t->commands.n; i++) {
		char *at = strcpy(*ret_memory + used, t->commands.item[i]), *item;

		used += strlen(at) + 1;
		while ((item = strsep(&at, ","))) {
			item += strspn(item, " ");
			for (char *end = item + strlen(item); end > item && end[-1] == ' ';)
				*--end = '\0';
			if (split.n == FWA_GRANT_ITEMS_MAX)
				return fwa_fail(error, -EINVAL, "more than %d commands",
						FWA_GRANT_ITEMS_MAX);
			split.item[split.n++] = item;
		}
	}
	t->commands = split;
	return 0;
}

/* --- the file --------------------------------------------------------------------------------- */

static void write_limit(FILE *f, const char *key, uint64_t limit)
{
	if (limit)
		fprintf(f, "%s = %llu\n", key, (unsigned long long)limit);
}

/* "created" comes last: what is cut off has none. */
static char *render(const struct fwa_grant_terms *t, uint64_t seconds, uint32_t by,
		    const struct fwa_moment *now)
{
	char until[FWA_TIME_TEXT], created[FWA_TIME_TEXT], *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	fwa_time_text(now->wall + seconds, until);
	fwa_time_text(now->wall, created);
	fprintf(f, "# made by fwadmitd; to end it: fwadmit grant revoke %s\n[grant %s]\n", t->name,
		t->name);
	for (size_t i = 0; i < FWA_GRANT_LISTS; i++) {
		const struct fwa_grant_list *list = fwa_grant_list_at(t, i);

		for (size_t k = 0; k < list->n; k++)
			fprintf(f, "%s = %s\n", fwa_grant_lists[i].key, list->item[k]);
	}
	fprintf(f, "scope = %s\n", t->scope);
	if (t->ticket)
		fprintf(f, "ticket = %s\n", t->ticket);
	write_limit(f, "commands-per-second", t->commands_per_second);
	write_limit(f, "bytes-per-second", t->bytes_per_second);
	write_limit(f, "max-sessions", t->max_sessions);
	if (t->records)
		fprintf(f, "record = %s\n", t->records);
	fprintf(f, "until = %s\nboot = %s %llu\ncreated = %u %s\n", until, now->boot_id,
		(unsigned long long)(now->boot + seconds * FWA_NS_PER_S), by, created);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_terms(const struct fwa_grant_terms *a, const struct fwa_grant_terms *b)
{
	for (size_t i = 0; i < FWA_GRANT_LISTS; i++) {
		const struct fwa_grant_list *x = fwa_grant_list_at(a, i),
					    *y = fwa_grant_list_at(b, i);

		if (x->n != y->n)
			return false;
		for (size_t k = 0; k < x->n; k++)
			if (strcmp(x->item[k], y->item[k]) != 0)
				return false;
	}
	return same_text(a->name, b->name) && same_text(a->scope, b->scope) &&
	       same_text(a->ticket, b->ticket) && same_text(a->records, b->records) &&
	       a->commands_per_second == b->commands_per_second &&
	       a->bytes_per_second == b->bytes_per_second && a->max_sessions == b->max_sessions;
}

/*
 * The error, of which there is one at most; else the first warning: who makes a grant can be told
 * now what it would not give.
 */
static void keep_message(const struct fwa_policy_message *m, void *userdata)
{
	char *error = userdata;
	const char *text = m->text;

	if (strncmp(text, "not in force: ", 14) == 0)
		text += 14;
	if (m->error || !*error)
		snprintf(error, FWA_ERROR_LEN, "%s", text);
}

/* Whether the policy reader understands @text as what was asked for. */
static int check_text(const struct fwa_grant_terms *t, const char *text,
		      const struct fwa_moment *now, char *error)
{
	struct fwa_policy_report report = { .fn = keep_message, .userdata = error };
	struct fwa_policy_stored stored;
	struct fwa_granted g;
	bool same;
	int r;

	if (strlen(text) > FWA_GRANT_FILE_MAX)
		return fwa_fail(error, -EINVAL, "it is too long");
	error[0] = '\0';
	r = fwa_granted_read(t->name, "the grant", fwa_span(text, strlen(text)), now, &report, &g,
			     &stored);
	if (r != 0)
		return r < 0 ? fwa_fail(error, r, "out of memory") : -EINVAL;
	same = same_terms(t, &g.terms);
	free(g.memory);
	if (!same)
		return fwa_fail(error, -EINVAL, "a policy file cannot say what it says");
	return *error ? -EINVAL : 0;
}

/* --- creating --------------------------------------------------------------------------------- */

static bool exists(int store, const char *name)
{
	char file[FWA_GRANT_FILE_NAME];
	struct stat st;

	fwa_grant_file_name(name, file);
	return fstatat(store, file, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

static int make_name(int store, char name[FWA_GRANT_NAME_MAX])
{
	uint32_t number;

	do {
		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			return -errno;
		snprintf(name, FWA_GRANT_NAME_MAX, "g-%08x", number);
	} while (exists(store, name));
	return 0;
}

/* How many files the store has, good and bad ones. */
static size_t count_files(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	size_t n = 0;

	while (d && (e = readdir(d)))
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

/* Opens the store for a new grant, and finds it a name. */
static int prepare_store(const char *dir, const char *wanted, char name[FWA_GRANT_NAME_MAX],
			 char *error)
{
	fwa_auto_close int store = -1;
	int r = fwa_make_dirs(dir);

	if (r == 0)
		r = store = fwa_grants_open(dir);
	if (r < 0)
		return fwa_fail(error, r, "%s: %s", dir,
				r == -EPERM ? "others own it or may write to it" : strerror(-r));
	if (count_files(dir) >= FWA_GRANTS_MAX)
		return fwa_fail(error, -E2BIG, "there are %d grants already: revoke some",
				FWA_GRANTS_MAX);
	if (wanted && exists(store, wanted))
		return fwa_fail(error, -EEXIST, "there is a grant '%s' already", wanted);
	if (wanted)
		strcpy(name, wanted);
	else
		r = make_name(store, name);
	return r < 0 ? fwa_fail(error, r, "no name: %s", strerror(-r)) : 0;
}

static int store_grant(const char *dir, const struct fwa_grant_terms *t, uint64_t seconds,
		       uint32_t by, const struct fwa_moment *now, char *error)
{
	char file[FWA_GRANT_FILE_NAME];
	fwa_auto_free char *text = render(t, seconds, by, now);
	int r;

	if (!text)
		return fwa_fail(error, -ENOMEM, "out of memory");
	r = check_text(t, text, now, error);
	if (r == 0 && t->record)
		r = t->record(t->userdata, t, error);
	if (r < 0)
		return r;
	fwa_grant_file_name(t->name, file);
	r = fwa_write_durably(dir, file, text, strlen(text));
	if (r == 0)
		return 0;
	/* Where only the folder could not be synchronised it is there, and is not to be. */
	fwa_grants_remove(dir, t->name);
	return fwa_fail(error, r, "%s/%s: %s", dir, file, strerror(-r));
}

int fwa_grants_create(const char *dir, const struct fwa_grant_terms *terms, uint64_t seconds,
		      uint32_t by, const struct fwa_moment *now, char ret_name[FWA_GRANT_NAME_MAX],
		      char error[FWA_ERROR_LEN])
{
	struct fwa_grant_terms t = *terms;
	fwa_auto_free char *memory = NULL;
	char name[FWA_GRANT_NAME_MAX];
	int r = 0;

	if (t.commands.n <= FWA_GRANT_ITEMS_MAX)
		r = split_commands(&t, &memory, error);
	if (r == 0)
		r = check_terms(&t, seconds, error);
	if (r == 0)
		r = choose_scope(&t, error);
	if (r == 0 && (!*now->boot_id || now->wall > FWA_TIME_MAX - seconds))
		r = fwa_fail(error, -EINVAL, "the clock cannot be read");
	if (r == 0)
		r = prepare_store(dir, t.name, name, error);
	if (r < 0)
		return r;
	t.name = name;
	r = store_grant(dir, &t, seconds, by, now, error);
	if (r == 0)
		strcpy(ret_name, name);
	return r;
}

/* --- ending ----------------------------------------------------------------------------------- */

static int remove_file(int store, const char *file)
{
	if (unlinkat(store, file, 0) < 0)
		return -errno;
	return fsync(store) < 0 ? -errno : 0;
}

int fwa_grants_remove(const char *dir, const char *name)
{
	char file[FWA_GRANT_FILE_NAME];
	fwa_auto_close int store = -1;

	if (!is_name(name))
		return -ENOENT;
	store = fwa_grants_open(dir);
	if (store < 0)
		return store;
	fwa_grant_file_name(name, file);
	return remove_file(store, file);
}

/* @text with when it ends in this boot, in place of what it says of an earlier one. */
static char *with_later_boot(struct fwa_span text, const struct fwa_moment *now, uint64_t end)
{
	const char *at = (const char *)text.data, *stop = at + text.len, *next;
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	if (!f)
		return NULL;
	for (; at < stop; at = next) {
		const char *key = at + strspn(at, " \t\r");

		next = memchr(at, '\n', (size_t)(stop - at));
		next = next ? next + 1 : stop;
		if (strncmp(key, "later-boot", 10) == 0)
			continue;
		if (strncmp(key, "created", 7) == 0)
			fprintf(f, "later-boot = %s %llu\n", now->boot_id, (unsigned long long)end);
		fwrite(at, 1, (size_t)(next - at), f);
	}
	if (fclose(f) == 0)
		return out;
	free(out);
	return NULL;
}

struct sweep {
	const char *dir;
	int store;
	const struct fwa_moment *now;
	struct fwa_policy_report report;
	fwa_granted_fn fn;
	void *userdata;
	int removed, failed;
};

static bool in_boot(const struct fwa_policy_boot_end *end, const struct fwa_moment *m)
{
	return strcmp(end->boot_id, m->boot_id) == 0;
}

static int sweep_file(const char *name, const char *path, struct fwa_span text, void *userdata)
{
	char file[FWA_GRANT_FILE_NAME];
	fwa_auto_free char *more = NULL;
	struct sweep *s = userdata;
	struct fwa_policy_stored stored;
	struct fwa_granted g;
	int r = fwa_granted_read(name, path, text, s->now, &s->report, &g, &stored);

	if (r != 0)
		return r < 0 ? r : 0;
	fwa_grant_file_name(name, file);
	if (!g.waits && g.end == 1) {
		r = remove_file(s->store, file);
		s->removed += r == 0;
		if (r == 0 && s->fn)
			s->fn(&g, s->userdata);
	} else if (!g.waits && !in_boot(&stored.boot, s->now) &&
		   !in_boot(&stored.later_boot, s->now)) {
		more = with_later_boot(text, s->now, g.end);
		r = more ? fwa_write_durably(s->dir, file, more, strlen(more)) : -ENOMEM;
	}
	free(g.memory);
	if (r < 0 && !s->failed)
		s->failed = r;
	return 0;
}

int fwa_grants_sweep(const char *dir, const struct fwa_moment *now, fwa_granted_fn fn,
		     void *userdata)
{
	fwa_auto_close int store = fwa_grants_open(dir);
	struct sweep s = { dir, store, now, { 0 }, fn, userdata, 0, 0 };
	int r;

	if (store == -ENOENT)
		return 0;
	if (store < 0)
		return store;
	fwa_remove_leftovers(dir);
	r = fwa_grants_each_file(dir, &s.report, sweep_file, &s);
	if (r < 0)
		return r;
	return s.failed < 0 ? s.failed : s.removed;
}
