/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advisories as files (spec/ADVISORY-FORMAT.md, C33): signed documents, the store of those that are in
 * force, and the table that gates are given.
 *
 * 1. A document is believed only when a key that the operator trusts has signed it, and says only what a
 *    gate is to refuse more than it would: nothing in it can widen anything.
 * 2. One that is not understood whole is refused whole, with the reason.
 * 3. Editions only go up: neither an older one nor another one of the same number is taken, also after it
 *    was removed.
 * 4. The store has each document as it came. It is verified at each reading; one that is not good any more
 *    is left out and said, and the others count.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/version.h" /* how firmware revisions are compared */
#include "core/advisory.h"
#include "host/policy-time.h"

#define FWA_ADVISORY_KEYS_DIR "/etc/fwadmit/advisory-keys"
#define FWA_ADVISORY_KEY "advisory-key.pem" /* of this host, in the state folder; and .pub */
#define FWA_ADVISORY_FILE_MAX (1024u * 1024)
#define FWA_ADVISORY_STORE_MAX 4096u  /* documents */
#define FWA_ADVISORY_AHEAD_MAX 86400u /* seconds that a publisher's clock may be ahead */

/* Where advisories are, and whom they are believed from. */
struct fwa_advisory_place {
	const char *
		state; /* the state folder: documents in advisories/, the host's own key beside them */
	const char *keys; /* folder of PEM public keys; NULL: fwa_advisory_keys_dir() */
};

/* Where the operator puts keys: $FWADMIT_ADVISORY_KEYS_DIR, else FWA_ADVISORY_KEYS_DIR. */
const char *fwa_advisory_keys_dir(void);

enum fwa_advisory_status {
	FWA_ADVISORY_IN_FORCE,
	FWA_ADVISORY_EXPIRED,
	FWA_ADVISORY_BAD, /* cannot be believed or read (any more): @error says why */
	/*
	 * Issued in the future: the clock is wrong. It is not imported; but one of the store was
	 * accepted once and counts, for a clock that was lost must not let anything pass.
	 */
	FWA_ADVISORY_WAITING,
	FWA_ADVISORY_STATUS_COUNT,
};

/* One document, checked; views its own memory. */
struct fwa_advisory_file {
	uint8_t status; /* enum fwa_advisory_status */
	char id[FWA_ADVISORY_ID_MAX];
	uint64_t sequence;
	uint64_t issued, expires; /* wall clock, seconds since 1970; expires 0: never */
	char title[256], reference[512];
	char key[65];          /* sha256 of the signer's public key, hex; "" unknown */
	char signer[256];      /* file of that key, or "this host" */
	json_object *document; /* the payload, owned; NULL for a bad one */
	size_t n_commands;
	char error[FWA_ERROR_LEN]; /* of one whose status is not in force: why, one line */
};
/* Frees what @f owns, and zeroes it. */
void fwa_advisory_file_clear(struct fwa_advisory_file *f);
/* "in-force", "expired", "bad", "waiting"; NULL for no status. */
const char *fwa_advisory_status_name(unsigned int status);

/*
 * Checks @text, an envelope, against the keys and the clock. 0 in force; else -EBADMSG (no envelope, or
 * what it says is not understood), -ENOKEY (nobody who is trusted has signed it), -EKEYREJECTED (the signature
 * is wrong), -ETIME (expired), -EAGAIN (issued in the future), with f->error.
 */
int fwa_advisory_check(const struct fwa_advisory_place *p, struct fwa_span text,
		       const struct fwa_moment *now, struct fwa_advisory_file *f);

/*
 * Checks and stores it, durably. Further errors: -ESTALE an older edition than was seen, -EKEYREJECTED the last
 * edition is of another key that is trusted, -EEXIST the same
 * number with other bytes (with the same bytes: 0, nothing changes), -E2BIG the store is full, or all of it
 * would not fit in one table, other negative errno. @f is then as fwa_advisory_check() leaves it, with f->error.
 */
int fwa_advisory_import(const struct fwa_advisory_place *p, struct fwa_span text,
			const struct fwa_moment *now, struct fwa_advisory_file *f);

/* Takes @id out of the store; that it was there, and its edition, is remembered. 0, -ENOENT, negative errno. */
int fwa_advisory_remove(const struct fwa_advisory_place *p, const char *id);

/* Calls @fn with each document of the store, bad ones too, by id. 0 or negative errno (of the folder). */
typedef void (*fwa_advisory_fn)(const struct fwa_advisory_file *f, void *userdata);
int fwa_advisory_list(const struct fwa_advisory_place *p, const struct fwa_moment *now,
		      fwa_advisory_fn fn, void *userdata);

/*
 * Compiles what is in force into a sealed memfd with a core table (core/advisory.h), also an empty one.
 * *ret_until: CLOCK_BOOTTIME ns when the next one expires, 0 never: compile again then. @fn (may be NULL): each
 * document that is left out. 0 or negative errno.
 */
int fwa_advisories_compile(const struct fwa_advisory_place *p, const struct fwa_moment *now,
			   fwa_advisory_fn fn, void *userdata, int *ret_fd, uint64_t *ret_until);

/* --- making one ----------------------------------------------------------------------------------- */

/* What `advisory create` knows; texts as in the document. */
struct fwa_advisory_draft {
	const char *id;    /* NULL: "FWA-local-" and the beginning of the evidence's digest */
	uint64_t sequence; /* 0: the one behind the last that the store has seen of this id */
	uint64_t expires;  /* seconds since 1970, 0: never */
	const char *title, *reference; /* NULL: one is made up; none */
	const char *family, *vendor, *model, *firmware_from, *firmware_to;
	const char
		*command; /* in the words of policy files: "clear-poison", "set-feature uuid=.." */
	fwa_effects effects;
	bool never;
	const char *evidence_sha256; /* hex, or NULL */
};

/*
 * Makes and signs the document with @key (PEM, private), NULL: the host's own key, which is made once. Fresh
 * text in *ret_text, ended by a NUL. 0 or negative errno with @error.
 */
int fwa_advisory_make(const struct fwa_advisory_place *p, const struct fwa_advisory_draft *draft,
		      const char *key, const struct fwa_moment *now, char **ret_text,
		      char error[FWA_ERROR_LEN]);

/*
 * The document of @f as CSAF 2.0 (csaf_security_advisory), by @publisher, whose own URL is
 * @publisher_namespace. Fresh; NULL: no memory, or @f has no document.
 */
json_object *fwa_advisory_csaf(const struct fwa_advisory_file *f, const char *publisher,
			       const char *publisher_namespace);
