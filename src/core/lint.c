/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is reported is what a device engineer can change: a finding is about the declarations, never
 * about a command that was sent.
 */
#include "core/lint.h"

#include "wire/nvme.h"

struct lint {
	const struct fwa_profile *p;
	fwa_finding_fn fn;
	void *userdata;
	uint32_t n;
};

static const struct {
	const char *name;
	uint8_t severity;
	uint8_t clause;
	const char *text;
} kinds[FWA_FINDING_COUNT] = {
	/* clang-format off */
	[FWA_FINDING_UNDER_DECLARED] = { "under-declared", FWA_ERROR, 9,
		"leaves out what the specification says it does" },
	[FWA_FINDING_OVER_DECLARED] = { "over-declared", FWA_NOTE, 7,
		"declares more than the specification says it does" },
	[FWA_FINDING_RESERVED_BITS] = { "reserved-bits", FWA_ERROR, 8,
		"sets reserved bits: its effects are unknown, refused" },
	[FWA_FINDING_DUPLICATE] = { "duplicate", FWA_WARNING, 7,
		"is listed more than once: its effects are united" },
	[FWA_FINDING_WRONG_BIT] = { "wrong-bit", FWA_ERROR, 8,
		"sets bits that mean nothing by themselves: refused" },
	[FWA_FINDING_UNDECLARED_FLOOR] = { "undeclared-floor", FWA_WARNING, 6,
		"is required by the specification but not declared" },
	[FWA_FINDING_TRUNCATED] = { "truncated", FWA_ERROR, 8,
		"the log ends before its last entry does: that part is ignored" },
	[FWA_FINDING_EMPTY] = { "empty", FWA_ERROR, 6,
		"the device declares no command: everything is refused" },
	[FWA_FINDING_UNSUPPORTED_BITS] = { "unsupported-bits", FWA_ERROR, 8,
		"sets effects without saying that it is supported: refused" },
	[FWA_FINDING_UNSTABLE] = { "unstable", FWA_ERROR, 23,
		"two readings of the device's log differ" },
	[FWA_FINDING_FEATURE_EFFECTS] = { "feature-effects", FWA_ERROR, 10,
		"Set Feature leaves out what this Feature changes" },
	[FWA_FINDING_FEATURE_SILENT] = { "feature-silent", FWA_ERROR, 10,
		"a Feature can be changed, yet declares no change: refused" },
	/* clang-format on */
};

static void report(struct lint *l, enum fwa_finding_code code, struct fwa_finding f)
{
	f.code = (uint8_t)code;
	f.severity = kinds[code].severity;
	f.clause = kinds[code].clause;
	l->fn(&f, l->userdata);
	l->n++;
}

static struct fwa_finding about(enum fwa_set set, uint16_t opcode, fwa_effects declared)
{
	return (struct fwa_finding){
		.set = (uint8_t)set,
		.has_opcode = true,
		.opcode = opcode,
		.declared = declared,
	};
}

/* Reserved bits of one declaration: those of no meaning, and those that another bit rules out. */
static void lint_reserved(struct lint *l, struct fwa_finding f, struct fwa_declared d)
{
	uint32_t undefined = f.set == FWA_SET_CXL ? d.reserved & CXL_CEL_RESERVED : d.reserved;

	if (undefined) {
		f.bits = undefined;
		report(l, FWA_FINDING_RESERVED_BITS, f);
	}
	if (d.reserved & ~undefined) {
		f.bits = d.reserved & ~undefined;
		report(l, FWA_FINDING_WRONG_BIT, f);
	}
}

/* What a declaration leaves out of a floor, as far as the device has bits for it. */
static void lint_under(struct lint *l, struct fwa_finding f, fwa_effects floor,
		       fwa_effects conditional, fwa_effects bits)
{
	f.expected = floor & bits;
	f.bits = f.expected & ~conditional & ~f.declared;
	if (f.bits)
		report(l, FWA_FINDING_UNDER_DECLARED, f);
}

/* A declaration against the model's floor. */
static void lint_floor(struct lint *l, struct fwa_finding f)
{
	const struct fwa_model_command *row = fwa_model_find(f.set, f.opcode);
	fwa_effects bits =
		f.set == FWA_SET_CXL ? FWA_EFFECTS_CXL_DECLARABLE : FWA_EFFECTS_NVME_DECLARABLE;

	if (!row)
		return;
	lint_under(l, f, row->floor, row->conditional, bits);
	f.expected = row->floor & bits;
	f.bits = f.declared & bits & ~f.expected;
	if (f.bits)
		report(l, FWA_FINDING_OVER_DECLARED, f);
}

static void lint_commands(struct lint *l)
{
	struct fwa_declared d;
	unsigned int set = 0;
	int32_t at = -1;

	while (fwa_profile_next(l->p, &set, &at)) {
		uint16_t opcode = (uint16_t)at;
		struct fwa_finding f;

		fwa_profile_declared(l->p, set, opcode, &d);
		f = about(set, opcode, d.effects);
		if (set == FWA_SET_CXL && l->p->cxl.duplicate[opcode / 64] >> (opcode % 64) & 1)
			report(l, FWA_FINDING_DUPLICATE, f);
		lint_reserved(l, f, d);
		lint_floor(l, f);
	}
}

static void lint_required(struct lint *l, enum fwa_set set, const uint16_t *opcodes, size_t n)
{
	struct fwa_declared d;

	for (size_t i = 0; i < n; i++)
		if (!fwa_profile_declared(l->p, set, opcodes[i], &d))
			report(l, FWA_FINDING_UNDECLARED_FLOOR, about(set, opcodes[i], 0));
}

static bool differs(struct fwa_span a, struct fwa_span b)
{
	return a.len != b.len || (a.len && memcmp(a.data, b.data, a.len));
}

/* A Feature against itself and against what Set Feature declares (CXL 3.1, 8.2.9.6.3). */
static void lint_feature(struct lint *l, const struct fwa_feature *feature)
{
	const fwa_effects immediate = FWA_EFFECT_CONFIG_COLD_RESET | FWA_EFFECT_CONFIG |
				      FWA_EFFECT_DATA | FWA_EFFECT_POLICY | FWA_EFFECT_LOG |
				      FWA_EFFECT_SECURITY;
	struct fwa_declared own = fwa_cxl_declared(feature->effects), all = { 0 };
	struct fwa_finding f = about(FWA_SET_CXL, CXL_OP_SET_FEATURE, own.effects);

	memcpy(f.uuid, feature->uuid, sizeof(f.uuid));
	lint_reserved(l, f, own);
	if (!(feature->flags & CXL_FEATURE_CHANGEABLE))
		return;
	if (!(own.effects & (FWA_EFFECTS_RESET | FWA_EFFECTS_IMMEDIATE)) && !own.reserved)
		report(l, FWA_FINDING_FEATURE_SILENT, f);
	if (!fwa_profile_declared(l->p, FWA_SET_CXL, CXL_OP_SET_FEATURE, &all))
		return; /* refused anyway */
	f.expected = own.effects & immediate;
	f.declared = all.effects;
	f.bits = f.expected & ~all.effects;
	if (f.bits)
		report(l, FWA_FINDING_FEATURE_EFFECTS, f);
}

static void lint_cxl(struct lint *l)
{
	static const uint16_t required[] = { CXL_OP_GET_SUPPORTED_LOGS, CXL_OP_GET_LOG };
	struct fwa_finding whole = { .set = FWA_SET_CXL };
	struct fwa_feature feature;

	if (!l->p->cel.len)
		report(l, FWA_FINDING_EMPTY, whole);
	if (l->p->cel.len % CXL_CEL_ENTRY_LEN)
		report(l, FWA_FINDING_TRUNCATED, whole);
	if (l->p->cel_again.data && differs(l->p->cel, l->p->cel_again))
		report(l, FWA_FINDING_UNSTABLE, whole);
	if (l->p->cxl.count)
		lint_required(l, FWA_SET_CXL, required, sizeof(required) / sizeof(required[0]));
	for (size_t i = 0; fwa_profile_feature(l->p, i, &feature); i++)
		lint_feature(l, &feature);
}

static void lint_unsupported(struct lint *l)
{
	for (unsigned int i = 0; i < 512; i++) {
		uint32_t dword = l->p->nvme[i / 256][i % 256];
		struct fwa_finding f = about(i < 256 ? FWA_SET_NVME_ADMIN : FWA_SET_NVME_IO,
					     (uint16_t)(i % 256), 0);

		f.bits = dword;
		f.declared = fwa_nvme_declared(dword).effects;
		if (dword && !(dword & NVME_EFFECT_CSUPP))
			report(l, FWA_FINDING_UNSUPPORTED_BITS, f);
	}
}

/* The findings about one log page, or about one feature. */
static struct fwa_finding about_id(uint16_t opcode, uint8_t id)
{
	struct fwa_finding f = about(FWA_SET_NVME_ADMIN, opcode, 0);

	f.has_id = true;
	f.id = id;
	return f;
}

/* The floor of the feature, as its row in the model gives it: not what only some values change. */
static void lint_feature_floor(struct lint *l, struct fwa_finding f)
{
	const struct fwa_model_command *row =
		fwa_model_find(FWA_SET_NVME_ADMIN, NVME_OP_SET_FEATURES);
	const struct fwa_variant *v;

	if (!row || !row->select || !row->select->by_value)
		return;
	v = &row->select->all[row->select->by_value[f.id].first];
	lint_under(l, f, v->floor, v->conditional, FWA_EFFECTS_NVME_DECLARABLE);
}

/* What page 12h says of one feature, against itself and against page 05h's Set Features. */
static void lint_fid(struct lint *l, uint8_t fid, uint32_t dword)
{
	struct fwa_finding f = about_id(NVME_OP_SET_FEATURES, fid);
	struct fwa_declared own = fwa_nvme_feature_declared(dword), all;

	f.declared = own.effects;
	f.bits = dword;
	if (!(dword & NVME_FEATURE_FSUPP)) {
		if (dword)
			report(l, FWA_FINDING_UNSUPPORTED_BITS, f);
		return;
	}
	lint_reserved(l, f, own);
	lint_feature_floor(l, f);
	if (!fwa_profile_declared(l->p, FWA_SET_NVME_ADMIN, NVME_OP_SET_FEATURES, &all))
		return; /* refused anyway */
	f.expected = own.effects & FWA_EFFECTS_NVME_DECLARABLE;
	f.declared = all.effects;
	f.bits = f.expected & ~all.effects;
	if (f.bits)
		report(l, FWA_FINDING_FEATURE_EFFECTS, f);
}

/* Pages 00h and 12h, where the controller has them. */
static void lint_ids(struct lint *l)
{
	static const uint8_t required[] = { NVME_LID_SUPPORTED, 0x01, NVME_LID_SMART, 0x03,
					    NVME_LID_EFFECTS };
	const struct fwa_profile *p = l->p;

	if (p->nvme_logs_again.len && differs(p->nvme_logs, p->nvme_logs_again))
		report(l, FWA_FINDING_UNSTABLE, about_id(NVME_OP_GET_LOG_PAGE, NVME_LID_SUPPORTED));
	for (size_t i = 0; i < sizeof(required); i++)
		if (!fwa_profile_lid(p, required[i]))
			report(l, FWA_FINDING_UNDECLARED_FLOOR,
			       about_id(NVME_OP_GET_LOG_PAGE, required[i]));
	if (p->nvme_features_again.len && differs(p->nvme_features, p->nvme_features_again))
		report(l, FWA_FINDING_UNSTABLE, about_id(NVME_OP_GET_LOG_PAGE, NVME_LID_FEATURES));
	for (size_t at = 0; at < p->nvme_features.len; at += 4)
		lint_fid(l, (uint8_t)(at / 4), fwa_le32(p->nvme_features.data + at));
}

static void lint_nvme(struct lint *l)
{
	static const uint16_t required[] = { NVME_OP_GET_LOG_PAGE, NVME_OP_IDENTIFY,
					     NVME_OP_SET_FEATURES, NVME_OP_GET_FEATURES };
	struct fwa_finding whole = { .set = FWA_SET_NVME_ADMIN };

	if (l->p->nvme_effects.len < NVME_EFFECTS_LEN)
		report(l, FWA_FINDING_TRUNCATED, whole);
	if (l->p->nvme_effects_again.data && differs(l->p->nvme_effects, l->p->nvme_effects_again))
		report(l, FWA_FINDING_UNSTABLE, whole);
	if (fwa_profile_count(l->p))
		lint_required(l, FWA_SET_NVME_ADMIN, required,
			      sizeof(required) / sizeof(required[0]));
	else
		report(l, FWA_FINDING_EMPTY, whole);
	lint_unsupported(l);
	lint_ids(l);
}

uint32_t fwa_lint(const struct fwa_profile *p, fwa_finding_fn fn, void *userdata)
{
	struct lint l = { .p = p, .fn = fn, .userdata = userdata };

	lint_commands(&l);
	if (p->has_cel)
		lint_cxl(&l);
	if (p->has_nvme)
		lint_nvme(&l);
	if (!p->has_cel && !p->has_nvme)
		report(&l, FWA_FINDING_EMPTY,
		       (struct fwa_finding){ .set = p->family == FWA_FAMILY_NVME
							    ? FWA_SET_NVME_ADMIN
							    : FWA_SET_CXL });
	return l.n;
}

const char *fwa_finding_name(unsigned int code)
{
	return code < FWA_FINDING_COUNT ? kinds[code].name : NULL;
}

const char *fwa_finding_text(unsigned int code)
{
	return code < FWA_FINDING_COUNT ? kinds[code].text : "";
}

const char *fwa_severity_name(unsigned int severity)
{
	static const char *const names[] = { "note", "warning", "error" };

	return severity <= FWA_ERROR ? names[severity] : NULL;
}
