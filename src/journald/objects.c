/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects: what decisions were made by, kept once under the name of its digest. One that cannot be kept now
 * is tried again; decisions do not wait for it, as it is they that must not be missing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "journal/objects.h"
#include "journald/journald.h"

#define OBJECTS_MAX 256u
#define AGAIN_NS FWA_NS_PER_S

static void object_free(struct journald *j, struct object *o)
{
	fwa_list_remove(&o->link);
	j->n_objects--;
	fwa_close(o->memory);
	free(o);
}

void object_add(struct journald *j, struct fwa_attach_message *m)
{
	struct object *o = j->n_objects < OBJECTS_MAX ? calloc(1, sizeof(*o)) : NULL;

	if (!o) {
		log_warning("an object is not kept: too many wait");
		fwa_close(m->fds[0]);
		return;
	}
	o->about = m->object;
	o->memory = m->fds[0];
	fwa_list_append(&j->objects, &o->link);
	j->n_objects++;
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

static int record(struct journald *j, const struct object *o)
{
	uint8_t body[512];
	struct fwa_writer w = fwa_writer(body, sizeof(body));
	struct fwa_append a = { .kind = FWA_RECORD_OBJECT };
	uint64_t seq;

	fwa_record_object_encode(&w, &o->about);
	a.body = fwa_span(body, w.len);
	return w.full ? -EINVAL : commit_append(j, &a, &seq);
}

/* False when it is to be tried again. */
static bool keep(struct journald *j, struct object *o)
{
	int r = put(j, o);

	if (r == 0)
		r = record(j, o);
	if (r == 0 || r == -EPERM || r == -EMSGSIZE || r == -EINVAL) {
		if (r < 0)
			log_warning("an object is not kept: %s", strerror(-r));
		object_free(j, o);
		return true;
	}
	return false;
}

void objects_keep(struct journald *j)
{
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
