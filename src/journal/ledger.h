/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is open: the sources that are attached, each with the counter of its last record, and the decisions
 * that were admitted and have no outcome yet. It follows from the records alone, record by record, and
 * checkpoints carry it on. Bounded: what would be one too many is refused.
 */
#pragma once

#include "journal/format.h"

#define FWA_LEDGER_SLOTS (4 * FWA_OPEN_DECISIONS_MAX)

struct fwa_ledger {
	uint32_t n_sources, n_decisions;
	struct fwa_open_source sources[FWA_OPEN_SOURCES_MAX]; /* in the order of their numbers */
	struct fwa_open_decision decisions[FWA_OPEN_DECISIONS_MAX]; /* in no order */
	uint16_t slots[FWA_LEDGER_SLOTS]; /* index of a decision + 1, by its source and counter */
};

void fwa_ledger_clear(struct fwa_ledger *l);
/* As the checkpoint says. 0 or -1: it says a decision twice. */
int fwa_ledger_load(struct fwa_ledger *l, const struct fwa_checkpoint *c);
/* As a checkpoint says it, in the order that it wants. */
void fwa_ledger_encode(struct fwa_ledger *l, struct fwa_writer *sources,
		       struct fwa_writer *decisions);
/*
 * Takes the next record in. 0; or, with nothing changed, -EPROTO: its source is not attached, its counter is
 * not the next one, or it closes no open decision; -EMFILE: too many are open; -EINVAL: its body is none.
 * An outcome that does not say which record it closes is told.
 */
int fwa_ledger_apply(struct fwa_ledger *l, struct fwa_frame *f);
/* Takes in a record that is in the file, as well as it goes: one of a kind that is not known has a counter. */
void fwa_ledger_follow(struct fwa_ledger *l, const struct fwa_frame *f);

const struct fwa_open_source *fwa_ledger_source(const struct fwa_ledger *l, uint64_t number);
const struct fwa_open_source *fwa_ledger_source_by_id(const struct fwa_ledger *l,
						      const uint8_t id[16]);
/* The open decision @counter of @source, NULL when there is none. */
const struct fwa_open_decision *fwa_ledger_decision(const struct fwa_ledger *l, uint64_t source,
						    uint64_t counter);
/* The first decision of @source that is open, NULL when there is none. */
const struct fwa_open_decision *fwa_ledger_first(const struct fwa_ledger *l, uint64_t source);
