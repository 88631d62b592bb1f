/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prints generated tables of observables as test_observe.py expects them.
 */
#include <inttypes.h>
#include <stdio.h>

#include "verify/observe.h"

static void print_field(const struct vfy_field *f)
{
	printf(" %s %" PRIu32 "-", f->name, f->first);
	if (f->last == UINT32_MAX)
		printf("end");
	else
		printf("%" PRIu32, f->last);
	printf(" kind %u mask %02x unit %" PRIu32 " means %" PRIx32 " as %" PRIx32 " grows %" PRIx32
	       "\n",
	       f->kind, f->mask, f->unit, f->means, f->name_as, f->grows);
}

static void print_row(const struct vfy_observe_row *r)
{
	uint32_t any = 0;

	printf("%s \"%s\" each %u set %u opcode %04x payload", r->name, r->title, r->each, r->set,
	       r->opcode);
	for (unsigned int i = 0; i < r->payload_len; i++)
		printf("%s%02x", i ? "" : " ", r->payload[i]);
	for (int i = 0; i < 6; i++)
		any |= r->cdw[i];
	if (any) {
		printf(" cdw");
		for (int i = 0; i < 6; i++)
			printf(" %08" PRIx32, r->cdw[i]);
	}
	if (r->nsid)
		printf(" nsid %" PRIx32, r->nsid);
	if (r->rare)
		printf(" rare");
	if (r->out_len)
		printf(" out %" PRIu32, r->out_len);
	if (r->more)
		printf(" more %x", r->more);
	if (r->capacity_at)
		printf(" capacity %u", r->capacity_at);
	printf(" means %" PRIx32 " as %" PRIx32 "\n", r->means, r->name_as);
	for (unsigned int i = 0; i < r->n_fields; i++)
		print_field(&r->field[i]);
}

static void print_table(const struct vfy_observe_row *r)
{
	for (; r->name; r++)
		print_row(r);
	printf("--\n");
}

int main(void)
{
	print_table(vfy_observe_cxl);
	print_table(vfy_observe_nvme);
	return 0;
}
