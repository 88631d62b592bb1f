/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The qtest transport: QEMU's own device models, driven without a guest (see qtest-qemu.h for the
 * process, qtest-wire.h for the protocol, qtest-pci.h for the bus). One file a device type.
 */
#pragma once

#include "transport/qtest-qemu.h"
#include "transport/qtest-wire.h"
#include "transport/transport.h"

/* The first member of each type's own struct. */
struct fwa_qtest_device {
	struct fwa_device dev;
	struct fwa_qemu qemu;
	struct fwa_qtest wire;
};

struct fwa_qtest_type {
	const char *name;
	size_t size;      /* of its struct */
	size_t disk_size; /* 0: none */
	/* Further arguments of QEMU @version, ended by NULL. */
	const char *const *(*args)(const struct fwa_qemu_version *version);
	/*
	 * Makes the device usable, from a zeroed struct with only the base filled, in the exchange
	 * that has begun. Fills dev.ops and what else it knows. 0, or the exchange's error.
	 */
	int (*start)(struct fwa_qtest_device *base, const struct fwa_qemu_version *version);
};

extern const struct fwa_qtest_type fwa_qtest_cxl;
extern const struct fwa_qtest_type fwa_qtest_nvme;

/* fwa_device_ops.close of all types. */
void fwa_qtest_close(struct fwa_device *dev);
