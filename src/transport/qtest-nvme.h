/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's NVMe controller over qtest: what its queues (qtest-nvme.c) and what starts, resets and looks past
 * them (qtest-nvme-control.c) have in common.
 */
#pragma once

#include "transport/qtest-pci.h"
#include "transport/qtest.h"

#define FWA_QTEST_NVME_REGS FWA_PCI_WINDOW
#define FWA_QTEST_NVME_ENTRIES 16u /* of a queue */
#define FWA_QTEST_NVME_PAGE 4096u

#define FWA_QTEST_NVME_SQE_LEN 64u /* bytes of a submission entry */

/* Guest memory, far from where anything else is: queues, the PRP list, the data. */
#define FWA_QTEST_NVME_QUEUE_MEMORY 0x1000000u
#define FWA_QTEST_NVME_PRP_LIST 0x1010000u
#define FWA_QTEST_NVME_DATA 0x1200000u

enum fwa_qtest_nvme_queue_id {
	FWA_QTEST_NVME_ADMIN,
	FWA_QTEST_NVME_IO,
	FWA_QTEST_NVME_QUEUES,
};

struct fwa_qtest_nvme_queue {
	uint32_t tail; /* next submission entry */
	uint32_t head; /* next completion entry */
	bool phase;    /* of a new completion */
};

struct fwa_qtest_nvme {
	struct fwa_qtest_device base;
	uint32_t stride; /* bytes between doorbells */
	struct fwa_qtest_nvme_queue queues[FWA_QTEST_NVME_QUEUES];
	int in_flight; /* queue of a command without completion, -1: none */
	uint16_t cid;  /* of the newest command */
	struct {
		bool asked;    /* memory around the data is prepared before each command */
		bool prepared; /* it was before the last one */
		uint32_t at;   /* where the pages end that it was given, from the data on */
	} beyond;
};

struct fwa_qtest_nvme_completion {
	uint32_t result;
	uint16_t queue;
	uint16_t cid;
	bool phase;
	uint16_t status;
};

uint64_t fwa_qtest_nvme_sq(int queue);
uint64_t fwa_qtest_nvme_cq(int queue);
/* Puts @sqe into @queue with a new identifier. */
void fwa_qtest_nvme_put(struct fwa_qtest_nvme *n, int queue, uint8_t sqe[FWA_QTEST_NVME_SQE_LEN]);
/* Waits for the completion of the command in flight. 0 or the exchange's error. */
int fwa_qtest_nvme_take(struct fwa_qtest_nvme *n, struct fwa_qtest_nvme_completion *ret);

/* Fills what is around the data of a command with @len bytes of it, if anybody looks there. */
void fwa_qtest_nvme_prepare(struct fwa_qtest_nvme *n, size_t len);

/* As in struct fwa_device_ops. */
int fwa_qtest_nvme_submit(struct fwa_device *dev, const struct fwa_command *cmd,
			  struct fwa_reply *reply, unsigned int timeout_ms);
