/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which journal, and who writes in it.
 */
#include "cli/log.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>

#include "base/util.h"
#include "cli/index.h"
#include "host/journal.h"

#define SOURCES 1024u
#define FIRST_CHECKPOINT_WITHIN (4 * FWA_CHECKPOINT_RECORDS)

/* --- which ------------------------------------------------------------------------------------ */

static bool readable(const char *dir)
{
	return access(dir, R_OK | X_OK) == 0;
}

/* --journal, or the daemon's, or the user's own; NULL without memory. */
static char *choose_dir(const struct cli *cli)
{
	bool own = getenv("FWADMIT_STATE_DIR") != NULL;
	char *dir;

	if (cli_given(&cli->args, CLI_OPT_JOURNAL))
		return strdup(cli->args.text[CLI_OPT_JOURNAL]);
	if (!own && readable(CLI_LOG_DAEMON_DIR))
		return strdup(CLI_LOG_DAEMON_DIR);
	dir = fwa_journal_own_dir();
	/* Where there is none to read either, the daemon's is the one to speak of. */
	if (!own && (!dir || access(dir, F_OK) != 0) && access(CLI_LOG_DAEMON_DIR, F_OK) == 0) {
		free(dir);
		return strdup(CLI_LOG_DAEMON_DIR);
	}
	return dir;
}

int cli_log_fail(const struct cli_log *log, int r)
{
	const char *hint =
		r == -EACCES || r == -EPERM
			? "; it is for its owner, and fwadmitd's for group fwadmit-admin, too"
			: "";

	if (r == -ENOENT)
		return cli_fail(log->cli, CLI_NOT_FOUND,
				"%s: there is no journal; --journal=DIR names another one",
				log->dir);
	return cli_fail(log->cli, CLI_FAILED, "%s: cannot read the journal: %s%s", log->dir,
			strerror(-r), hint);
}

/* The journal's name, and its first number. */
static int look_at_segments(struct cli_log *log)
{
	const struct fwa_segment_file *files;
	size_t n;
	int r = fwa_journal_segments(log->journal, &files, &n);

	if (r < 0)
		return r;
	log->id_known = n > 0;
	if (!n)
		return 0;
	memcpy(log->id, files[0].header.journal, sizeof(log->id));
	log->first = files[0].header.first;
	return 0;
}

int cli_log_open(const struct cli *cli, struct cli_log *ret)
{
	struct cli_log *log = ret;
	int r;

	*log = (struct cli_log){ .cli = cli, .dir = choose_dir(cli) };
	if (!log->dir)
		return cli_fail(cli, CLI_NOT_FOUND, "there is no journal; --journal=DIR names one");
	if (strcmp(log->dir, "none") == 0)
		return cli_fail(cli, CLI_USAGE, "--journal=none: there is nothing to read");
	r = fwa_journal_open(log->dir, &log->journal);
	if (r == 0)
		r = look_at_segments(log);
	if (r < 0)
		return cli_log_fail(log, r);
	log->side = fwa_cursor_new(log->journal);
	log->sources = calloc(SOURCES, sizeof(*log->sources));
	if (!log->side || !log->sources)
		return cli_log_fail(log, -ENOMEM);
	return CLI_OK;
}

void cli_log_close(struct cli_log *log)
{
	cli_index_close(log->index);
	fwa_cursor_free(log->side);
	fwa_journal_close(log->journal);
	free(log->sources);
	free(log->dir);
	*log = CLI_LOG_NONE;
}

/* --- who -------------------------------------------------------------------------------------- */

static bool take_source(const struct fwa_frame *f, struct cli_source *ret)
{
	struct fwa_record_source r;

	if (f->kind != FWA_RECORD_SOURCE || fwa_record_source_decode(f->body, &r) < 0)
		return false;
	*ret = (struct cli_source){
		.seq = f->seq, .known = true, .kind = r.kind, .pid = r.pid, .uid = r.uid
	};
	memcpy(ret->name, r.name, sizeof(ret->name));
	ret->name[sizeof(ret->name) - 1] = '\0';
	return true;
}

void cli_log_note_source(struct cli_log *log, const struct fwa_frame *f)
{
	struct cli_source s;

	if (take_source(f, &s))
		log->sources[f->seq % SOURCES] = s;
}

/* The index may know where its record is; it has to be there. */
static bool source_by_index(struct cli_log *log, uint64_t seq, struct cli_source *ret)
{
	struct cli_place place;
	struct fwa_frame f;

	return log->index && cli_index_source(log->index, seq, &place) &&
	       fwa_cursor_seek_place(log->side, place.segment, place.offset) == 0 &&
	       fwa_cursor_next(log->side, &f) == 1 && f.seq == seq && take_source(&f, ret);
}

static bool source_by_number(struct cli_log *log, uint64_t seq, struct cli_source *ret)
{
	struct fwa_frame f;

	return seq >= log->first && fwa_cursor_seek(log->side, seq) == 0 &&
	       fwa_cursor_next(log->side, &f) == 1 && f.seq == seq && take_source(&f, ret);
}

/* Its record is retired: the first checkpoint that is left carries the sources that were attached. */
static bool source_by_checkpoint(struct cli_log *log, uint64_t seq, struct cli_source *ret)
{
	struct fwa_open_source s;
	struct fwa_checkpoint c;
	struct fwa_frame f;

	if (seq >= log->first || fwa_cursor_seek(log->side, 0) < 0)
		return false;
	for (unsigned int i = 0; i < FIRST_CHECKPOINT_WITHIN; i++) {
		if (fwa_cursor_next(log->side, &f) != 1)
			return false;
		if (f.kind == FWA_RECORD_CHECKPOINT)
			break;
	}
	if (f.kind != FWA_RECORD_CHECKPOINT || fwa_checkpoint_decode(f.body, &c) < 0)
		return false;
	for (uint32_t i = 0; i < c.n_sources; i++) {
		if (!fwa_checkpoint_source(&c, i, &s) || s.number != seq)
			continue;
		*ret = (struct cli_source){ .seq = seq, .known = true, .kind = s.kind };
		memcpy(ret->name, s.name, sizeof(ret->name));
		ret->name[sizeof(ret->name) - 1] = '\0';
		return true;
	}
	return false;
}

const struct cli_source *cli_log_source(struct cli_log *log, uint64_t seq)
{
	static const struct cli_source nobody = { .known = true };
	struct cli_source *s = &log->sources[seq % SOURCES];

	if (!seq)
		return &nobody;
	if (s->seq == seq)
		return s;
	if (!source_by_index(log, seq, s) && !source_by_number(log, seq, s) &&
	    !source_by_checkpoint(log, seq, s))
		*s = (struct cli_source){ .seq = seq };
	return s;
}

/* --- waiting ------------------------------------------------------------------------------------ */

int cli_log_watch(const struct cli_log *log)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd >= 0 && inotify_add_watch(fd, log->dir, IN_MODIFY | IN_CREATE | IN_ONLYDIR) < 0)
		fd = fwa_close(fd);
	return fd;
}

void cli_log_wait(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char events[4096];

	fflush(stdout);
	/* Without events, and for what inotify does not see, it looks each second. */
	if (poll(&p, fd >= 0 ? 1 : 0, 1000) <= 0)
		return;
	while (read(fd, events, sizeof(events)) > 0)
		;
}
