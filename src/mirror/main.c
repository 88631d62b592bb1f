/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit-log-mirror: follows fwadmit's journal and tells systemd-journald of refusals, quarantines, drift
 * and what is wrong with the journal itself.
 *
 * It reads files, as any reader does: nobody waits for it, and nothing depends on it. Where it was is in a
 * small file, written after what was sent: after a crash a few messages may come twice, none is
 * left out. A journal that does not have that place any more is followed from its end, and that is said.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "base/fd.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/util.h"
#include "journal/reader.h"
#include "mirror/fields.h"

#define JOURNAL "/var/lib/fwadmit/journal"
#define SOURCES 64u
#define SAVE_EVERY 1000u /* messages */
#define WAIT_MS 1000

struct source {
	uint64_t seq;
	char name[64];
};

struct mirror {
	const char *dir, *cursor; /* @cursor NULL: it is not remembered */
	bool once;
	struct fwa_journal *journal;
	struct fwa_cursor *at, *side;
	struct source sources[SOURCES];
	uint64_t last; /* the last record that was looked at */
	uint8_t hash[FWA_HASH_LEN];
	unsigned int unsaved;
	struct fwa_mirror_message message;
};

static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	stopped = 1;
}

/* --- where it was ---------------------------------------------------------------------------------- */

/* "SEQ HASH" */
static bool read_place(const char *path, uint64_t *ret_seq, uint8_t hash[FWA_HASH_LEN])
{
	fwa_auto_free uint8_t *data = NULL;
	unsigned long long seq;
	char text[2 * FWA_HASH_LEN + 1];
	size_t len;

	if (fwa_read_file(path, 256, &data, &len) < 0 ||
	    sscanf((const char *)data, "%llu %64[0-9a-f]", &seq, text) != 2 ||
	    strlen(text) != 2 * FWA_HASH_LEN)
		return false;
	for (size_t i = 0; i < FWA_HASH_LEN; i++) {
		if (!fwa_hex_byte(text + 2 * i, &hash[i]))
			return false;
	}
	*ret_seq = seq;
	return true;
}

static int save_place(struct mirror *m)
{
	fwa_auto_free char *fresh = NULL;
	char text[2 * FWA_HASH_LEN + 1], line[128];
	fwa_auto_close int fd = -1;
	int len, r;

	m->unsaved = 0;
	if (!m->cursor || !m->last)
		return 0;
	if (asprintf(&fresh, "%s.new", m->cursor) < 0)
		return -ENOMEM;
	fwa_hex_text(m->hash, FWA_HASH_LEN, text);
	len = snprintf(line, sizeof(line), "%llu %s\n", (unsigned long long)m->last, text);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = fwa_write_all(fd, fwa_span(line, (size_t)len));
	if (r == 0 && rename(fresh, m->cursor) < 0)
		r = -errno;
	return r;
}

static void note(struct mirror *m, const struct fwa_frame *f)
{
	m->last = f->seq;
	memcpy(m->hash, f->hash, sizeof(m->hash));
}

/* To the journal's end. 0 or negative errno. */
static int go_to_end(struct mirror *m)
{
	struct fwa_frame f = { 0 };
	int r = fwa_cursor_seek(m->at, UINT64_MAX);

	if (r == 0)
		r = fwa_cursor_previous(m->at, &f);
	if (r == 1) {
		note(m, &f);
		r = fwa_cursor_seek(m->at, f.seq + 1);
	}
	return r < 0 ? r : 0;
}

/* Behind the record that was looked at last. */
static int go_on(struct mirror *m)
{
	uint8_t hash[FWA_HASH_LEN];
	struct fwa_frame f;
	uint64_t seq;
	int r;

	if (!m->cursor || !read_place(m->cursor, &seq, hash))
		return go_to_end(m);
	r = fwa_cursor_seek(m->at, seq);
	if (r < 0)
		return r;
	if (fwa_cursor_next(m->at, &f) == 1 && f.seq == seq &&
	    memcmp(f.hash, hash, sizeof(hash)) == 0) {
		note(m, &f);
		return 0;
	}
	log_warning("%s does not have record %llu as it was: it is followed from its end", m->dir,
		    (unsigned long long)seq);
	return go_to_end(m);
}

/* --- who wrote it ------------------------------------------------------------------------------------ */

static bool take_source(struct mirror *m, const struct fwa_frame *f)
{
	struct source *s = &m->sources[f->seq % SOURCES];
	struct fwa_record_source r;

	if (f->kind != FWA_RECORD_SOURCE || fwa_record_source_decode(f->body, &r) < 0)
		return false;
	s->seq = f->seq;
	snprintf(s->name, sizeof(s->name), "%s", r.name);
	return true;
}

/* The device of source @seq, "" when it is not known. */
static const char *device_of(struct mirror *m, uint64_t seq)
{
	struct source *s = &m->sources[seq % SOURCES];
	struct fwa_frame f;

	if (!seq || s->seq == seq)
		return seq ? s->name : "";
	*s = (struct source){ .seq = seq };
	if (fwa_cursor_seek(m->side, seq) == 0 && fwa_cursor_next(m->side, &f) == 1 && f.seq == seq)
		take_source(m, &f);
	return s->name;
}

/* --- following ----------------------------------------------------------------------------------------- */

static int tell(struct mirror *m, const struct fwa_frame *f)
{
	int r;

	take_source(m, f);
	if (!fwa_mirror_fields(f, device_of(m, f->source), &m->message))
		return 0;
	r = sd_journal_sendv(m->message.field, (int)m->message.n);
	if (r < 0)
		return r;
	return ++m->unsaved >= SAVE_EVERY ? save_place(m) : 0;
}

/* All that is there by now. 0 or negative errno. */
static int catch_up(struct mirror *m)
{
	uint64_t before = m->last;
	struct fwa_frame f;
	int r = 0;

	while (!stopped && (r = fwa_cursor_next(m->at, &f)) != 0) {
		if (r == -EBADMSG) {
			log_warning("%s: records after %llu cannot be read", m->dir,
				    (unsigned long long)m->last);
			continue;
		}
		if (r < 0)
			return r;
		r = tell(m, &f);
		if (r < 0)
			return r;
		note(m, &f);
	}
	return m->last == before ? 0 : save_place(m);
}

static int watch(const struct mirror *m)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd >= 0 && inotify_add_watch(fd, m->dir, IN_MODIFY | IN_CREATE | IN_ONLYDIR) < 0)
		fd = fwa_close(fd);
	return fd;
}

static void wait_for_more(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char events[4096];

	if (poll(&p, fd >= 0 ? 1 : 0, WAIT_MS) > 0)
		while (read(fd, events, sizeof(events)) > 0)
			;
}

static int run(struct mirror *m)
{
	fwa_auto_close int fd = -1;
	int r = fwa_journal_open(m->dir, &m->journal);

	if (r < 0)
		return r;
	m->at = fwa_cursor_new(m->journal);
	m->side = fwa_cursor_new(m->journal);
	if (!m->at || !m->side)
		return -ENOMEM;
	fd = watch(m);
	r = go_on(m);
	while (r == 0 && !stopped) {
		r = catch_up(m);
		if (m->once)
			break;
		if (r == 0 && !stopped)
			wait_for_more(fd);
	}
	return r < 0 ? r : save_place(m);
}

/* --- the program ----------------------------------------------------------------------------------------- */

static int usage(int code)
{
	fputs("usage: fwadmit-log-mirror [--journal=DIR] [--cursor=FILE] [--once]\n"
	      "Tells systemd-journald what fwadmit refused, and what happened to its devices.\n"
	      "  --journal=DIR  the journal to follow (" JOURNAL ")\n"
	      "  --cursor=FILE  remembers there what was told already\n"
	      "  --once         ends when it has told what there is\n",
	      code ? stderr : stdout);
	return code;
}

static int parse(struct mirror *m, int argc, char **argv)
{
	static const struct option options[] = { { "journal", required_argument, NULL, 'j' },
						 { "cursor", required_argument, NULL, 'c' },
						 { "once", no_argument, NULL, 'o' },
						 { "help", no_argument, NULL, 'h' },
						 { 0 } };
	int got;

	while ((got = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (got == 'j')
			m->dir = optarg;
		else if (got == 'c')
			m->cursor = optarg;
		else if (got == 'o')
			m->once = true;
		else
			return usage(got == 'h' ? 0 : 2);
	}
	return optind < argc ? usage(2) : -1;
}

int main(int argc, char **argv)
{
	static struct mirror m = { .dir = JOURNAL };
	struct sigaction end = { .sa_handler = stop };
	int r = parse(&m, argc, argv);

	if (r >= 0)
		return r;
	fwa_log_setup("fwadmit-log-mirror");
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGINT, &end, NULL);
	r = run(&m);
	if (r < 0)
		log_error("%s: %s", m.dir, strerror(-r));
	fwa_cursor_free(m.at);
	fwa_cursor_free(m.side);
	fwa_journal_close(m.journal);
	return r < 0;
}
