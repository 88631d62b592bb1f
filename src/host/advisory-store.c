/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store: STATE/advisories, with ID.json, the envelope as it came, and ID.seen, the edition that was
 * accepted last (advisory-seen.c). One writer.
 *
 * 1. A document is there whole or not at all, and is written before its edition is: whatever is cut short,
 *    what was in force stays in force, or what is new is.
 * 2. What is removed is noted before it goes.
 * 3. Whoever signed an advisory signs its next editions, too, for these can say less: another key that is
 *    trusted is not, until an operator has removed the advisory.
 * 4. What was accepted and is not there any more, or is another edition than was accepted, is said.
 */
#include "host/advisory-store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "host/policy-internal.h"

void fwa_advisory_json_name(const char *id, char name[FWA_ADVISORY_FILE_NAME])
{
	snprintf(name, FWA_ADVISORY_FILE_NAME, "%s.json", id);
}

/* --- what is there ---------------------------------------------------------------------------- */

/* What is stored as @id is none that was accepted: only who signed it stays in @f. */
__attribute__((format(printf, 3, 4))) static void refuse(struct fwa_advisory_file *f,
							 const char *id, const char *format, ...)
{
	struct fwa_advisory_file none = { .status = FWA_ADVISORY_BAD };
	va_list ap;

	snprintf(none.id, sizeof(none.id), "%s", id);
	memcpy(none.key, f->key, sizeof(none.key));
	memcpy(none.signer, f->signer, sizeof(none.signer));
	va_start(ap, format);
	vsnprintf(none.error, sizeof(none.error), format, ap);
	va_end(ap);
	fwa_advisory_file_clear(f);
	*f = none;
}

/* Whether it is the edition that was accepted, as far as that is known. */
/*= spec/SECURITY-MODEL.md#C33 */
static void check_edition(int store, struct fwa_advisory_file *f, const char *digest)
{
	struct fwa_advisory_seen seen;
	char id[FWA_ADVISORY_ID_MAX];

	memcpy(id, f->id, sizeof(id));
	if (fwa_advisory_seen_read(store, id, &seen) < 0)
		return; /* it counts; the next import says what is wrong */
	if (f->sequence < seen.sequence)
		refuse(f, id, "edition %llu was put in the place of edition %llu",
		       (unsigned long long)f->sequence, (unsigned long long)seen.sequence);
	else if (f->sequence == seen.sequence && strcmp(digest, seen.digest) != 0)
		refuse(f, id, "edition %llu is not the one that was accepted",
		       (unsigned long long)f->sequence);
}

int fwa_advisory_read_document(const struct fwa_advisory_store *s, const char *id,
			       struct fwa_advisory_file *f, char digest[FWA_DIGEST_TEXT])
{
	char name[FWA_ADVISORY_FILE_NAME];
	fwa_auto_free char *text = NULL;
	size_t len;
	int r;

	memset(f, 0, sizeof(*f));
	fwa_advisory_json_name(id, name);
	r = fwa_advisory_read(s->fd, name, FWA_ADVISORY_FILE_MAX, &text, &len);
	if (r == -ENOENT || r == -ENOMEM)
		return r;
	if (r < 0) {
		refuse(f, id, "%s",
		       r == -EPERM ? "others own it or may write to it" : strerror(-r));
		return 0;
	}
	r = fwa_advisory_check_with(&s->keys, fwa_span(text, len), s->now, f, digest);
	if (r == -ENOMEM)
		return r;
	if (f->status == FWA_ADVISORY_BAD) {
		char error[FWA_ERROR_LEN];

		memcpy(error, f->error, sizeof(error));
		refuse(f, id, "%s", error);
	} else if (strcmp(f->id, id) != 0) {
		char other[FWA_ADVISORY_ID_MAX];

		memcpy(other, f->id, sizeof(other));
		refuse(f, id, "it is %s", other);
	} else {
		check_edition(s->fd, f, digest);
	}
	return 0;
}

/* A document that was accepted and is not there. False when there is none such. */
static bool is_gone(const struct fwa_advisory_store *s, const char *id, struct fwa_advisory_file *f)
{
	struct fwa_advisory_seen seen;

	memset(f, 0, sizeof(*f));
	if (fwa_advisory_seen_read(s->fd, id, &seen) < 0) {
		refuse(f, id, "its document is gone, and which edition it was cannot be read");
		return true;
	}
	if (!seen.sequence || seen.removed)
		return false;
	refuse(f, id, "its document, edition %llu, is gone: import it again, or remove it",
	       (unsigned long long)seen.sequence);
	return true;
}

struct ids {
	char (*at)[FWA_ADVISORY_ID_MAX];
	size_t n, cap;
	size_t documents;
};

/* The id that a file is of by its name, which ends in @suffix; false for other files. */
static bool id_of(const char *name, const char *suffix, char id[FWA_ADVISORY_ID_MAX])
{
	size_t len = strlen(name), n = strlen(suffix);

	if (len <= n || len - n >= FWA_ADVISORY_ID_MAX || strcmp(name + len - n, suffix) != 0)
		return false;
	memcpy(id, name, len - n);
	id[len - n] = '\0';
	return fwa_advisory_is_id(id);
}

static int id_order(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The ids of documents, and of those that were, sorted, each once. */
static int read_ids(int store, struct ids *ids)
{
	int fd = fcntl(store, F_DUPFD_CLOEXEC, 0), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	char id[FWA_ADVISORY_ID_MAX];
	struct dirent *e;
	size_t kept = 0;

	if (!d) {
		fwa_close(fd);
		return -ENOMEM;
	}
	rewinddir(d);
	while (r == 0 && (e = readdir(d))) {
		bool document = id_of(e->d_name, ".json", id);

		if (!document && !id_of(e->d_name, ".seen", id))
			continue;
		r = fwa_policy_grow(&ids->at, sizeof(*ids->at), ids->n, 1, &ids->cap);
		if (r == 0)
			memcpy(ids->at[ids->n++], id, sizeof(id));
		ids->documents += document;
	}
	closedir(d);
	if (ids->n)
		qsort(ids->at, ids->n, sizeof(*ids->at), id_order);
	for (size_t i = 0; i < ids->n; i++)
		if (i == 0 || strcmp(ids->at[i], ids->at[kept - 1]) != 0)
			memmove(ids->at[kept++], ids->at[i], sizeof(*ids->at));
	ids->n = kept;
	return r;
}

int fwa_advisory_count(const struct fwa_advisory_store *s, size_t *ret)
{
	struct ids ids = { 0 };
	int r = read_ids(s->fd, &ids);

	free(ids.at);
	*ret = ids.documents;
	return r;
}

int fwa_advisory_each(const struct fwa_advisory_store *s, fwa_advisory_each_fn fn, void *userdata)
{
	struct ids ids = { 0 };
	int r = read_ids(s->fd, &ids);

	for (size_t i = 0; i < ids.n && r == 0; i++) {
		struct fwa_advisory_file f;
		char digest[FWA_DIGEST_TEXT] = "";
		bool there = true;

		r = fwa_advisory_read_document(s, ids.at[i], &f, digest);
		if (r == -ENOENT) {
			there = is_gone(s, ids.at[i], &f);
			r = 0;
		}
		if (r == 0 && there)
			r = fn(&f, digest, userdata);
		fwa_advisory_file_clear(&f);
	}
	free(ids.at);
	return r;
}

int fwa_advisory_store_begin(struct fwa_advisory_store *s, const struct fwa_advisory_place *p,
			     const struct fwa_moment *now)
{
	int r;

	*s = (struct fwa_advisory_store){ .fd = -1, .now = now, .dir = fwa_advisory_dir(p) };
	if (!s->dir)
		return -ENOMEM;
	r = fwa_advisory_keys_load(p, &s->keys);
	if (r < 0)
		return r;
	s->fd = fwa_advisory_store_open(s->dir);
	return s->fd < 0 ? s->fd : 0;
}

void fwa_advisory_store_end(struct fwa_advisory_store *s)
{
	fwa_advisory_keys_clear(&s->keys);
	s->fd = fwa_close(s->fd);
	free(s->dir);
	s->dir = NULL;
}

/* --- the list --------------------------------------------------------------------------------- */

struct listing {
	fwa_advisory_fn fn;
	void *userdata;
};

static int list_one(struct fwa_advisory_file *f, const char *digest, void *userdata)
{
	struct listing *l = userdata;

	l->fn(f, l->userdata);
	return 0;
}

int fwa_advisory_list(const struct fwa_advisory_place *p, const struct fwa_moment *now,
		      fwa_advisory_fn fn, void *userdata)
{
	struct listing l = { fn, userdata };
	fwa_auto_store struct fwa_advisory_store s;
	int r = fwa_advisory_store_begin(&s, p, now);

	if (r == 0)
		r = fwa_advisory_each(&s, list_one, &l);
	return r == -ENOENT ? 0 : r;
}
