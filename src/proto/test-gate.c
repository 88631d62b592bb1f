/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What goes over the wire comes out as it was put in: flags of requests, the contract, rights.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/gate.h"

static uint8_t buf[1 << 16];

static void request_flags(void **state)
{
	for (unsigned int bit = 0; bit < 32; bit++) {
		struct fwa_request r = { .kind = FWA_GATE_SUBMIT, .receipt = bit == 1 }, back;
		struct fwa_writer w = fwa_writer(buf, sizeof(buf));

		fwa_request_encode(&w, &r);
		assert_int_equal(fwa_le32(buf + 60), bit == 1 ? 2 : 0);
		fwa_put_le32(buf + 60, 1u << bit);
		assert_int_equal(fwa_request_decode(fwa_span(buf, w.len), &back),
				 bit < 2 ? FWA_GATE_OK : FWA_GATE_E_MALFORMED);
		if (bit < 2)
			assert_int_equal(back.receipt, bit == 1);
	}
}

/* Encodes and decodes one with one right. */
static struct fwa_description there_and_back(const struct fwa_contract *c, bool record_payload)
{
	static struct fwa_description d, back;
	struct fwa_writer w = fwa_writer(buf, sizeof(buf));

	d = (struct fwa_description){ .contract = *c, .rights.n = 1 };
	d.rights.right[0].record_payload = record_payload;
	fwa_description_encode(&w, &d);
	assert_false(w.full);
	assert_int_equal(fwa_description_decode(fwa_span(buf, w.len), &back), 0);
	return back;
}

/* One that is not known is down, as it is for the decision. */
static void description_has_the_journal(void **state)
{
	for (unsigned int journal = 0; journal < 256; journal++) {
		struct fwa_contract c = { .journal = (uint8_t)journal };
		struct fwa_description d = there_and_back(&c, journal & 1);

		assert_int_equal(d.contract.journal,
				 journal < FWA_JOURNAL_COUNT ? journal : FWA_JOURNAL_DOWN);
		assert_int_equal(d.rights.right[0].record_payload, journal & 1);
		assert_false(d.contract.leased || d.contract.lockdown || d.contract.not_to_abort);
	}
}

static void description_has_the_contract(void **state)
{
	for (unsigned int set = 0; set < 1u << 6; set++) {
		struct fwa_contract c = {
			.lockdown = set & 1,
			.leased = set & 2,
			.firmware_leased = set & 4,
			.not_to_abort = set & 8,
			.journal = (uint8_t)(set >> 4) % FWA_JOURNAL_COUNT,
			.transfer = (uint8_t)(set % 3),
		};
		struct fwa_contract back = there_and_back(&c, false).contract;

		assert_memory_equal(&back, &c, sizeof(c));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_flags),
		cmocka_unit_test(description_has_the_journal),
		cmocka_unit_test(description_has_the_contract),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
