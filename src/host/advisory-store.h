/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store of advisories while it is read or written.
 */
#pragma once

#include "host/advisory-internal.h"

#define FWA_ADVISORY_FILE_NAME (FWA_ADVISORY_ID_MAX + 8)

struct fwa_advisory_store {
	char *dir;
	int fd;
	struct fwa_advisory_keys keys;
	const struct fwa_moment *now;
};

/* 0, or -ENOENT when there is no store, other negative errno; to be ended in any case. */
int fwa_advisory_store_begin(struct fwa_advisory_store *s, const struct fwa_advisory_place *p,
			     const struct fwa_moment *now);
void fwa_advisory_store_end(struct fwa_advisory_store *s);
#define fwa_auto_store __attribute__((cleanup(fwa_advisory_store_end)))

void fwa_advisory_json_name(const char *id, char name[FWA_ADVISORY_FILE_NAME]);
/* Reads document @id; f->status says what is of it. 0 or -ENOENT, -ENOMEM. */
int fwa_advisory_read_document(const struct fwa_advisory_store *s, const char *id,
			       struct fwa_advisory_file *f, char digest[FWA_DIGEST_TEXT]);
/* How many documents there are, good and bad ones. 0 or -ENOMEM. */
int fwa_advisory_count(const struct fwa_advisory_store *s, size_t *ret);

/*
 * Calls @fn with each document, bad ones too, by id. @digest: SHA-256 of its payload. 0, or what @fn
 * returned when that was not 0, or -ENOMEM.
 */
typedef int (*fwa_advisory_each_fn)(struct fwa_advisory_file *f, const char *digest,
				    void *userdata);
int fwa_advisory_each(const struct fwa_advisory_store *s, fwa_advisory_each_fn fn, void *userdata);

/* Whether a table has room for @f beside all that is stored: 0, or -E2BIG, -ENOMEM with f->error. */
int fwa_advisory_fits(const struct fwa_advisory_store *s, struct fwa_advisory_file *f);

/* What a new edition of @id would be called. */
uint64_t fwa_advisory_next_sequence(const struct fwa_advisory_place *p, const char *id,
				    const struct fwa_moment *now);
