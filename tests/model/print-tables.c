/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prints generated tables as test_generator.py expects them. Rows are found through the index, as
 * core does.
 */
#include <inttypes.h>
#include <stdio.h>

#include "core/model-tables.h"

static const char *const set_names[FWA_SET_COUNT] = { "cxl", "nvme-admin", "nvme-io" };

static void print_length(uint32_t length)
{
	if (length == FWA_LENGTH_ANY)
		printf(" any");
	else
		printf(" %" PRIu32, length);
}

static void print_numbers(const struct fwa_selector_table *t)
{
	static const unsigned int values[] = { 0x00, 0x06, 0x07, 0x08, 0xff };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct fwa_variant_slice s = t->by_value[values[i]];

		for (const struct fwa_variant *v = t->all + s.first; s.count; s.count--, v++)
			printf(" %02x: %s %u mask %" PRIx32 " %" PRIx32 "\n", values[i], v->name,
			       v->cdw, v->mask, v->value);
	}
}

static void print_select(const struct fwa_selector_table *t)
{
	printf(" select %u n %u\n", t->kind, t->n_all);
	if (t->by_value) {
		print_numbers(t);
		return;
	}
	for (const struct fwa_variant *v = t->all; v < t->all + t->n_all; v++)
		printf(" %s class %u floor %" PRIx32 " conditional %" PRIx32 " uuid %02x %02x\n",
		       v->name, v->class, v->floor, v->conditional, v->uuid[0], v->uuid[15]);
}

static void print_operations(const struct fwa_operation_table *t)
{
	printf(" operations cdw %u at %u width %u shift %u mask %x", t->cdw, t->at, t->width,
	       t->shift, t->mask);
	for (const struct fwa_operation *o = t->all; o < t->all + t->n; o++)
		printf(" %x-%x %s %" PRIx32, o->first, o->last, o->name, o->floor);
}

static void print_command(const struct fwa_model_command *c)
{
	printf("%s %04x %s \"%s\" \"%s\" class %u floor %" PRIx32 " conditional %" PRIx32 " in",
	       set_names[c->set], c->opcode, c->name, c->title, c->source, c->class, c->floor,
	       c->conditional);
	print_length(c->in_min);
	print_length(c->in_max);
	printf(" out");
	print_length(c->out_min);
	print_length(c->out_max);
	printf(" rules");
	for (const struct fwa_rule *r = c->rules; r < c->rules + c->n_rules; r++)
		printf(" %u,%u,%u,%u", r->kind, r->at, r->width, r->at2);
	if (c->operations)
		print_operations(c->operations);
	if (c->select)
		print_select(c->select);
	else
		printf("\n");
}

static size_t print_set(const struct fwa_model_set *s)
{
	size_t n = 0;

	for (unsigned int opcode = 0; opcode <= UINT16_MAX; opcode++) {
		uint8_t page = s->page[opcode >> 8];
		uint16_t row = page ? s->index[page - 1][opcode & 0xff] : 0;

		if (row) {
			print_command(&s->rows[row - 1]);
			n++;
		}
	}
	return n;
}

int main(void)
{
	size_t n[FWA_SET_COUNT];

	for (unsigned int set = 0; set < FWA_SET_COUNT; set++)
		n[set] = print_set(&fwa_model_sets[set]);
	printf("index: %zu %zu %zu\n", n[0], n[1], n[2]);
	return 0;
}
