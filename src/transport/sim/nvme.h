/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simulated NVMe controller: what is needed to see its commands' effects from outside (NVM Express Base
 * 2.0, NVM Command Set 1.0). One namespace of 256 KiB, no pages 00h and 12h.
 *
 * 1. All state is in one struct sim_nvme; a command allocates nothing, and they run one at a time.
 * 2. It does what its effects log declares and what the specification says of its admin commands, and
 *    nothing else.
 */
#pragma once

#include "transport/sim/sim.h"
#include "wire/nvme.h"

#define SIM_NVME_SLOTS 3
#define SIM_NVME_IMAGE_MAX 65536u
#define SIM_NVME_DISK_LEN (256u * 1024)
#define SIM_NVME_NSID 1u
#define SIM_NVME_FEATURES 5

/* SCT << 8 | SC */
#define NVME_INVALID_OPCODE 0x001
#define NVME_INVALID_FIELD 0x002
#define NVME_INVALID_NAMESPACE 0x00b
#define NVME_SANITIZE_IN_PROGRESS 0x01d
#define NVME_LBA_RANGE 0x080
#define NVME_INVALID_SLOT 0x106
#define NVME_INVALID_IMAGE 0x107
#define NVME_INVALID_FORMAT 0x10a
#define NVME_FEATURE_NOT_SAVEABLE 0x10d
#define NVME_OVERLAPPING_RANGE 0x114
#define NVME_SELF_TEST_IN_PROGRESS 0x11d

struct sim_nvme {
	struct fwa_device dev;
	const struct sim_personality *personality;
	struct sim_options options;
	pthread_mutex_t lock; /* of all below */
	struct sim_tally tally;
	struct {
		uint16_t opcode;  /* 0: none runs */
		uint8_t code;     /* STC or SANACT */
		uint32_t pattern; /* of an overwriting sanitize */
		uint64_t start_ns;
		uint64_t until_ns;
	} work;
	uint8_t sanitize_status;
	uint8_t active; /* slots count from 1 */
	uint8_t next;   /* active after a reset; 0: none */
	char slot[SIM_NVME_SLOTS][NVME_ID_CTRL_FR_LEN];
	char running[NVME_ID_CTRL_FR_LEN]; /* revision of what was activated */
	uint32_t image_len;
	uint8_t image[SIM_NVME_IMAGE_MAX];
	uint32_t feature[SIM_SELECTIONS][SIM_NVME_FEATURES];
	uint8_t format; /* index of the LBA format */
	uint8_t disk[SIM_NVME_DISK_LEN];
	uint32_t result;                   /* dword 0 of the answer */
	uint8_t answer[SIM_NVME_DISK_LEN]; /* its data */
};

/* Each carries out one command and gives the status; the answer's data and result are zeroed before. */
typedef uint16_t sim_nvme_handler(struct sim_nvme *n, const struct fwa_command *cmd);

/* What the honest controller does. */
sim_nvme_handler sim_nvme_command;

/* liar-nvme.c: controllers that lie; see personality.h. */
sim_nvme_handler sim_liar_nvme_data, sim_liar_nvme_feature, sim_liar_nvme_lba;

/* nvme-work.c */
sim_nvme_handler sim_nvme_self_test, sim_nvme_sanitize, sim_nvme_download, sim_nvme_commit;
/* Finishes what is due. Called before anything looks at the state. */
void sim_nvme_settle(struct sim_nvme *n);
void sim_nvme_work_init(struct sim_nvme *n);
/* A self-test ends, a sanitize goes on; firmware that waited for this is active. */
void sim_nvme_work_reset(struct sim_nvme *n);

/* nvme-namespace.c */
sim_nvme_handler sim_nvme_flush, sim_nvme_write, sim_nvme_read, sim_nvme_write_zeroes;
sim_nvme_handler sim_nvme_format, sim_nvme_identify_namespace;
/* How many blocks there are, as it is formatted. */
uint64_t sim_nvme_blocks(const struct sim_nvme *n);
/* Everything that is stored becomes @pattern, by dwords. */
void sim_nvme_overwrite(struct sim_nvme *n, uint32_t pattern);
/* Everything that is stored becomes the noise that it is under another key. */
void sim_nvme_scramble(struct sim_nvme *n);

/* nvme-feature.c */
sim_nvme_handler sim_nvme_set_features, sim_nvme_get_features;
/* The current value of feature @fid, which it has. */
uint32_t *sim_nvme_feature(struct sim_nvme *n, uint8_t fid);
void sim_nvme_features_init(struct sim_nvme *n);
void sim_nvme_features_reset(struct sim_nvme *n);
