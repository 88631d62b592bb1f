/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the store: which files are of it, and what a grant says.
 */
#include "host/grants-internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/util.h"
#include "host/state.h"

#define refuse(report, path, ...) fwa_policy_report(report, true, path, 0, __VA_ARGS__)

/* --- files ------------------------------------------------------------------------------------ */

int fwa_grants_open(const char *dir)
{
	fwa_auto_close int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	return fwa_is_ours(&st) ? fwa_steal_fd(&fd) : -EPERM;
}

/* The length of what @fd holds, at most @cap bytes; or negative errno. */
static ssize_t read_up_to(int fd, uint8_t *buf, size_t cap)
{
	size_t len = 0;

	while (len < cap) {
		ssize_t n = read(fd, buf + len, cap - len);

		if (n == 0)
			break;
		if (n < 0 && errno != EINTR)
			return -errno;
		len += n > 0 ? (size_t)n : 0;
	}
	return (ssize_t)len;
}

/* Reads one file into @buf. What is wrong with it, or NULL. */
static const char *read_file(int store, const char *file, uint8_t buf[FWA_GRANT_FILE_MAX + 1],
			     size_t *ret_len)
{
	fwa_auto_close int fd =
		openat(store, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	ssize_t len;

	if (fd < 0 || fstat(fd, &st) < 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "not a regular file";
	if (!fwa_is_ours(&st))
		return "others own it or may write to it";
	len = read_up_to(fd, buf, FWA_GRANT_FILE_MAX + 1);
	if (len < 0)
		return strerror((int)-len);
	*ret_len = (size_t)len;
	if (*ret_len > FWA_GRANT_FILE_MAX)
		return "too long";
	if (!*ret_len || buf[*ret_len - 1] != '\n')
		return "cut off";
	return NULL;
}

static bool is_grant_file(const struct dirent *e, char name[FWA_GRANT_NAME_MAX])
{
	size_t len = strlen(e->d_name), suffix = strlen(FWA_GRANT_SUFFIX);

	if (e->d_name[0] == '.' || len <= suffix || len - suffix >= FWA_GRANT_NAME_MAX ||
	    strcmp(e->d_name + len - suffix, FWA_GRANT_SUFFIX) != 0)
		return false;
	memcpy(name, e->d_name, len - suffix);
	name[len - suffix] = '\0';
	return name[strspn(name, FWA_GRANT_NAME_CHARACTERS)] == '\0';
}

struct names {
	char (*at)[FWA_GRANT_NAME_MAX];
	size_t n, cap;
};

static int name_order(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The names of the grants of @store, sorted. */
static int read_names(int store, const char *dir, struct fwa_policy_report *report,
		      struct names *names)
{
	int fd = fcntl(store, F_DUPFD_CLOEXEC, 0), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	char name[FWA_GRANT_NAME_MAX];
	struct dirent *e;

	if (!d) {
		fwa_close(fd);
		return -ENOMEM;
	}
	while (r == 0 && (e = readdir(d))) {
		if (!is_grant_file(e, name))
			continue;
		if (names->n == FWA_GRANTS_MAX) {
			refuse(report, dir, "more than %d grants: some are not in force",
			       FWA_GRANTS_MAX);
			break;
		}
		r = fwa_policy_grow(&names->at, sizeof(*names->at), names->n, 1, &names->cap);
		if (r == 0)
			memcpy(names->at[names->n++], name, sizeof(name));
	}
	closedir(d);
	if (names->n)
		qsort(names->at, names->n, sizeof(*names->at), name_order);
	return r;
}

static int each_file(int store, const char *dir, const struct names *names,
		     struct fwa_policy_report *report, fwa_grants_file_fn fn, void *userdata)
{
	fwa_auto_free uint8_t *buf = malloc(FWA_GRANT_FILE_MAX + 1);
	int r = buf ? 0 : -ENOMEM;

	for (size_t i = 0; i < names->n && r == 0; i++) {
		char file[FWA_GRANT_FILE_NAME];
		fwa_auto_free char *path = NULL;
		const char *wrong;
		size_t len = 0;

		fwa_grant_file_name(names->at[i], file);
		if (asprintf(&path, "%s/%s", dir, file) < 0)
			return -ENOMEM;
		wrong = read_file(store, file, buf, &len);
		if (wrong)
			refuse(report, path, "not in force: %s", wrong);
		else
			r = fn(names->at[i], path, fwa_span(buf, len), userdata);
	}
	return r;
}

int fwa_grants_each_file(const char *dir, struct fwa_policy_report *report, fwa_grants_file_fn fn,
			 void *userdata)
{
	fwa_auto_close int store = fwa_grants_open(dir);
	struct names names = { 0 };
	int r;

	if (store == -ENOENT)
		return 0;
	if (store < 0) {
		refuse(report, dir, "no grant of it is in force: %s",
		       store == -EPERM ? "others own it or may write to it" : strerror(-store));
		return 0;
	}
	r = read_names(store, dir, report, &names);
	if (r == 0)
		r = each_file(store, dir, &names, report, fn, userdata);
	free(names.at);
	return r;
}

/* --- grants ----------------------------------------------------------------------------------- */

/* How much of everything a policy has, to go back to. */
struct mark {
	size_t rules, subjects, conditions, terms, pool, texts, ranges, units, stored, files;
};

static struct mark mark_of(const struct fwa_policy_files *p)
{
	return (struct mark){ p->n_rules, p->n_subjects, p->n_conditions, p->n_terms,  p->n_pool,
			      p->n_texts, p->n_ranges,   p->n_units,      p->n_stored, p->n_files };
}

static void go_back(struct fwa_policy_files *p, const struct mark *m)
{
	while (p->n_files > m->files)
		free(p->files[--p->n_files]);
	p->n_rules = m->rules;
	p->n_subjects = m->subjects;
	p->n_conditions = m->conditions;
	p->n_terms = m->terms;
	p->n_pool = m->pool;
	p->n_texts = m->texts;
	p->n_ranges = m->ranges;
	p->n_units = m->units;
	p->n_stored = m->stored;
}

/* The first error of a file; warnings go on as they are. */
struct first_error {
	struct fwa_policy_report *report;
	unsigned int line;
	char text[512];
};

static void keep_first(const struct fwa_policy_message *m, void *userdata)
{
	struct first_error *first = userdata;

	if (!m->error) {
		fwa_policy_report(first->report, false, m->file, m->line, "%s", m->text);
	} else if (!*first->text) {
		first->line = m->line;
		snprintf(first->text, sizeof(first->text), "%s", m->text);
	}
}

/*= spec/SECURITY-MODEL.md#C3 */
int fwa_policy_add_stored(struct fwa_policy_files *p, struct fwa_policy_names *names,
			  struct fwa_policy_report *report, const char *path, struct fwa_span text,
			  const struct fwa_policy_stored_file *stored)
{
	struct first_error first = { .report = report };
	struct fwa_policy_report own = { .fn = keep_first, .userdata = &first };
	struct mark mark = mark_of(p);
	int r = fwa_policy_parse_text(p, names, &own, path, text, stored);

	if (r < 0 || !own.errors)
		return r;
	go_back(p, &mark);
	fwa_policy_report(report, true, path, first.line, "not in force: %s", first.text);
	return 1;
}

/* --- the list --------------------------------------------------------------------------------- */

struct reading {
	struct fwa_granted g;
	size_t used; /* of its memory */
};

const struct fwa_grant_key fwa_grant_lists[FWA_GRANT_LISTS] = {
	{ "user", offsetof(struct fwa_grant_terms, user) },
	{ "group", offsetof(struct fwa_grant_terms, group) },
	{ "unit", offsetof(struct fwa_grant_terms, unit) },
	{ "device", offsetof(struct fwa_grant_terms, device) },
	{ "effects", offsetof(struct fwa_grant_terms, effects) },
	{ "commands", offsetof(struct fwa_grant_terms, commands) },
};

/* Where an item of @key belongs; NULL: it is not one of a list. */
static struct fwa_grant_list *list_of(struct fwa_grant_terms *t, const char *key)
{
	for (size_t i = 0; i < FWA_GRANT_LISTS; i++)
		if (strcmp(fwa_grant_lists[i].key, key) == 0)
			return fwa_grant_list_at(t, i);
	return NULL;
}

static void take_item(const char *key, const char *item, void *userdata)
{
	struct reading *reading = userdata;
	struct fwa_grant_terms *t = &reading->g.terms;
	struct fwa_grant_list *list = list_of(t, key);
	char *copy = reading->g.memory + reading->used;

	if (list && list->n == FWA_GRANT_ITEMS_MAX)
		return;
	strcpy(copy, item);
	reading->used += strlen(item) + 1;
	if (list)
		list->item[list->n++] = copy;
	else if (strcmp(key, "scope") == 0)
		t->scope = copy;
	else if (strcmp(key, "ticket") == 0)
		t->ticket = copy;
	else if (strcmp(key, "record") == 0)
		t->records = copy;
}

int fwa_granted_read(const char *name, const char *path, struct fwa_span text,
		     const struct fwa_moment *now, struct fwa_policy_report *report,
		     struct fwa_granted *ret, struct fwa_policy_stored *ret_stored)
{
	struct reading reading = { .g.memory = malloc(text.len + FWA_GRANT_NAME_MAX + 1) };
	struct fwa_policy_stored_file stored = { name, take_item, &reading };
	struct fwa_policy_files *p = calloc(1, sizeof(*p));
	struct fwa_policy_names names = { 0 };
	struct fwa_granted *g = &reading.g;
	int r = -ENOMEM;

	if (p && g->memory) {
		strcpy(g->memory, name);
		g->terms.name = g->memory;
		reading.used = strlen(name) + 1;
		r = fwa_policy_add_stored(p, &names, report, path, text, &stored);
	}
	if (r == 0) {
		const struct fwa_policy_rule *rule = &p->rules[0];

		*ret_stored = p->stored[0];
		g->created = p->stored[0].created;
		g->by = p->stored[0].by;
		g->until = rule->until;
		g->terms.commands_per_second = rule->commands;
		g->terms.bytes_per_second = rule->bytes;
		g->terms.max_sessions = rule->sessions;
		g->waits = !fwa_policy_rule_end(p, rule, now, &g->end);
		*ret = *g;
	} else {
		free(g->memory);
	}
	fwa_policy_names_clear(&names);
	fwa_policy_files_free(p);
	return r;
}

struct listing {
	const struct fwa_moment *now;
	struct fwa_policy_report report;
	fwa_granted_fn fn;
	void *userdata;
};

static int list_file(const char *name, const char *path, struct fwa_span text, void *userdata)
{
	struct listing *l = userdata;
	struct fwa_policy_stored stored;
	struct fwa_granted g;
	int r = fwa_granted_read(name, path, text, l->now, &l->report, &g, &stored);

	if (r == 0) {
		l->fn(&g, l->userdata);
		free(g.memory);
	}
	return r < 0 ? r : 0;
}

int fwa_grants_list(const char *dir, const struct fwa_moment *now, fwa_granted_fn fn,
		    void *userdata)
{
	struct listing l = { .now = now, .fn = fn, .userdata = userdata };

	return fwa_grants_each_file(dir, &l.report, list_file, &l);
}
