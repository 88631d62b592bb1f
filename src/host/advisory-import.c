/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing the store: editions come and go.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "host/advisory-store.h"
#include "host/state.h"

/* --- editions --------------------------------------------------------------------------------- */

/*
 * The last edition of @id that was accepted: what is noted, or the document, where its note was cut short.
 * *ret_good: the document is there, and is that. -EBADMSG when the note is none.
 */
static int last_edition(const struct fwa_advisory_store *s, const char *id,
			struct fwa_advisory_seen *ret, bool *ret_good)
{
	char digest[FWA_DIGEST_TEXT] = "";
	struct fwa_advisory_file f;
	int noted = fwa_advisory_seen_read(s->fd, id, ret);
	int r = fwa_advisory_read_document(s, id, &f, digest);

	*ret_good = r == 0 && f.status != FWA_ADVISORY_BAD;
	if (*ret_good && f.sequence > ret->sequence) {
		ret->sequence = f.sequence;
		ret->removed = false;
		memcpy(ret->digest, digest, sizeof(ret->digest));
		memcpy(ret->key, f.key, sizeof(ret->key));
	}
	fwa_advisory_file_clear(&f);
	return r == -ENOMEM ? r : noted;
}

uint64_t fwa_advisory_next_sequence(const struct fwa_advisory_place *p, const char *id,
				    const struct fwa_moment *now)
{
	fwa_auto_store struct fwa_advisory_store s;
	struct fwa_advisory_seen seen;
	bool good;

	if (fwa_advisory_store_begin(&s, p, now) < 0 || last_edition(&s, id, &seen, &good) < 0)
		return 1;
	return seen.sequence + 1;
}

/* --- importing -------------------------------------------------------------------------------- */

/* Who has signed @text, which was checked. */
static int signers_of(const struct fwa_advisory_store *s, struct fwa_span text,
		      struct fwa_advisory_signers *ret)
{
	struct fwa_advisory_file f = { .status = FWA_ADVISORY_BAD };
	fwa_auto_free char *payload = NULL;
	size_t len;

	ret->n = 0;
	return fwa_advisory_open(text, &s->keys, &f, &payload, &len, ret);
}

/*
 * Whether a new edition is of a key that has signed the last one: @key, as it was noted, or another one of the
 * document that is stored. One that is not trusted any more binds nobody.
 */
/*= spec/SECURITY-MODEL.md#C33 */
static int check_signer(const struct fwa_advisory_store *s, struct fwa_span text, const char *key,
			struct fwa_advisory_file *f)
{
	const struct fwa_advisory_key *noted = fwa_advisory_find_key(&s->keys, key);
	struct fwa_advisory_signers before = { .n = 0 }, now;
	fwa_auto_free char *stored = NULL;
	char name[FWA_ADVISORY_FILE_NAME];
	size_t len;
	int r = signers_of(s, text, &now);

	fwa_advisory_json_name(f->id, name);
	if (r == 0 && fwa_advisory_read(s->fd, name, FWA_ADVISORY_FILE_MAX, &stored, &len) == 0)
		signers_of(s, fwa_span(stored, len), &before);
	if (r < 0 || !noted)
		return r;
	for (size_t i = 0; i < now.n; i++) {
		if (now.key[i] == noted)
			return 0;
		for (size_t k = 0; k < before.n; k++)
			if (now.key[i] == before.key[k])
				return 0;
	}
	return fwa_fail(f->error, -EKEYREJECTED,
			"key %.80s has signed the last edition and not this one: remove that first",
			noted->name);
}

/* 1: it is new; 0: it is there already; or -ESTALE, -EEXIST, other negative errno. */
static int compare(const struct fwa_advisory_store *s, struct fwa_span text,
		   struct fwa_advisory_file *f, const char *digest)
{
	struct fwa_advisory_seen seen;
	bool good;
	int r = last_edition(s, f->id, &seen, &good);

	if (r < 0)
		return fwa_fail(f->error, r, "%s.seen, which says what was accepted: %s", f->id,
				r == -EBADMSG ? "damaged" : strerror(-r));
	if (f->sequence < seen.sequence)
		return fwa_fail(f->error, -ESTALE, "edition %llu is older than %llu, which was %s",
				(unsigned long long)f->sequence, (unsigned long long)seen.sequence,
				seen.removed ? "removed" : "accepted");
	if (f->sequence > seen.sequence) {
		r = seen.sequence && !seen.removed ? check_signer(s, text, seen.key, f) : 0;
		return r < 0 ? r : 1;
	}
	if (strcmp(digest, seen.digest) != 0)
		return fwa_fail(f->error, -EEXIST,
				"another edition %llu was accepted: one that differs has to have "
				"a greater number",
				(unsigned long long)f->sequence);
	return !good || seen.removed;
}

static int check_room(const struct fwa_advisory_store *s, struct fwa_advisory_file *f)
{
	char name[FWA_ADVISORY_FILE_NAME];
	struct stat st;
	size_t n;
	int r = fwa_advisory_count(s, &n);

	fwa_advisory_json_name(f->id, name);
	if (r < 0)
		return fwa_fail(f->error, r, "out of memory");
	if (n >= FWA_ADVISORY_STORE_MAX && fstatat(s->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fwa_fail(f->error, -E2BIG, "there are %u advisories already: remove some",
				FWA_ADVISORY_STORE_MAX);
	return fwa_advisory_fits(s, f);
}

static int write_document(const struct fwa_advisory_store *s, struct fwa_span text,
			  const struct fwa_advisory_file *f, const char *digest)
{
	struct fwa_advisory_seen seen = { .sequence = f->sequence };
	char name[FWA_ADVISORY_FILE_NAME];
	int r;

	fwa_advisory_json_name(f->id, name);
	memcpy(seen.digest, digest, sizeof(seen.digest));
	memcpy(seen.key, f->key, sizeof(seen.key));
	r = fwa_write_durably(s->dir, name, text.data, text.len);
	return r < 0 ? r : fwa_advisory_seen_write(s->dir, f->id, &seen);
}

/* Makes the store, where there was none when @s began. */
static int make_store(struct fwa_advisory_store *s)
{
	int r = 0;

	if (s->fd >= 0) {
		fwa_remove_leftovers(s->dir);
		return 0;
	}
	r = fwa_make_dirs(s->dir);
	if (r == 0)
		r = s->fd = fwa_advisory_store_open(s->dir);
	return r < 0 ? r : 0;
}

static int import(struct fwa_advisory_store *s, struct fwa_span text, struct fwa_advisory_file *f,
		  const char *digest)
{
	int r = make_store(s);

	if (r < 0)
		return fwa_fail(f->error, r, "%.160s: %s", s->dir, strerror(-r));
	r = compare(s, text, f, digest);
	if (r <= 0)
		return r;
	r = check_room(s, f);
	if (r < 0)
		return r;
	r = write_document(s, text, f, digest);
	return r < 0 ? fwa_fail(f->error, r, "it cannot be stored: %s", strerror(-r)) : 0;
}

int fwa_advisory_import(const struct fwa_advisory_place *p, struct fwa_span text,
			const struct fwa_moment *now, struct fwa_advisory_file *f)
{
	fwa_auto_store struct fwa_advisory_store s;
	char digest[FWA_DIGEST_TEXT];
	int r = fwa_advisory_store_begin(&s, p, now);

	memset(f, 0, sizeof(*f));
	f->status = FWA_ADVISORY_BAD;
	if (r < 0 && r != -ENOENT)
		return fwa_fail(f->error, r, "%.160s: %s", s.dir ? s.dir : "the store",
				r == -EPERM ? "others own it or may write to it" : strerror(-r));
	r = fwa_advisory_check_with(&s.keys, text, now, f, digest);
	return r < 0 ? r : import(&s, text, f, digest);
}

/* --- removing --------------------------------------------------------------------------------- */

int fwa_advisory_remove(const struct fwa_advisory_place *p, const char *id)
{
	struct fwa_moment now = { .wall = 0 }; /* which of them are over does not matter */
	fwa_auto_store struct fwa_advisory_store s = { .fd = -1 };
	char name[FWA_ADVISORY_FILE_NAME];
	struct fwa_advisory_seen seen;
	struct stat st;
	bool good, there;
	int r;

	if (!fwa_advisory_is_id(id))
		return -ENOENT;
	r = fwa_advisory_store_begin(&s, p, &now);
	if (r < 0)
		return r;
	fwa_advisory_json_name(id, name);
	there = fstatat(s.fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	r = last_edition(&s, id, &seen, &good);
	if (r == -ENOMEM)
		return r;
	if (!there && (r < 0 || !seen.sequence || seen.removed))
		return r < 0 ? r : -ENOENT;
	if (seen.sequence) {
		seen.removed = true;
		r = fwa_advisory_seen_write(s.dir, id, &seen);
		if (r < 0)
			return r;
	}
	if (there && unlinkat(s.fd, name, 0) < 0)
		return -errno;
	return fsync(s.fd) < 0 ? -errno : 0;
}
