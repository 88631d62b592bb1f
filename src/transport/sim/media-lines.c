/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is stored on the media, in lines of 64 bytes. Kept are those that were written; all others read as the
 * last erase left them: as zeroes, or as the noise that old bytes become under a new media key, which the
 * seed, the key and the address give.
 */
#include "transport/sim/sim.h"

/* The first line kept at or after @dpa. */
static unsigned int first_from(const struct sim_media *m, uint64_t dpa)
{
	unsigned int low = 0, high = m->n;

	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (m->line[mid].dpa < dpa)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void unwritten(const struct sim *s, uint64_t dpa, uint8_t ret[SIM_LINE_LEN])
{
	uint64_t from = sim_mix(s->options.seed ^ (uint64_t)s->reg[SIM_REGISTER_MEDIA_KEY] << 32);

	memset(ret, 0, SIM_LINE_LEN);
	for (unsigned int i = 0; s->media.keyed && i < SIM_LINE_LEN; i += 8)
		fwa_put_le64(ret + i, sim_mix(from ^ (dpa + i)));
}

void sim_media_read(const struct sim *s, uint64_t dpa, uint8_t ret[SIM_LINE_LEN])
{
	const struct sim_media *m = &s->media;
	unsigned int i = first_from(m, dpa);

	if (sim_is_poisoned(s, dpa))
		memset(ret, 0xff, SIM_LINE_LEN);
	else if (i < m->n && m->line[i].dpa == dpa)
		memcpy(ret, m->line[i].data, SIM_LINE_LEN);
	else
		unwritten(s, dpa, ret);
}

bool sim_media_write(struct sim *s, uint64_t dpa, const uint8_t data[SIM_LINE_LEN])
{
	struct sim_media *m = &s->media;
	unsigned int i = first_from(m, dpa);

	if (i == m->n || m->line[i].dpa != dpa) {
		if (m->n == SIM_LINES_MAX)
			return false;
		memmove(&m->line[i + 1], &m->line[i], (m->n - i) * sizeof(m->line[0]));
		m->line[i].dpa = dpa;
		m->n++;
	}
	memcpy(m->line[i].data, data, SIM_LINE_LEN);
	return true;
}

void sim_media_erase(struct sim *s, bool keyed)
{
	s->media.n = 0;
	s->media.keyed = keyed;
}

void sim_media_forget(struct sim *s, uint64_t from, uint64_t to)
{
	struct sim_media *m = &s->media;
	unsigned int first = first_from(m, from), end = first_from(m, to);

	memmove(&m->line[first], &m->line[end], (m->n - end) * sizeof(m->line[0]));
	m->n -= end - first;
}
