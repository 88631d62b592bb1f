/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Advice against a reference that knows neither terms nor bits: entries, items and groups are structs,
 * tried one after the other.
 */
#include "core/test-advisory.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

/* An item of a filter as the rules have it: a command, and groups of fields of it. */
struct field {
	uint8_t kind;
	uint32_t value;
};

struct group {
	bool negative;
	int n;
	struct field field[2];
};

struct item {
	uint8_t set;
	uint16_t opcode;
	int n;
	struct group group[3];
};

struct plain {
	struct fwa_advisory entry;
	int n;
	struct item item[3];
	uint8_t filter[FWA_TERM_LEN * 32];
};

static unsigned int below(unsigned int n)
{
	return (unsigned int)rand() % n;
}

static const struct {
	uint8_t set;
	uint16_t opcode;
	uint8_t fields[3];
} kinds[] = {
	{ FWA_SET_NVME_ADMIN,
	  NVME_OP_GET_LOG_PAGE,
	  { FWA_FIELD_LID, FWA_FIELD_LSP, FWA_FIELD_NSID } },
	{ FWA_SET_NVME_ADMIN, NVME_OP_FW_COMMIT, { FWA_FIELD_SLOT, FWA_FIELD_OP, FWA_FIELD_NSID } },
	{ FWA_SET_NVME_IO, 0x02, { FWA_FIELD_NSID, 0, 0 } },
	{ FWA_SET_CXL, CXL_OP_ACTIVATE_FW, { FWA_FIELD_SLOT, 0, 0 } },
	{ FWA_SET_CXL, CXL_OP_GET_FEATURE, { FWA_FIELD_SEL, 0, 0 } },
	{ FWA_SET_CXL, 0xc000, { 0 } },
};

static void some_group(struct group *g, const uint8_t fields[3], int n_fields)
{
	int first = (int)below((unsigned int)n_fields);

	*g = (struct group){ .negative = below(2), .n = 1 + (n_fields > 1 && below(2)) };
	for (int i = 0; i < g->n; i++)
		g->field[i] = (struct field){ fields[(first + i) % n_fields], below(3) };
}

static void some_item(struct item *it)
{
	size_t k = below(COUNT(kinds));
	int n_fields = 0;

	while (n_fields < 3 && kinds[k].fields[n_fields])
		n_fields++;
	*it = (struct item){ .set = kinds[k].set, .opcode = kinds[k].opcode };
	if (n_fields)
		it->n = (int)below(4);
	for (int i = 0; i < it->n; i++)
		some_group(&it->group[i], kinds[k].fields, n_fields);
}

static void write_items(struct plain *p)
{
	struct fwa_writer w = fwa_writer(p->filter, sizeof(p->filter));

	for (int i = 0; i < p->n; i++) {
		const struct item *it = &p->item[i];

		fwa_filter_write_term(&w,
				      &(struct fwa_term){ .set = it->set, .value = it->opcode });
		for (int g = 0; g < it->n; g++)
			for (int f = 0; f < it->group[g].n; f++)
				fwa_filter_write_term(
					&w, &(struct fwa_term){
						    .kind = it->group[g].field[f].kind,
						    .flags = (uint8_t)((it->group[g].negative
										? FWA_TERM_NOT
										: 0) |
								       (f ? FWA_TERM_AND : 0)),
						    .value = it->group[g].field[f].value });
	}
	assert_false(w.full);
	p->entry.filter = fwa_span(p->filter, w.len);
}

static void some_entry(struct plain *p)
{
	static const char *const vendors[] = { "", "", "Acme", "A*", "Other" };
	static const char *const models[] = { "", "", "", "Drive ?", "Nothing" };
	static const char *const bounds[] = { "", "", "", "1", "2", "3" };

	*p = (struct plain){ .n = 1 + (int)below(3) };
	p->entry = (struct fwa_advisory){ .family = (uint8_t)(FWA_FAMILY_CXL + below(2)),
					  .never = below(4) == 0,
					  .effects = 1u << below(16),
					  .until = below(3) ? 0 : 1 + below(10),
					  .id = "X",
					  .vendor = vendors[below(COUNT(vendors))],
					  .model = models[below(COUNT(models))],
					  .firmware_from = bounds[below(COUNT(bounds))],
					  .firmware_to = bounds[below(COUNT(bounds))],
					  .reference = "" };
	if (p->entry.never && below(2))
		p->entry.effects = 0;
	for (int i = 0; i < p->n; i++)
		some_item(&p->item[i]);
	write_items(p);
}

static struct fwa_command some_command(void)
{
	static const uint8_t bytes[3][32] = { { 0 }, { [1] = 1, [20] = 1 }, { [1] = 2, [20] = 2 } };
	size_t k = below(COUNT(kinds));
	static const size_t lengths[] = { 0, 1, 2, 20, 21, 32 };

	return (struct fwa_command){
		.set = kinds[k].set,
		.opcode = (uint16_t)(kinds[k].opcode + (below(8) == 0)),
		.nsid = below(3),
		.cdw = { below(3) | below(3) << 8 | below(3) << 3 },
		.payload = fwa_span(bytes[below(3)], lengths[below(COUNT(lengths))]),
	};
}

/* The value of a field in @cmd, -1 when it is not there. */
static int64_t value_of(const struct fwa_command *cmd, uint8_t kind)
{
	const struct fwa_span *p = &cmd->payload;

	switch (kind) {
	case FWA_FIELD_LID:
		return cmd->cdw[0] & 0xff;
	case FWA_FIELD_LSP:
		return cmd->cdw[0] >> 8 & 0x7f;
	case FWA_FIELD_NSID:
		return cmd->nsid;
	case FWA_FIELD_OP:
		return cmd->cdw[0] >> 3 & 7;
	case FWA_FIELD_SEL:
		return p->len > 20 ? p->data[20] : -1;
	default:
		if (cmd->set != FWA_SET_CXL)
			return cmd->cdw[0] & 7;
		return p->len > 1 ? p->data[1] : -1;
	}
}

/* What is not there has the value that forbids. */
static bool group_is_met(const struct group *g, const struct fwa_command *cmd)
{
	for (int i = 0; i < g->n; i++) {
		int64_t v = value_of(cmd, g->field[i].kind);

		if (v < 0 ? g->negative : v != g->field[i].value)
			return false;
	}
	return true;
}

static bool item_is_met(const struct item *it, const struct fwa_command *cmd)
{
	bool any = false, hit = false;

	if (it->set != cmd->set || it->opcode != cmd->opcode)
		return false;
	for (int i = 0; i < it->n; i++) {
		bool met = group_is_met(&it->group[i], cmd);

		if (it->group[i].negative && met)
			return false;
		any |= !it->group[i].negative;
		hit |= !it->group[i].negative && met;
	}
	return hit || !any;
}

static bool is_about(const struct plain *p, const struct fwa_profile *d)
{
	const struct fwa_advisory *e = &p->entry;
	const char *firmware = d->id.firmware;

	if (e->family != d->family ||
	    (*e->vendor && !fwa_pattern_matches(e->vendor, d->id.vendor)) ||
	    (*e->model && !fwa_pattern_matches(e->model, d->id.model)))
		return false;
	if (!*firmware)
		return true;
	return (!*e->firmware_from || strcmp(e->firmware_from, firmware) <= 0) &&
	       (!*e->firmware_to || strcmp(firmware, e->firmware_to) <= 0);
}

/* What is added to @cmd, and by which entry first. */
static fwa_effects reference(const struct plain *all, uint32_t n, const struct fwa_profile *d,
			     const struct fwa_command *cmd, uint64_t now, uint32_t *ret_entry)
{
	fwa_effects effects = 0;
	uint32_t about = 0;

	*ret_entry = UINT32_MAX;
	for (uint32_t i = 0; i < n; i++) {
		bool met = false, same = false;

		if (!is_about(&all[i], d))
			continue;
		for (int k = 0; k < all[i].n; k++) {
			met |= item_is_met(&all[i].item[k], cmd);
			same |= all[i].item[k].set == cmd->set &&
				all[i].item[k].opcode == cmd->opcode;
		}
		if (about++ >= FWA_ADVICE_MAX) {
			effects |= same ? FWA_EFFECT_UNKNOWN : 0;
		} else if (met && !(all[i].entry.until && all[i].entry.until <= now)) {
			effects |= all[i].entry.effects;
			effects |= all[i].entry.never ? FWA_EFFECT_UNKNOWN : 0;
			*ret_entry = *ret_entry < i ? *ret_entry : i;
		}
	}
	return effects;
}

static struct fwa_profile some_device(void)
{
	static const char *const vendors[] = { "Acme", "Other", "" };
	static const char *const firmware[] = { "1", "2", "3", "" };

	return device(FWA_FAMILY_CXL + below(2), vendors[below(3)], below(2) ? "Drive 1" : "",
		      firmware[below(4)]);
}

/* Of @tables tables with up to @most entries. Returns how often something was added. */
static unsigned int compare(unsigned int tables, uint32_t most)
{
	static struct plain all[700];
	static struct fwa_advisory entries[700];
	static struct fwa_advice advice, fewer;
	unsigned int added = 0;

	assert_true(most <= COUNT(all));
	for (unsigned int t = 0; t < tables; t++) {
		uint32_t n = 1 + below(most), entry, expected;
		struct fwa_profile d = some_device();
		struct fwa_advisories a, b;
		static uint8_t less[sizeof(buf)];
		struct fwa_writer w = fwa_writer(less, sizeof(less));

		for (uint32_t i = 0; i < n; i++) {
			some_entry(&all[i]);
			entries[i] = all[i].entry;
		}
		assert_int_equal(parse(&a, entries, n), 0);
		fwa_advisories_write(&w, entries, n - 1, digest);
		assert_int_equal(fwa_advisories_parse(&b, fwa_span(less, w.len)), 0);
		fold(&a, &d, &advice);
		fold(&b, &d, &fewer);
		for (int i = 0; i < 50; i++) {
			struct fwa_command cmd = some_command();
			uint64_t now = below(12);
			fwa_effects want = reference(all, n, &d, &cmd, now, &expected);
			fwa_effects got = fwa_advice_effects(&advice, &cmd, NULL, now, &entry);

			assert_int_equal(got, want);
			assert_int_equal(entry, expected);
			/* one entry more takes nothing away */
			assert_int_equal(fwa_advice_effects(&fewer, &cmd, NULL, now, NULL) & ~got,
					 0);
			added += got != 0;
		}
	}
	return added;
}

static void same_as_the_reference(void **state)
{
	srand(33);
	assert_true(compare(10000, 6) > 10000);
	assert_true(compare(100, 700) > 2000); /* without room for all, too */
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_as_the_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
