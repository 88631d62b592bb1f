/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy as operators write it: INI files, *.conf, in policy directories (data/policy/README.md).
 *
 *	[grant NAME]
 *	user = root, @owner, or *        one of user, group and unit: names or numbers
 *	group = fwadmit-read
 *	unit = smartd.service            name patterns of systemd units
 *	device = mem*, nvme0             name patterns (fnmatch), comma or blank separated
 *	scope = debug-read-only
 *	effects = data, config           optional: fwa_grant_default_effects()
 *	commands = get-log-page !lid:7   optional, and so are the others:
 *	family, vendor, model, firmware, serial = patterns, comma separated
 *	ticket = any text
 *	until = 2026-12-31T18:00:00Z
 *	commands-per-second = 10, bytes-per-second = 1M, max-sessions = 2
 *	record = payload
 *
 * An unknown key, section or value is an error that names file and line. A directory given by the
 * operator is read alone; else /usr/lib, /run and /etc fwadmit/policy.d, where a file in a later
 * one hides the file of the same name in an earlier one. The stock policy is built in as the lowest
 * layer's 50-stock.conf: a file of that name takes its place, an empty one takes it away. Grants
 * that were made for a time (host/grants.h) come on top of either.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/policy.h"
#include "host/discover.h"
#include "host/policy-time.h"

struct fwa_policy_files;

struct fwa_policy_message {
	bool error; /* else a warning */
	const char *file;
	unsigned int line;
	const char *text;
};
typedef void (*fwa_policy_message_fn)(const struct fwa_policy_message *m, void *userdata);

/* "file:line: text", without the line where there is none. */
void fwa_policy_message_line(const struct fwa_policy_message *m, char line[FWA_ERROR_LEN]);

/*
 * Reads @dir, or the standard directories when it is NULL, and the store @grants, unless that is
 * NULL or not there. Calls @fn for each error and warning. 0, -EINVAL when a file of a directory is
 * malformed (nothing is returned), or another negative errno. What is wrong in the store is an error
 * that is said; it leaves out that grant and no other.
 */
int fwa_policy_files_load(const char *dir, const char *grants, fwa_policy_message_fn fn,
			  void *userdata, struct fwa_policy_files **ret);
/* The same for one file's text; messages and fwa_policy_files_source() call it @name. */
int fwa_policy_files_parse_memory(const char *name, struct fwa_span text, fwa_policy_message_fn fn,
				  void *userdata, struct fwa_policy_files **ret);
struct fwa_policy_files *fwa_policy_files_free(struct fwa_policy_files *p);

/*
 * Calls @fn with what is no mistake but can surprise: grants of which neither contains the other that
 * share users, devices and commands, and grants for none of @devices. 0 or -ENOMEM.
 */
int fwa_policy_files_notes(const struct fwa_policy_files *p, const struct fwa_found *devices,
			   size_t n_devices, fwa_policy_message_fn fn, void *userdata);

/* SHA-256 of the policy as read, in hex: "cat FILES | sha256sum", those of the store last. */
const char *fwa_policy_files_digest(const struct fwa_policy_files *p);
/* Where it was read from: a directory, "standard directories" or "built-in stock policy". */
const char *fwa_policy_files_source(const struct fwa_policy_files *p);
uint32_t fwa_policy_files_count(const struct fwa_policy_files *p);

/*
 * Takes the grant @name of the store out of @p: for one that is revoked while nothing new can be read.
 * The digest is another one from then on: SHA-256 of the 32 bytes of the old one, '-', @name and a
 * newline.
 */
void fwa_policy_files_revoke(struct fwa_policy_files *p, const char *name);

/*
 * When the next grant ends: CLOCK_BOOTTIME ns, as of @m; 0 when none will. One that waits for the
 * clock (fwa_policy_rule_end()) is none. O(grants).
 */
uint64_t fwa_policy_files_next_end(const struct fwa_policy_files *p, const struct fwa_moment *m);

/*
 * Compiles the grants that match device @name (and its @spec) to a sealed memfd, with ends as of
 * now; or negative errno.
 */
int fwa_policy_files_compile(const struct fwa_policy_files *p, const char *name, const char *spec);

/* The same bytes in fresh memory (to be freed), for decisions made in this process. */
int fwa_policy_files_encode(const struct fwa_policy_files *p, const char *name, const char *spec,
			    uint8_t **ret, size_t *ret_len);
/* And with ends as of @m. */
int fwa_policy_files_encode_at(const struct fwa_policy_files *p, const char *name, const char *spec,
			       const struct fwa_moment *m, uint8_t **ret, size_t *ret_len);
