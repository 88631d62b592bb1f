/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rings of workers, and the policies and profiles that they decide by: what a journald has to be
 * told, and told again when another one takes its place.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "base/log.h"
#include "base/util.h"
#include "daemon/journal-internal.h"
#include "daemon/served.h"

#define ENDED_MAX 8                  /* of one device: rings of workers that are no more */
#define KEPT_MAX 1024                /* policies, profiles, declarations */
#define KEPT_FOR (60 * FWA_NS_PER_S) /* after it was sent: a journald may die on it */

/* --- rings ------------------------------------------------------------------------------------ */

static void unlink_source(struct fwa_source *src)
{
	struct fwa_source **at = &src->journald->sources;

	while (*at != src)
		at = &(*at)->next;
	*at = src->next;
}

static void free_source(struct fwa_source *src)
{
	if (src->words)
		munmap((void *)src->words, FWA_RING_PAGE);
	fwa_ring_close(&src->fds);
	free(src);
}

static void drop_source(struct fwa_source *src)
{
	unlink_source(src);
	free_source(src);
}

static int fill_ring(struct fwa_source *src)
{
	int r = fwa_ring_create(&src->fds);
	void *page;

	if (r < 0)
		return r;
	page = mmap(NULL, FWA_RING_PAGE, PROT_READ, MAP_SHARED, src->fds.memory, 0);
	if (page == MAP_FAILED)
		return -errno;
	src->words = page;
	if (getrandom(src->about.id, sizeof(src->about.id), 0) != sizeof(src->about.id))
		return -errno;
	return 0;
}

static int new_source(struct fwa_journald *j, uint8_t kind, struct fwa_source **ret)
{
	struct fwa_source *src = calloc(1, sizeof(*src)), **at = &j->sources;
	int r;

	if (!src)
		return -ENOMEM;
	src->journald = j;
	src->fds = (struct fwa_ring_fds){ -1, -1, -1 };
	src->token = ++j->tokens;
	src->about.kind = kind;
	src->about.uid = getuid();
	r = fill_ring(src);
	if (r < 0) {
		free_source(src);
		return r;
	}
	while (*at)
		at = &(*at)->next;
	*at = src;
	*ret = src;
	return 0;
}

int fwa_journald_own(struct fwa_journald *j)
{
	struct fwa_source *own;
	int r = new_source(j, FWA_SOURCE_DAEMON, &own);

	if (r == 0) {
		r = fwa_ring_writer_open(&j->writer, &own->fds);
		if (r < 0)
			drop_source(own);
	}
	if (r < 0)
		return r;
	own->about.pid = (uint32_t)getpid();
	own->begun = true;
	j->own = own;
	return 0;
}

/* How many rings of @name's workers before are not written yet. */
static unsigned int ended_of(const struct fwa_journald *j, const char *name)
{
	unsigned int n = 0;

	for (const struct fwa_source *src = j->sources; src; src = src->next)
		n += src->ended && strncmp(src->about.name, name, sizeof(src->about.name) - 1) == 0;
	return n;
}

int fwa_source_new(struct fwa_journald *j, struct fwa_served *s, struct fwa_source **ret)
{
	int r;

	*ret = NULL;
	if (!j)
		return 0;
	if (ended_of(j, s->name) >= ENDED_MAX)
		return -EBUSY;
	r = new_source(j, FWA_SOURCE_WORKER, ret);
	if (r < 0)
		return r;
	(*ret)->served = s;
	snprintf((*ret)->about.name, sizeof((*ret)->about.name), "%s", s->name);
	snprintf((*ret)->about.spec, sizeof((*ret)->about.spec), "%s", s->spec);
	fwa_make_printable((*ret)->about.spec);
	return 0;
}

const struct fwa_ring_fds *fwa_source_fds(const struct fwa_source *src)
{
	return &src->fds;
}

void fwa_source_begin(struct fwa_source *src, pid_t pid)
{
	if (!src)
		return;
	src->about.pid = (uint32_t)pid;
	src->begun = true;
	fwa_journald_stir(src->journald);
}

struct fwa_source *fwa_source_end(struct fwa_source *src, enum fwa_source_end how)
{
	if (!src)
		return NULL;
	src->served = NULL;
	src->ended = true;
	src->how = (uint8_t)how;
	if (!src->begun || src->spoilt)
		drop_source(src);
	else
		fwa_journald_stir(src->journald);
	return NULL;
}

uint64_t fwa_source_waiting(const struct fwa_source *src)
{
	uint64_t produced = atomic_load(&src->words->produced);
	uint64_t n = produced - atomic_load(&src->words->consumed);

	return n < FWA_RING_DATA_LEN ? n : FWA_RING_DATA_LEN;
}

/* The worker has written what is no record. Nothing of it can be recorded any more: it has to go. */
void fwa_source_spoilt(struct fwa_journald *j, uint32_t token, const char *why)
{
	struct fwa_source *src = j->sources;

	while (src && src->token != token)
		src = src->next;
	if (!src || src->spoilt)
		return;
	src->spoilt = true;
	log_error("journal: %s: nothing more is taken from it: %s",
		  src == j->own ? "fwadmitd" : src->about.name, why);
	if (src == j->own) {
		fwa_ring_writer_close(&j->writer);
		drop_source(src);
		j->own = NULL; /* journal.c gets another one */
	} else if (src->ended) {
		drop_source(src);
	} else if (src->served) {
		fwa_served_kill(src->served);
	}
}

/* --- what decisions name ---------------------------------------------------------------------- */

static struct fwa_kept **find_kept(struct fwa_journald *j, const struct fwa_record_object *about)
{
	struct fwa_kept **at = &j->kept;

	while (*at && ((*at)->about.kind != about->kind ||
		       memcmp((*at)->about.key, about->key, FWA_HASH_LEN) != 0 ||
		       strcmp((*at)->about.device, about->device) != 0))
		at = &(*at)->next;
	return at;
}

static void drop_kept(struct fwa_journald *j, struct fwa_kept **at)
{
	struct fwa_kept *k = *at;

	*at = k->next;
	fwa_close(k->fd);
	free(k);
	j->n_kept--;
}

static int add_kept(struct fwa_journald *j, const struct fwa_record_object *about, int fd)
{
	struct fwa_kept **at = find_kept(j, about), *k;

	if (*at)
		return 0;
	if (j->n_kept >= KEPT_MAX)
		return -E2BIG;
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	k->about = *about;
	k->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (k->fd < 0) {
		int r = -errno;

		free(k);
		return r;
	}
	*at = k;
	j->n_kept++;
	return 0;
}

void fwa_journald_keep(struct fwa_journald *j, enum fwa_object_kind kind, const char *device,
		       int fd)
{
	struct fwa_record_object about = { .kind = (uint8_t)kind };
	int r;

	if (!j || fd < 0)
		return;
	snprintf(about.device, sizeof(about.device), "%s", device ? device : "");
	r = fwa_journal_key(kind, fd, about.key);
	if (r == 0)
		r = add_kept(j, &about, fd);
	if (r < 0)
		log_error("journal: what decisions are made by is not kept%s%s: %s",
			  device ? " for " : "", device ? device : "", strerror(-r));
	else
		fwa_journald_stir(j);
}

/* --- telling ---------------------------------------------------------------------------------- */

void fwa_sources_forget(struct fwa_journald *j)
{
	for (struct fwa_source *src = j->sources; src; src = src->next)
		src->attached = src->detached = false;
	for (struct fwa_kept *k = j->kept; k; k = k->next)
		k->sent = false;
	for (struct fwa_served *s = j->daemon->devices; s; s = s->next)
		fwa_served_keep(s);
}

static int tell_kept(struct fwa_journald *j, struct fwa_kept *k)
{
	struct fwa_attach_message m = { .kind = FWA_ATTACH_OBJECT,
					.object = k->about,
					.fds = { k->fd, -1, -1 } };
	int r = fwa_attach_send(j->sock, &m);

	if (r < 0)
		return r;
	k->sent = true;
	k->sent_at = fwa_clock_ns(CLOCK_MONOTONIC);
	return 0;
}

static int tell_source(struct fwa_journald *j, struct fwa_source *src)
{
	struct fwa_attach_message m = {
		.kind = FWA_ATTACH_SOURCE,
		.token = src->token,
		.source = src->about,
		.fds = { src->fds.memory, src->fds.doorbell, src->fds.ack },
	};
	int r = fwa_attach_send(j->sock, &m);

	src->attached = r == 0;
	return r;
}

static int tell_end(struct fwa_journald *j, struct fwa_source *src)
{
	struct fwa_attach_message m = {
		.kind = FWA_ATTACH_DETACH,
		.token = src->token,
		.how = src->how,
		.fds = { -1, -1, -1 },
	};
	int r = fwa_attach_send(j->sock, &m);

	src->detached = r == 0;
	return r;
}

static int tell_begin(struct fwa_journald *j)
{
	struct fwa_attach_message m = { .kind = FWA_ATTACH_BEGIN, .fds = { -1, -1, -1 } };
	int r = fwa_attach_send(j->sock, &m);

	j->begun = r == 0;
	return r;
}

/* What a worker decides by goes before its ring; all rings before BEGIN; ends last. */
int fwa_sources_tell(struct fwa_journald *j)
{
	int r = 0;

	for (struct fwa_kept *k = j->kept; k && r == 0; k = k->next)
		if (!k->sent)
			r = tell_kept(j, k);
	for (struct fwa_source *src = j->sources; src && r == 0; src = src->next)
		if (src->begun && !src->attached && !src->spoilt)
			r = tell_source(j, src);
	if (r == 0 && !j->begun)
		r = tell_begin(j);
	for (struct fwa_source *src = j->sources; src && r == 0; src = src->next)
		if (src->ended && src->attached && !src->detached)
			r = tell_end(j, src);
	return r;
}

/* Nothing is left of it, and whoever writes the journal knows that it ended, or never heard of it. */
static bool is_over(const struct fwa_source *src)
{
	return src->ended && fwa_source_waiting(src) == 0 && !fwa_ring_lost(src->words, NULL) &&
	       src->attached == src->detached;
}

bool fwa_sources_sweep(struct fwa_journald *j)
{
	uint64_t now = fwa_clock_ns(CLOCK_MONOTONIC);
	struct fwa_kept **at = &j->kept;
	struct fwa_source *next;
	bool all = true;

	for (struct fwa_source *src = j->sources; src; src = next) {
		next = src->next;
		if (src != j->own && is_over(src))
			drop_source(src);
		else if (src->ended && !is_over(src))
			all = false;
	}
	while (*at) {
		struct fwa_kept *k = *at;

		if (k->sent && j->ready && now - k->sent_at > KEPT_FOR)
			drop_kept(j, at);
		else
			at = &k->next;
	}
	return all;
}

void fwa_sources_free(struct fwa_journald *j)
{
	fwa_ring_writer_close(&j->writer);
	while (j->sources)
		drop_source(j->sources);
	while (j->kept)
		drop_kept(j, &j->kept);
}
