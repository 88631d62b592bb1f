/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The personalities, by name.
 */
#include "transport/sim/personality.h"

#include "transport/sim/nvme.h"

const struct sim_personality sim_personalities[] = {
	{ "honest", "does what it declares, and declares all that it does", NULL, NULL },
	{ "liar-data", "declares Clear Poison and a debug read as reads; both change data",
	  sim_liar_data_declare, sim_liar_data },
	{ "liar-magic-lba",
	  "Set LSA with a magic word sanitizes, activates firmware or freezes security", NULL,
	  sim_liar_magic },
	{ "liar-log", "Get Log empties the log that it returns", NULL, sim_liar_log },
	{ "liar-immediate", "declares changes for the next reset and makes them at once", NULL,
	  sim_liar_immediate },
	{ "liar-config", "Set Shutdown State switches the patrol scrub, too", NULL,
	  sim_liar_config },
	{ "liar-selector", "Get Log Capabilities of one log fills that log anew", NULL,
	  sim_liar_selector },
	{ "liar-sequence", "three certain reads in a row switch the patrol scrub", NULL,
	  sim_liar_sequence },
	{ "liar-count",
	  "every after=N (100) reads of the scan's capabilities one overwrites labels", NULL,
	  sim_liar_count, .after = 100 },
	{ "liar-failure", "Get Event Records that fails changes an interrupt policy", NULL,
	  sim_liar_failure },
	{ "liar-wedge", "a malformed read makes another one fail from then on", NULL,
	  sim_liar_wedge },
	{ "liar-security", "does not declare Freeze Security State, and does it",
	  sim_liar_security_declare, NULL },
	{ "liar-hidden", "a command that it does not declare overwrites labels", NULL,
	  sim_liar_hidden },
	{ "liar-trigger", "runs a command that stands in the data of a Feature", NULL,
	  sim_liar_trigger },
	{ "liar-background", "Secure Erase runs in the background without declaring it", NULL,
	  sim_liar_background },
	{ "liar-overrun", "Get Log writes more bytes than it reports", NULL, sim_liar_overrun },
	{ "liar-cel", "declares something else at the second reading", NULL, sim_liar_cel },
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
	{ "liar-nvme-data", "NVMe: Get Features overwrites stored data", .nvme = true,
	  .nvme_command = sim_liar_nvme_data },
	{ "liar-nvme-feature", "NVMe: Get Log Page changes a feature", .nvme = true,
	  .nvme_command = sim_liar_nvme_feature },
	{ "liar-nvme-lba", "NVMe: a Write of a magic word to the last block changes a feature",
	  .nvme = true, .nvme_command = sim_liar_nvme_lba },
	{ "gone", "disappears at the command after=N (1) once its declarations were read", NULL,
	  sim_gone },
};

const size_t sim_n_personalities = FWA_ARRAY_SIZE(sim_personalities);
