/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as the journal's files: the store opens them or says that it cannot, and what it then writes is
 * there when it opens them again. Also as a checkpoint's line.
 *
 * The first byte says how: bit 0: hashes are made right first, so that more than the first record is looked
 * at; bit 1: two files, divided where the second byte says, in 256ths; bit 2: the last is filled up with zeroes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "base/util.h"
#include "fuzz/fuzz.h"
#include "journal/digest.h"
#include "journal/store.h"
#include "journal/testfs.h"

#define ZEROES 8192u

static struct fwa_signer *the_signer(void)
{
	static struct fwa_signer *signer;
	char dir[] = "/tmp/fwadmit-fuzz-XXXXXX";
	int fd;

	if (signer)
		return signer;
	fd = mkdtemp(dir) ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fwa_signer_open(fd, "key", &signer) < 0)
		abort();
	unlinkat(fd, "key", 0);
	unlinkat(fd, "key.pub", 0);
	close(fd);
	rmdir(dir);
	return signer;
}

/* Makes header and chain right, as far as lengths lead. */
static void make_right(uint8_t *data, size_t len)
{
	uint8_t hash[FWA_HASH_LEN];
	struct fwa_frame f;

	if (len < FWA_SEGMENT_LEN)
		return;
	fwa_sha256(fwa_span(data, 104), hash);
	memcpy(data + 104, hash, FWA_SEGMENT_LEN - 104);
	fwa_segment_hash(data, hash);
	for (size_t at = FWA_SEGMENT_LEN; at < len; at += f.len) {
		struct fwa_span rest = fwa_span(data + at, len - at);

		if (fwa_frame_parse(rest, &f) != 1)
			return;
		fwa_frame_chain(rest, &f, hash);
		memcpy(data + at + f.len - FWA_HASH_LEN, hash, FWA_HASH_LEN);
	}
}

static void put(struct fwa_testfs *t, const uint8_t *data, size_t len, uint8_t how)
{
	size_t all = len + (how & 4 ? ZEROES : 0);
	uint8_t *copy = calloc(1, all + 1);
	struct fwa_segment h;
	char name[32];

	if (!copy)
		abort();
	if (len)
		memcpy(copy, data, len);
	if (how & 1)
		make_right(copy, len);
	h.first = 1;
	fwa_segment_decode(fwa_span(copy, all), &h);
	snprintf(name, sizeof(name), "%016llx.fwj", (unsigned long long)h.first);
	if (!fwa_testfs_find(t, name))
		fwa_testfs_put(t, name, copy, all);
	free(copy);
}

/* Opens, appends, syncs. The last number that is durable; 0: it could not be opened. */
static uint64_t live(struct fwa_testfs *t)
{
	struct fwa_store_options o = { .signer = the_signer(), .version = "fuzz" };
	struct fwa_times now = { 1700000000 * FWA_NS_PER_S, 1000 * FWA_NS_PER_S };
	struct fwa_fs fs = fwa_testfs_fs(t);
	struct fwa_store *s;
	uint64_t durable;
	int r = fwa_store_open(&fs, &o, now, &s);

	if (r == -EBADMSG)
		return 0;
	if (r < 0 || fwa_store_checkpoint(s, FWA_CHECKPOINT_PERIODIC, now) < 0 ||
	    fwa_store_sync(s) < 0 || fwa_store_rotate(s, now) < 0)
		abort();
	while (fwa_store_find_names(s) == 1)
		;
	durable = fwa_store_durable(s);
	fwa_store_free(s);
	return durable;
}

static void as_line(const uint8_t *data, size_t size)
{
	char line[2048], again[FWA_CHECKPOINT_LINE];
	struct fwa_checkpoint c;
	size_t len = size < sizeof(line) ? size : sizeof(line) - 1;

	if (len)
		memcpy(line, data, len);
	line[len] = '\0';
	if (fwa_checkpoint_parse_line(line, &c.statement, c.signature) < 0)
		return;
	fwa_checkpoint_line(&c, again);
	if (strncasecmp(line, again, strcspn(line, "\n")) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fwa_testfs t;
	uint64_t first, second;
	size_t cut;

	as_line(data, size);
	if (size < 2)
		return 0;
	fwa_testfs_init(&t);
	cut = data[0] & 2 ? (size - 2) * data[1] / 256 : 0;
	if (cut)
		put(&t, data + 2, cut, data[0] & 3);
	put(&t, data + 2 + cut, size - 2 - cut, data[0]);
	first = live(&t);
	if (first) {
		second = live(&t);
		/* START and a checkpoint, in a new segment with one before: never back. */
		if (second <= first)
			abort();
	}
	fwa_testfs_clear(&t);
	return 0;
}
