/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Poison, kept as a sorted list of 64-byte lines, and what a media scan would cost (CXL 3.1
 * section 8.2.9.9.4).
 */
#include "transport/sim/sim.h"

#define LIST_HEADER_LEN 32
#define LIST_COUNT 10
#define LIST_RECORD_LEN 16
#define LIST_MORE (1u << 0)

/* Of Get Scan Media Results; the rest is as in the list of poison. */
#define SCAN_FLAGS 16
#define SCAN_COUNT 18

#define SOURCE_INTERNAL 2
#define SOURCE_INJECTED 3

#define SCAN_UNITS_PER_MS (1u << 14) /* 64-byte lines */

static uint16_t check_line(uint64_t dpa)
{
	if (dpa % CXL_DPA_ALIGN)
		return CXL_RC_INVALID_INPUT;
	return dpa < SIM_CAPACITY ? CXL_RC_SUCCESS : CXL_RC_INVALID_PA;
}

/* A range of @lines 64-byte lines from @dpa. */
static uint16_t check_range(uint64_t dpa, uint64_t lines)
{
	uint16_t code = check_line(dpa);

	if (code != CXL_RC_SUCCESS)
		return code;
	if (!lines)
		return CXL_RC_INVALID_INPUT;
	return lines <= (SIM_CAPACITY - dpa) / CXL_DPA_ALIGN ? CXL_RC_SUCCESS : CXL_RC_INVALID_PA;
}

/* The first poisoned line at or after @dpa. */
static unsigned int first_from(const struct sim *s, uint64_t dpa)
{
	unsigned int i = 0;

	while (i < s->n_poison && s->poison[i].dpa < dpa)
		i++;
	return i;
}

static bool poisoned(const struct sim *s, unsigned int i, uint64_t dpa)
{
	return i < s->n_poison && s->poison[i].dpa == dpa;
}

static void insert(struct sim *s, unsigned int i, uint64_t dpa, uint8_t source)
{
	memmove(&s->poison[i + 1], &s->poison[i], (s->n_poison - i) * sizeof(s->poison[0]));
	s->poison[i].dpa = dpa;
	s->poison[i].source = source;
	s->n_poison++;
}

bool sim_is_poisoned(const struct sim *s, uint64_t dpa)
{
	return poisoned(s, first_from(s, dpa), dpa);
}

/* One line that went bad by itself. */
void sim_poison_init(struct sim *s)
{
	insert(s, 0, sim_random(s) % (SIM_CAPACITY / CXL_DPA_ALIGN) * CXL_DPA_ALIGN,
	       SOURCE_INTERNAL);
}

/*
 * A list longer than the mailbox sets More; the same request again brings what follows, and any
 * other one begins anew.
 */
uint16_t sim_get_poison(struct sim *s, struct sim_call *c)
{
	uint64_t dpa = fwa_le64(c->in.data), lines = fwa_le64(c->in.data + 8);
	size_t room = (s->dev.payload_max - LIST_HEADER_LEN) / LIST_RECORD_LEN;
	uint16_t code = check_range(dpa, lines);
	uint64_t from = dpa;
	uint8_t *header;
	unsigned int i;
	size_t n = 0;

	if (code != CXL_RC_SUCCESS)
		return code;
	if (s->poison_from && s->poison_of == dpa && s->poison_of_len == lines)
		from = s->poison_from;
	s->poison_from = 0;
	header = fwa_write_room(&c->out, LIST_HEADER_LEN);
	for (i = first_from(s, from); i < s->n_poison; i++) {
		if (s->poison[i].dpa - dpa >= lines * CXL_DPA_ALIGN)
			break;
		if (n == room) {
			header[0] = LIST_MORE;
			s->poison_from = s->poison[i].dpa;
			s->poison_of = dpa;
			s->poison_of_len = lines;
			break;
		}
		fwa_write_le64(&c->out, s->poison[i].dpa | s->poison[i].source);
		fwa_write_le32(&c->out, 1);
		fwa_write_le32(&c->out, 0);
		n++;
	}
	fwa_put_le16(header + LIST_COUNT, (uint16_t)n);
	return CXL_RC_SUCCESS;
}

uint16_t sim_inject_poison(struct sim *s, struct sim_call *c)
{
	uint64_t dpa = fwa_le64(c->in.data);
	uint16_t code = check_line(dpa);
	unsigned int i;

	if (code != CXL_RC_SUCCESS)
		return code;
	i = first_from(s, dpa);
	if (poisoned(s, i, dpa))
		return CXL_RC_SUCCESS;
	if (s->n_injected == SIM_POISON_LIMIT)
		return CXL_RC_POISON_LIMIT;
	insert(s, i, dpa, SOURCE_INJECTED);
	s->n_injected++;
	return CXL_RC_SUCCESS;
}

/* The line gets the data that comes with it, poisoned or not. */
uint16_t sim_clear_poison(struct sim *s, struct sim_call *c)
{
	uint64_t dpa = fwa_le64(c->in.data);
	uint16_t code = check_line(dpa);
	unsigned int i;

	if (code != CXL_RC_SUCCESS)
		return code;
	if (!sim_media_write(s, dpa, c->in.data + 8))
		return CXL_RC_RESOURCES;
	i = first_from(s, dpa);
	if (!poisoned(s, i, dpa))
		return CXL_RC_SUCCESS;
	if (s->poison[i].source == SOURCE_INJECTED)
		s->n_injected--;
	s->n_poison--;
	memmove(&s->poison[i], &s->poison[i + 1], (s->n_poison - i) * sizeof(s->poison[0]));
	return CXL_RC_SUCCESS;
}

uint16_t sim_get_scan_caps(struct sim *s, struct sim_call *c)
{
	uint64_t lines = fwa_le64(c->in.data + 8);
	uint16_t code = check_range(fwa_le64(c->in.data), lines);

	if (code == CXL_RC_SUCCESS)
		fwa_write_le32(&c->out, (uint32_t)(lines / SCAN_UNITS_PER_MS) + 1);
	return code;
}

static uint16_t scanned(struct sim *s)
{
	s->scan.done = true;
	return CXL_RC_SUCCESS;
}

/* What it finds is the poison that is there when the results are fetched. */
uint16_t sim_scan_media(struct sim *s, struct sim_call *c)
{
	uint64_t dpa = fwa_le64(c->in.data), lines = fwa_le64(c->in.data + 8);
	uint16_t code = check_range(dpa, lines);

	if (code != CXL_RC_SUCCESS)
		return code;
	s->scan = (struct sim_scan){ .dpa = dpa, .lines = lines };
	return sim_background_start(s, c->opcode, s->options.bg_ms, scanned);
}

/* What was fetched is gone; a list longer than the mailbox sets More, and the next one goes on. */
uint16_t sim_get_scan_results(struct sim *s, struct sim_call *c)
{
	size_t room = (s->dev.payload_max - LIST_HEADER_LEN) / LIST_RECORD_LEN, n = 0;
	struct sim_scan *scan = &s->scan;
	uint8_t *header;

	if (!scan->done)
		return CXL_RC_UNSUPPORTED;
	scan->done = false;
	header = fwa_write_room(&c->out, LIST_HEADER_LEN);
	for (unsigned int i = first_from(s, scan->dpa); i < s->n_poison; i++) {
		uint64_t skipped = (s->poison[i].dpa - scan->dpa) / CXL_DPA_ALIGN;

		if (skipped >= scan->lines)
			break;
		if (n == room) {
			header[SCAN_FLAGS] = LIST_MORE;
			*scan = (struct sim_scan){ true, s->poison[i].dpa, scan->lines - skipped };
			break;
		}
		fwa_write_le64(&c->out, s->poison[i].dpa | s->poison[i].source);
		fwa_write_le32(&c->out, 1);
		fwa_write_le32(&c->out, 0);
		n++;
	}
	fwa_put_le16(header + SCAN_COUNT, (uint16_t)n);
	return CXL_RC_SUCCESS;
}
