/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What honest devices change is seen and covered, whatever they are sent; what liars change is seen and is
 * not. The simulated device's own state says what there was to be seen.
 */
#include "transport/sim/test-state.h"
#include "verify/test-watch.h"

static struct watch w;

/* --- honest ---------------------------------------------------------------------------------------- */

/*
 * Not to be seen by any command: registers of the vendor, how often a wrong passphrase was given, results of
 * a scan, a line of memory that is none of those that are looked at, a clock that is set to what it nearly was.
 */
static bool is_visible(const struct test_part *p)
{
	static const char *const names[] = { "registers", "media-key", "scan", "media",
					     "timestamp" };

	for (size_t i = 0; i < FWA_ARRAY_SIZE(names); i++)
		if (!strcmp(p->name, names[i]))
			return false;
	return p->at < offsetof(struct sim, passphrase) ||
	       p->at >= offsetof(struct sim, passphrase) + sizeof(((struct sim *)NULL)->passphrase);
}

static bool visibly_differ(const struct sim *a, const struct sim *b)
{
	for (size_t i = 0; i < FWA_ARRAY_SIZE(test_parts); i++)
		if (is_visible(&test_parts[i]) && test_part_differs(&test_parts[i], a, b))
			return true;
	for (unsigned int selection = 0; selection < SIM_SELECTIONS; selection++)
		for (unsigned int id = 0; id < SIM_FEATURE_COUNT; id++)
			if (memcmp(a->value[selection][id], b->value[selection][id],
				   b->feature[id].get_size) &&
			    (selection != SIM_SAVED || id != SIM_FEATURE_SCRUB))
				return true;
	return false;
}

/* What a session that is locked out cannot see, nobody can. */
static bool is_open(const struct sim *s)
{
	return !s->locked;
}

static void try_honest(struct test_draw *d, struct sim *before, uint64_t *seen)
{
	struct sim *s = (struct sim *)w.dev;

	test_draw(d, s);
	/* What firmware declares from then on is another profile. */
	if (d->opcode == CXL_OP_TRANSFER_FW)
		memset(d->in + 136, 0, 4);
	test_copy(before, s);
	watch_send(&w, d->opcode, d->in, d->len);
	if (w.j.undeclared) {
		print_message("%04x, %zu bytes, code %#x\n", d->opcode, d->len, w.code);
		watch_print(&w);
	}
	assert_int_equal(w.j.undeclared, 0);
	assert_int_equal(w.j.severity, VFY_NOTE);
	if (!is_open(before) || !is_open(s) || !visibly_differ(before, s))
		return;
	if (!w.j.n_changes)
		print_message("%04x, %zu bytes: %s\n", d->opcode, d->len, test_differ(before, s));
	assert_true(w.j.n_changes);
	++*seen;
}

static void test_honest_cxl(void **state)
{
	struct sim *before = calloc(1, sizeof(*before) + 65536);
	uint64_t seen = 0;
	char spec[64];

	assert_non_null(before);
	for (unsigned int seed = 0; seed < 100; seed++) {
		struct test_draw d = { .random = seed * 1000003 };

		snprintf(spec, sizeof(spec), "sim:honest,bg-ms=0,seed=%u%s", seed,
			 seed % 4 == 3 ? ",payload=256" : "");
		assert_int_equal(watch_try(&w, spec), 0);
		for (int i = 0; i < 60; i++)
			try_honest(&d, before, &seen);
		watch_close(&w);
	}
	free(before);
	assert_true(seen > 300);
}

/* A Set Features of each kind, writes, formats, self-tests: what a controller does all day. */
static void test_honest_nvme(void **state)
{
	static uint8_t data[4096], image[16] = "SIMNVME12.0";
	static const struct {
		struct fwa_command cmd;
		fwa_effects observed;
	} rows[] = {
		{ { .set = FWA_SET_NVME_ADMIN, .opcode = NVME_OP_SET_FEATURES, .cdw = { 1, 3 } },
		  FWA_EFFECT_CONFIG },
		{ { .set = FWA_SET_NVME_ADMIN,
		    .opcode = NVME_OP_SET_FEATURES,
		    .cdw = { 4, 0x160 } },
		  FWA_EFFECT_POLICY },
		{ { .set = FWA_SET_NVME_IO, .opcode = 1, .nsid = 1, .payload = { data, 512 } },
		  FWA_EFFECT_DATA },
		{ { .set = FWA_SET_NVME_ADMIN,
		    .opcode = NVME_OP_FW_DOWNLOAD,
		    .cdw = { 3 },
		    .payload = { image, 16 } },
		  0 },
		{ { .set = FWA_SET_NVME_ADMIN, .opcode = NVME_OP_FW_COMMIT, .cdw = { 2 | 3 << 3 } },
		  FWA_EFFECT_CONFIG | FWA_EFFECT_CONTROLLER_CAPABILITY },
		{ { .set = FWA_SET_NVME_ADMIN, .opcode = NVME_OP_SELF_TEST, .cdw = { 1 } },
		  FWA_EFFECT_BACKGROUND },
		{ { .set = FWA_SET_NVME_ADMIN, .opcode = NVME_OP_SELF_TEST, .cdw = { 15 } },
		  FWA_EFFECT_BACKGROUND },
		{ { .set = FWA_SET_NVME_ADMIN, .opcode = NVME_OP_FORMAT, .nsid = 1, .cdw = { 0 } },
		  FWA_EFFECT_DATA },
		{ { .set = FWA_SET_NVME_ADMIN, .opcode = NVME_OP_SANITIZE, .cdw = { 2 } },
		  FWA_EFFECT_DATA | FWA_EFFECT_BACKGROUND },
		/* refused, which is noted at most */
		{ { .set = FWA_SET_NVME_ADMIN, .opcode = NVME_OP_SET_FEATURES, .cdw = { 0x7f } },
		  0 },
	};

	memset(data, 0x5a, sizeof(data));
	assert_int_equal(watch_try(&w, "sim:nvme,bg-ms=60000"), 0);
	watch_begin(&w);
	for (size_t i = 0; i < FWA_ARRAY_SIZE(rows); i++) {
		watch_try_command(&w, &rows[i].cmd);
		if (w.j.undeclared || w.j.observed != rows[i].observed) {
			print_message("row %zu, code %#x\n", i, w.code);
			watch_print(&w);
		}
		assert_int_equal(w.j.undeclared, 0);
		assert_int_equal(w.j.observed, rows[i].observed);
	}
	watch_close(&w);
}

/* --- liars ----------------------------------------------------------------------------------------- */

#define BYTES(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })
#define CALIBRATION \
	0x5a, 0x1d, 0xf0, 0x0d, 0x6b, 0x2e, 0x4c, 0x11, 0x9a, 0x77, 0x0c, 0x51, 0x4d, 0, 0, 4
#define LINK 0x5a, 0x1d, 0xf0, 0x0d, 0x6b, 0x2e, 0x4c, 0x11, 0x9a, 0x77, 0x0c, 0x51, 0x4d, 0, 0, 1
#define ZEROES_4 0, 0, 0, 0
#define ZEROES_8 ZEROES_4, ZEROES_4

struct sent {
	uint16_t opcode;
	const uint8_t *payload;
	size_t len;
};

/* The last command of each is the one that is judged, or all three of them. */
static const struct {
	const char *spec;
	struct sent sent[3];
	fwa_effects undeclared;
	uint8_t severity;
	const char *where;
} liars[] = {
	{ "sim:liar-data",
	  { { 0xc000, BYTES(1, 0, 0, 0) } },
	  FWA_EFFECT_DATA,
	  VFY_CRITICAL,
	  "lsa @0" },
	{ "sim:liar-magic-lba",
	  { { 0x4103, BYTES(0xf8, 0x3f, 0, 0, ZEROES_4, 'S', 'E', 'C', 'U', 'R', 'I', 'T', 'Y') } },
	  FWA_EFFECT_SECURITY,
	  VFY_MEDIUM,
	  "security" },
	{ "sim:liar-immediate",
	  { { 0x0502, BYTES(LINK, ZEROES_4, 0, 0, 1, 0, ZEROES_8, 0x77) } },
	  FWA_EFFECT_CONFIG,
	  VFY_HIGH,
	  "feature 5a1df00d-6b2e-4c11-9a77-0c514d000001 current" },
	{ "sim:liar-config",
	  { { 0x4204, BYTES(1) }, { 0x4204, BYTES(0) } },
	  FWA_EFFECT_CONFIG,
	  VFY_MEDIUM,
	  "feature patrol-scrub current" },
	{ "sim:liar-sequence",
	  { { 0x4203, NULL, 0 }, { 0x0300, NULL, 0 }, { 0x0200, NULL, 0 } },
	  FWA_EFFECT_CONFIG,
	  VFY_CRITICAL,
	  "feature patrol-scrub current" },
	{ "sim:liar-count,after=1",
	  { { 0x4303, BYTES(ZEROES_8, 1, 0, 0, 0, ZEROES_4) } },
	  FWA_EFFECT_DATA,
	  VFY_CRITICAL,
	  "lsa @0x3800" },
	{ "sim:liar-failure",
	  { { 0x0100, BYTES(4) } },
	  FWA_EFFECT_POLICY,
	  VFY_HIGH,
	  "event-interrupt-policy" },
	{ "sim:liar-wedge",
	  { { 0x4303, BYTES(1, 0, 0, 0, ZEROES_4, 1, 0, 0, 0, ZEROES_4) } },
	  FWA_EFFECT_DATA,
	  VFY_LOW, /* nobody is let send an address that is not one of a line */
	  "poison" },
	{ "sim:liar-security",
	  { { 0x4504, NULL, 0 } },
	  FWA_EFFECT_SECURITY,
	  VFY_LOW, /* not declared, so never sent */
	  "security" },
	{ "sim:liar-hidden", { { SIM_OP_HIDDEN, NULL, 0 } }, FWA_EFFECT_DATA, VFY_LOW, "lsa @0" },
	{ "sim:liar-trigger",
	  { { 0x0502, BYTES(CALIBRATION, ZEROES_4, 0, 0, 1, 0, ZEROES_8, 4, 0x45, 0, 0) } },
	  FWA_EFFECT_SECURITY,
	  VFY_MEDIUM,
	  "security" },
	{ "sim:liar-background",
	  { { 0x4401, NULL, 0 } },
	  FWA_EFFECT_BACKGROUND,
	  VFY_MEDIUM,
	  "registers" },
};

static void try_liar(size_t row)
{
	struct vfy_claim claim = { 0 };
	fwa_effects by_reply = 0;

	assert_int_equal(watch_try(&w, liars[row].spec), 0);
	watch_begin(&w);
	for (size_t i = 0; i < 3 && liars[row].sent[i].opcode; i++) {
		const struct sent *sent = &liars[row].sent[i];
		struct fwa_command cmd = { .set = FWA_SET_CXL,
					   .opcode = sent->opcode,
					   .payload = fwa_span(sent->payload, sent->len),
					   .out_len = 2048 };

		watch_command(&w, &cmd);
		vfy_claim_add(&claim, w.profile, &cmd);
		if (w.code == CXL_RC_BACKGROUND)
			by_reply = FWA_EFFECT_BACKGROUND;
		if (sent->opcode == 0x4204) { /* one of its two states was there before */
			assert_int_equal(watch_observe(&w, 1), 0);
			vfy_judge(&w.plan, &w.mask, &w.snapshot[0], &w.snapshot[1], &claim, 0,
				  &w.j);
			if (w.j.undeclared)
				break;
		}
	}
	assert_int_equal(watch_observe(&w, 1), 0);
	vfy_judge(&w.plan, &w.mask, &w.snapshot[0], &w.snapshot[1], &claim, by_reply, &w.j);
	if (w.j.undeclared != liars[row].undeclared || w.j.severity != liars[row].severity) {
		print_message("%s, code %#x\n", liars[row].spec, w.code);
		watch_print(&w);
	}
	assert_int_equal(w.j.undeclared, liars[row].undeclared);
	assert_int_equal(w.j.severity, liars[row].severity);
	assert_true(watch_changed(&w, liars[row].where, NULL));
	watch_close(&w);
}

static void test_liars(void **state)
{
	for (size_t row = 0; row < FWA_ARRAY_SIZE(liars); row++)
		try_liar(row);
}

static void test_nvme_liars(void **state)
{
	static uint8_t word[512] = "FEATURES";
	struct fwa_command count = { .set = FWA_SET_NVME_ADMIN,
				     .opcode = NVME_OP_GET_FEATURES,
				     .cdw = { 3 << 8 | 0x80 },
				     .out_len = NVME_PAGE_LEN };
	struct fwa_command write = {
		.set = FWA_SET_NVME_IO, .opcode = 1, .nsid = 1, .payload = { word, sizeof(word) }
	};

	assert_int_equal(watch_try(&w, "sim:liar-nvme-data"), 0);
	watch_begin(&w);
	watch_try_command(&w, &count);
	assert_int_equal(w.j.undeclared, FWA_EFFECT_DATA);
	assert_int_equal(w.j.severity, VFY_CRITICAL);
	assert_true(watch_changed(&w, "lba 1 @0", NULL));
	watch_close(&w);
	assert_int_equal(watch_try(&w, "sim:liar-nvme-lba"), 0);
	watch_begin(&w);
	write.cdw[0] = (uint32_t)fwa_le64(w.snapshot[0].data +
					  w.snapshot[0].value[watch_find(&w, "namespace 1")].at) -
		       1;
	watch_try_command(&w, &write);
	assert_int_equal(w.code, 0);
	assert_int_equal(w.j.undeclared, FWA_EFFECT_POLICY);
	assert_int_equal(w.j.severity, VFY_MEDIUM);
	assert_true(watch_changed(&w, "feature volatile-wc current", NULL));
	watch_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_honest_cxl),
		cmocka_unit_test(test_honest_nvme),
		cmocka_unit_test(test_liars),
		cmocka_unit_test(test_nvme_liars),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
