/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's CXL type-3 device over qtest: what its mailbox (qtest-cxl.c) and what looks past it
 * (qtest-cxl-peek.c) have in common.
 */
#pragma once

#include "transport/qtest-pci.h"
#include "transport/qtest.h"

/* The component registers of the device: its BAR 0. */
#define FWA_QTEST_CXL_COMPONENT FWA_PCI_WINDOW
/* Bytes of its memory, as QEMU's arguments say. */
#define FWA_QTEST_CXL_CAPACITY (256ull << 20)

/* Offsets from the mailbox (CXL 3.1 8.2.8.4.3 on). */
#define FWA_QTEST_MB_STATUS 0x10
#define FWA_QTEST_MB_PAYLOAD 0x20

struct fwa_qtest_cxl {
	struct fwa_qtest_device base;
	uint64_t mailbox; /* address */
	uint64_t status;  /* of the Memory Device Status Register */
	bool in_flight;   /* the doorbell may still ring from an earlier command */
	bool media_open;  /* its memory is to be seen through the host's window */
	struct {
		uint8_t *
			sent; /* the payload registers as they were before the command; NULL: nobody asked */
		uint32_t replied; /* how much of them is the reply */
		uint32_t dirty;   /* how many of them, from the first on, may not be zero */
	} beyond;
};

/* Clears the payload registers for a command with @payload, if anybody looks behind its reply. */
void fwa_qtest_cxl_prepare(struct fwa_qtest_cxl *c, struct fwa_span payload);
/* Forgets all about them: the device was reset, or answers no more. */
void fwa_qtest_cxl_lose_reply(struct fwa_qtest_cxl *c);

/* As in struct fwa_device_ops. */
int fwa_qtest_cxl_peek(struct fwa_device *dev, enum fwa_region region, uint64_t at, void *buf,
		       size_t len);
int fwa_qtest_cxl_poke(struct fwa_device *dev, enum fwa_region region, uint64_t at,
		       struct fwa_span data);
