/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crash-model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR 512u

static void *grow(void *p, size_t n, size_t size)
{
	p = reallocarray(p, n ? n : 1, size);
	if (!p)
		abort();
	return p;
}

uint64_t crash_mix(uint64_t a, uint64_t b)
{
	uint64_t seed = a ^ (b * 0x9e3779b97f4a7c15u + (a << 7));

	return fwa_testfs_random(&seed);
}

struct crash_file *crash_find_file(struct crash_model *m, size_t file)
{
	while (m->n_files <= file) {
		if (m->n_files == m->cap_files) {
			m->cap_files = m->cap_files * 2 + 16;
			m->files = grow(m->files, m->cap_files, sizeof(*m->files));
		}
		m->files[m->n_files++] = (struct crash_file){ 0 };
	}
	return &m->files[file];
}

static void put(struct crash_file *f, uint64_t offset, const uint8_t *from, size_t n)
{
	size_t end = (size_t)offset + n;

	if (n == 0)
		return;
	if (end > f->cap) {
		f->cap = end + end / 4;
		f->data = grow(f->data, f->cap, 1);
	}
	if (end > f->len) {
		memset(f->data + f->len, 0, end - f->len);
		f->len = end;
	}
	memcpy(f->data + offset, from, n);
}

void crash_begin(struct crash_model *m, const struct crash_trace *trace,
		 const struct fwa_testfs *base)
{
	*m = (struct crash_model){ .trace = trace };
	for (size_t i = 0; base && i < base->n_files; i++) {
		struct crash_file *f = crash_find_file(m, i);

		memcpy(f->name, base->files[i]->name, sizeof(f->name));
		f->named = base->files[i]->named;
		put(f, 0, base->files[i]->data, base->files[i]->len);
	}
}

void crash_end(struct crash_model *m)
{
	for (size_t i = 0; i < m->n_files; i++)
		free(m->files[i].data);
	free(m->files);
	free(m->pending);
	*m = (struct crash_model){ 0 };
}

/* --- choices ------------------------------------------------------------------------------------------ */

bool crash_is_open(const struct crash_pending *p)
{
	return p->fate != CRASH_SAFE;
}

size_t crash_sectors(const struct crash_model *m, size_t i)
{
	const struct fwa_testfs_op *op = &m->trace->ops[m->pending[i].op];

	if (op->kind != FWA_TESTFS_WRITE)
		return 1;
	return (size_t)((op->offset + op->len + SECTOR - 1) / SECTOR - op->offset / SECTOR);
}

static bool keeps(struct crash_choice c, size_t sector)
{
	switch (c.how) {
	case CRASH_DROP:
		return false;
	case CRASH_KEEP:
		return true;
	case CRASH_PREFIX:
		return sector < c.at;
	case CRASH_SUFFIX:
		return sector >= c.at;
	case CRASH_HOLE:
		return sector != c.at;
	case CRASH_ONLY:
		return sector == c.at;
	case CRASH_RANDOM:
		return crash_mix(c.at, sector) & 1;
	}
	return false;
}

static void write_some(struct crash_file *f, const struct fwa_testfs_op *op, struct crash_choice c)
{
	size_t n, sector = 0;

	for (size_t at = 0; at < op->len; at += n, sector++) {
		n = SECTOR - (size_t)((op->offset + at) % SECTOR);
		n = n < op->len - at ? n : op->len - at;
		if (keeps(c, sector))
			put(f, op->offset + at, op->data + at, n);
	}
}

/* What step @op does to the files of @m. */
static void apply(struct crash_model *m, size_t op, struct crash_choice c)
{
	const struct fwa_testfs_op *o = &m->trace->ops[op];
	struct crash_file *f = crash_find_file(m, o->file);

	memcpy(f->name, o->name, sizeof(f->name));
	if (o->kind == FWA_TESTFS_WRITE && c.how == CRASH_KEEP)
		put(f, o->offset, o->data, o->len);
	else if (o->kind == FWA_TESTFS_WRITE)
		write_some(f, o, c);
	else if (keeps(c, 0))
		f->named = o->kind == FWA_TESTFS_CREATE;
}

/* --- steps -------------------------------------------------------------------------------------------- */

static bool is_of(const struct crash_model *m, const struct crash_pending *p, bool names,
		  size_t file)
{
	const struct fwa_testfs_op *o = &m->trace->ops[p->op];

	return names ? o->kind != FWA_TESTFS_WRITE : o->kind == FWA_TESTFS_WRITE && o->file == file;
}

/* Writes to one file stay in their order: what is safe stays in the list when something before it is not. */
static void sync_some(struct crash_model *m, bool names, size_t file, bool failed)
{
	static const struct crash_choice keep = { CRASH_KEEP, 0 };
	bool behind = false;
	size_t n = 0;

	for (size_t i = 0; i < m->n_pending; i++) {
		struct crash_pending *p = &m->pending[i];
		bool mine = is_of(m, p, names, file);

		if (mine && p->fate == CRASH_PENDING) {
			if (!failed)
				p->fate = CRASH_SAFE;
			else if (!names)
				p->fate = CRASH_DOOMED;
		}
		behind |= mine && p->fate != CRASH_SAFE;
		if (mine && p->fate == CRASH_SAFE && !behind) {
			apply(m, p->op, keep);
			m->history = crash_mix(m->history, p->op);
		} else {
			m->pending[n++] = *p;
		}
	}
	m->n_pending = n;
}

bool crash_step(struct crash_model *m)
{
	const struct fwa_testfs_op *o = &m->trace->ops[m->at];

	if (m->at == m->trace->n)
		return false;
	if (o->kind == FWA_TESTFS_SYNC || o->kind == FWA_TESTFS_SYNC_DIR) {
		sync_some(m, o->kind == FWA_TESTFS_SYNC_DIR, o->file, o->error != 0);
	} else if (o->kind != FWA_TESTFS_WRITE || o->len) {
		if (m->n_pending == m->cap_pending) {
			m->cap_pending = m->cap_pending * 2 + 16;
			m->pending = grow(m->pending, m->cap_pending, sizeof(*m->pending));
		}
		m->pending[m->n_pending++] = (struct crash_pending){ .op = m->at };
	}
	m->at++;
	return true;
}

/* --- states --------------------------------------------------------------------------------------------- */

uint64_t crash_name(const struct crash_model *m)
{
	uint64_t name = m->history;

	for (size_t i = 0; i < m->n_pending; i++) {
		const struct crash_pending *p = &m->pending[i];
		struct crash_choice c = p->choice;

		if (p->fate == CRASH_SAFE)
			c = (struct crash_choice){ CRASH_KEEP, 0 };
		for (size_t k = 0; k < crash_sectors(m, i); k++)
			if (keeps(c, k))
				name = crash_mix(name, (uint64_t)p->op << 24 | k);
	}
	return name;
}

static bool renamed_later(const struct crash_model *m, size_t i)
{
	for (size_t k = i + 1; k < m->n_files; k++)
		if (m->files[k].named && strcmp(m->files[k].name, m->files[i].name) == 0)
			return true;
	return false;
}

void crash_make(const struct crash_model *m, struct fwa_testfs *t)
{
	struct crash_model copy = { .trace = m->trace };

	for (size_t i = 0; i < m->n_files; i++) {
		struct crash_file *f = crash_find_file(&copy, i);

		memcpy(f->name, m->files[i].name, sizeof(f->name));
		f->named = m->files[i].named;
		put(f, 0, m->files[i].data, m->files[i].len);
	}
	for (size_t i = 0; i < m->n_pending; i++) {
		const struct crash_pending *p = &m->pending[i];
		struct crash_choice keep = { CRASH_KEEP, 0 };

		apply(&copy, p->op, p->fate == CRASH_SAFE ? keep : p->choice);
	}
	for (size_t i = 0; i < copy.n_files; i++)
		if (copy.files[i].named && !renamed_later(&copy, i))
			fwa_testfs_put(t, copy.files[i].name, copy.files[i].data,
				       copy.files[i].len);
	crash_end(&copy);
}
