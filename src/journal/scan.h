/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of a segment's file, through a window of memory: what the store reads when it begins.
 */
#pragma once

#include "journal/format.h"
#include "journal/fs.h"

struct fwa_scan {
	const struct fwa_fs *fs;
	int fd;
	uint64_t size; /* of the file */
	uint8_t *window;
	uint64_t at; /* offset of the window's first byte */
	size_t len;
};

/* For open file @fd, which stays the caller's. 0 or negative errno. */
int fwa_scan_open(struct fwa_scan *s, const struct fwa_fs *fs, int fd);
void fwa_scan_close(struct fwa_scan *s);
/*
 * Views the bytes of the file from @offset on: FWA_FRAME_MAX of them, fewer at its end. Until the next call.
 * 0 or negative errno.
 */
int fwa_scan_bytes(struct fwa_scan *s, uint64_t offset, struct fwa_span *ret);
/* The record at @offset, unhashed: 1 with it, 0 when there is none (whatever is there), or -errno. */
int fwa_scan_frame(struct fwa_scan *s, uint64_t offset, struct fwa_span *ret_bytes,
		   struct fwa_frame *ret);
