/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What reader, cursor and verification share.
 */
#pragma once

#include <stdio.h>

#include "journal/map.h"
#include "journal/reader.h"

#define FWA_SEGMENT_NAME (16 + sizeof(".fwj")) /* with its NUL */

struct fwa_journal {
	int dirfd;
	uint64_t *firsts; /* the numbers of the segments, ascending: what was found last */
	size_t n_firsts, room;
	struct fwa_segment_file *segments; /* what fwa_journal_segments() has returned */
};

/*
 * Whether the newest segment, whose number is @first, is none yet: it has no header, and nothing behind where
 * that would be. A crash leaves such a file, too.
 */
bool fwa_segment_unmade(struct fwa_span file, uint64_t first);
static inline void fwa_segment_file_name(uint64_t first, char name[FWA_SEGMENT_NAME])
{
	snprintf(name, FWA_SEGMENT_NAME, "%016llx.fwj", (unsigned long long)first);
}

/* Looks for segments: their numbers are in @j then. 0 or negative errno. */
int fwa_journal_look(struct fwa_journal *j);
/* The number of the segment after the one with number @first; 0 when there is none. */
uint64_t fwa_journal_after(const struct fwa_journal *j, uint64_t first);
/* The segment in which record @seq would be, else the first one; 0 when there is none. */
uint64_t fwa_journal_holding(const struct fwa_journal *j, uint64_t seq);
/* Whether a writer has the journal now: what is incomplete at its end may be just being written. */
bool fwa_journal_is_written(const struct fwa_journal *j);
/* The hash before the record that @c has returned last. */
void fwa_cursor_before(const struct fwa_cursor *c, uint8_t hash[FWA_HASH_LEN]);
