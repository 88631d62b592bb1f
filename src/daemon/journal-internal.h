/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What journal.c, which keeps fwadmit-journald going, and journal-source.c, which says what it has to
 * know, share.
 */
#pragma once

#include <systemd/sd-event.h>

#include "daemon/journal.h"
#include "host/journal.h"
#include "journal/ring.h"

struct fwa_source {
	struct fwa_source *next;
	struct fwa_journald *journald;
	struct fwa_served *served; /* NULL: the daemon's own, or its worker has ended */
	struct fwa_ring_fds fds;
	const struct fwa_ring *words; /* its first page: two numbers, and nothing is done by them */
	uint32_t token;
	struct fwa_record_source about;
	bool begun;    /* somebody writes, or wrote, to it */
	bool attached; /* this journald knows it */
	bool ended;
	bool detached; /* and knows that */
	bool spoilt;   /* nobody takes from it any more */
	uint8_t how;   /* it ended: enum fwa_source_end */
};

/* A policy, profile or declarations that journald is to keep. */
struct fwa_kept {
	struct fwa_kept *next;
	struct fwa_record_object about;
	int fd;
	bool sent;        /* to this journald */
	uint64_t sent_at; /* CLOCK_MONOTONIC ns */
};

struct fwa_journald {
	struct fwa_daemon *daemon;
	char *dir;
	struct fwa_journal_options options;

	pid_t pid; /* 0: none runs */
	int sock;  /* -1: not connected */
	sd_event_source *child, *messages, *restart, *timer, *ack;
	uint64_t started; /* CLOCK_MONOTONIC ns */
	unsigned int deaths;
	bool ready;        /* it has said so */
	bool begun;        /* BEGIN is sent */
	bool hung_up;      /* nothing more will be sent: it is to end */
	char failure[160]; /* why it does not run, or not well; "" */
	char trouble[256]; /* what was said last of what is wrong; "" */
	uint64_t
		progress; /* CLOCK_MONOTONIC ns when the daemon's own records last became durable */
	uint64_t durable; /* which of them were then */
	uint64_t unrecorded;                         /* acts for which there was no room */
	uint64_t unrecorded_since, unrecorded_until; /* CLOCK_BOOTTIME ns */

	struct fwa_source *sources; /* the daemon's own among them */
	struct fwa_source *own;
	struct fwa_ring_writer writer;
	struct fwa_kept *kept;
	size_t n_kept;
	uint32_t tokens;

	void (*done)(struct fwa_daemon *d); /* it is ending: to be called once */
	sd_event_source *patience;
};

/* --- journal-source.c ------------------------------------------------------------------------- */

/* The daemon's own source, with a new ring. 0 or negative errno. */
int fwa_journald_own(struct fwa_journald *j);
/* A new journald knows nothing: all is to be said again. */
void fwa_sources_forget(struct fwa_journald *j);
/* Says what journald does not know yet. 0; -EAGAIN: more when it has room; negative errno. */
int fwa_sources_tell(struct fwa_journald *j);
/* Drops what is written. True when nothing is left to be written. */
bool fwa_sources_sweep(struct fwa_journald *j);
/* journald takes nothing more of the source @token. */
void fwa_source_spoilt(struct fwa_journald *j, uint32_t token, const char *why);
/* Bytes of records in @src that are not in the file yet. */
uint64_t fwa_source_waiting(const struct fwa_source *src);
void fwa_sources_free(struct fwa_journald *j);

/* --- journal.c ---------------------------------------------------------------------------------- */

/* There is something to say to journald, or to wait for. */
void fwa_journald_stir(struct fwa_journald *j);
