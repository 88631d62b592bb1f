/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Baselines and drift: each kind of thing that a device declares, each way in which it can differ.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/uuid.h"
#include "core/drift.h"
#include "core/model.h"
#include "wire/nvme.h"

#define CAP (1024u * 1024)

/* A profile under construction; what is not set is not there. */
struct made {
	uint8_t bytes[CAP];
	struct fwa_profile p;
};

static struct made a, b, c;

static const struct fwa_identity identity = { "Acme", "Drive", "S1", "1.0" };

static void add_text_id(struct fwa_writer *w, const char *serial)
{
	struct fwa_identity id = identity;

	strncpy(id.serial, serial, sizeof(id.serial) - 1);
	fwa_profile_add_identity(w, &id);
}

static void finish(struct made *m, const struct fwa_writer *w)
{
	assert_false(w->full);
	assert_int_equal(fwa_profile_parse(&m->p, fwa_span(m->bytes, w->len)), 0);
}

static void put_entry(uint8_t *cel, unsigned int i, uint16_t opcode, uint16_t word)
{
	fwa_put_le16(cel + 4 * i, opcode);
	fwa_put_le16(cel + 4 * i + 2, word);
}

/* A Feature whose UUID is @n repeated. */
struct feature {
	uint8_t n;
	uint8_t flags;
	uint16_t effects;
	uint16_t set_size;
};

static void put_feature(uint8_t *entry, const struct feature *f, uint16_t index)
{
	memset(entry, 0, 48);
	memset(entry, f->n, 16);
	fwa_put_le16(entry + 16, index);
	fwa_put_le16(entry + 18, 8);
	fwa_put_le16(entry + 20, f->set_size);
	fwa_put_le32(entry + 22, f->flags);
	fwa_put_le16(entry + 28, f->effects);
}

#define OP 0xc000

/* CXL: Get Log, Get and Set Feature, and one vendor command with @word unless that is negative. */
static void make_cxl(struct made *m, int32_t word, const struct feature *f, unsigned int n,
		     const char *logs)
{
	struct fwa_writer w = fwa_writer(m->bytes, CAP);
	uint8_t cel[16], entries[8 * 48], log[8 * 20] = { 0 };
	unsigned int i = 0;

	put_entry(cel, i++, 0x0401, 0);
	put_entry(cel, i++, 0x0501, 0);
	put_entry(cel, i++, 0x0502, 0x0002);
	if (word >= 0)
		put_entry(cel, i++, OP, (uint16_t)word);
	fwa_profile_begin(&w, FWA_FAMILY_CXL);
	add_text_id(&w, "S1");
	fwa_profile_add(&w, FWA_RECORD_CXL_CEL, fwa_span(cel, 4 * i));
	for (i = 0; i < n; i++)
		put_feature(entries + 48 * i, &f[i], (uint16_t)i);
	if (n)
		fwa_profile_add(&w, FWA_RECORD_CXL_FEATURES, fwa_span(entries, 48 * n));
	for (i = 0; logs && logs[i]; i++) {
		memset(log + 20 * i, logs[i], 16);
		fwa_put_le32(log + 20 * i + 16, 100 + i);
	}
	if (i)
		fwa_profile_add(&w, FWA_RECORD_CXL_LOGS, fwa_span(log, 20 * i));
	finish(m, &w);
}

/* NVMe: Get Log Page, Get and Set Features, opcode C0h with @dword; pages as functions say. */
static void make_nvme(struct made *m, uint32_t dword, bool pages, uint32_t lid, uint32_t fid)
{
	struct fwa_writer w = fwa_writer(m->bytes, CAP);
	uint8_t effects[4096] = { 0 }, ids[1024] = { 0 };

	fwa_put_le32(effects + 4 * NVME_OP_GET_LOG_PAGE, 1);
	fwa_put_le32(effects + 4 * NVME_OP_GET_FEATURES, 1);
	fwa_put_le32(effects + 4 * NVME_OP_SET_FEATURES, 0x11);
	fwa_put_le32(effects + 4 * 0xc0, dword);
	fwa_put_le32(effects + 1024 + 4 * 0xc0, dword);
	fwa_profile_begin(&w, FWA_FAMILY_NVME);
	add_text_id(&w, "S1");
	fwa_profile_add(&w, FWA_RECORD_NVME_EFFECTS, fwa_span(effects, sizeof(effects)));
	if (pages) {
		fwa_put_le32(ids + 4 * 0x44, lid);
		fwa_profile_add(&w, FWA_RECORD_NVME_LOGS, fwa_span(ids, sizeof(ids)));
		fwa_put_le32(ids + 4 * 0x44, fid);
		fwa_profile_add(&w, FWA_RECORD_NVME_FEATURES, fwa_span(ids, sizeof(ids)));
	}
	finish(m, &w);
}

/* --- one command ---------------------------------------------------------------------------- */

static enum fwa_detail drift_of(const struct fwa_command *cmd)
{
	struct fwa_drift drift = { &a.p };
	struct fwa_selector s = fwa_command_selector(fwa_model_find(cmd->set, cmd->opcode), cmd);

	return fwa_drift_detail(&drift, &b.p, cmd, &s);
}

static enum fwa_detail cxl_drift(uint16_t opcode, int uuid)
{
	uint8_t payload[64] = { 0 };
	struct fwa_command cmd = { .set = FWA_SET_CXL, .opcode = opcode };

	if (uuid >= 0) {
		memset(payload, uuid, 16);
		cmd.payload = fwa_span(payload, sizeof(payload));
	}
	return drift_of(&cmd);
}

static enum fwa_detail nvme_drift(unsigned int set, uint16_t opcode, uint32_t cdw10, uint32_t cdw14)
{
	struct fwa_command cmd = { .set = (uint8_t)set,
				   .opcode = opcode,
				   .cdw = { cdw10, 0, 0, 0, cdw14 } };

	return drift_of(&cmd);
}

static enum fwa_detail expected(bool was, bool is, fwa_effects before, fwa_effects after)
{
	if (!is)
		return FWA_DETAIL_NONE;
	if (!was)
		return FWA_DETAIL_APPEARED;
	return before & ~after ? FWA_DETAIL_LOST_EFFECT : FWA_DETAIL_NONE;
}

/* The only difference, or NONE; two are a failure. */
static struct fwa_difference only(void)
{
	struct fwa_difference_walk walk = { 0 };
	struct fwa_difference d = { 0 }, more;

	if (!fwa_difference_next(&a.p, &b.p, &walk, &d))
		return (struct fwa_difference){ 0 };
	assert_false(fwa_difference_next(&a.p, &b.p, &walk, &more));
	return d;
}

static void nothing_binds_without_drift(void **state)
{
	struct fwa_drift required = { NULL };
	struct fwa_command cmd = { .set = FWA_SET_CXL, .opcode = 0x0401 };
	struct fwa_selector s = { 0 };

	make_cxl(&b, 0, NULL, 0, NULL);
	assert_int_equal(fwa_drift_detail(NULL, &b.p, &cmd, &s), FWA_DETAIL_NONE);
	assert_int_equal(fwa_drift_detail(&required, &b.p, &cmd, &s), FWA_DETAIL_NOT_PINNED);
}

/* Every pair of words of one CXL bit or none, and all against all of a few more. */
static void cxl_words(void **state)
{
	static const int32_t words[] = { -1,     0,      1,      2,      4,      8,     0x10,
					 0x20,   0x40,   0x80,   0x140,  0x200,  0x600, 0xa00,
					 0x0c00, 0x1000, 0x8000, 0x0006, 0x007f, 0x0f7f };

	for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		for (unsigned int k = 0; k < sizeof(words) / sizeof(words[0]); k++) {
			fwa_effects x = fwa_cxl_declared((uint16_t)words[i]).effects;
			fwa_effects y = fwa_cxl_declared((uint16_t)words[k]).effects;
			struct fwa_difference d;

			make_cxl(&a, words[i], NULL, 0, NULL);
			make_cxl(&b, words[k], NULL, 0, NULL);
			assert_int_equal(cxl_drift(OP, -1),
					 expected(words[i] >= 0, words[k] >= 0, x, y));
			assert_int_equal(cxl_drift(0x0401, -1), FWA_DETAIL_NONE);
			d = only();
			assert_int_equal(fwa_difference_drifts(d.how),
					 cxl_drift(OP, -1) != FWA_DETAIL_NONE);
			assert_int_equal(d.how == FWA_DIFFERENCE_NONE, words[i] == words[k]);
			assert_int_equal(d.how == FWA_DIFFERENCE_REMOVED,
					 words[k] < 0 && words[i] >= 0);
			assert_int_equal(d.how == FWA_DIFFERENCE_GAINED,
					 words[i] >= 0 && words[k] >= 0 && !(x & ~y) && (y & ~x));
			if (d.how) {
				assert_int_equal(d.of, FWA_DIFFERENCE_COMMAND);
				assert_int_equal(d.opcode, OP);
				assert_int_equal(d.before, words[i] >= 0 ? x : 0);
				assert_int_equal(d.after, words[k] >= 0 ? y : 0);
			}
		}
}

/* What is said of one opcode says nothing of another. */
static void cxl_opcodes_are_apart(void **state)
{
	make_cxl(&a, -1, NULL, 0, NULL);
	make_cxl(&b, 0, NULL, 0, NULL);
	for (uint32_t op = 0; op < 65536; op++)
		assert_int_equal(cxl_drift((uint16_t)op, -1),
				 op == OP ? FWA_DETAIL_APPEARED : FWA_DETAIL_NONE);
}

/* A Feature: not there, read-only, settable with effects; all against all. */
static void cxl_features(void **state)
{
	static const struct feature f[] = {
		{ 0, 0, 0, 0 },    { 7, 0, 0, 8 },      { 7, 1, 0x02, 8 },   { 7, 1, 0x08, 8 },
		{ 7, 1, 0x0a, 8 }, { 7, 1, 0x8002, 8 }, { 7, 1, 0x0200, 8 },
	};
	static const struct feature other = { 9, 1, 0x02, 8 };

	for (unsigned int i = 0; i < sizeof(f) / sizeof(f[0]); i++)
		for (unsigned int k = 0; k < sizeof(f) / sizeof(f[0]); k++) {
			fwa_effects x = fwa_cxl_declared(f[i].effects).effects;
			fwa_effects y = fwa_cxl_declared(f[k].effects).effects;
			const struct feature before[] = { other, f[i] }, after[] = { f[k], other };
			struct fwa_difference d;

			make_cxl(&a, 0, before, f[i].n ? 2 : 1, NULL);
			make_cxl(&b, 0, f[k].n ? after : &other, f[k].n ? 2 : 1, NULL);
			assert_int_equal(cxl_drift(0x0501, 7), expected(f[i].n, f[k].n, 0, 0));
			assert_int_equal(cxl_drift(0x0502, 7),
					 expected(f[i].flags, f[k].flags, x, y));
			assert_int_equal(cxl_drift(0x0502, 9), FWA_DETAIL_NONE);
			assert_int_equal(cxl_drift(0x0502, -1), FWA_DETAIL_NONE);
			if (f[i].n && f[k].n) {
				d = only();
				assert_int_equal(fwa_difference_drifts(d.how),
						 cxl_drift(0x0502, 7) != FWA_DETAIL_NONE);
				assert_int_equal(!d.how, i == k);
				assert_true(!d.how || d.of == FWA_DIFFERENCE_SETTING);
			}
		}
}

/* A Feature that comes or goes is told as a Feature and, where it can be set, as a setting. */
static void cxl_features_come_and_go(void **state)
{
	static const struct feature f[] = { { 7, 1, 0x02, 8 } };
	struct fwa_difference_walk walk = { 0 };
	struct fwa_difference d;

	make_cxl(&a, 0, NULL, 0, NULL);
	make_cxl(&b, 0, f, 1, NULL);
	assert_true(fwa_difference_next(&a.p, &b.p, &walk, &d));
	assert_int_equal(d.of, FWA_DIFFERENCE_FEATURE);
	assert_int_equal(d.how, FWA_DIFFERENCE_APPEARED);
	assert_int_equal(d.uuid[0], 7);
	assert_true(fwa_difference_next(&a.p, &b.p, &walk, &d));
	assert_int_equal(d.of, FWA_DIFFERENCE_SETTING);
	assert_int_equal(d.after, FWA_EFFECT_CONFIG);
	assert_false(fwa_difference_next(&a.p, &b.p, &walk, &d));
	walk = (struct fwa_difference_walk){ 0 };
	assert_true(fwa_difference_next(&b.p, &a.p, &walk, &d));
	assert_int_equal(d.of, FWA_DIFFERENCE_FEATURE);
	assert_int_equal(d.how, FWA_DIFFERENCE_REMOVED);
	assert_true(fwa_difference_next(&b.p, &a.p, &walk, &d));
	assert_int_equal(d.how, FWA_DIFFERENCE_REMOVED);
	assert_false(fwa_difference_next(&b.p, &a.p, &walk, &d));
}

/* Set Feature lost an effect of its own word: C7's caution is gone for every Feature. */
static void cxl_set_feature_itself(void **state)
{
	static const struct feature f[] = { { 7, 1, 0x8002, 8 }, { 7, 1, 0x02, 8 } };

	make_cxl(&a, 0, &f[0], 1, NULL);
	make_cxl(&b, 0, &f[1], 1, NULL);
	assert_int_equal(cxl_drift(0x0502, 7), FWA_DETAIL_LOST_EFFECT); /* unknown is an effect */
}

static void cxl_logs(void **state)
{
	static const char *const logs[] = { NULL, "A", "B", "AB", "BA", "AAB" };

	for (unsigned int i = 0; i < 6; i++)
		for (unsigned int k = 0; k < 6; k++) {
			make_cxl(&a, 0, NULL, 0, logs[i]);
			make_cxl(&b, 0, NULL, 0, logs[k]);
			for (int l = 'A'; l <= 'C'; l++)
				assert_int_equal(cxl_drift(0x0401, l),
						 expected(logs[i] && strchr(logs[i], l),
							  logs[k] && strchr(logs[k], l), 0, 0));
		}
	make_cxl(&a, 0, NULL, 0, "AAB");
	make_cxl(&b, 0, NULL, 0, "BBC");
	for (unsigned int i = 0; i < 2; i++) {
		struct fwa_difference_walk walk = { 0 };
		struct fwa_difference d;

		assert_true(fwa_difference_next(i ? &b.p : &a.p, i ? &a.p : &b.p, &walk, &d));
		assert_int_equal(d.how, FWA_DIFFERENCE_APPEARED);
		assert_int_equal(d.uuid[0], i ? 'A' : 'C');
		assert_true(fwa_difference_next(i ? &b.p : &a.p, i ? &a.p : &b.p, &walk, &d));
		assert_int_equal(d.how, FWA_DIFFERENCE_REMOVED);
		assert_int_equal(d.uuid[0], i ? 'C' : 'A');
		assert_false(fwa_difference_next(i ? &b.p : &a.p, i ? &a.p : &b.p, &walk, &d));
	}
}

static void nvme_dwords(void **state)
{
	static const uint32_t words[] = { 0,
					  1,
					  3,
					  5,
					  9,
					  0x11,
					  0x1f,
					  1 | 1u << 16,
					  1 | 1u << 14,
					  1 | 1u << 19,
					  1 | 1u << 20,
					  1 | 1u << 31,
					  0x1e };

	for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		for (unsigned int k = 0; k < sizeof(words) / sizeof(words[0]); k++) {
			enum fwa_detail want = expected(words[i] & 1, words[k] & 1,
							fwa_nvme_declared(words[i]).effects,
							fwa_nvme_declared(words[k]).effects);

			make_nvme(&a, words[i], false, 0, 0);
			make_nvme(&b, words[k], false, 0, 0);
			for (unsigned int set = FWA_SET_NVME_ADMIN; set <= FWA_SET_NVME_IO; set++)
				assert_int_equal(nvme_drift(set, 0xc0, 0, 0), want);
			assert_int_equal(nvme_drift(FWA_SET_NVME_ADMIN, 0x0a, 1, 0),
					 FWA_DETAIL_NONE);
		}
}

/* Log page and feature 44h: no such page at all, not in it, in it with effects; all against all. */
static void nvme_ids(void **state)
{
	static const struct {
		bool pages;
		uint32_t dword;
	} all[] = { { false, 0 }, { true, 0 },    { true, 1 },
		    { true, 3 },  { true, 0x11 }, { true, 0x80000001 } };

	for (unsigned int i = 0; i < 6; i++)
		for (unsigned int k = 0; k < 6; k++) {
			bool was = !all[i].pages || all[i].dword & 1;
			bool is = !all[k].pages || all[k].dword & 1;
			fwa_effects x = fwa_nvme_feature_declared(all[i].dword).effects;
			fwa_effects y = fwa_nvme_feature_declared(all[k].dword).effects;
			fwa_effects own = fwa_nvme_declared(0x11).effects;

			make_nvme(&a, 1, all[i].pages, all[i].dword, all[i].dword);
			make_nvme(&b, 1, all[k].pages, all[k].dword, all[k].dword);
			assert_int_equal(nvme_drift(FWA_SET_NVME_ADMIN, 0x02, 0x44, 0),
					 expected(was, is, 0, 0));
			assert_int_equal(nvme_drift(FWA_SET_NVME_ADMIN, 0x0a, 0x44, 0),
					 expected(was, is, 0, 0));
			assert_int_equal(nvme_drift(FWA_SET_NVME_ADMIN, 0x09, 0x44, 0),
					 expected(was, is, x | own, y | own));
		}
}

/* The features of another vendor are declared by no page: a page that goes lets them appear. */
static void nvme_other_vendor(void **state)
{
	make_nvme(&a, 1, true, 1, 1);
	make_nvme(&b, 1, false, 0, 0);
	assert_int_equal(nvme_drift(FWA_SET_NVME_ADMIN, 0x0a, 0xc4, 1), FWA_DETAIL_APPEARED);
	assert_int_equal(nvme_drift(FWA_SET_NVME_ADMIN, 0x02, 0xc4, 1), FWA_DETAIL_APPEARED);
	make_nvme(&a, 1, false, 0, 0);
	make_nvme(&b, 1, true, 1, 1);
	assert_int_equal(nvme_drift(FWA_SET_NVME_ADMIN, 0x0a, 0xc4, 1), FWA_DETAIL_NONE);
}

/* --- the canonical form --------------------------------------------------------------------- */

static size_t declarations(const struct fwa_profile *p, uint8_t *buf, size_t cap)
{
	struct fwa_writer w = fwa_writer(buf, cap);

	fwa_declarations_write(&w, p);
	assert_false(w.full);
	return w.len;
}

/* Order, repetitions, index, size of logs, serial number and second readings leave no trace. */
static void canonical(void **state)
{
	static uint8_t x[FWA_DECLARATIONS_MAX], y[FWA_DECLARATIONS_MAX];
	static const struct feature one[] = { { 7, 3, 0x02, 8 }, { 9, 1, 0x08, 8 } };
	static const struct feature two[] = { { 9, 1, 0x08, 8 },
					      { 7, 3, 0x02, 9 },
					      { 7, 7, 0, 8 } };
	struct fwa_writer w = fwa_writer(b.bytes, CAP);
	uint8_t cel[24], entries[3 * 48], logs[3 * 20] = { 0 };
	size_t len;

	make_cxl(&a, 0x06, one, 2, "AB");
	put_entry(cel, 0, OP, 0x04);
	put_entry(cel, 1, 0x0502, 0x02);
	put_entry(cel, 2, OP, 0x02);
	put_entry(cel, 3, 0x0401, 0);
	put_entry(cel, 4, 0x0501, 0);
	fwa_profile_begin(&w, FWA_FAMILY_CXL);
	for (unsigned int i = 0; i < 3; i++)
		put_feature(entries + 48 * i, &two[i], (uint16_t)i);
	for (unsigned int i = 0; i < 3; i++)
		memset(logs + 20 * i, "BAB"[i], 16);
	fwa_profile_add(&w, FWA_RECORD_CXL_LOGS, fwa_span(logs, 60));
	fwa_profile_add(&w, FWA_RECORD_CXL_FEATURES, fwa_span(entries, 3 * 48));
	fwa_profile_add(&w, FWA_RECORD_CXL_CEL_AGAIN, fwa_span(cel, 8));
	add_text_id(&w, "another");
	fwa_profile_add(&w, FWA_RECORD_CXL_CEL, fwa_span(cel, 22)); /* ends inside an entry */
	finish(&b, &w);
	len = declarations(&a.p, x, sizeof(x));
	assert_int_equal(declarations(&b.p, y, sizeof(y)), len);
	assert_memory_equal(x, y, len);
	assert_int_equal(only().how, FWA_DIFFERENCE_NONE);
}

/* A baseline is a profile; its own declarations are itself; nothing differs from it. */
static void holds_itself(void)
{
	static uint8_t x[FWA_DECLARATIONS_MAX], y[FWA_DECLARATIONS_MAX];
	struct fwa_difference_walk walk = { 0 };
	struct fwa_difference d;
	size_t len = declarations(&a.p, x, sizeof(x));

	memcpy(b.bytes, x, len);
	assert_int_equal(fwa_profile_parse(&b.p, fwa_span(b.bytes, len)), 0);
	assert_true(fwa_drift_same_key(&a.p, &b.p));
	assert_int_equal(b.p.id.serial[0], 0);
	assert_int_equal(declarations(&b.p, y, sizeof(y)), len);
	assert_memory_equal(x, y, len);
	while (fwa_difference_next(&a.p, &b.p, &walk, &d))
		assert_false(fwa_difference_drifts(d.how));
}

static void idempotent(void **state)
{
	static const struct feature f[] = { { 9, 1, 0x08, 8 }, { 7, 3, 0x02, 9 }, { 7, 7, 0, 8 } };

	make_cxl(&a, 0x06, f, 3, "ABA");
	holds_itself();
	make_cxl(&a, -1, NULL, 0, NULL);
	holds_itself();
	make_nvme(&a, 0x1e, true, 0x10001, 3);
	holds_itself();
	make_nvme(&a, 0x11, false, 0, 0);
	holds_itself();
}

/* The most that a device can declare fits; less room is an error and not less of a baseline. */
static void largest(void **state)
{
	static uint8_t all[65536 * 4], features[1024 * 48], logs[64 * 20], x[FWA_DECLARATIONS_MAX];
	static const uint8_t effects[4096], ids[1024];
	struct fwa_identity id;
	struct fwa_writer w = fwa_writer(a.bytes, CAP);
	size_t len;

	memset(&id, 'x', sizeof(id));
	for (unsigned int i = 0; i < 65536; i++)
		put_entry(all, i, (uint16_t)~i, (uint16_t)i);
	for (unsigned int i = 0; i < 1024; i++) {
		fwa_put_le32(features + 48 * i, 1024 - i);
		if (i < 64)
			fwa_put_le32(logs + 20 * i, 64 - i);
	}
	fwa_profile_begin(&w, FWA_FAMILY_SIM);
	fwa_profile_add_identity(&w, &id);
	fwa_profile_add(&w, FWA_RECORD_CXL_CEL, fwa_span(all, sizeof(all)));
	fwa_profile_add(&w, FWA_RECORD_CXL_FEATURES, fwa_span(features, sizeof(features)));
	fwa_profile_add(&w, FWA_RECORD_CXL_LOGS, fwa_span(logs, sizeof(logs)));
	fwa_profile_add(&w, FWA_RECORD_NVME_EFFECTS, fwa_span(effects, sizeof(effects)));
	fwa_profile_add(&w, FWA_RECORD_NVME_LOGS, fwa_span(ids, sizeof(ids)));
	fwa_profile_add(&w, FWA_RECORD_NVME_FEATURES, fwa_span(ids, sizeof(ids)));
	finish(&a, &w);
	len = declarations(&a.p, x, sizeof(x));
	assert_true(len > 300000);
	holds_itself();
	for (size_t cap = 0; cap < len; cap += cap < 300 ? 1 : 9973) {
		w = fwa_writer(x, cap);
		fwa_declarations_write(&w, &a.p);
		assert_true(w.full);
	}
}

static void keys(void **state)
{
	struct fwa_identity id = identity;

	make_cxl(&a, 0, NULL, 0, NULL);
	make_cxl(&c, 0, NULL, 0, NULL);
	assert_true(fwa_drift_same_key(&a.p, &c.p));
	strcpy(c.p.id.serial, "other");
	assert_true(fwa_drift_same_key(&a.p, &c.p));
	for (unsigned int i = 0; i < 4; i++) {
		c.p.id = id;
		c.p.family = i == 3 ? FWA_FAMILY_SIM : FWA_FAMILY_CXL;
		strcpy(i == 0   ? c.p.id.vendor
		       : i == 1 ? c.p.id.model
				: c.p.id.firmware,
		       i == 3 ? id.firmware : "other");
		assert_false(fwa_drift_same_key(&a.p, &c.p));
	}
}

static void names(void **state)
{
	for (unsigned int i = 0; i < FWA_DIFFERENCE_OF_COUNT; i++)
		assert_non_null(fwa_difference_of_name(i));
	for (unsigned int i = 1; i < FWA_DIFFERENCE_HOW_COUNT; i++)
		assert_non_null(fwa_difference_how_name(i));
	for (unsigned int i = 0; i < FWA_BASELINE_COUNT; i++)
		assert_non_null(fwa_baseline_state_name(i));
	assert_null(fwa_difference_of_name(FWA_DIFFERENCE_OF_COUNT));
	assert_null(fwa_difference_how_name(FWA_DIFFERENCE_HOW_COUNT));
	assert_null(fwa_baseline_state_name(FWA_BASELINE_COUNT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_binds_without_drift),
		cmocka_unit_test(cxl_words),
		cmocka_unit_test(cxl_opcodes_are_apart),
		cmocka_unit_test(cxl_features),
		cmocka_unit_test(cxl_features_come_and_go),
		cmocka_unit_test(cxl_set_feature_itself),
		cmocka_unit_test(cxl_logs),
		cmocka_unit_test(nvme_dwords),
		cmocka_unit_test(nvme_ids),
		cmocka_unit_test(nvme_other_vendor),
		cmocka_unit_test(canonical),
		cmocka_unit_test(idempotent),
		cmocka_unit_test(largest),
		cmocka_unit_test(keys),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
