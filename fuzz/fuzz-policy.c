/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a policy snapshot, put in force, folded for several callers and decided by. What a
 * caller gets, some whole entry gives; the bytes between the header and the text's end are the
 * fuzzer's, in any order.
 */
#include <stdlib.h>

#include "base/pattern.h"
#include "core/decide.h"
#include "fuzz/fuzz.h"
#include "wire/nvme.h"

static struct fwa_profile profile;
static uint8_t snapshot[1 << 17];

/* A controller that declares every command. */
static void make_profile(void)
{
	static uint8_t encoded[8192], log[NVME_EFFECTS_LEN];
	struct fwa_writer w = fwa_writer(encoded, sizeof(encoded));
	struct fwa_identity id = { "Acme", "Drive", "1", "A" };

	if (profile.family)
		return;
	for (size_t i = 0; i < 512; i++)
		fwa_put_le32(log + 4 * i, 1);
	fwa_profile_begin(&w, FWA_FAMILY_NVME);
	fwa_profile_add_identity(&w, &id);
	fwa_profile_add(&w, FWA_RECORD_NVME_EFFECTS, fwa_span(log, sizeof(log)));
	if (fwa_profile_parse(&profile, fwa_span(encoded, w.len)) < 0)
		abort();
}

static bool names(const struct fwa_policy *p, const struct fwa_grantee *e,
		  const struct fwa_principal *who)
{
	switch (e->who) {
	case FWA_WHO_ANY:
		return true;
	case FWA_WHO_OWNER:
		return who->owner;
	case FWA_WHO_UID:
		return e->id == who->uid;
	case FWA_WHO_GID:
		return e->id == who->gid || e->id == who->groups[0];
	case FWA_WHO_UID_RANGE:
		return e->id <= who->uid && who->uid <= e->last;
	default:
		return *who->unit && fwa_pattern_matches(fwa_policy_text(p, e->id), who->unit);
	}
}

static bool is_given(const struct fwa_policy *p, uint32_t grant, const struct fwa_principal *who)
{
	struct fwa_grantee e;

	for (uint32_t i = 0; i < p->n.grantees; i++)
		if (fwa_policy_grantee(p, i, &e) && e.grant == grant && names(p, &e, who))
			return true;
	return false;
}

static void check(const struct fwa_policy *p, const struct fwa_principal *who)
{
	static const struct fwa_contract ordinary;
	static const uint16_t opcodes[] = { 0x02, 0x06, 0x09, 0x10, 0x80, 0xc1 };
	struct fwa_rights rights;
	struct fwa_grant g;

	fwa_policy_fold(p, who, &profile, fwa_pattern_matches, &rights);
	if (rights.n > FWA_RIGHTS_MAX || rights.n > rights.n_matched)
		abort();
	for (uint32_t i = 0; i < rights.n; i++)
		if (!fwa_policy_grant(p, rights.right[i].grant, &g) ||
		    rights.right[i].scope != g.scope || rights.right[i].effects != g.effects ||
		    !is_given(p, rights.right[i].grant, who))
			abort();
	for (size_t i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++) {
		struct fwa_command cmd = { .set = FWA_SET_NVME_ADMIN,
					   .opcode = opcodes[i],
					   .scope = FWA_SCOPE_LEAST };
		struct fwa_decision d = fwa_decide(&ordinary, &rights, &profile, &cmd, 1);

		if (fwa_admitted(&d) && !is_given(p, d.grant - 1, who))
			abort();
	}
}

static void use(struct fwa_span s)
{
	static const uint32_t groups[] = { 3 };
	static const struct fwa_principal callers[] = {
		{ 0, 0, groups, 1, true, "" },
		{ 1, 1, groups, 1, false, "a.service" },
		{ 2, 3, groups, 1, false, "b.scope" },
	};
	struct fwa_policy p;

	if (fwa_policy_parse(&p, s) < 0)
		return;
	fwa_policy_whole(&p);
	for (size_t i = 0; i < sizeof(callers) / sizeof(callers[0]); i++)
		check(&p, &callers[i]);
}

/* The counts are the first bytes; what follows is the tables, as far as it goes, and zeros. */
static struct fwa_span with_header(struct fwa_reader *in)
{
	struct fwa_policy_counts n = {
		.grantees = fwa_read_u8(in) % 32,
		.grants = fwa_read_u8(in) % 32,
		.terms = fwa_read_u8(in) % 80,
		.patterns = fwa_read_u8(in) % 16,
		.text = 2u + fwa_read_u8(in) % 32,
	};
	struct fwa_writer w = fwa_writer(snapshot, sizeof(snapshot));
	size_t len = (size_t)n.grantees * FWA_POLICY_GRANTEE_LEN +
		     (size_t)n.grants * FWA_POLICY_GRANT_LEN + (size_t)n.terms * FWA_TERM_LEN +
		     (size_t)n.patterns * FWA_POLICY_PATTERN_LEN;
	static const uint8_t digest[32];

	memset(snapshot, 0, sizeof(snapshot));
	fwa_policy_write_header(&w, &n, digest);
	fwa_write_bytes(&w, in->at, in->left < len + n.text ? in->left : len + n.text);
	snapshot[FWA_POLICY_HEADER_LEN + len] = 0;
	snapshot[FWA_POLICY_HEADER_LEN + len + n.text - 1] = 0;
	return fwa_span(snapshot, FWA_POLICY_HEADER_LEN + len + n.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fwa_reader in = fwa_reader(fwa_span(data, size));

	make_profile();
	use(fwa_span(data, size));
	use(with_header(&in));
	return 0;
}
