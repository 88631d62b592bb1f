/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit-journald: the journal's one writer.
 *
 * One thread and one loop. What it is given comes over connections (listen.c): sources, each a ring of shared
 * memory (sources.c). In each round it takes from every ring what is there, within bounds, gives it to the
 * store, writes, synchronises when somebody waits or it is time, and says what is durable (commit.c).
 *
 * It outlives whoever started it: it ends when its last connection has gone, all rings are drained, and all
 * is on disk.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/list.h"
#include "journal/attach.h"
#include "journal/store.h"

#define CONNECTIONS_MAX 256u
#define SOURCES_MAX FWA_OPEN_SOURCES_MAX
#define OBJECTS_MAX 1024u
/* Decisions that one source may have open: as many as a worker has sessions. */
#define SOURCE_OPEN_MAX 1024u
/* For launchers of a writer that died to attach again what they have. */
#define CLAIM_NS (2 * FWA_NS_PER_S)
#define LONGEST_DOZE_NS (20 * FWA_NS_PER_MS)
/* For a source whose launcher died: its own end is awaited so long, and so long when it cannot be seen. */
#define ORPHAN_NS (5 * FWA_NS_PER_S)
#define ORPHAN_UNSEEN_NS (100 * FWA_NS_PER_MS)

/* What epoll tells of. */
enum watch {
	WATCH_LISTENER = 1,
	WATCH_CONNECTION, /* struct connection */
	WATCH_DOORBELL,   /* struct source: nothing but a reason to look */
	WATCH_PROCESS,    /* struct source, by its member @process */
};

struct connection {
	enum watch watch;
	struct fwa_link link;
	int sock;
};

struct source {
	enum watch watch;
	enum watch process; /* another one of the same */
	struct fwa_link link;
	struct connection *owner; /* NULL: its launcher is gone, or has done with it */
	uint32_t token;
	struct fwa_record_source about;
	struct fwa_ring_reader ring;
	uint64_t number;     /* of its SOURCE record; 0: that is still to be written */
	uint32_t open;       /* decisions without an outcome, that were taken here */
	bool urgent;         /* somebody waits for what is not durable yet */
	bool held;           /* no more decisions can be open: until there are fewer */
	uint64_t held_since; /* CLOCK_BOOTTIME ns, while it is */
	bool broken;         /* nothing more is taken */
	bool confessed;      /* what it could not put in is told */
	bool ending;         /* what is in the ring is all that comes */
	enum {
		NOT_DRAINED = 0,
		DRAINED,        /* it ends, and its ring is empty */
		DRAINED_WRITTEN /* and the file has it all */
	} drained;
	enum fwa_source_end how;
	int pidfd;         /* its process, or -1 */
	uint64_t deadline; /* CLOCK_BOOTTIME ns at which an orphan ends anyhow; 0: is none */
};

struct object {
	struct fwa_link link;
	struct connection *owner; /* NULL: is gone */
	struct fwa_record_object about;
	int memory;       /* -1 once it is kept */
	bool stale;       /* another one has taken its place */
	uint64_t segment; /* that has a record which names it */
};

struct journald {
	int dirfd, lock, epoll, listener;
	struct fwa_fs fs;
	struct fwa_signer *signer;
	struct fwa_store *store;
	struct fwa_link connections, sources, objects;
	unsigned int n_connections, n_sources, n_objects;
	uint64_t segment;    /* that objects were named in */
	bool retires;        /* segments may be removed: then objects too */
	uint64_t sweep_at;   /* CLOCK_BOOTTIME ns of the next step of that; 0: none */
	uint64_t objects_at; /* CLOCK_BOOTTIME ns at which it is tried again; 0: nothing to try */

	/* commit.c */
	struct fwa_times now;
	bool must_sync;      /* something that was appended is awaited */
	bool full;           /* an append found no room: sync first */
	bool more;           /* a ring has more than one round takes */
	bool took;           /* anything, in this round */
	uint64_t checkpoint; /* number of the one that was signed here last */
	uint64_t sign_at; /* CLOCK_BOOTTIME ns at which the next one is due; 0: nothing to sign */
	bool stopping;    /* nobody can come any more */
	int trouble;      /* errno why nothing can be written; 0: it can */
	uint64_t trouble_since, repair_at;
	uint64_t alone_since; /* in trouble, without a connection; 0: is not */

	/* Sources of a writer before, which were not attached again. */
	uint64_t left[SOURCES_MAX];
	uint32_t n_left;
	bool begun;
	uint64_t claim_until;
};

/* sandbox.c */
int sandbox_begin(void);
/* From here on: the journal's folder, what is open, and no other thing. 0 or negative errno. */
int sandbox_close(const struct journald *j);

/* listen.c */
/* Makes the socket in the journal's folder. 0 or negative errno. */
int listen_open(struct journald *j);
/* Removes it, so that nobody comes any more. */
void listen_close(struct journald *j);
/* Takes who connects. */
void listen_accept(struct journald *j);
int connection_add(struct journald *j, int sock);
void connection_ready(struct journald *j, struct connection *c);
/* Reads what it says; closes it when it has gone, or says nonsense. */
void connection_read(struct journald *j, struct connection *c);
/* Tells the launcher of a source that nothing more is taken from it. */
void connection_bad(struct journald *j, struct connection *c, uint32_t token, const char *why);
int watch_fd(const struct journald *j, int fd, uint32_t events, void *what);

/* sources.c */
/* Takes over the descriptors of @m. */
void source_attach(struct journald *j, struct connection *c, struct fwa_attach_message *m);
void source_detach(struct journald *j, struct connection *c, uint32_t token,
		   enum fwa_source_end how);
/* The launcher of these sources is gone. */
void sources_orphan(struct journald *j, struct connection *c);
/* Its process is gone. */
void source_ended(struct source *s);
/* Takes from all rings what one round takes, and ends what has ended. */
void sources_take(struct journald *j);
void sources_release(struct journald *j);
void sources_publish(struct journald *j);
void sources_trouble(struct journald *j);
/* All are to sleep; false, and none does, when one must not. */
bool sources_sleep(struct journald *j, uint32_t how);
void sources_awake(struct journald *j);
/* The next time at which an orphan ends; 0: none will by the time alone. */
uint64_t sources_deadline(const struct journald *j);
/* Remembers the sources that the store knows already, and ends them when nobody claims them. */
void left_find(struct journald *j);
void left_end(struct journald *j);

/* objects.c */
/* Takes over the descriptor of @m. */
void object_add(struct journald *j, struct connection *c, struct fwa_attach_message *m);
void objects_orphan(struct journald *j, struct connection *c);
void objects_keep(struct journald *j);

/* commit.c */
/* Appends a record. 0, -ENOBUFS (noted), -EROFS (noted), or why the store refuses it. */
int commit_append(struct journald *j, const struct fwa_append *a, uint64_t *ret_seq);
/* Appends the end of a source. */
int commit_end_source(struct journald *j, uint64_t number, enum fwa_source_end how);
/* Until there is nothing more to do. 0, or -1 when something could not be written at all. */
int commit_loop(struct journald *j);
