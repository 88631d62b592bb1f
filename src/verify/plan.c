/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From table and profile to plan.
 *
 * 1. What is in the plan is a read by the device's own word and by the model's: fwa_decide() admits it with
 *    every right, and finds no effects.
 * 2. Numbers of a profile are a device's: pieces are counted before they are made, and what is too much is
 *    left out with its name.
 */
#include "verify/plan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "base/uuid.h"
#include "core/decide.h"
#include "verify/sample.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

#define CAPACITY 0x10 /* in Identify Memory Device, in units of 256 MiB */
#define LINES_OF_UNIT ((256ull << 20) / CXL_DPA_ALIGN)

#define HAS_DEFAULT (1u << 5) /* of a Feature's flags */
#define HAS_SAVED (1u << 6)

#define REGISTERS_CXL 24u
#define REGISTERS_NVME 8u
#define DIGEST_LEN 32u

/* Of a list that goes on: what is kept of it. */
#define MORE_PIECES 4u
/* Of one row; what a label storage area or a log has beyond is left out. */
#define PIECES_MAX 1024u

/* --- the plan's lists ------------------------------------------------------------------------------- */

static bool grow(struct vfy_planning *p, void **list, size_t *room, size_t n, size_t size)
{
	size_t more = *room ? *room * 2 : 64;
	void *moved;

	if (n < *room)
		return true;
	moved = realloc(*list, more * size);
	if (!moved) {
		p->error = -ENOMEM;
		return false;
	}
	*list = moved;
	*room = more;
	return true;
}

/* The list ends with NULL at all times. */
void vfy_plan_leave_out(struct vfy_planning *p, const char *name, const char *why)
{
	struct vfy_plan *plan = p->plan;
	char *text;

	if (plan->n_left_out == VFY_OBSERVABLES_MAX - 1) {
		name = "more";
		why = "there is too much of it to be named";
	}
	if (p->error || plan->n_left_out == VFY_OBSERVABLES_MAX ||
	    !grow(p, (void **)&plan->left_out, &p->room_out, plan->n_left_out + 1, sizeof(char *)))
		return;
	if (asprintf(&text, "%s: %s", name, why) < 0) {
		p->error = -ENOMEM;
		return;
	}
	plan->left_out[plan->n_left_out++] = text;
	plan->left_out[plan->n_left_out] = NULL;
}

const char *vfy_plan_no_read(const struct vfy_planning *p, const struct fwa_command *cmd,
			     char why[96])
{
	static const struct fwa_contract ordinary = { .mode = FWA_MODE_STRICT };
	struct fwa_decision d = fwa_decide(&ordinary, &fwa_rights_all, p->profile, cmd, 0);
	unsigned int bit = 0;

	if (!fwa_admitted(&d)) {
		const char *detail = d.detail ? fwa_detail_text(d.detail) : NULL;

		snprintf(why, 96, "%s%s%s", fwa_reason_name(d.reason), detail ? ", " : "",
			 detail ? detail : "");
		return why;
	}
	if (!d.effects)
		return NULL;
	while (!(d.effects >> bit & 1))
		bit++;
	snprintf(why, 96, "reading it is declared to change something: %s", fwa_effect_name(bit));
	return why;
}

bool vfy_plan_add(struct vfy_planning *p, const struct vfy_observable *o)
{
	struct vfy_plan *plan = p->plan;
	const char *no;
	char why[96];

	if (p->error)
		return false;
	no = o->row->each == VFY_EACH_REGISTERS || o->row->each == VFY_EACH_MEDIA
		     ? NULL
		     : vfy_plan_no_read(p, &o->cmd, why);
	if (!no && plan->n == VFY_OBSERVABLES_MAX)
		no = "there are too many observables";
	if (!no && plan->bytes + o->len > VFY_PLAN_BYTES_MAX)
		no = "there is too much to observe";
	if (no) {
		vfy_plan_leave_out(p, o->name, no);
		return !p->error;
	}
	if (!grow(p, (void **)&plan->observable, &p->room, plan->n, sizeof(*o)))
		return false;
	plan->observable[plan->n++] = *o;
	plan->bytes += o->len;
	return true;
}

struct vfy_observable vfy_plan_begin(const struct vfy_observe_row *row)
{
	struct vfy_observable o = {
		.row = row,
		.len = row->out_len,
		.rare = row->rare,
		.cmd = { .set = row->set,
			 .nsid = row->nsid,
			 .opcode = row->opcode,
			 .scope = FWA_SCOPE_LEAST,
			 .out_len = row->out_len },
	};

	memcpy(o.payload, row->payload, sizeof(o.payload));
	memcpy(o.cmd.cdw, row->cdw, sizeof(o.cmd.cdw));
	return o;
}

int vfy_plan_ask(struct vfy_planning *p, const struct fwa_command *cmd, uint32_t *ret_len,
		 uint32_t *ret_code)
{
	struct fwa_reply reply = { .out = p->page, .out_cap = cmd->out_len };
	int r;

	*ret_code = 0;
	if (cmd->out_len > VFY_PIECE_MAX)
		return 0;
	memset(p->page, 0, cmd->out_len);
	r = p->submit(p->userdata, cmd, &reply);
	if (r == -ENODEV || r == -ETIMEDOUT || r == -EPROTO)
		return p->error = r;
	*ret_len = reply.out_len < cmd->out_len ? reply.out_len : cmd->out_len;
	*ret_code = reply.code;
	return r == 0 && reply.code == 0;
}

const char *vfy_selected_name(const struct fwa_command *cmd)
{
	const struct fwa_model_command *row = fwa_model_find(cmd->set, cmd->opcode);
	struct fwa_selector s = fwa_command_selector(row, cmd);
	const struct fwa_selector_table *t = row ? row->select : NULL;

	if (!t)
		return NULL;
	for (uint16_t i = 0; i < t->n_all && s.uuid; i++)
		if (fwa_uuid_eq(t->all[i].uuid, s.uuid))
			return t->all[i].name;
	return t->by_value && !s.uuid ? t->all[t->by_value[s.value].first].name : NULL;
}

/* --- CXL -------------------------------------------------------------------------------------------- */

/* The observable's payload is where the observable is for now; vfy_plan_make() puts it right. */
static bool add_cxl(struct vfy_planning *p, struct vfy_observable *o, size_t payload_len,
		    uint32_t len)
{
	o->cmd.payload = fwa_span(o->payload, payload_len);
	o->cmd.out_len = len;
	o->len = o->row->more ? MORE_PIECES * len : len;
	return vfy_plan_add(p, o);
}

static __attribute__((format(printf, 2, 3))) void put_name(struct vfy_observable *o,
							   const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(o->name, sizeof(o->name), format, args);
	va_end(args);
}

/* Piece @i of @n is read each time when they are few, or at one of the ends. */
static bool is_rare(uint32_t i, uint32_t n)
{
	return n > VFY_OFTEN_MAX && i >= VFY_OFTEN_MAX / 4 && i != n - 1;
}

/*
 * What is read in pieces: @len bytes, of which the payload has offset and length at @at, 2 or 4 bytes
 * each. The name is @o's.
 */
static void add_pieces(struct vfy_planning *p, const struct vfy_observable *o, size_t payload_len,
		       uint32_t len, unsigned int at, unsigned int width)
{
	uint64_t all = ((uint64_t)len + p->piece - 1) / p->piece;
	uint32_t n = all > PIECES_MAX ? PIECES_MAX : (uint32_t)all;
	char why[96];

	for (uint32_t i = 0; i < n && !p->error; i++) {
		uint32_t place = (uint32_t)((i == n - 1 ? all - 1 : i) * p->piece);
		uint32_t size = len - place < p->piece ? len - place : p->piece;
		struct vfy_observable piece = *o;

		if (all > 1)
			put_name(&piece, "%.70s @%#x", o->name, place);
		if (width == 2) {
			fwa_put_le16(piece.payload + at, (uint16_t)place);
			fwa_put_le16(piece.payload + at + 2, (uint16_t)size);
		} else {
			fwa_put_le32(piece.payload + at, place);
			fwa_put_le32(piece.payload + at + 4, size);
		}
		piece.rare = o->rare || is_rare(i, n);
		if (!add_cxl(p, &piece, payload_len, size))
			return;
	}
	if (n == all)
		return;
	snprintf(why, sizeof(why), "%llu of %llu pieces", (unsigned long long)(all - n),
		 (unsigned long long)all);
	vfy_plan_leave_out(p, o->name, why);
}

static bool seen_before(const struct fwa_profile *profile, size_t i, const uint8_t *uuid)
{
	struct fwa_feature f;

	while (i--)
		if (fwa_profile_feature(profile, i, &f) && fwa_uuid_eq(f.uuid, uuid))
			return true;
	return false;
}

static void put_uuid_name(struct vfy_observable *o, const char *word, const char *more)
{
	struct fwa_command cmd = o->cmd;
	char text[FWA_UUID_TEXT_LEN];
	const char *known;

	cmd.payload = fwa_span(o->payload, FWA_UUID_LEN);
	known = vfy_selected_name(&cmd);
	fwa_uuid_text(o->payload, text);
	if (o->row->payload_len == FWA_UUID_LEN) /* a row for this one */
		put_name(o, "%.24s%s%s", word, *more ? " " : "", more);
	else
		put_name(o, "%.24s %.37s%s%s", word, known ? known : text, *more ? " " : "", more);
}

static void add_feature(struct vfy_planning *p, const struct vfy_observe_row *row,
			const uint8_t *uuid)
{
	static const char *const selections[] = { "current", "default", "saved" };
	struct fwa_feature f;

	if (!fwa_profile_feature_by_uuid(p->profile, uuid, &f) || !f.get_size)
		return;
	for (uint8_t s = 0; s < FWA_ARRAY_SIZE(selections); s++) {
		struct vfy_observable o = vfy_plan_begin(row);

		if ((s == 1 && !(f.flags & HAS_DEFAULT)) || (s == 2 && !(f.flags & HAS_SAVED)))
			continue;
		o.selection = s;
		o.rare |= s == 1;
		o.feature_effects = fwa_cxl_declared(f.effects).effects & ~FWA_EFFECTS_NEVER;
		memcpy(o.payload, uuid, FWA_UUID_LEN);
		o.payload[CXL_GET_FEATURE_SELECTION] = s;
		put_uuid_name(&o, row->name, selections[s]);
		add_pieces(p, &o, CXL_GET_FEATURE_SELECTION + 1, f.get_size, 16, 2);
	}
}

static void add_features(struct vfy_planning *p, const struct vfy_observe_row *row)
{
	struct fwa_feature f;

	for (size_t i = 0; !p->error && fwa_profile_feature(p->profile, i, &f); i++)
		if (!seen_before(p->profile, i, f.uuid))
			add_feature(p, row, f.uuid);
}

/* Entry for entry as many as fit into a piece. */
static void add_feature_list(struct vfy_planning *p, const struct vfy_observe_row *row)
{
	uint32_t of_piece = (p->piece - CXL_FEATURES_HEADER_LEN) / CXL_FEATURE_ENTRY_LEN;

	for (uint32_t at = 0; at == 0 || at < p->profile->n_features; at += of_piece) {
		struct vfy_observable o = vfy_plan_begin(row);

		put_name(&o, "%s", row->name);
		if (at)
			put_name(&o, "%s @%u", row->name, at);
		fwa_put_le32(o.payload, p->piece);
		fwa_put_le16(o.payload + 4, (uint16_t)at);
		o.rare |= is_rare(at / of_piece, p->profile->n_features / of_piece + 1);
		if (!add_cxl(p, &o, CXL_GET_FEATURES_LEN, p->piece))
			return;
	}
}

/* Whether a row before or behind @row of the same command is for the log @uuid alone. */
static bool has_own_row(const struct vfy_observe_row *row, const uint8_t *uuid)
{
	for (const struct vfy_observe_row *r = vfy_observe_cxl; r->name; r++)
		if (r != row && r->opcode == row->opcode && r->each == VFY_EACH_LOG &&
		    r->payload_len == FWA_UUID_LEN && fwa_uuid_eq(r->payload, uuid))
			return true;
	return false;
}

static bool is_first_log(struct fwa_span logs, size_t at)
{
	for (size_t i = 0; i < at; i += CXL_LOGS_ENTRY_LEN)
		if (fwa_uuid_eq(logs.data + i, logs.data + at))
			return false;
	return true;
}

static void add_logs(struct vfy_planning *p, const struct vfy_observe_row *row)
{
	struct fwa_span logs = p->profile->logs;
	bool one = row->payload_len == FWA_UUID_LEN;
	size_t most = FWA_PROFILE_LOGS_MAX * CXL_LOGS_ENTRY_LEN;

	for (size_t at = 0; at + CXL_LOGS_ENTRY_LEN <= logs.len && at < most && !p->error;
	     at += CXL_LOGS_ENTRY_LEN) {
		const uint8_t *uuid = logs.data + at;
		struct vfy_observable o = vfy_plan_begin(row);

		if ((one ? !fwa_uuid_eq(uuid, row->payload) : has_own_row(row, uuid)) ||
		    !is_first_log(logs, at))
			continue;
		memcpy(o.payload, uuid, FWA_UUID_LEN);
		put_uuid_name(&o, row->name, "");
		if (row->opcode == CXL_OP_GET_LOG)
			add_pieces(p, &o, CXL_GET_LOG_LEN, fwa_le32(uuid + FWA_UUID_LEN), 16, 4);
		else
			add_cxl(p, &o, FWA_UUID_LEN, p->piece);
	}
}

static void add_lsa(struct vfy_planning *p, const struct vfy_observe_row *row)
{
	struct vfy_observable o = vfy_plan_begin(row);

	put_name(&o, "%s", row->name);
	add_pieces(p, &o, 8, p->profile->lsa_size, 0, 4);
}

/* --- for both families ------------------------------------------------------------------------------ */

/* What the device refuses from the first is not asked for again and again: that it refuses is named. */
static bool refused(struct vfy_planning *p, const struct vfy_observable *o)
{
	struct fwa_command cmd = o->cmd;
	uint32_t len, code;
	char why[96];

	cmd.payload = fwa_span(o->payload, o->row->payload_len);
	cmd.out_len = p->piece;
	if (!p->submit || vfy_plan_no_read(p, &cmd, why) || vfy_plan_ask(p, &cmd, &len, &code) ||
	    (code != CXL_RC_INVALID_INPUT && code != CXL_RC_UNSUPPORTED))
		return false;
	snprintf(why, sizeof(why), "the device answers %#x", code);
	vfy_plan_leave_out(p, o->name, why);
	return true;
}

static void add_once(struct vfy_planning *p, const struct vfy_observe_row *row)
{
	struct vfy_observable o = vfy_plan_begin(row);

	put_name(&o, "%s", row->name);
	if (row->set != FWA_SET_CXL) {
		vfy_plan_nvme_once(p, &o);
		return;
	}
	if (row->capacity_at && !p->lines) {
		vfy_plan_leave_out(p, row->name, "the device does not say how large it is");
		return;
	}
	if (row->capacity_at)
		fwa_put_le64(o.payload + row->capacity_at, p->lines);
	if (!refused(p, &o))
		add_cxl(p, &o, row->payload_len, p->piece);
}

/* Whether @len bytes of the region can be seen; that they cannot for now is none of this. */
static bool can_peek(struct vfy_planning *p, const struct vfy_observable *o, uint32_t len)
{
	int r = -EOPNOTSUPP;

	if (p->dev && p->dev->ops->peek && p->submit)
		r = p->dev->ops->peek(p->dev, o->region, o->at, p->page, len);
	if (r != -EOPNOTSUPP && r != -ERANGE)
		return true;
	vfy_plan_leave_out(p, o->name, "this transport does not show it");
	return false;
}

static void add_registers(struct vfy_planning *p, const struct vfy_observe_row *row)
{
	struct vfy_observable o = vfy_plan_begin(row);

	put_name(&o, "%s", row->name);
	o.region = FWA_REGION_REGISTERS;
	o.len = p->dev && p->dev->is_nvme ? REGISTERS_NVME : REGISTERS_CXL;
	if (can_peek(p, &o, o.len))
		vfy_plan_add(p, &o);
}

/* Lines all over the device, the first and the last among them. */
static void add_media(struct vfy_planning *p, const struct vfy_observe_row *row)
{
	if (!p->lines)
		vfy_plan_leave_out(p, row->name, "the device does not say how large it is");
	for (unsigned int i = 0; i < VFY_SAMPLE_LINES && p->lines >= VFY_SAMPLE_LINES; i++) {
		struct vfy_observable o = vfy_plan_begin(row);

		o.region = FWA_REGION_MEDIA;
		o.at = vfy_sample_line(p->lines, i) * CXL_DPA_ALIGN;
		o.len = DIGEST_LEN;
		o.digest = true;
		put_name(&o, "%s @%#llx", row->name, (unsigned long long)o.at);
		if (!can_peek(p, &o, CXL_DPA_ALIGN) || !vfy_plan_add(p, &o))
			return;
	}
}

static void add_row(struct vfy_planning *p, const struct vfy_observe_row *row)
{
	struct fwa_declared declared;

	if (row->each == VFY_EACH_REGISTERS) {
		add_registers(p, row);
		return;
	}
	if (row->each == VFY_EACH_MEDIA) {
		add_media(p, row);
		return;
	}
	if (!fwa_profile_declared(p->profile, row->set, row->opcode, &declared)) {
		vfy_plan_leave_out(p, row->name, "the device does not declare the command");
		return;
	}
	switch (row->each) {
	case VFY_EACH_ONCE:
		add_once(p, row);
		break;
	case VFY_EACH_FEATURE:
		add_features(p, row);
		break;
	case VFY_EACH_FEATURE_LIST:
		add_feature_list(p, row);
		break;
	case VFY_EACH_LOG:
		add_logs(p, row);
		break;
	case VFY_EACH_LSA:
		add_lsa(p, row);
		break;
	default:
		vfy_plan_nvme(p, row);
		break;
	}
}

/* How large the device is: that it declares Identify as a read was checked. */
static void ask_capacity(struct vfy_planning *p)
{
	struct fwa_command cmd = { .set = FWA_SET_CXL,
				   .opcode = CXL_OP_IDENTIFY_MEMORY_DEVICE,
				   .scope = FWA_SCOPE_LEAST,
				   .out_len = p->piece };
	uint32_t len, code;
	uint64_t units = 0;
	char why[96];

	if (!p->submit || vfy_plan_no_read(p, &cmd, why) || vfy_plan_ask(p, &cmd, &len, &code) <= 0)
		return;
	fwa_span_number(fwa_span(p->page, len), CAPACITY, 8, &units);
	if (units <= UINT64_MAX / 2 / (LINES_OF_UNIT * CXL_DPA_ALIGN))
		p->lines = units * LINES_OF_UNIT;
}

static uint32_t piece_of(const struct fwa_profile *profile, const struct fwa_device *dev)
{
	uint32_t piece = dev ? dev->payload_max : profile->payload_max;

	if (profile->payload_max && profile->payload_max < piece)
		piece = profile->payload_max;
	if (piece < CXL_PAYLOAD_MIN)
		return CXL_PAYLOAD_MIN;
	return piece < VFY_PIECE_MAX ? piece : VFY_PIECE_MAX;
}

/* The commands' payloads stand in the observables, which no longer move. */
static void place_payloads(struct vfy_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		struct vfy_observable *o = &plan->observable[i];

		if (o->cmd.payload.len)
			o->cmd.payload.data = o->payload;
	}
}

int vfy_plan_make(struct vfy_plan *plan, const struct fwa_profile *profile, struct fwa_device *dev,
		  vfy_submit_fn submit, void *userdata)
{
	fwa_auto_free uint8_t *page = malloc(VFY_PIECE_MAX);
	struct vfy_planning p = {
		.plan = plan,
		.profile = profile,
		.dev = dev,
		.submit = submit,
		.userdata = userdata,
		.piece = piece_of(profile, dev),
		.page = page,
	};
	bool nvme = dev ? dev->is_nvme : profile->has_nvme;

	*plan = (struct vfy_plan){ .profile = profile };
	if (!page)
		return -ENOMEM;
	if (nvme)
		vfy_plan_nvme_begin(&p);
	else
		ask_capacity(&p);
	for (const struct vfy_observe_row *row = nvme ? vfy_observe_nvme : vfy_observe_cxl;
	     row->name && !p.error; row++)
		add_row(&p, row);
	place_payloads(plan);
	return p.error;
}

int vfy_plan_only(struct vfy_plan *ret, const struct vfy_plan *plan, size_t i)
{
	*ret = (struct vfy_plan){ .profile = plan->profile, .n = 1 };
	ret->observable = malloc(sizeof(*ret->observable));
	if (!ret->observable)
		return -ENOMEM;
	ret->observable[0] = plan->observable[i];
	ret->observable[0].rare = false;
	ret->bytes = ret->observable[0].len;
	place_payloads(ret);
	return 0;
}

void vfy_plan_clear(struct vfy_plan *plan)
{
	for (size_t i = 0; i < plan->n_left_out; i++)
		free((char *)plan->left_out[i]);
	free(plan->left_out);
	free(plan->observable);
	*plan = (struct vfy_plan){ 0 };
}
