/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy directories: which files count, in which order, and the digest of what was read.
 */
#include "host/policy-internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "base/hex.h"
#include "base/util.h"
#include "journal/sha256.h"

#define FILE_MAX (64u * 1024 * 1024)
#define FILES_MAX 4096

#define STOCK_NAME "50-stock.conf"
#define BUILT_IN "built-in stock policy"

/* The standard directories, the later the stronger. */
static const char *const standard_dirs[] = {
	FWADMIT_VENDOR_DIR "/policy.d",
	"/run/fwadmit/policy.d",
	"/etc/fwadmit/policy.d",
};

/* A file that counts. */
struct source {
	char *name; /* within its directory */
	char *path; /* NULL: the stock policy that is built in */
};

struct sources {
	struct source *at;
	size_t n, cap;
};

struct loader {
	struct fwa_policy_files *p;
	struct fwa_policy_names names;
	struct fwa_policy_report report;
	struct fwa_policy_report store_report;
	SHA256_CTX digest;
};

void fwa_policy_report(struct fwa_policy_report *r, bool error, const char *file, unsigned int line,
		       const char *format, ...)
{
	char text[768];
	struct fwa_policy_message m = { error, file, line, text };
	unsigned int *said = error ? &r->errors : &r->warnings;
	va_list ap;

	if ((*said)++ > FWA_POLICY_MESSAGES_MAX)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (*said > FWA_POLICY_MESSAGES_MAX)
		strcpy(text, "too many messages; the rest is left out");
	fwa_make_printable(text); /* it may quote the file */
	if (r->fn)
		r->fn(&m, r->userdata);
}

void fwa_policy_message_line(const struct fwa_policy_message *m, char line[FWA_ERROR_LEN])
{
	if (m->line)
		snprintf(line, FWA_ERROR_LEN, "%s:%u: %s", m->file, m->line, m->text);
	else
		snprintf(line, FWA_ERROR_LEN, "%s: %s", m->file, m->text);
}

int fwa_policy_grow(void *array, size_t size, size_t n, size_t add, size_t *cap)
{
	void **at = array, *more;
	size_t want = *cap ? *cap : 64;

	while (want < n + add)
		want *= 2;
	if (want == *cap)
		return 0;
	more = reallocarray(*at, want, size);
	if (!more)
		return -ENOMEM;
	*at = more;
	*cap = want;
	return 0;
}

/* --- sources -------------------------------------------------------------------------------- */

static void sources_clear(struct sources *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->at[i].name);
		free(s->at[i].path);
	}
	free(s->at);
}

static int source_order(const void *pa, const void *pb)
{
	const struct source *a = pa, *b = pb;

	return strcmp(a->name, b->name);
}

/* Adds @dir's file @name, or puts it in the place of one with the same name. */
static int sources_put(struct sources *s, size_t n_hidden, const char *dir, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n_hidden; i++) {
		if (strcmp(s->at[i].name, name) == 0) {
			free(s->at[i].path);
			s->at[i].path = path;
			return 0;
		}
	}
	if (s->n == FILES_MAX || fwa_policy_grow(&s->at, sizeof(*s->at), s->n, 1, &s->cap) < 0) {
		free(path);
		return s->n == FILES_MAX ? -E2BIG : -ENOMEM;
	}
	s->at[s->n] = (struct source){ strdup(name), path };
	return s->at[s->n++].name ? 0 : -ENOMEM;
}

/* The stock policy is the lowest layer: a file of its name in any directory takes its place. */
static int sources_add_stock(struct sources *s)
{
	if (fwa_policy_grow(&s->at, sizeof(*s->at), s->n, 1, &s->cap) < 0)
		return -ENOMEM;
	s->at[s->n] = (struct source){ strdup(STOCK_NAME), NULL };
	return s->at[s->n++].name ? 0 : -ENOMEM;
}

static bool is_policy_name(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > 5 && strcmp(name + len - 5, ".conf") == 0;
}

static int sources_add_dir(struct sources *s, const char *dir)
{
	size_t n_hidden = s->n;
	struct dirent *e;
	int r = 0;
	DIR *d;

	d = opendir(dir);
	if (!d)
		return -errno;
	while (r == 0) {
		errno = 0;
		e = readdir(d);
		if (!e) {
			r = -errno;
			break;
		}
		if (is_policy_name(e->d_name))
			r = sources_put(s, n_hidden, dir, e->d_name);
	}
	closedir(d);
	return r;
}

/* --- loading -------------------------------------------------------------------------------- */

/*
 * Who may write to a policy file decides everything, so that one that all may write to is not
 * policy (C3). /dev/null stands for an empty file: a link to it masks a file.
 */
static int check_kind(struct loader *l, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
		return 0;
	if (!S_ISREG(st.st_mode)) {
		fwa_policy_report(&l->report, true, path, 0, "not a regular file");
		return 1;
	}
	if (st.st_mode & S_IWOTH) {
		fwa_policy_report(&l->report, true, path, 0, "everybody may write to this file");
		return 1;
	}
	return 0;
}

static int load_text(struct loader *l, const char *file, struct fwa_span text)
{
	SHA256_Update(&l->digest, text.data, text.len);
	return fwa_policy_parse_text(l->p, &l->names, &l->report, file, text, NULL);
}

/* Its errors are not those of the policy: they leave out what they are about (C3). */
static int load_stored(const char *name, const char *path, struct fwa_span text, void *userdata)
{
	struct fwa_policy_stored_file stored = { .name = name };
	struct loader *l = userdata;
	int r = fwa_policy_add_stored(l->p, &l->names, &l->store_report, path, text, &stored);

	if (r == 0)
		SHA256_Update(&l->digest, text.data, text.len);
	return r < 0 ? r : 0;
}

static int load_store(struct loader *l, const char *grants)
{
	return grants ? fwa_grants_each_file(grants, &l->store_report, load_stored, l) : 0;
}

static struct fwa_span stock(void)
{
	return fwa_span(fwa_policy_stock, fwa_policy_stock_len);
}

static int load_file(struct loader *l, const char *path)
{
	fwa_auto_free uint8_t *text = NULL;
	size_t len;
	int r;

	if (!path)
		return load_text(l, BUILT_IN, stock());
	r = check_kind(l, path);
	if (r > 0)
		return 0;
	if (r == 0)
		r = fwa_read_file(path, FILE_MAX, &text, &len);
	if (r < 0) {
		fwa_policy_report(&l->report, true, path, 0, "cannot read: %s", strerror(-r));
		return r;
	}
	return load_text(l, path, fwa_span(text, len));
}

static int loader_begin(struct loader *l, fwa_policy_message_fn fn, void *userdata)
{
	*l = (struct loader){ .report = { .fn = fn, .userdata = userdata } };
	l->store_report = l->report;
	l->p = calloc(1, sizeof(*l->p));
	SHA256_Init(&l->digest);
	return l->p ? 0 : -ENOMEM;
}

/* Hands the policy over when all went well (@r) and no error was found. */
static int loader_end(struct loader *l, int r, const char *source, struct fwa_policy_files **ret)
{
	struct fwa_policy_files *p = l->p;

	if (r == 0)
		r = fwa_policy_check(p, &l->report);
	if (r == 0 && l->report.errors) /*= spec/SECURITY-MODEL.md#C3 */
		r = -EINVAL;
	if (r == 0) {
		p->source = strdup(source);
		SHA256_Final(p->digest, &l->digest);
		if (!p->source)
			r = -ENOMEM;
	}
	fwa_policy_names_clear(&l->names);
	if (r < 0) {
		fwa_policy_files_free(p);
		return r;
	}
	fwa_hex_text(p->digest, sizeof(p->digest), p->digest_text);
	*ret = p;
	return 0;
}

int fwa_policy_files_parse_memory(const char *name, struct fwa_span text, fwa_policy_message_fn fn,
				  void *userdata, struct fwa_policy_files **ret)
{
	struct loader l;
	int r;

	r = loader_begin(&l, fn, userdata);
	if (r == 0)
		r = load_text(&l, name, text);
	return loader_end(&l, r, name, ret);
}

/* Reads the files of @s, which is sorted; "cat FILES | sha256sum" gives the digest. */
static int load_sources(struct loader *l, const struct sources *s)
{
	int r, first = 0;

	for (size_t i = 0; i < s->n; i++) {
		r = load_file(l, s->at[i].path);
		if (r == -ENOMEM)
			return r;
		if (r < 0 && first == 0)
			first = r;
	}
	return first;
}

static int load_dir(struct loader *l, const char *dir)
{
	struct sources s = { 0 };
	int r;

	r = sources_add_dir(&s, dir);
	if (r < 0)
		fwa_policy_report(&l->report, true, dir, 0, "cannot read: %s", strerror(-r));
	else if (s.n == 0)
		fwa_policy_report(&l->report, false, dir, 0, "no *.conf in it: nothing is granted");
	if (r == 0) {
		if (s.n > 0) /* qsort takes no NULL */
			qsort(s.at, s.n, sizeof(*s.at), source_order);
		r = load_sources(l, &s);
	}
	sources_clear(&s);
	return r;
}

int fwa_policy_files_load_dirs(const char *const *dirs, size_t n, const char *grants,
			       fwa_policy_message_fn fn, void *userdata,
			       struct fwa_policy_files **ret)
{
	const char *source = "standard directories";
	struct sources s = { 0 };
	struct loader l;
	int r;

	r = loader_begin(&l, fn, userdata);
	if (r == 0)
		r = sources_add_stock(&s);
	for (size_t i = 0; i < n && r == 0; i++) {
		r = sources_add_dir(&s, dirs[i]);
		if (r == -ENOENT)
			r = 0;
		if (r < 0)
			fwa_policy_report(&l.report, true, dirs[i], 0, "cannot read: %s",
					  strerror(-r));
	}
	if (r == 0) {
		if (s.n == 1 && !s.at[0].path)
			source = BUILT_IN;
		qsort(s.at, s.n, sizeof(*s.at), source_order);
		r = load_sources(&l, &s);
	}
	sources_clear(&s);
	if (r == 0)
		r = load_store(&l, grants);
	return loader_end(&l, r, source, ret);
}

int fwa_policy_files_load(const char *dir, const char *grants, fwa_policy_message_fn fn,
			  void *userdata, struct fwa_policy_files **ret)
{
	struct loader l;
	int r;

	if (!dir)
		return fwa_policy_files_load_dirs(standard_dirs, FWA_ARRAY_SIZE(standard_dirs),
						  grants, fn, userdata, ret);
	r = loader_begin(&l, fn, userdata);
	if (r == 0)
		r = load_dir(&l, dir);
	if (r == 0)
		r = load_store(&l, grants);
	return loader_end(&l, r, dir, ret);
}

struct fwa_policy_files *fwa_policy_files_free(struct fwa_policy_files *p)
{
	if (!p)
		return NULL;
	for (size_t i = 0; i < p->n_files; i++)
		free(p->files[i]);
	free(p->files);
	free(p->rules);
	free(p->subjects);
	free(p->conditions);
	free(p->terms);
	free(p->pool);
	free(p->texts);
	free(p->stored);
	free(p->source);
	free(p);
	return NULL;
}

const char *fwa_policy_files_digest(const struct fwa_policy_files *p)
{
	return p->digest_text;
}

/* SHA-256 of the digest until now, 32 bytes, and "-NAME\n": the same text is the same policy still. */
static void digest_without(struct fwa_policy_files *p, const char *name)
{
	char text[sizeof(p->digest) + FWA_GRANT_NAME_MAX + 3];
	SHA256_CTX ctx;
	int n;

	memcpy(text, p->digest, sizeof(p->digest));
	n = snprintf(text + sizeof(p->digest), sizeof(text) - sizeof(p->digest), "-%s\n", name);
	SHA256_Init(&ctx);
	SHA256_Update(&ctx, text, sizeof(p->digest) + (size_t)n);
	SHA256_Final(p->digest, &ctx);
	fwa_hex_text(p->digest, sizeof(p->digest), p->digest_text);
}

void fwa_policy_files_revoke(struct fwa_policy_files *p, const char *name)
{
	for (size_t i = 0; i < p->n_rules; i++) {
		struct fwa_policy_rule *r = &p->rules[i];

		if (!r->stored || !r->n_subjects || strcmp(r->name, name) != 0)
			continue;
		r->n_subjects = 0; /* for nobody */
		p->n_revoked++;
		digest_without(p, name);
		return;
	}
}

const char *fwa_policy_files_source(const struct fwa_policy_files *p)
{
	return p->source;
}

uint32_t fwa_policy_files_count(const struct fwa_policy_files *p)
{
	return (uint32_t)(p->n_rules - p->n_revoked);
}
