/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "journal/scan.h"

#include <errno.h>
#include <stdlib.h>

#define WINDOW (512u * 1024)

int fwa_scan_open(struct fwa_scan *s, const struct fwa_fs *fs, int fd)
{
	ssize_t size = fs->size(fs, fd);

	if (size < 0)
		return (int)size;
	*s = (struct fwa_scan){ .fs = fs, .fd = fd, .size = (uint64_t)size };
	s->window = malloc(WINDOW);
	return s->window ? 0 : -ENOMEM;
}

void fwa_scan_close(struct fwa_scan *s)
{
	free(s->window);
	s->window = NULL;
}

static int move_window(struct fwa_scan *s, uint64_t offset)
{
	ssize_t n = s->fs->read(s->fs, s->fd, s->window, WINDOW, offset);

	s->len = 0;
	if (n < 0)
		return (int)n;
	s->at = offset;
	s->len = (size_t)n;
	return 0;
}

int fwa_scan_bytes(struct fwa_scan *s, uint64_t offset, struct fwa_span *ret)
{
	uint64_t left = offset < s->size ? s->size - offset : 0;
	size_t want = left < FWA_FRAME_MAX ? (size_t)left : FWA_FRAME_MAX;
	int r;

	if (offset < s->at || offset - s->at > s->len || s->len - (offset - s->at) < want) {
		r = move_window(s, offset);
		if (r < 0)
			return r;
	}
	left = s->len - (offset - s->at);
	*ret = fwa_span(s->window + (offset - s->at), left < want ? (size_t)left : want);
	return 0;
}

int fwa_scan_frame(struct fwa_scan *s, uint64_t offset, struct fwa_span *ret_bytes,
		   struct fwa_frame *ret)
{
	int r = fwa_scan_bytes(s, offset, ret_bytes);

	if (r < 0)
		return r;
	return fwa_frame_parse(*ret_bytes, ret) == 1;
}
