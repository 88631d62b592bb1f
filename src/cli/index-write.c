/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing the index: the journal is read from the last record that is in it, and what is found goes in by
 * large transactions, each with the record it ends with. A transaction that is cut off is as if it was
 * not there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "cli/index-internal.h"

#define BATCH 500000u /* records */
#define DEVICES 64u   /* whose numbers are known without looking */

/* How many pages it may keep in memory: 128 MiB. */
#define CACHE "PRAGMA cache_size=-131072;"

struct writer {
	struct cli_log *log;
	sqlite3 *db;
	struct cli_index_state state;
	sqlite3_stmt *decision, *tag, *other, *source, *device, *device_of;
	struct {
		char name[64];
		int64_t id;
	} devices[DEVICES];
	struct cli_entry entry;
	uint64_t records, decisions;
	bool dirty; /* a transaction is open */
	bool made;  /* and it has more than records in it */
};

static int run(struct writer *w, const char *sql)
{
	return sqlite3_exec(w->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : cli_index_errno(w->db);
}

static int step(struct writer *w, sqlite3_stmt *s)
{
	int r = sqlite3_step(s);

	sqlite3_reset(s);
	return r == SQLITE_DONE || r == SQLITE_ROW ? 0 : cli_index_errno(w->db);
}

/* --- what goes in ----------------------------------------------------------------------------------- */

/* The number of a device's name. */
static int device_number(struct writer *w, const char *name, int64_t *ret)
{
	size_t slot = 0;
	int r;

	for (const char *c = name; *c; c++)
		slot = slot * 31 + (unsigned char)*c;
	slot %= DEVICES;
	if (w->devices[slot].id && strcmp(w->devices[slot].name, name) == 0) {
		*ret = w->devices[slot].id;
		return 0;
	}
	sqlite3_bind_text(w->device, 1, name, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(w->device_of, 1, name, -1, SQLITE_TRANSIENT);
	r = step(w, w->device);
	if (r < 0)
		return r;
	if (sqlite3_step(w->device_of) != SQLITE_ROW)
		return -EBADMSG;
	*ret = sqlite3_column_int64(w->device_of, 0);
	sqlite3_reset(w->device_of);
	snprintf(w->devices[slot].name, sizeof(w->devices[slot].name), "%s", name);
	w->devices[slot].id = *ret;
	return 0;
}

static int put_tag(struct writer *w, unsigned int tag, uint64_t seq)
{
	sqlite3_bind_int64(w->tag, 1, tag);
	sqlite3_bind_int64(w->tag, 2, (int64_t)seq);
	return step(w, w->tag);
}

static int put_tags(struct writer *w, const struct fwa_decision *d, uint64_t seq)
{
	int r = fwa_admitted(d) ? 0 : put_tag(w, CLI_TAG_REFUSED, seq);

	if (r == 0 && d->effects)
		r = put_tag(w, CLI_TAG_ANY_EFFECT, seq);
	for (unsigned int bit = 0; d->effects >> bit && r == 0; bit++) {
		if (d->effects >> bit & 1)
			r = put_tag(w, bit, seq);
	}
	return r;
}

static int put_place(struct writer *w, sqlite3_stmt *s, uint64_t seq)
{
	sqlite3_bind_int64(s, 1, (int64_t)seq);
	sqlite3_bind_int64(s, 2, (int64_t)w->state.place.segment);
	sqlite3_bind_int64(s, 3, (int64_t)w->state.place.offset);
	return step(w, s);
}

static int put_decision(struct writer *w, const struct cli_entry *e)
{
	const struct fwa_record_decision *d = &e->decision;
	sqlite3_stmt *s = w->decision;
	int64_t device = 0;
	int r = device_number(w, cli_entry_device(e), &device);

	if (r < 0)
		return r;
	sqlite3_bind_int64(s, 4, (int64_t)e->frame.time);
	sqlite3_bind_int64(s, 5, device);
	/* the gate's own are nobody's */
	sqlite3_bind_int64(s, 6, d->who.gate ? -1 : (int64_t)d->who.uid);
	sqlite3_bind_int64(s, 7, d->decision.effects);
	sqlite3_bind_int64(s, 8, !fwa_admitted(&d->decision));
	r = put_place(w, s, e->frame.seq);
	w->decisions++;
	return r < 0 ? r : put_tags(w, &d->decision, e->frame.seq);
}

static int put(struct writer *w, const struct fwa_frame *f)
{
	int r = f->kind == FWA_RECORD_SOURCE ? put_place(w, w->source, f->seq) : 0;

	if (r < 0)
		return r;
	cli_entry_read(w->log, f, &w->entry);
	if (f->kind == FWA_RECORD_DECISION && w->entry.decoded)
		return put_decision(w, &w->entry);
	return cli_entry_notable(&w->entry) ? put_place(w, w->other, f->seq) : 0;
}

/* --- transactions ------------------------------------------------------------------------------------- */

static int begin(struct writer *w)
{
	int r = w->dirty ? 0 : run(w, "BEGIN IMMEDIATE");

	w->dirty |= r == 0;
	return r;
}

static int commit(struct writer *w)
{
	sqlite3_stmt *s = NULL;
	int r;

	if (!w->dirty)
		return 0;
	if (sqlite3_prepare_v2(w->db,
			       "UPDATE state SET journal = ?, last = ?, segment = ?, offset = ?, "
			       "hash = ?, damaged = ?",
			       -1, &s, NULL) != SQLITE_OK)
		return cli_index_errno(w->db);
	sqlite3_bind_blob(s, 1, w->state.journal, 16, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, (int64_t)w->state.last);
	sqlite3_bind_int64(s, 3, (int64_t)w->state.place.segment);
	sqlite3_bind_int64(s, 4, (int64_t)w->state.place.offset);
	sqlite3_bind_blob(s, 5, w->state.hash, FWA_HASH_LEN, SQLITE_STATIC);
	sqlite3_bind_int(s, 6, w->state.damaged);
	r = step(w, s);
	sqlite3_finalize(s);
	if (r == 0)
		r = run(w, "COMMIT");
	w->dirty &= r != 0;
	return r;
}

/* Ends a transaction in which nothing came, unless it has made the file. */
static int abandon(struct writer *w)
{
	int r = w->made ? commit(w) : run(w, "ROLLBACK");

	w->made = false;
	w->dirty &= r != 0;
	return r;
}

/* --- the file ----------------------------------------------------------------------------------------- */

static int create(struct writer *w)
{
	char sql[128];
	int r = run(w, cli_index_schema);

	snprintf(sql, sizeof(sql), "PRAGMA application_id=%d; PRAGMA user_version=%d;",
		 CLI_INDEX_APPLICATION, CLI_INDEX_VERSION);
	if (r == 0)
		r = run(w, sql);
	if (r == 0)
		r = run(w, "INSERT INTO state VALUES (NULL, 0, 0, 0, NULL, 0)");
	w->state = (struct cli_index_state){ 0 };
	memcpy(w->state.journal, w->log->id, sizeof(w->state.journal));
	return r;
}

static int prepare(struct writer *w)
{
	const struct {
		sqlite3_stmt **stmt;
		const char *sql;
	} all[] = {
		{ &w->decision,
		  "INSERT OR REPLACE INTO decisions (seq, segment, offset, time, device, uid, "
		  "effects, flags) VALUES (?, ?, ?, ?, ?, ?, ?, ?)" },
		{ &w->tag, "INSERT OR IGNORE INTO tags VALUES (?, ?)" },
		{ &w->other, "INSERT OR REPLACE INTO others VALUES (?, ?, ?)" },
		{ &w->source, "INSERT OR REPLACE INTO sources VALUES (?, ?, ?)" },
		{ &w->device, "INSERT OR IGNORE INTO devices (name) VALUES (?)" },
		{ &w->device_of, "SELECT id FROM devices WHERE name = ?" },
	};

	for (size_t i = 0; i < FWA_ARRAY_SIZE(all); i++) {
		if (sqlite3_prepare_v2(w->db, all[i].sql, -1, all[i].stmt, NULL) != SQLITE_OK)
			return cli_index_errno(w->db);
	}
	return 0;
}

static int open_file(struct writer *w, const char *path)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW |
		    SQLITE_OPEN_NOMUTEX;
	mode_t mask = umask(S_IWGRP | S_IRWXO); /* for whom the journal is */
	int r = sqlite3_open_v2(path, &w->db, flags, NULL);

	umask(mask);
	if (r != SQLITE_OK)
		return w->db ? cli_index_errno(w->db) : -ENOMEM;
	sqlite3_busy_timeout(w->db, 1000);
	/* Ahead of the first write: after it the size stays. */
	return run(w, "PRAGMA page_size=8192; PRAGMA temp_store=MEMORY;" CACHE);
}

/* Whether the file that is open is of this journal, up to where it says. */
static bool usable(struct writer *w)
{
	return cli_index_state_read(w->db, &w->state) == 0 &&
	       cli_index_state_holds(w->log, &w->state);
}

static void close_file(struct writer *w)
{
	sqlite3_stmt *all[] = { w->decision, w->tag, w->other, w->source, w->device, w->device_of };

	for (size_t i = 0; i < FWA_ARRAY_SIZE(all); i++)
		sqlite3_finalize(all[i]);
	sqlite3_close(w->db);
	w->db = NULL;
}

static int open_or_make(struct writer *w, const char *path, bool rebuild)
{
	bool there = access(path, F_OK) == 0;
	int r = rebuild && there && unlink(path) < 0 ? -errno : 0;

	if (r == 0)
		r = open_file(w, path);
	if (r == 0 && there && !rebuild && !usable(w)) {
		cli_note(w->log->cli, "%s is not of this journal as it is now: it is made anew",
			 path);
		close_file(w);
		r = unlink(path) < 0 ? -errno : open_file(w, path);
		there = false;
	}
	if (r == 0)
		r = begin(w);
	w->made = true; /* also what is taken out first */
	if (r == 0 && (rebuild || !there))
		r = create(w);
	return r < 0 ? r : prepare(w);
}

/* Makes the folder of @path, as a cache has it. */
static void make_folder(const char *path)
{
	fwa_auto_free char *copy = strdup(path);

	for (char *slash = copy ? strchr(copy + 1, '/') : NULL; slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(copy, 0700);
		*slash = '/';
	}
}

/* In the journal's folder, or where that is another's, in the user's cache. */
static int open_index(struct writer *w, bool rebuild, char **ret_path)
{
	bool in_cache = !cli_index_goes_beside(w->log) ||
			faccessat(fwa_journal_dirfd(w->log->journal), ".", W_OK, AT_EACCESS) < 0;

	*ret_path = cli_index_path(w->log, in_cache);
	if (!*ret_path)
		return -ENOENT;
	if (in_cache)
		make_folder(*ret_path);
	return open_or_make(w, *ret_path, rebuild);
}

/* --- catching up --------------------------------------------------------------------------------------- */

/* Takes out what the journal has no more. */
static int forget_retired(struct writer *w)
{
	static const char *const tables[] = { "decisions", "tags", "others", "sources" };
	char sql[96];
	int r = 0;

	for (size_t i = 0; i < FWA_ARRAY_SIZE(tables) && r == 0; i++) {
		snprintf(sql, sizeof(sql), "DELETE FROM %s WHERE seq < %llu", tables[i],
			 (unsigned long long)w->log->first);
		r = run(w, sql);
	}
	return r;
}

static int go_to_last(struct writer *w, struct fwa_cursor *c)
{
	struct fwa_frame f;
	int r;

	if (!w->state.last)
		return fwa_cursor_seek(c, 0);
	r = fwa_cursor_seek_place(c, w->state.place.segment, w->state.place.offset);
	return r < 0 ? r : fwa_cursor_next(c, &f) == 1 ? 0 : -EBADMSG;
}

static void progress(const struct writer *w)
{
	const struct cli *cli = w->log->cli;

	if (!cli->json && !cli_given(&cli->args, CLI_OPT_QUIET) && isatty(STDERR_FILENO))
		fprintf(stderr, "\r%llu records", (unsigned long long)w->records);
}

/* Reads to the journal's end, and commits. */
static int catch_up(struct writer *w, struct fwa_cursor *c)
{
	uint64_t before = w->records;
	struct fwa_frame f;
	int r = begin(w);

	while (r == 0) {
		int got = fwa_cursor_next(c, &f);

		if (got == -EBADMSG) {
			w->state.damaged = true;
			continue;
		}
		if (got <= 0) {
			r = got < 0 ? got : w->records == before ? abandon(w) : commit(w);
			break;
		}
		w->state.last = f.seq;
		fwa_cursor_place(c, &w->state.place.segment, &w->state.place.offset);
		memcpy(w->state.hash, f.hash, FWA_HASH_LEN);
		r = put(w, &f);
		if (++w->records % BATCH == 0 && r == 0) {
			progress(w);
			r = commit(w);
			if (r == 0)
				r = begin(w);
		}
	}
	return r;
}

static void report(const struct writer *w, const char *path)
{
	const struct cli *cli = w->log->cli;
	struct json_object *o;

	if (!cli->json) {
		if (w->records >= BATCH && isatty(STDERR_FILENO))
			fputs("\r\033[K", stderr);
		cli_note(cli, "%s: %llu records read, up to %llu", path,
			 (unsigned long long)w->records, (unsigned long long)w->state.last);
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "format_version", json_object_new_int(1));
	json_object_object_add(o, "verb", json_object_new_string(cli->verb->name));
	json_object_object_add(o, "path", json_object_new_string(path));
	json_object_object_add(o, "records", json_object_new_uint64(w->records));
	json_object_object_add(o, "decisions", json_object_new_uint64(w->decisions));
	json_object_object_add(o, "last", json_object_new_uint64(w->state.last));
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

/* Goes on with what comes, until it is killed. */
static int follow(struct writer *w, struct fwa_cursor *c)
{
	int watch = cli_log_watch(w->log), r = 0;

	while (r == 0) {
		cli_log_wait(watch);
		r = catch_up(w, c);
	}
	fwa_close(watch);
	return r;
}

static int fail(const struct cli_log *log, const char *path, int r)
{
	if (r == -EBUSY)
		return cli_fail(log->cli, CLI_FAILED, "%s: another program writes it",
				path ? path : log->dir);
	return cli_fail(log->cli, CLI_FAILED, "%s: cannot write the index: %s",
			path ? path : log->dir, strerror(-r));
}

int cli_index_update(struct cli_log *log, bool rebuild, bool watch)
{
	fwa_auto_free struct writer *w = calloc(1, sizeof(*w));
	struct fwa_cursor *c = fwa_cursor_new(log->journal);
	fwa_auto_free char *path = NULL;
	int r = w && c ? 0 : -ENOMEM;

	if (r == 0) {
		w->log = log;
		r = open_index(w, rebuild, &path);
	}
	if (r == 0)
		r = forget_retired(w);
	if (r == 0)
		r = go_to_last(w, c);
	if (r == 0)
		r = catch_up(w, c);
	if (r == 0)
		report(w, path);
	if (r == 0 && watch)
		r = follow(w, c);
	if (w)
		close_file(w);
	fwa_cursor_free(c);
	return r < 0 ? fail(log, path, r) : CLI_OK;
}
