/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prints bodies of records as hex, one a line: those that the tests of journald put into rings.
 */
#include <stdio.h>
#include <string.h>

#include "core/record.h"

static void print(const char *name, const struct fwa_writer *w)
{
	printf("%s ", name);
	for (size_t i = 0; i < w->len; i++)
		printf("%02x", w->buf[i]);
	printf("\n");
}

static void print_decision(const char *name, uint8_t reason)
{
	struct fwa_record_decision r = { .judged = 5, .decision.reason = reason };
	uint8_t buf[4096];
	struct fwa_writer w = fwa_writer(buf, sizeof(buf));

	r.cmd.opcode = r.decision.opcode = 0x0100;
	strcpy(r.who.comm, "test");
	fwa_record_decision_encode(&w, &r);
	print(name, &w);
}

static void print_outcome(const char *name, uint64_t decision)
{
	struct fwa_record_outcome r = { .decision = decision };
	uint8_t buf[4096];
	struct fwa_writer w = fwa_writer(buf, sizeof(buf));

	fwa_record_outcome_encode(&w, &r);
	print(name, &w);
}

int main(void)
{
	struct fwa_record_control control = { .act = FWA_ACT_RELEASED, .text = "a test" };
	struct fwa_record_context context = { .identity = "vendor\tmodel\tserial\tfirmware" };
	uint8_t buf[4096];
	struct fwa_writer w = fwa_writer(buf, sizeof(buf));

	print_decision("admitted", FWA_REASON_ADMIT);
	print_decision("refused", FWA_REASON_NO_GRANT);
	print_outcome("outcome-1", 0x0101010101010101);
	print_outcome("outcome-2", 0x0202020202020202);
	fwa_record_control_encode(&w, &control);
	print("control", &w);
	w = fwa_writer(buf, sizeof(buf));
	fwa_record_context_encode(&w, &context);
	print("context", &w);
	return 0;
}
