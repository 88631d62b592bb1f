/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each kind of message has one length and one number of descriptors, but for the text at the end of what
 * journald says. Texts of a fixed length are printable, and zeroes behind.
 */
#include "journal/attach.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "base/bury.h"
#include "base/fd.h"
#include "base/util.h"

#define HEADER_LEN 8u
#define MESSAGE_MAX (HEADER_LEN + 4 + FWA_ATTACH_TEXT_MAX)
#define ERRNO_MAX 4095

static size_t n_fds(unsigned int kind)
{
	if (kind == FWA_ATTACH_SOURCE)
		return 3;
	return kind == FWA_ATTACH_OBJECT ? 1 : 0;
}

/* --- out ---------------------------------------------------------------------------------------- */

static void write_text(struct fwa_writer *w, const char *text, size_t cap)
{
	uint8_t *p = fwa_write_room(w, cap);

	if (p)
		memcpy(p, text, strnlen(text, cap - 1));
}

static void write_rest(struct fwa_writer *w, const char *text)
{
	char copy[FWA_ATTACH_TEXT_MAX + 1] = "";

	memcpy(copy, text, strnlen(text, FWA_ATTACH_TEXT_MAX));
	fwa_make_printable(copy);
	fwa_write_bytes(w, copy, strlen(copy));
}

static void encode(struct fwa_writer *w, const struct fwa_attach_message *m)
{
	fwa_write_le16(w, (uint16_t)m->kind);
	fwa_write_le16(w, 0);
	fwa_write_le32(w, m->token);
	if (m->kind == FWA_ATTACH_SOURCE) {
		fwa_write_bytes(w, m->source.id, sizeof(m->source.id));
		fwa_write_u8(w, m->source.kind);
		fwa_write_le32(w, m->source.pid);
		fwa_write_le32(w, m->source.uid);
		write_text(w, m->source.name, sizeof(m->source.name));
		write_text(w, m->source.spec, sizeof(m->source.spec));
	} else if (m->kind == FWA_ATTACH_DETACH) {
		fwa_write_u8(w, m->how);
	} else if (m->kind == FWA_ATTACH_OBJECT) {
		fwa_write_u8(w, m->object.kind);
		fwa_write_bytes(w, m->object.key, sizeof(m->object.key));
		write_text(w, m->object.device, sizeof(m->object.device));
	} else if (m->kind != FWA_ATTACH_BEGIN) {
		if (m->kind == FWA_ATTACH_FAILED)
			fwa_write_le32(w, (uint32_t)m->error);
		write_rest(w, m->text);
	}
}

int fwa_attach_send(int sock, const struct fwa_attach_message *m)
{
	uint8_t message[MESSAGE_MAX];
	struct fwa_writer w = fwa_writer(message, sizeof(message));
	struct iovec part;

	encode(&w, m);
	part = (struct iovec){ message, w.len };
	return fwa_send_message_fds(sock, &part, 1, m->fds, n_fds(m->kind));
}

/* --- in ----------------------------------------------------------------------------------------- */

/* A text in @cap bytes, and nothing but zeroes behind it. */
static void read_text(struct fwa_reader *r, char *text, size_t cap)
{
	struct fwa_span s = fwa_read_span(r, cap);
	size_t len = 0;

	if (!s.len)
		return;
	while (len < cap && s.data[len] >= ' ' && s.data[len] <= '~')
		len++;
	memcpy(text, s.data, cap);
	r->bad = r->bad || len == cap;
	for (; len < cap; len++)
		r->bad = r->bad || s.data[len];
}

static void read_rest(struct fwa_reader *r, char text[FWA_ATTACH_TEXT_MAX + 1])
{
	struct fwa_span s = fwa_read_span(r, r->left);

	if (s.len > FWA_ATTACH_TEXT_MAX)
		r->bad = true;
	for (size_t i = 0; i < s.len && !r->bad; i++) {
		r->bad = s.data[i] < ' ' || s.data[i] > '~';
		text[i] = (char)s.data[i];
	}
}

static void decode_source(struct fwa_reader *r, struct fwa_record_source *ret)
{
	struct fwa_span id = fwa_read_span(r, sizeof(ret->id));

	if (id.len)
		memcpy(ret->id, id.data, id.len);
	ret->kind = fwa_read_u8(r);
	ret->pid = fwa_read_le32(r);
	ret->uid = fwa_read_le32(r);
	read_text(r, ret->name, sizeof(ret->name));
	read_text(r, ret->spec, sizeof(ret->spec));
	r->bad = r->bad || !ret->kind || ret->kind >= FWA_SOURCE_KINDS;
}

static void decode_object(struct fwa_reader *r, struct fwa_record_object *ret)
{
	struct fwa_span key;

	ret->kind = fwa_read_u8(r);
	key = fwa_read_span(r, sizeof(ret->key));
	if (key.len)
		memcpy(ret->key, key.data, key.len);
	read_text(r, ret->device, sizeof(ret->device));
	r->bad = r->bad || !ret->kind || ret->kind > FWA_OBJECT_ACCEPTED;
}

static void decode_failed(struct fwa_reader *r, struct fwa_attach_message *ret)
{
	uint32_t error = fwa_read_le32(r);

	r->bad = r->bad || !error || error > ERRNO_MAX;
	ret->error = (int)error;
	read_rest(r, ret->text);
}

static void decode_fields(struct fwa_reader *r, struct fwa_attach_message *ret)
{
	switch (ret->kind) {
	case FWA_ATTACH_SOURCE:
		decode_source(r, &ret->source);
		break;
	case FWA_ATTACH_DETACH:
		ret->how = fwa_read_u8(r);
		r->bad = r->bad || ret->how > FWA_SOURCE_END_NONSENSE;
		break;
	case FWA_ATTACH_OBJECT:
		decode_object(r, &ret->object);
		break;
	case FWA_ATTACH_BEGIN:
		break;
	case FWA_ATTACH_READY:
	case FWA_ATTACH_BAD:
		read_rest(r, ret->text);
		break;
	case FWA_ATTACH_FAILED:
		decode_failed(r, ret);
		break;
	default:
		r->bad = true;
	}
}

static int decode(struct fwa_span message, size_t fds, struct fwa_attach_message *ret)
{
	struct fwa_reader r = fwa_reader(message);

	ret->kind = (enum fwa_attach_kind)fwa_read_le16(&r);
	r.bad = r.bad || fwa_read_le16(&r);
	ret->token = fwa_read_le32(&r);
	if (!r.bad)
		decode_fields(&r, ret);
	return r.bad || r.left || fds != n_fds(ret->kind) ? -EPROTO : 0;
}

/*= spec/SECURITY-MODEL.md#C31 */
int fwa_attach_recv(int sock, struct fwa_attach_message *ret)
{
	struct fwa_attach_message m = { 0 };
	uint8_t message[MESSAGE_MAX];
	size_t fds;
	ssize_t n = fwa_recv_message_fds(sock, message, sizeof(message), m.fds, &fds);
	int r;

	if (n < 0)
		return n == -EMSGSIZE ? -EPROTO : (int)n;
	if (n == 0 && !fds)
		return -ECONNRESET;
	r = decode(fwa_span(message, (size_t)n), fds, &m);
	for (size_t i = 0; i < fds && r < 0; i++)
		fwa_bury(m.fds[i]);
	if (r == 0)
		*ret = m;
	return r;
}
