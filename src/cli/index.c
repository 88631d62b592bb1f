/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the index. What is asked for is a conjunction of alternatives: one of these users, and one of
 * these devices, and one of these effects. Each alternative is a sorted stream of numbers; a group is
 * the least of its streams, and all groups together are stepped from number to number until they
 * agree. So the cost is that of the rarest group, and memory is none.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hex.h"
#include "base/util.h"
#include "cli/index-internal.h"
#include "host/state.h"

#define GROUPS 4u   /* users, devices, effects, verdict */
#define STREAMS 64u /* of a group; with more of them it is not looked up, only checked */
#define STEPS 6u    /* cheaper than to look up anew */
#define BUSY_MS 200

const char cli_index_schema[] =
	"CREATE TABLE state (journal BLOB, last INTEGER, segment INTEGER, offset INTEGER, hash "
	"BLOB, damaged INTEGER);"
	"CREATE TABLE decisions (seq INTEGER PRIMARY KEY, segment INTEGER, offset INTEGER, time "
	"INTEGER, device INTEGER, uid INTEGER, effects INTEGER, flags INTEGER);"
	"CREATE INDEX by_user ON decisions (uid);"
	"CREATE INDEX by_device ON decisions (device);"
	"CREATE TABLE tags (tag INTEGER, seq INTEGER, PRIMARY KEY (tag, seq)) WITHOUT ROWID;"
	"CREATE TABLE others (seq INTEGER PRIMARY KEY, segment INTEGER, offset INTEGER);"
	"CREATE TABLE sources (seq INTEGER PRIMARY KEY, segment INTEGER, offset INTEGER);"
	"CREATE TABLE devices (id INTEGER PRIMARY KEY, name TEXT UNIQUE);";

/* One sorted stream. @at is its number next to where it was asked last; valid while @live. */
struct stream {
	sqlite3_stmt *up, *down;
	int64_t key;
	bool live, backwards;
	uint64_t at;
	bool ended;
};

struct group {
	struct stream stream[STREAMS];
	unsigned int n;
	bool used;
};

struct cli_index {
	sqlite3 *db;
	struct cli_index_state state;
	struct group group[GROUPS];
	struct group plain; /* all decisions, where no group is used */
	struct group others;
	bool take_others;
	sqlite3_stmt *place, *other_place, *source;
};

/* --- the file ------------------------------------------------------------------------------------- */

char *cli_index_path(const struct cli_log *log, bool in_cache)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char id[2 * sizeof(log->id) + 1], *path = NULL;

	if (!in_cache)
		return asprintf(&path, "%s/index.db", log->dir) < 0 ? NULL : path;
	fwa_hex_text(log->id, sizeof(log->id), id);
	if (cache && *cache == '/')
		return asprintf(&path, "%s/fwadmit/index-%s.db", cache, id) < 0 ? NULL : path;
	if (home && *home == '/')
		return asprintf(&path, "%s/.cache/fwadmit/index-%s.db", home, id) < 0 ? NULL : path;
	return NULL;
}

int cli_index_errno(sqlite3 *db)
{
	switch (sqlite3_errcode(db) & 0xff) {
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_CANTOPEN:
		return -ENOENT;
	case SQLITE_IOERR:
		return -EIO;
	default:
		return -EBADMSG;
	}
}

static int64_t pragma(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *s = NULL;
	int64_t value = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
		value = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return value;
}

static bool copy_blob(sqlite3_stmt *s, int column, uint8_t *out, int len)
{
	const void *data = sqlite3_column_blob(s, column);

	if (!data || sqlite3_column_bytes(s, column) != len)
		return false;
	memcpy(out, data, (size_t)len);
	return true;
}

int cli_index_state_read(sqlite3 *db, struct cli_index_state *ret)
{
	sqlite3_stmt *s = NULL;
	bool good;

	if (pragma(db, "PRAGMA application_id") != CLI_INDEX_APPLICATION ||
	    pragma(db, "PRAGMA user_version") != CLI_INDEX_VERSION)
		return sqlite3_errcode(db) == SQLITE_BUSY ? -EBUSY : -EBADMSG;
	if (sqlite3_prepare_v2(db,
			       "SELECT journal, hash, last, segment, offset, damaged FROM state",
			       -1, &s, NULL) != SQLITE_OK)
		return cli_index_errno(db);
	good = sqlite3_step(s) == SQLITE_ROW && copy_blob(s, 0, ret->journal, 16) &&
	       copy_blob(s, 1, ret->hash, FWA_HASH_LEN);
	if (good) {
		ret->last = (uint64_t)sqlite3_column_int64(s, 2);
		ret->place.segment = (uint64_t)sqlite3_column_int64(s, 3);
		ret->place.offset = (uint64_t)sqlite3_column_int64(s, 4);
		ret->damaged = sqlite3_column_int(s, 5) != 0;
	}
	sqlite3_finalize(s);
	return good ? 0 : -EBADMSG;
}

bool cli_index_state_holds(struct cli_log *log, const struct cli_index_state *s)
{
	struct fwa_frame f;

	return log->id_known && memcmp(s->journal, log->id, sizeof(log->id)) == 0 &&
	       fwa_cursor_seek_place(log->side, s->place.segment, s->place.offset) == 0 &&
	       fwa_cursor_next(log->side, &f) == 1 && f.seq == s->last &&
	       memcmp(f.hash, s->hash, FWA_HASH_LEN) == 0;
}

/*
 * Another's index could hide records; and a database of another's making, or what lies beside one, is not
 * for SQLite to read, least of all as root.
 */
static bool trusted(const char *path)
{
	struct stat file;

	return lstat(path, &file) == 0 && S_ISREG(file.st_mode) && fwa_is_ours(&file);
}

bool cli_index_goes_beside(const struct cli_log *log)
{
	struct stat dir;

	return fstat(fwa_journal_dirfd(log->journal), &dir) == 0 && fwa_is_ours(&dir);
}

static int open_file(const char *path, sqlite3 **ret)
{
	int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX;

	if (sqlite3_open_v2(path, ret, flags, NULL) != SQLITE_OK)
		return *ret ? cli_index_errno(*ret) : -ENOMEM;
	sqlite3_db_config(*ret, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(*ret, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_busy_timeout(*ret, BUSY_MS);
	/* one reading of it all: what is committed meanwhile is not seen */
	if (sqlite3_exec(*ret, "PRAGMA cell_size_check=1; PRAGMA mmap_size=0; BEGIN", NULL, NULL,
			 NULL) != SQLITE_OK)
		return cli_index_errno(*ret);
	return 0;
}

static int prepare(struct cli_index *x, const char *sql, sqlite3_stmt **ret)
{
	if (sqlite3_prepare_v2(x->db, sql, -1, ret, NULL) != SQLITE_OK)
		return cli_index_errno(x->db);
	return 0;
}

static int use(struct cli_log *log, struct cli_index *x, const char **ret_why)
{
	int r = cli_index_state_read(x->db, &x->state);

	*ret_why = r == -EBUSY ? "it is being written" : "it cannot be read";
	if (r < 0)
		return r;
	if (x->state.damaged) {
		*ret_why = "part of the journal cannot be read, and is not in it";
		return -ESTALE;
	}
	if (!cli_index_state_holds(log, &x->state)) {
		*ret_why = "it is of another history than the journal; `fwadmit log index` makes "
			   "it anew";
		return -ESTALE;
	}
	*ret_why = "it cannot be read";
	r = prepare(x, "SELECT segment, offset FROM decisions WHERE seq = ?", &x->place);
	if (r == 0)
		r = prepare(x, "SELECT segment, offset FROM others WHERE seq = ?", &x->other_place);
	if (r == 0)
		r = prepare(x, "SELECT segment, offset FROM sources WHERE seq = ?", &x->source);
	return r;
}

int cli_index_open(struct cli_log *log, struct cli_index **ret, const char **ret_why)
{
	int r = -ENOENT;

	for (int in_cache = 0; in_cache < 2 && r == -ENOENT; in_cache++) {
		fwa_auto_free char *path = cli_index_path(log, in_cache);
		struct cli_index *x;

		if (!path || access(path, F_OK) != 0 || (!in_cache && !cli_index_goes_beside(log)))
			continue;
		*ret_why = "it is another user's";
		if (!trusted(path))
			return -EPERM;
		x = calloc(1, sizeof(*x));
		if (!x)
			return -ENOMEM;
		*ret_why = "it cannot be read";
		r = open_file(path, &x->db);
		if (r == 0)
			r = use(log, x, ret_why);
		if (r == 0)
			*ret = x;
		else
			cli_index_close(x);
	}
	return r;
}

static void clear_group(struct group *g)
{
	for (unsigned int i = 0; i < g->n; i++) {
		sqlite3_finalize(g->stream[i].up);
		sqlite3_finalize(g->stream[i].down);
	}
	memset(g, 0, sizeof(*g));
}

void cli_index_close(struct cli_index *x)
{
	if (!x)
		return;
	for (unsigned int i = 0; i < GROUPS; i++)
		clear_group(&x->group[i]);
	clear_group(&x->plain);
	clear_group(&x->others);
	sqlite3_finalize(x->place);
	sqlite3_finalize(x->other_place);
	sqlite3_finalize(x->source);
	sqlite3_close(x->db);
	free(x);
}

uint64_t cli_index_last(const struct cli_index *x)
{
	return x->state.last;
}

struct cli_place cli_index_last_place(const struct cli_index *x)
{
	return x->state.place;
}

/* --- streams ---------------------------------------------------------------------------------------- */

/* Adds the stream of @table in which column @column is @key; all of it when that is NULL. */
static int add_stream(struct cli_index *x, struct group *g, const char *table, const char *column,
		      int64_t key)
{
	struct stream *s = &g->stream[g->n];
	char sql[160];
	int r;

	*s = (struct stream){ .key = key };
	g->used = true;
	g->n++;
	for (int down = 0; down < 2; down++) {
		snprintf(sql, sizeof(sql), "SELECT seq FROM %s WHERE %s%sseq %s ?1 ORDER BY seq%s",
			 table, column ? column : "", column ? " = ?2 AND " : "",
			 down ? "<=" : ">=", down ? " DESC" : "");
		r = prepare(x, sql, down ? &s->down : &s->up);
		if (r < 0)
			return r;
		if (column)
			sqlite3_bind_int64(down ? s->down : s->up, 2, key);
	}
	return 0;
}

static int step(struct cli_index *x, struct stream *s, sqlite3_stmt *stmt)
{
	switch (sqlite3_step(stmt)) {
	case SQLITE_ROW:
		s->at = (uint64_t)sqlite3_column_int64(stmt, 0);
		s->live = true;
		return 1;
	case SQLITE_DONE:
		s->live = true;
		s->ended = true;
		return 0;
	default:
		return cli_index_errno(x->db);
	}
}

static bool reached(uint64_t at, uint64_t from, bool backwards)
{
	return backwards ? at <= from : at >= from;
}

/* Moves @s to its first number from @from on, in that direction: 1, 0 at its end, negative errno. */
static int seek(struct cli_index *x, struct stream *s, uint64_t from, bool backwards)
{
	sqlite3_stmt *stmt = backwards ? s->down : s->up;
	int r;

	/* It only ever goes on in one direction, as the caller does. */
	if (s->live && s->backwards == backwards) {
		if (s->ended)
			return 0;
		for (unsigned int i = 0; i < STEPS; i++) {
			if (reached(s->at, from, backwards))
				return 1;
			r = step(x, s, stmt);
			if (r != 1)
				return r;
		}
	}
	sqlite3_reset(stmt);
	sqlite3_bind_int64(stmt, 1, (int64_t)from);
	s->backwards = backwards;
	s->ended = false;
	return step(x, s, stmt);
}

/* The nearest number of any of the group's streams. */
static int nearest(struct cli_index *x, struct group *g, uint64_t from, bool backwards,
		   uint64_t *ret)
{
	bool any = false;

	for (unsigned int i = 0; i < g->n; i++) {
		struct stream *s = &g->stream[i];
		int r = seek(x, s, from, backwards);

		if (r < 0)
			return r;
		if (r == 0)
			continue;
		if (!any || (backwards ? s->at > *ret : s->at < *ret))
			*ret = s->at;
		any = true;
	}
	return any;
}

/* The nearest number that all groups have. */
static int agreed(struct cli_index *x, uint64_t from, bool backwards, uint64_t *ret)
{
	uint64_t at = from, seen;
	unsigned int agree = 0;
	int r;

	for (unsigned int i = 0; agree < GROUPS; i = (i + 1) % GROUPS) {
		if (!x->group[i].used) {
			agree++;
			continue;
		}
		r = nearest(x, &x->group[i], at, backwards, &seen);
		if (r != 1)
			return r;
		agree = seen == at ? agree + 1 : 1;
		at = seen;
	}
	*ret = at;
	return 1;
}

static bool any_group(const struct cli_index *x)
{
	for (unsigned int i = 0; i < GROUPS; i++) {
		if (x->group[i].used)
			return true;
	}
	return false;
}

static int place_of(struct cli_index *x, sqlite3_stmt *s, uint64_t seq, struct cli_place *ret)
{
	int r;

	sqlite3_reset(s);
	sqlite3_bind_int64(s, 1, (int64_t)seq);
	r = sqlite3_step(s);
	if (r == SQLITE_ROW) {
		ret->segment = (uint64_t)sqlite3_column_int64(s, 0);
		ret->offset = (uint64_t)sqlite3_column_int64(s, 1);
	}
	sqlite3_reset(s);
	if (r == SQLITE_ROW)
		return 0;
	return r == SQLITE_DONE ? -EBADMSG : cli_index_errno(x->db);
}

int cli_index_next(struct cli_index *x, uint64_t from, bool backwards, uint64_t *ret_seq,
		   struct cli_place *ret)
{
	uint64_t decision = 0, other = 0;
	int r, o;

	if (any_group(x))
		r = agreed(x, from, backwards, &decision);
	else
		r = nearest(x, &x->plain, from, backwards, &decision);
	o = x->take_others ? nearest(x, &x->others, from, backwards, &other) : 0;
	if (r < 0 || o < 0)
		return r < 0 ? r : o;
	if (!r && !o)
		return 0;
	if (o && (!r || (backwards ? other > decision : other < decision))) {
		*ret_seq = other;
		r = place_of(x, x->other_place, other, ret);
	} else {
		*ret_seq = decision;
		r = place_of(x, x->place, decision, ret);
	}
	return r < 0 ? r : 1;
}

bool cli_index_source(struct cli_index *x, uint64_t seq, struct cli_place *ret)
{
	return place_of(x, x->source, seq, ret) == 0;
}

/* --- what is asked for ------------------------------------------------------------------------------ */

static int select_users(struct cli_index *x, const struct cli_filter *f)
{
	int r = 0;

	for (uint32_t i = 0; i < f->n_uids && r == 0; i++)
		r = add_stream(x, &x->group[0], "decisions INDEXED BY by_user", "uid", f->uid[i]);
	return r;
}

/* The devices whose names match. Of none: a stream that is empty. */
static int select_devices(struct cli_index *x, const struct cli_filter *f)
{
	struct group *g = &x->group[1];
	sqlite3_stmt *s = NULL;
	int r, got;

	if (!f->n_devices)
		return 0;
	r = prepare(x, "SELECT id, name FROM devices", &s);
	while (r == 0 && (got = sqlite3_step(s)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(s, 1);

		if (!name || !cli_filter_takes_device(f, name))
			continue;
		if (g->n == STREAMS) { /* that many are looked at one by one */
			clear_group(g);
			sqlite3_finalize(s);
			return 0;
		}
		r = add_stream(x, g, "decisions INDEXED BY by_device", "device",
			       sqlite3_column_int64(s, 0));
	}
	if (r == 0 && got != SQLITE_DONE)
		r = cli_index_errno(x->db);
	sqlite3_finalize(s);
	if (r == 0 && !g->n)
		r = add_stream(x, g, "decisions INDEXED BY by_device", "device", -1);
	return r;
}

static int select_effects(struct cli_index *x, const struct cli_filter *f)
{
	int r = 0;

	if (!f->by_effects || f->no_effects) /* without effects are most: no help */
		return 0;
	if (f->effects == FWA_EFFECTS_ALL)
		return add_stream(x, &x->group[2], "tags", "tag", CLI_TAG_ANY_EFFECT);
	for (unsigned int bit = 0; bit < FWA_EFFECT_COUNT && r == 0; bit++) {
		if (f->effects >> bit & 1)
			r = add_stream(x, &x->group[2], "tags", "tag", bit);
	}
	return r;
}

int cli_index_select(struct cli_index *x, const struct cli_filter *f)
{
	int r = select_users(x, f);

	if (r == 0)
		r = select_devices(x, f);
	if (r == 0)
		r = select_effects(x, f);
	if (r == 0 && f->refused)
		r = add_stream(x, &x->group[3], "tags", "tag", CLI_TAG_REFUSED);
	if (r == 0)
		r = add_stream(x, &x->plain, "decisions", NULL, 0);
	if (r == 0)
		r = add_stream(x, &x->others, "others", NULL, 0);
	x->take_others = cli_filter_takes_others(f);
	return r;
}
