/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the journal writes of itself.
 */
#include "core/record.h"

#include "core/record-text.h"

/* --- start ------------------------------------------------------------------------------------ */

void fwa_record_start_encode(struct fwa_writer *w, const struct fwa_record_start *r)
{
	size_t len = fwa_record_text_len(r->version, sizeof(r->version));

	fwa_write_bytes(w, r->boot_id, sizeof(r->boot_id));
	fwa_write_le64(w, r->boottime);
	fwa_write_le64(w, r->damaged);
	fwa_write_le64(w, r->cut_offset);
	fwa_write_le64(w, r->cut_bytes);
	fwa_write_bytes(w, r->cut_sha256, FWA_HASH_LEN);
	fwa_write_u8(w, (uint8_t)len);
	fwa_record_write_text(w, r->version, len, false);
}

int fwa_record_start_decode(struct fwa_span body, struct fwa_record_start *ret)
{
	struct fwa_reader m = fwa_reader(body);
	struct fwa_record_start r = { 0 };

	fwa_record_read_bytes(&m, r.boot_id, sizeof(r.boot_id));
	r.boottime = fwa_read_le64(&m);
	r.damaged = fwa_read_le64(&m);
	r.cut_offset = fwa_read_le64(&m);
	r.cut_bytes = fwa_read_le64(&m);
	fwa_record_read_bytes(&m, r.cut_sha256, FWA_HASH_LEN);
	if (!fwa_record_read_text(&m, fwa_read_u8(&m), r.version, sizeof(r.version), false) ||
	    !fwa_record_at_end(&m))
		return -1;
	*ret = r;
	return 0;
}

/* --- retired ---------------------------------------------------------------------------------- */

void fwa_record_retired_encode(struct fwa_writer *w, const struct fwa_record_retired *r)
{
	fwa_write_le64(w, r->first);
	fwa_write_le64(w, r->last);
	fwa_write_le64(w, r->bytes);
	fwa_write_bytes(w, r->last_hash, FWA_HASH_LEN);
}

int fwa_record_retired_decode(struct fwa_span body, struct fwa_record_retired *ret)
{
	struct fwa_reader m = fwa_reader(body);
	struct fwa_record_retired r = { 0 };

	r.first = fwa_read_le64(&m);
	r.last = fwa_read_le64(&m);
	r.bytes = fwa_read_le64(&m);
	fwa_record_read_bytes(&m, r.last_hash, FWA_HASH_LEN);
	if (!fwa_record_at_end(&m) || !r.first || r.first > r.last)
		return -1;
	*ret = r;
	return 0;
}

/* --- clock ------------------------------------------------------------------------------------ */

void fwa_record_clock_encode(struct fwa_writer *w, const struct fwa_record_clock *r)
{
	fwa_write_le64(w, r->before);
	fwa_write_le64(w, r->after);
}

int fwa_record_clock_decode(struct fwa_span body, struct fwa_record_clock *ret)
{
	struct fwa_reader m = fwa_reader(body);
	struct fwa_record_clock r;

	r.before = fwa_read_le64(&m);
	r.after = fwa_read_le64(&m);
	if (!fwa_record_at_end(&m))
		return -1;
	*ret = r;
	return 0;
}

/* --- sources ---------------------------------------------------------------------------------- */

void fwa_record_source_encode(struct fwa_writer *w, const struct fwa_record_source *r)
{
	size_t name = fwa_record_text_len(r->name, sizeof(r->name));
	size_t spec = fwa_record_text_len(r->spec, sizeof(r->spec));

	fwa_write_bytes(w, r->id, sizeof(r->id));
	fwa_write_le64(w, r->resumed);
	fwa_write_le32(w, r->pid);
	fwa_write_le32(w, r->uid);
	fwa_write_u8(w, r->kind);
	fwa_write_u8(w, (uint8_t)name);
	fwa_write_u8(w, (uint8_t)spec);
	fwa_record_write_text(w, r->name, name, false);
	fwa_record_write_text(w, r->spec, spec, false);
}

int fwa_record_source_decode(struct fwa_span body, struct fwa_record_source *ret)
{
	struct fwa_reader m = fwa_reader(body);
	struct fwa_record_source r = { 0 };
	uint8_t name, spec;

	fwa_record_read_bytes(&m, r.id, sizeof(r.id));
	r.resumed = fwa_read_le64(&m);
	r.pid = fwa_read_le32(&m);
	r.uid = fwa_read_le32(&m);
	r.kind = fwa_read_u8(&m);
	name = fwa_read_u8(&m);
	spec = fwa_read_u8(&m);
	if (!fwa_record_read_text(&m, name, r.name, sizeof(r.name), false) ||
	    !fwa_record_read_text(&m, spec, r.spec, sizeof(r.spec), false) ||
	    !fwa_record_at_end(&m) || !r.kind || r.kind >= FWA_SOURCE_KINDS)
		return -1;
	*ret = r;
	return 0;
}

void fwa_record_source_end_encode(struct fwa_writer *w, const struct fwa_record_source_end *r)
{
	fwa_write_le32(w, r->how);
	fwa_write_le32(w, r->closed);
}

int fwa_record_source_end_decode(struct fwa_span body, struct fwa_record_source_end *ret)
{
	struct fwa_reader m = fwa_reader(body);
	uint32_t how = fwa_read_le32(&m), closed = fwa_read_le32(&m);

	if (!fwa_record_at_end(&m) || how > FWA_SOURCE_END_NONSENSE)
		return -1;
	*ret = (struct fwa_record_source_end){ .how = (uint8_t)how, .closed = closed };
	return 0;
}

/* --- objects ---------------------------------------------------------------------------------- */

void fwa_record_object_encode(struct fwa_writer *w, const struct fwa_record_object *r)
{
	size_t len = fwa_record_text_len(r->device, sizeof(r->device));

	fwa_write_bytes(w, r->key, FWA_HASH_LEN);
	fwa_write_bytes(w, r->sha256, FWA_HASH_LEN);
	fwa_write_u8(w, r->kind);
	fwa_write_u8(w, (uint8_t)len);
	fwa_record_write_text(w, r->device, len, false);
}

int fwa_record_object_decode(struct fwa_span body, struct fwa_record_object *ret)
{
	struct fwa_reader m = fwa_reader(body);
	struct fwa_record_object r = { 0 };

	fwa_record_read_bytes(&m, r.key, FWA_HASH_LEN);
	fwa_record_read_bytes(&m, r.sha256, FWA_HASH_LEN);
	r.kind = fwa_read_u8(&m);
	if (!fwa_record_read_text(&m, fwa_read_u8(&m), r.device, sizeof(r.device), false) ||
	    !fwa_record_at_end(&m) || !r.kind || r.kind > FWA_OBJECT_ACCEPTED)
		return -1;
	*ret = r;
	return 0;
}
