/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A transport brings a judged command to a device and its answer back. It decides nothing: what it
 * is given was admitted, and it sends exactly those bytes (C17).
 *
 * Everything that a device sends is hostile (C25): a transport bounds each length by the buffer
 * that it was given, passes return codes on as numbers, and reports nonsense as -EPROTO.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "core/background.h"
#include "core/command.h"
#include "core/profile.h"

struct fwa_device;

struct fwa_reply {
	uint32_t code;   /* CXL: return code; NVMe: status field without phase (SCT << 8 | SC ..) */
	uint32_t result; /* NVMe: completion dword 0 */
	bool maybe_sent; /* set before the device could see the command */
	uint8_t *out;    /* the caller's buffer, zeroed by it */
	uint32_t out_cap;
	uint32_t out_len; /* bytes that the device returned, at most out_cap */
};

/* What peek and poke reach. Numbers of bytes; memory is as a program on the host would see it. */
enum fwa_region {
	/*
	 * The registers that say how the interface is: CXL: the 8 bytes of Memory Device Status (CXL 3.1
	 * 8.2.8.5), then Mailbox Status, Background Command Status; NVMe: CC, CSTS. Only to peek.
	 */
	FWA_REGION_REGISTERS,
	/*
	 * What it stores: CXL: bytes by device physical address. NVMe has none: blocks are read by
	 * commands.
	 */
	FWA_REGION_MEDIA,
	/*
	 * What stands behind the reply of the last command, as far as the device could write. CXL: the rest
	 * of the payload registers, dev->payload_max less the reply. NVMe: the FWA_BEYOND_LEN bytes behind
	 * the buffer that it was given, then as many before it. All zero, unless it wrote more than it said:
	 * the transport prepares it before each command once it was asked for, so that the first time
	 * there is nothing. Only to peek.
	 */
	FWA_REGION_BEYOND,
	FWA_REGION_COUNT,
};

#define FWA_BEYOND_LEN 4096u

enum fwa_reset {
	FWA_RESET_COLD, /* power off and on */
	FWA_RESET_CONVENTIONAL,
	FWA_RESET_CXL,
	FWA_RESET_COUNT,
};

/*
 * Who calls what: with dev->lanes == 0 one thread calls everything. Else up to dev->lanes threads may
 * be in submit at once, and the other operations are called only while none is.
 */
struct fwa_device_ops {
	/*
	 * Sends @cmd and waits at most @timeout_ms. 0: the device answered, @reply holds code and
	 * data. Negative: -ENODEV the device is gone, -ETIMEDOUT no answer in time, -EPROTO an answer
	 * that makes no sense (the device is quarantined for both), -ECANCELED or -EINPROGRESS the
	 * kernel did not wait for the answer, -EOPNOTSUPP or -EPERM or -EBUSY the kernel has no path for the command
	 * (not sent), other errno as the kernel gave it. @reply->maybe_sent tells whether the device
	 * may have executed the command.
	 */
	int (*submit)(struct fwa_device *dev, const struct fwa_command *cmd,
		      struct fwa_reply *reply, unsigned int timeout_ms);
	/*
	 * 1 while background work runs, with how far it is in *ret_percent (0 to 100, or
	 * FWA_PERCENT_UNKNOWN); 0 when none does; negative errno. No command is sent for it.
	 * NULL: cannot tell without one, or at all.
	 */
	int (*progress)(struct fwa_device *dev, uint8_t *ret_percent);
	/*
	 * For those who look for effects that no command shows; NULL where the transport cannot. Reads
	 * or writes @len bytes at @at of @region, past the command interface. 0; -ERANGE not all of it
	 * is in the region; -EACCES the device lets nobody at it now (it is locked, it sanitizes);
	 * -ENOSPC not all of it was written, a simulated device has room for so much; -EOPNOTSUPP there is
	 * no such region; else as submit. The gate's worker never calls them, and its sandbox opens
	 * nothing for their sake.
	 */
	int (*peek)(struct fwa_device *dev, enum fwa_region region, uint64_t at, void *buf,
		    size_t len);
	int (*poke)(struct fwa_device *dev, enum fwa_region region, uint64_t at,
		    struct fwa_span data);
	/*
	 * Resets the device as @kind says and makes it usable again: 0, -EOPNOTSUPP when it cannot do
	 * that kind, else as submit. What commands had put off until then is there afterwards. NULL:
	 * cannot.
	 */
	int (*reset)(struct fwa_device *dev, enum fwa_reset kind, unsigned int timeout_ms);
	void (*close)(struct fwa_device *dev);
};

/* Embedded as the first member of each transport's own struct. */
struct fwa_device {
	const struct fwa_device_ops *ops;
	enum fwa_family family; /* as shown: sim devices say sim */
	bool is_nvme;           /* which profile reader and command sets apply; else CXL mailbox */
	uint32_t payload_max;   /* CXL: mailbox payload size in bytes */
	/*
	 * How many commands may be with the device at once, each in a thread that waits for it. 0: it
	 * answers at once, so that no thread is needed.
	 */
	unsigned int lanes;
	bool is_child; /* a process that the transport started, and that the kernel kills when this one ends */
	struct fwa_identity id; /* what the transport knows without a command; may be empty */
	char about[64]; /* what plays the device, for people: "QEMU 7.2.22"; "" for hardware */
};

struct fwa_open_args {
	/* "sim:honest,seed=3", "qtest:nvme", "cxl:/dev/cxl/mem0", "nvme:/dev/nvme0" */
	const char *spec;
	int fd; /* already open device node, owned by the caller, -1 to open spec's path */
	char error[FWA_ERROR_LEN]; /* on failure: one line that says what and why */
};

/*
 * Opens a device. On success 0 and *ret_dev, to be closed with fwa_device_close(); negative errno
 * otherwise, with args->error filled. May start processes (qtest): call before sandboxing.
 */
int fwa_device_open(struct fwa_open_args *args, struct fwa_device **ret_dev);
/* Frees @dev; takes NULL; returns NULL. */
struct fwa_device *fwa_device_close(struct fwa_device *dev);

/* One opener a transport; called by fwa_device_open() with the part of spec behind the colon. */
int fwa_sim_open(struct fwa_open_args *args, const char *rest, struct fwa_device **ret_dev);
int fwa_qtest_open(struct fwa_open_args *args, const char *rest, struct fwa_device **ret_dev);
int fwa_cxl_open(struct fwa_open_args *args, const char *rest, struct fwa_device **ret_dev);
int fwa_nvme_open(struct fwa_open_args *args, const char *rest, struct fwa_device **ret_dev);

/* Personality @i of the simulated device: name and one line about it; false past the last. */
bool fwa_sim_personality(size_t i, const char **ret_name, const char **ret_about);

/*
 * Reads every declaration of @dev and writes the encoded profile (core/profile.h) to @w. The CEL is
 * read whole in one piece, twice; a second reading that differs is recorded. 0, or negative errno
 * with @error filled: a device without a usable declaration still gives 0 and a profile
 * that declares nothing, so that everything is refused.
 */
int fwa_profile_read(struct fwa_device *dev, struct fwa_writer *w, char error[FWA_ERROR_LEN]);
