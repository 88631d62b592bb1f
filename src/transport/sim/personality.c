/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The personalities, by name.
 */
#include "transport/sim/personality.h"

const struct sim_personality sim_personalities[] = {
	{ "honest", "does what it declares, and declares all that it does", NULL, NULL },
	{ "liar-data", "declares Clear Poison and a debug read as reads; both change data",
	  sim_liar_data_declare, sim_liar_data },
	{ "liar-magic-lba", "Set LSA with a magic word sanitizes or activates firmware", NULL,
	  sim_liar_magic },
	{ "liar-log", "Get Log empties the log that it returns", NULL, sim_liar_log },
	{ "liar-immediate", "declares changes for the next reset and makes them at once", NULL,
	  sim_liar_immediate },
	{ "liar-spec", "declares what the specification contradicts, in many ways",
	  sim_liar_spec_declare, NULL },
	{ "flapping", "declares something else at every reading", NULL, sim_flapping },
	{ "reserved", "declares with bits of a revision yet to come", sim_reserved_declare, NULL },
	{ "huge", "declares thousands of vendor commands", sim_huge_declare, sim_huge },
	{ "empty", "declares nothing", sim_empty_declare, NULL },
	{ "hang", "never answers Get Health Info, nor anything after it", NULL, sim_hang, true },
	{ "garbage", "answers with nonsense: codes, lengths, sizes and bytes", NULL, sim_garbage },
	{ "rotting", "answers with nonsense once its declarations were read", NULL, sim_rotting },
	{ "nvme", "an NVMe controller, honest, with firmware, self-test and sanitize",
	  .nvme = true },
	{ "gone", "disappears at the command after=N (1) once its declarations were read", NULL,
	  sim_gone },
};

const size_t sim_n_personalities = FWA_ARRAY_SIZE(sim_personalities);
