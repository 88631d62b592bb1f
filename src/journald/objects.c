/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects: what decisions were made by, kept once under the name of its digest.
 *
 * 1. A record names an object for as long as its segment is there: what a launcher that is connected has sent
 *    is named again in each new segment, but for a policy that another one has replaced: that is named once
 *    more, for decisions that were on their way.
 * 2. One that cannot be kept now is tried again; decisions do not wait for it, as it is they that must not be
 *    missing.
 * 3. Files that no record names any more go after a segment was handed over, as older ones may have gone then.
 */
#include "journal/objects.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "journald/journald.h"

#define AGAIN_NS FWA_NS_PER_S
/* Between two steps of finding out what older segments name: each may read one from the disk. */
#define SWEEP_NS FWA_NS_PER_S

static void object_free(struct journald *j, struct object *o)
{
	fwa_list_remove(&o->link);
	j->n_objects--;
	fwa_close(o->memory);
	free(o);
}

/* Another policy for the same device. */
static bool replaces(const struct object *new, const struct object *old)
{
	return new->owner == old->owner &&new->about.kind ==
		       old->about.kind &&new->about.device[0] &&
	       strcmp(new->about.device, old->about.device) == 0;
}

void object_add(struct journald *j, struct connection *c, struct fwa_attach_message *m)
{
	struct object *o = j->n_objects < OBJECTS_MAX ? calloc(1, sizeof(*o)) : NULL;

	if (!o) {
		log_warning("an object is not kept: there are too many");
		fwa_close(m->fds[0]);
		return;
	}
	o->owner = c;
	o->about = m->object;
	o->memory = m->fds[0];
	fwa_list_each(at, next, &j->objects)
	{
		struct object *old = fwa_list_entry(at, struct object, link);

		old->stale = old->stale || replaces(o, old);
	}
	fwa_list_append(&j->objects, &o->link);
	j->n_objects++;
	j->objects_at = j->now.boot;
}

void objects_orphan(struct journald *j, struct connection *c)
{
	fwa_list_each(at, next, &j->objects)
	{
		struct object *o = fwa_list_entry(at, struct object, link);

		if (o->owner == c)
			o->owner = NULL;
	}
	j->objects_at = j->now.boot;
}

/* Writes its file, once. */
static int put(struct journald *j, struct object *o)
{
	struct fwa_span data;
	int r;

	if (o->memory < 0)
		return 0;
	r = fwa_memfd_map(o->memory, FWA_OBJECT_MAX, &data);
	if (r < 0)
		return r;
	r = fwa_objects_put(j->dirfd, data, o->about.sha256);
	fwa_memfd_unmap(data);
	if (r == 0)
		o->memory = fwa_close(o->memory);
	return r;
}

/* Names it in the segment that is written to, unless it is. */
static int name(struct journald *j, struct object *o)
{
	uint8_t body[512];
	struct fwa_writer w = fwa_writer(body, sizeof(body));
	struct fwa_append a = { .kind = FWA_RECORD_OBJECT };
	uint64_t seq;
	int r = 0;

	if (o->segment == j->segment)
		return 0;
	fwa_record_object_encode(&w, &o->about);
	a.body = fwa_span(body, w.len);
	if (!fwa_store_has_object(j->store, &o->about))
		r = w.full ? -EINVAL : commit_append(j, &a, &seq);
	if (r == 0)
		o->segment = j->segment;
	return r;
}

/* False when it is to be tried again. */
static bool keep(struct journald *j, struct object *o)
{
	bool named = o->segment == j->segment;
	int r = put(j, o);

	if (r == 0)
		r = name(j, o);
	if (r == -EPERM || r == -EMSGSIZE || r == -EINVAL)
		log_warning("an object is not kept: %s", strerror(-r));
	else if (r < 0)
		return false;
	if (r < 0 || !o->owner || (o->stale && !named))
		object_free(j, o);
	return true;
}

static bool is_used(void *arg, const uint8_t sha256[FWA_HASH_LEN])
{
	const struct journald *j = arg;

	fwa_list_each(at, next,
		      &j->objects) if (memcmp(fwa_list_entry(at, struct object, link)->about.sha256,
					      sha256, FWA_HASH_LEN) == 0) return true;
	return fwa_store_names(j->store, sha256);
}

/* One step on the way to removing what nobody needs. */
static void sweep(struct journald *j)
{
	int r;

	if (!j->sweep_at || j->now.boot < j->sweep_at)
		return;
	j->sweep_at = j->now.boot + SWEEP_NS;
	r = fwa_store_find_names(j->store);
	if (r > 0)
		return;
	if (r == 0)
		r = fwa_objects_sweep(j->dirfd, is_used, j);
	if (r < 0)
		log_warning("objects that are used no more stay: %s", strerror(-r));
	j->sweep_at = 0;
}

void objects_keep(struct journald *j)
{
	uint64_t segment = fwa_store_segment(j->store);

	if (segment != j->segment) {
		if (j->retires && j->segment && !j->sweep_at)
			j->sweep_at = j->now.boot + SWEEP_NS;
		j->segment = segment;
		j->objects_at = j->now.boot;
	}
	sweep(j);
	if (!j->objects_at || j->now.boot < j->objects_at)
		return;
	j->objects_at = 0;
	fwa_list_each(at, next, &j->objects)
	{
		if (keep(j, fwa_list_entry(at, struct object, link)))
			continue;
		/* At once when there is only no room, else when the disk may have some. */
		j->objects_at = j->full ? j->now.boot : j->now.boot + AGAIN_NS;
		return;
	}
}
