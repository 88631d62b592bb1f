/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "journal/testfs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR 512u

static struct fwa_testfs *of(const struct fwa_fs *fs)
{
	return fs->context;
}

static void *grow(void *p, size_t n, size_t size)
{
	p = reallocarray(p, n ? n : 1, size);
	if (!p)
		abort();
	return p;
}

uint64_t fwa_testfs_random(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* --- files ---------------------------------------------------------------------------------------- */

static void put_bytes(uint8_t **data, size_t *len, size_t *cap, uint64_t offset, const void *from,
		      size_t n)
{
	size_t end = (size_t)offset + n;

	if (end > *cap) {
		*cap = end * 2;
		*data = grow(*data, *cap, 1);
	}
	if (end > *len) {
		memset(*data + *len, 0, end - *len);
		*len = end;
	}
	if (n)
		memcpy(*data + offset, from, n);
}

static void to_disk(struct fwa_testfs_file *f, uint64_t offset, const void *data, size_t n)
{
	put_bytes(&f->disk, &f->disk_len, &f->disk_cap, offset, data, n);
}

static void see(struct fwa_testfs_file *f, uint64_t offset, const void *data, size_t n)
{
	struct fwa_testfs_write *w;

	put_bytes(&f->data, &f->len, &f->cap, offset, data, n);
	if (f->n_unsynced == f->cap_unsynced) {
		f->cap_unsynced = f->cap_unsynced * 2 + 8;
		f->unsynced = grow(f->unsynced, f->cap_unsynced, sizeof(*f->unsynced));
	}
	w = &f->unsynced[f->n_unsynced++];
	*w = (struct fwa_testfs_write){ offset, n, grow(NULL, n, 1) };
	if (n)
		memcpy(w->data, data, n);
}

static void forget_unsynced(struct fwa_testfs_file *f)
{
	for (size_t i = 0; i < f->n_unsynced; i++)
		free(f->unsynced[i].data);
	f->n_unsynced = 0;
}

static void sync_all(struct fwa_testfs_file *f)
{
	for (size_t i = 0; i < f->n_unsynced; i++)
		to_disk(f, f->unsynced[i].offset, f->unsynced[i].data, f->unsynced[i].len);
	forget_unsynced(f);
}

/* Any sectors of any of the writes. The rest never comes. Sometimes all of it, or nothing. */
static void sync_some(struct fwa_testfs *t, struct fwa_testfs_file *f)
{
	uint64_t how = fwa_testfs_random(&t->seed) % 4;

	for (size_t i = 0; i < f->n_unsynced; i++) {
		const struct fwa_testfs_write *w = &f->unsynced[i];
		size_t n;

		for (size_t at = 0; at < w->len; at += n) {
			n = SECTOR - (size_t)((w->offset + at) % SECTOR);
			n = n < w->len - at ? n : w->len - at;
			if (how == 0 || (how > 1 && fwa_testfs_random(&t->seed) % 2))
				to_disk(f, w->offset + at, w->data + at, n);
		}
	}
	forget_unsynced(f);
}

struct fwa_testfs_file *fwa_testfs_find(struct fwa_testfs *t, const char *name)
{
	for (size_t i = t->n_files; i > 0; i--)
		if (t->files[i - 1]->named && strcmp(t->files[i - 1]->name, name) == 0)
			return t->files[i - 1];
	return NULL;
}

static struct fwa_testfs_file *make(struct fwa_testfs *t, const char *name)
{
	struct fwa_testfs_file *f = grow(NULL, 1, sizeof(*f));

	memset(f, 0, sizeof(*f));
	snprintf(f->name, sizeof(f->name), "%s", name);
	f->named = true;
	t->files = grow(t->files, t->n_files + 1, sizeof(*t->files));
	t->files[t->n_files++] = f;
	return f;
}

struct fwa_testfs_file *fwa_testfs_put(struct fwa_testfs *t, const char *name, const void *data,
				       size_t len)
{
	struct fwa_testfs_file *f = make(t, name);

	f->disk_named = true;
	see(f, 0, data, len);
	sync_all(f);
	return f;
}

/* --- what is done, and what fails --------------------------------------------------------------------- */

static struct fwa_testfs_op *note(struct fwa_testfs *t, enum fwa_testfs_kind kind, size_t file)
{
	static struct fwa_testfs_op nowhere;
	struct fwa_testfs_op *op = &nowhere;

	if (t->record) {
		if (t->n_ops == t->cap_ops) {
			t->cap_ops = t->cap_ops * 2 + 64;
			t->ops = grow(t->ops, t->cap_ops, sizeof(*t->ops));
		}
		op = &t->ops[t->n_ops++];
	}
	*op = (struct fwa_testfs_op){ .kind = kind, .file = file };
	if (file < t->n_files)
		memcpy(op->name, t->files[file]->name, sizeof(op->name));
	return op;
}

/* Counts a call: how it fails, 0 when it does not. *ret_part: it is done in part. */
static int call(struct fwa_testfs *t, enum fwa_testfs_kind kind, bool *ret_part)
{
	size_t n = ++t->calls;
	bool mine = t->fail_kind < 0 || t->fail_kind == (int)kind;

	*ret_part = false;
	if (t->die_at && n >= t->die_at) {
		*ret_part = n == t->die_at;
		return -EIO;
	}
	if (mine && n >= t->fail_from && n < t->fail_to) {
		*ret_part = true;
		return -t->fail_error;
	}
	return 0;
}

static size_t used(const struct fwa_testfs *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_files; i++)
		n += t->files[i]->named ? t->files[i]->len : 0;
	return n;
}

static int fs_open(const struct fwa_fs *fs, const char *name, bool create)
{
	struct fwa_testfs *t = of(fs);
	struct fwa_testfs_file *f = fwa_testfs_find(t, name);
	bool part;
	int r;

	for (size_t i = 0; f && i < t->n_files; i++)
		if (t->files[i] == f)
			return (int)i;
	if (!create)
		return -ENOENT;
	r = call(t, FWA_TESTFS_CREATE, &part);
	if (r < 0 && !part)
		return r;
	if (r == 0 || fwa_testfs_random(&t->seed) % 2) {
		make(t, name);
		note(t, FWA_TESTFS_CREATE, t->n_files - 1)->error = r;
	}
	return r < 0 ? r : (int)t->n_files - 1;
}

static void fs_close(const struct fwa_fs *fs, int fd)
{
}

static ssize_t fs_size(const struct fwa_fs *fs, int fd)
{
	return (ssize_t)of(fs)->files[fd]->len;
}

static int fs_write(const struct fwa_fs *fs, int fd, const void *data, size_t len, uint64_t offset)
{
	struct fwa_testfs *t = of(fs);
	struct fwa_testfs_file *f = t->files[fd];
	size_t more = offset + len > f->len ? (size_t)offset + len - f->len : 0;
	struct fwa_testfs_op *op;
	bool part;
	int r = call(t, FWA_TESTFS_WRITE, &part);

	if (r == 0 && t->space && more && used(t) + more > t->space) {
		size_t left = used(t) < t->space ? t->space - used(t) : 0;

		r = -ENOSPC;
		part = true;
		len -= more - left;
	}
	if (r < 0 && !part)
		return r;
	if (r < 0)
		len = (size_t)(fwa_testfs_random(&t->seed) % (len + 1));
	see(f, offset, data, len);
	op = note(t, FWA_TESTFS_WRITE, (size_t)fd);
	op->error = r;
	op->offset = offset;
	op->len = len;
	if (t->record) {
		op->data = grow(NULL, len, 1);
		memcpy(op->data, data, len);
	}
	return r;
}

static ssize_t fs_read(const struct fwa_fs *fs, int fd, void *data, size_t len, uint64_t offset)
{
	const struct fwa_testfs_file *f = of(fs)->files[fd];
	size_t n = offset < f->len ? f->len - (size_t)offset : 0;

	n = n < len ? n : len;
	if (n)
		memcpy(data, f->data + offset, n);
	return (ssize_t)n;
}

static int fs_sync(const struct fwa_fs *fs, int fd)
{
	struct fwa_testfs *t = of(fs);
	bool part;
	int r = call(t, FWA_TESTFS_SYNC, &part);

	if (t->no_sync)
		return r;
	if (r == 0)
		sync_all(t->files[fd]);
	else if (t->die_at == 0 || t->calls < t->die_at)
		sync_some(t, t->files[fd]);
	note(t, FWA_TESTFS_SYNC, (size_t)fd)->error = r;
	return r;
}

static int fs_sync_dir(const struct fwa_fs *fs)
{
	struct fwa_testfs *t = of(fs);
	bool part;
	int r = call(t, FWA_TESTFS_SYNC_DIR, &part);

	for (size_t i = 0; r == 0 && i < t->n_files; i++)
		t->files[i]->disk_named = t->files[i]->named;
	note(t, FWA_TESTFS_SYNC_DIR, t->n_files)->error = r;
	return r;
}

static int fs_remove(const struct fwa_fs *fs, const char *name)
{
	struct fwa_testfs *t = of(fs);
	struct fwa_testfs_file *f = fwa_testfs_find(t, name);
	size_t i = 0;
	bool part;
	int r = call(t, FWA_TESTFS_REMOVE, &part);

	if (r < 0 || !f)
		return r < 0 ? r : -ENOENT;
	while (t->files[i] != f)
		i++;
	note(t, FWA_TESTFS_REMOVE, i);
	f->named = false;
	return 0;
}

static int fs_list(const struct fwa_fs *fs, void (*each)(void *arg, const char *name), void *arg)
{
	const struct fwa_testfs *t = of(fs);

	for (size_t i = 0; i < t->n_files; i++)
		if (t->files[i]->named)
			each(arg, t->files[i]->name);
	return 0;
}

struct fwa_fs fwa_testfs_fs(struct fwa_testfs *t)
{
	return (struct fwa_fs){ .context = t,
				.open = fs_open,
				.close = fs_close,
				.size = fs_size,
				.write = fs_write,
				.read = fs_read,
				.sync = fs_sync,
				.sync_dir = fs_sync_dir,
				.remove = fs_remove,
				.list = fs_list };
}

/* --- the end of the world ------------------------------------------------------------------------------ */

static void lose_power(struct fwa_testfs *t, struct fwa_testfs_file *f)
{
	if (f->named != f->disk_named && fwa_testfs_random(&t->seed) % 2)
		f->disk_named = f->named;
	f->named = f->disk_named;
	sync_some(t, f);
	f->len = 0;
	put_bytes(&f->data, &f->len, &f->cap, 0, f->disk, f->disk_len);
}

void fwa_testfs_restart(struct fwa_testfs *t, bool power)
{
	for (size_t i = 0; power && i < t->n_files; i++)
		lose_power(t, t->files[i]);
	/* Of two files of one name the newer one has it. */
	for (size_t i = 0; i < t->n_files; i++)
		for (size_t k = 0; k < i; k++)
			if (t->files[i]->named && strcmp(t->files[i]->name, t->files[k]->name) == 0)
				t->files[k]->named = t->files[k]->disk_named = false;
	t->die_at = t->fail_from = t->fail_to = 0;
}

void fwa_testfs_init(struct fwa_testfs *t)
{
	memset(t, 0, sizeof(*t));
	t->fail_kind = -1;
	t->fail_error = EIO;
	t->seed = 1;
}

void fwa_testfs_clear(struct fwa_testfs *t)
{
	for (size_t i = 0; i < t->n_files; i++) {
		forget_unsynced(t->files[i]);
		free(t->files[i]->unsynced);
		free(t->files[i]->data);
		free(t->files[i]->disk);
		free(t->files[i]);
	}
	for (size_t i = 0; i < t->n_ops; i++)
		free(t->ops[i].data);
	free(t->files);
	free(t->ops);
	fwa_testfs_init(t);
	t->files = NULL;
}
