/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Observables: what can be read of a device's state, and which effect a change of it is.
 *
 * The tables are text in model/ (cxl-observe.model, nvme-observe.model), compiled like the rest of
 * the model. For one device they are expanded to a *plan*: a row that is read for each Feature, log
 * or namespace becomes as many observables as its profile lists. A *snapshot* is one reading of all
 * of them.
 *
 * 1. Observing needs no effects: a row whose command the profile does not declare as a read, or whose
 *    floor is not one, is not in the plan (C9), and vfy_plan says so.
 * 2. Volatile bytes are masked by learning: what differs between snapshots with nothing sent between
 *    them says nothing. What declares (the CEL, Supported Features, identity) is never masked: that
 *    it differs is a finding of its own.
 * 3. A reading that fails is a value, too: the code that the device gave.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/command.h"
#include "core/profile.h"
#include "transport/transport.h"

/* --- the tables, generated ------------------------------------------------------------------------ */

enum vfy_each {
	VFY_EACH_ONCE,
	VFY_EACH_FEATURE,   /* CXL Features that can be read, each in the selections that it has */
	VFY_EACH_LOG,       /* CXL logs, in pieces that fit the mailbox */
	VFY_EACH_LSA,       /* pieces of the label storage area */
	VFY_EACH_NAMESPACE, /* NVMe active namespaces */
	VFY_EACH_FID, /* NVMe features that the model names (and page 12h, if there is one, lists) */
	VFY_EACH_LID, /* NVMe log pages without side effects (and page 00h, if there is one, lists) */
	VFY_EACH_LBA,       /* a sample of blocks of each NVMe namespace, their digests */
	VFY_EACH_REGISTERS, /* FWA_REGION_REGISTERS, no command */
	VFY_EACH_MEDIA,     /* a sample of FWA_REGION_MEDIA, no command */
};

enum vfy_field_kind {
	VFY_STATE,    /* differs: it was changed */
	VFY_COUNTER,  /* little-endian; growing is no change, shrinking is one */
	VFY_CLOCK,    /* little-endian; advancing by the time that went by is no change */
	VFY_RECORDS,  /* a list of records: see vfy_change.grown */
	VFY_VOLATILE, /* says nothing: temperature */
	VFY_DECLARES, /* what the contract is made of: never masked */
};

/* One part of an observable's bytes. Parts do not overlap and stand in order; what none is of is VFY_STATE of the row's own @means. */
struct vfy_field {
	const char *name;
	uint32_t first;
	uint32_t last; /* UINT32_MAX: to the end */
	uint8_t kind;  /* enum vfy_field_kind */
	uint32_t unit; /* of VFY_CLOCK: ns a tick */
	/*
	 * A change is covered when any of these was declared. The first that a report names is the lowest bit
	 * of @name_as. 0: by what the Feature's own entry declares (immediate effects for the current value,
	 * any for the saved one; `config` when it declares none).
	 */
	fwa_effects means;
	fwa_effects name_as; /* one bit of @means */
};

struct vfy_observe_row {
	const char *name;  /* "partition-info" */
	const char *title; /* "Get Partition Info" */
	uint8_t each;      /* enum vfy_each */
	uint8_t set;
	uint16_t opcode;
	uint8_t payload_len; /* of the template; the expansion fills in UUIDs, offsets and lengths */
	uint8_t payload[32];
	uint32_t cdw[6];
	uint32_t out_len; /* NVMe; 0: the model's least */
	const struct vfy_field *field;
	uint8_t n_fields;
	fwa_effects means;
	fwa_effects name_as;
};

/* Rows of one family, ended by one without a name. */
extern const struct vfy_observe_row vfy_observe_cxl[];
extern const struct vfy_observe_row vfy_observe_nvme[];

/* --- for one device ------------------------------------------------------------------------------- */

#define VFY_NAME_MAX 96

struct vfy_observable {
	const struct vfy_observe_row *row;
	char name[VFY_NAME_MAX]; /* "get-feature patrol-scrub current": unique in the plan */
	uint8_t region;          /* enum fwa_region where @row->each says so */
	uint64_t at;             /* in the region */
	uint32_t len;            /* most bytes of the value */
	bool digest; /* the value is the SHA-256 of what was read: user data is not shown */
	struct fwa_command cmd; /* its payload is @payload */
	uint8_t payload[32];
	/* The Feature's own entry, where a field's @means is 0. */
	fwa_effects feature_effects;
	uint8_t selection; /* 0 current, 1 default, 2 saved */
};

struct vfy_plan {
	const struct fwa_profile *profile;
	struct vfy_observable *observable;
	size_t n;
	size_t bytes; /* of one snapshot's values */
	/* Rows that cannot be read without effects, or at all, for coverage: names, NULL-ended. */
	const char **left_out;
	size_t n_left_out;
};

/*
 * The plan for @profile and what @dev's transport can peek at. The profile must outlive it. 0 or
 * -ENOMEM. Bounded: at most VFY_OBSERVABLES_MAX; what is beyond is left out and named.
 */
#define VFY_OBSERVABLES_MAX 2048u
int vfy_plan_make(struct vfy_plan *plan, const struct fwa_profile *profile,
		  const struct fwa_device *dev);
void vfy_plan_clear(struct vfy_plan *plan);

struct vfy_value {
	int32_t error;  /* negative errno of the transport, else 0 */
	uint32_t code;  /* return code or status */
	uint32_t len;   /* bytes */
	uint32_t at;    /* where they begin in the snapshot's data */
	uint64_t at_ns; /* when it was read, CLOCK_MONOTONIC */
	uint32_t took_ns;
};

struct vfy_snapshot {
	struct vfy_value *value; /* by observable */
	uint8_t *data;
	size_t n, data_len;
};

/* An empty snapshot for @plan. 0 or -ENOMEM. */
int vfy_snapshot_make(struct vfy_snapshot *s, const struct vfy_plan *plan);
void vfy_snapshot_clear(struct vfy_snapshot *s);

/*
 * Sends one command; what target.h does with each. 0 or as fwa_device_ops.submit. Reading stops at
 * the first -ENODEV, -ETIMEDOUT or -EPROTO, which vfy_observe() returns: the device is of no use.
 */
typedef int (*vfy_submit_fn)(void *userdata, const struct fwa_command *cmd,
			     struct fwa_reply *reply);
int vfy_observe(const struct vfy_plan *plan, struct fwa_device *dev, vfy_submit_fn submit,
		void *userdata, struct vfy_snapshot *ret);

/* --- masks ---------------------------------------------------------------------------------------- */

/* What says nothing: a bit a byte of a snapshot's data, and a bit an observable. Zeroed by make. */
struct vfy_mask {
	uint8_t *bytes;
	uint8_t *whole;
	size_t n_bytes, n;
};

int vfy_mask_make(struct vfy_mask *m, const struct vfy_plan *plan);
void vfy_mask_clear(struct vfy_mask *m);
/* Adds what differs between @a and @b, between which nothing was sent. How many bytes are new. Pure. */
size_t vfy_mask_learn(struct vfy_mask *m, const struct vfy_plan *plan, const struct vfy_snapshot *a,
		      const struct vfy_snapshot *b);
