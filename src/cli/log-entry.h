/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One record, decoded: what the log verbs show.
 */
#pragma once

#include <json-c/json_object.h>

#include "cli/log.h"
#include "core/record.h"

/* Where in the journal the outcome of a decision is looked for; one a walk. */
struct cli_outcomes;
struct cli_outcomes *cli_outcomes_new(struct cli_log *log);
void cli_outcomes_free(struct cli_outcomes *o);

struct cli_outcome {
	uint64_t seq, time;
	uint8_t hash[FWA_HASH_LEN];
	struct fwa_record_outcome record;
};

/*
 * The outcome of the admitted decision @seq, which is at @place. 1; 0 when there is none yet; negative
 * errno. Decisions are asked for in their order, or else it is slower.
 */
int cli_outcomes_find(struct cli_outcomes *o, uint64_t seq, const struct cli_place *place,
		      struct cli_outcome *ret);

/* Views last as those of the cursor that the frame came from. */
struct cli_entry {
	struct fwa_frame frame;
	struct fwa_span bytes;
	struct cli_place place;
	const struct cli_source *source; /* until the next lookup */
	bool decoded;                    /* what follows is set, by frame.kind */
	union {
		struct fwa_record_decision decision;
		struct fwa_record_outcome outcome;
		struct fwa_record_context context;
		struct fwa_record_control control;
		struct fwa_record_unrecorded unrecorded;
		struct fwa_record_start start;
		struct fwa_record_retired retired;
		struct fwa_record_clock clock;
		struct fwa_record_source opened;
		struct fwa_record_source_end ended;
		struct fwa_record_object object;
		struct fwa_checkpoint checkpoint;
	};
	bool has_outcome; /* of a decision: @result is it */
	struct cli_outcome result;
};

/* Decodes @f. A kind that is not known, and a body that is none, leave it undecoded. */
void cli_entry_read(struct cli_log *log, const struct fwa_frame *f, struct cli_entry *ret);
/* The device it is about; "" for none. */
const char *cli_entry_device(const struct cli_entry *e);
/* Whether it is shown without --all. */
bool cli_entry_notable(const struct cli_entry *e);

/* The object of one line: spec fields first, `decision` and `outcome` as send has them. */
struct json_object *cli_entry_json(const struct cli *cli, const struct cli_entry *e);
/* A name for @uid, else its number; until the next call. */
const char *cli_uid_text(uint32_t uid);

#define CLI_ENTRY_TEXT (FWA_RECORD_TEXT_MAX + 128)
/* What there is to say of a record that is no decision, in one line. */
void cli_entry_text(const struct cli_entry *e, char text[CLI_ENTRY_TEXT]);
/* "completed", "device-error (Invalid Input)", "open"; "-" for what was refused. */
void cli_entry_outcome_text(const struct cli_entry *e, char *text, size_t size);

struct cli_verdict;
struct cli_subject;
/*
 * What the texts and objects for decisions take. @subject and @cmd are filled and viewed; the remedy is
 * none: it would need the declarations of then.
 */
struct cli_verdict cli_entry_verdict(const struct cli_entry *e, struct cli_subject *subject,
				     struct fwa_command *cmd);
