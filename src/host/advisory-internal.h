/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files called advisory-*.c share.
 */
#pragma once

#include "host/advisory.h"
#include "host/digest.h"

#define FWA_ADVISORY_TYPE "application/vnd.fwadmit.advisory+json"
#define FWA_ADVISORY_FORMAT 1
#define FWA_ADVISORY_SEQUENCE_MAX ((INT64_C(1) << 53) - 1) /* what each reader of JSON can hold */

/* --- JSON: advisory-json.c --------------------------------------------------------------------- */

#define FWA_JSON_DEPTH 6
#define FWA_JSON_VALUES_MAX 65536u /* of one text */

/*
 * Reads one object, strictly: no member twice, at most FWA_JSON_DEPTH deep, @values_max values. NULL with
 * @error.
 */
json_object *fwa_json_parse(struct fwa_span text, size_t values_max, char error[FWA_ERROR_LEN]);

/* A member that an object may have. */
struct fwa_json_field {
	const char *key;
	enum json_type type;
	bool required;   /* one that is not can be null, too */
	size_t min, max; /* characters of a text, items of an array */
};

/*
 * Whether @o, which @where names, is an object with these fields and no other: 0, or -EBADMSG with @error.
 * Texts are printable ASCII.
 */
int fwa_json_check(json_object *o, const char *where, const struct fwa_json_field *fields, size_t n,
		   char error[FWA_ERROR_LEN]);
/* The text of a member; "" when it is not there. And the items of an array. */
const char *fwa_json_text(json_object *o, const char *key);
size_t fwa_json_items(json_object *o, const char *key, json_object **ret_array);

/* --- what a document says: advisory-parse.c, advisory-entries.c ---------------------------------- */

/* Checks the payload @doc, which becomes @f's, and takes it into @f. 0 or -EBADMSG with f->error. */
int fwa_advisory_take(struct fwa_advisory_file *f, json_object *doc);
/* Whether @id can be one: it is also the name of a file. */
bool fwa_advisory_is_id(const char *id);

/* Entries of a table, and what they view. */
struct fwa_advisory_entries {
	struct fwa_advisory *all;
	size_t n, cap;
	void **blocks;
	size_t n_blocks, cap_blocks;
};

/*
 * Adds the entries of a document, which end at @until (as struct fwa_advisory). 0; -EBADMSG when it is not
 * understood, -E2BIG when there are too many, -ENOMEM; with @error. What was added before stays.
 */
int fwa_advisory_add_entries(struct fwa_advisory_entries *e, json_object *doc, uint64_t until,
			     char error[FWA_ERROR_LEN]);
void fwa_advisory_entries_clear(struct fwa_advisory_entries *e);
/* The table, fresh. 0, -E2BIG, -ENOMEM. */
int fwa_advisory_entries_encode(const struct fwa_advisory_entries *e, const uint8_t digest[32],
				uint8_t **ret, size_t *ret_len);

/* --- signatures: advisory-sign.c ----------------------------------------------------------------- */

struct fwa_advisory_keys {
	struct fwa_advisory_key {
		uint8_t key[32];
		char id[FWA_DIGEST_TEXT];
		char name[256];
	} * all;
	size_t n, cap;
	char trouble[FWA_ERROR_LEN]; /* the first file that is no key; "" for none */
};

/* 0, also when there are none; or -ENOMEM. */
int fwa_advisory_keys_load(const struct fwa_advisory_place *p, struct fwa_advisory_keys *ret);
void fwa_advisory_keys_clear(struct fwa_advisory_keys *keys);
/* NULL: none has that id. */
const struct fwa_advisory_key *fwa_advisory_find_key(const struct fwa_advisory_keys *keys,
						     const char *id);

#define FWA_ADVISORY_SIGNATURES_MAX 16

/* Those of the trusted keys that have signed something. */
struct fwa_advisory_signers {
	const struct fwa_advisory_key *key[FWA_ADVISORY_SIGNATURES_MAX];
	size_t n;
};

/*
 * The payload of the envelope @text, fresh and ended with a NUL that is not counted, when one of @keys has
 * signed it: f->key and f->signer, the first one. 0, or -EBADMSG, -ENOKEY, -EKEYREJECTED, -ENOMEM with
 * f->error. @ret_signers: may be NULL.
 */
int fwa_advisory_open(struct fwa_span text, const struct fwa_advisory_keys *keys,
		      struct fwa_advisory_file *f, char **ret_payload, size_t *ret_len,
		      struct fwa_advisory_signers *ret_signers);
/* Signs @payload with the key @path, NULL: the host's own, which is made once. 0 or negative errno. */
int fwa_advisory_seal(const struct fwa_advisory_place *p, const char *path, struct fwa_span payload,
		      char **ret_text, char error[FWA_ERROR_LEN]);

/* fwa_advisory_check() with keys that were loaded, and the digest of the payload. */
int fwa_advisory_check_with(const struct fwa_advisory_keys *keys, struct fwa_span text,
			    const struct fwa_moment *now, struct fwa_advisory_file *f,
			    char digest[FWA_DIGEST_TEXT]);

/* --- the store: advisory-store.c, advisory-seen.c ------------------------------------------------- */

/* The last edition of an id that was accepted. */
struct fwa_advisory_seen {
	uint64_t sequence;            /* 0: none */
	char digest[FWA_DIGEST_TEXT]; /* of its payload */
	char key[FWA_DIGEST_TEXT];    /* that had signed it */
	bool removed;
};

/* 0, also when there is none; -EBADMSG when the file is none; other negative errno. */
int fwa_advisory_seen_read(int store, const char *id, struct fwa_advisory_seen *ret);
int fwa_advisory_seen_write(const char *dir, const char *id, const struct fwa_advisory_seen *seen);

/* The folder of the store, fresh; NULL: no memory. */
char *fwa_advisory_dir(const struct fwa_advisory_place *p);
/* Opens it; -ENOENT, -EPERM when others own it or may write to it, other negative errno. */
int fwa_advisory_store_open(const char *dir);
/* Reads the file @name of it, at most @max bytes, fresh and ended with a NUL. 0 or negative errno. */
int fwa_advisory_read(int store, const char *name, size_t max, char **ret, size_t *ret_len);
