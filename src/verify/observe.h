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
	VFY_EACH_FEATURE, /* CXL Features that can be read, each in the selections that it has */
	VFY_EACH_FEATURE_LIST, /* the list of CXL Features, in pieces that fit the mailbox */
	VFY_EACH_LOG,          /* CXL logs, in pieces that fit the mailbox */
	VFY_EACH_LSA,          /* pieces of the label storage area */
	VFY_EACH_NAMESPACE,    /* NVMe active namespaces */
	VFY_EACH_FID, /* NVMe features that the model names (and page 12h, if there is one, lists) */
	VFY_EACH_LID, /* NVMe log pages without side effects (and page 00h, if there is one, lists) */
	VFY_EACH_LBA,       /* a sample of blocks of each NVMe namespace, their digests */
	VFY_EACH_REGISTERS, /* FWA_REGION_REGISTERS, no command */
	VFY_EACH_MEDIA,     /* a sample of FWA_REGION_MEDIA, no command */
};

enum vfy_field_kind {
	VFY_STATE,   /* differs: it was changed */
	VFY_COUNTER, /* little-endian; growing is no change, shrinking is one */
	VFY_CLOCK,   /* little-endian; advancing by the time that went by is no change */
	VFY_RECORDS, /* a list of records that ends with the value: see vfy_change.grown */
	VFY_RING,    /* newest first, as many as fit: new ones push the oldest out */
	VFY_TRACE, /* the vendor's own notes: when they once change by themselves, none of them says anything */
	VFY_VOLATILE, /* says nothing: temperature */
	VFY_DECLARES, /* what the contract is made of: never masked */
};

/*
 * One part of an observable's bytes. Parts stand in order, and only those overlap that are different
 * bits of one byte; what is in none of them is VFY_STATE of the row's own @means.
 */
struct vfy_field {
	const char *name;
	uint32_t first;
	uint32_t last; /* UINT32_MAX: to the end */
	uint8_t kind;  /* enum vfy_field_kind */
	uint8_t mask;  /* bits of its one byte; 0: all of its bytes */
	uint32_t unit; /* of VFY_CLOCK: ns a tick; of VFY_RECORDS and VFY_RING: bytes of a record */
	/*
	 * A change is covered when any of these was declared; @name_as is what a report calls it. 0: `config`,
	 * and what the Feature's own entry declares: its immediate effects for the current value, all for the
	 * saved one.
	 */
	fwa_effects means;
	fwa_effects name_as; /* one bit of @means */
	/* Of VFY_RECORDS and VFY_RING: the same for records that are only more. 0: they need nothing. */
	fwa_effects grows;
};

#define VFY_NO_FIELD 255u /* as an index: in none of them */

struct vfy_observe_row {
	const char *name;  /* "partition-info" */
	const char *title; /* "Get Partition Info" */
	uint8_t each;      /* enum vfy_each */
	uint8_t set;
	uint16_t opcode;
	uint8_t payload_len; /* of the template; the expansion fills in UUIDs, offsets and lengths */
	uint8_t payload[32];
	bool rare; /* see struct vfy_observable */
	uint32_t nsid;
	uint32_t cdw[6];
	uint32_t out_len; /* NVMe */
	/* A bit of the reply's first byte: the same command brings more. 0: none. */
	uint8_t more;
	uint8_t capacity_at; /* CXL: the device's 64-byte lines go here, 8 bytes; 0: nowhere */
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
	bool rare;   /* costs much for what it tells: not read each time */
	struct fwa_command cmd; /* its payload is @payload */
	uint8_t payload[32];
	/* Where a field's @means is 0: by the Feature's own entry; NVMe: the model's for Set Features. */
	fwa_effects feature_effects;
	uint8_t selection; /* 0 current, 1 default, 2 saved */
};

struct vfy_plan {
	const struct fwa_profile *profile;
	struct vfy_observable *observable;
	size_t n;
	size_t bytes; /* of one snapshot's values */
	/* What cannot be read without effects, or at all, for coverage: "name: why", NULL-ended. */
	const char **left_out;
	size_t n_left_out;
};

/*
 * Sends one command; what target.h does with each. 0 or as fwa_device_ops.submit.
 */
typedef int (*vfy_submit_fn)(void *userdata, const struct fwa_command *cmd,
			     struct fwa_reply *reply);

/*
 * The plan for @profile and what @dev's transport can peek at. The profile must outlive it. It asks the
 * device by @submit, with commands that it declares as reads, how large it is, and NVMe controllers which
 * pages and features they have; @submit NULL: nothing is sent, and what depends on it is left out.
 * Bounded: at most VFY_OBSERVABLES_MAX and VFY_PLAN_BYTES_MAX; what is beyond is left out and named.
 *
 * 0, -ENOMEM, or -ENODEV, -ETIMEDOUT, -EPROTO: the device is of no use. To be cleared in all cases.
 */
#define VFY_OBSERVABLES_MAX 2048u
#define VFY_PLAN_BYTES_MAX (16u * 1024 * 1024)
int vfy_plan_make(struct vfy_plan *plan, const struct fwa_profile *profile, struct fwa_device *dev,
		  vfy_submit_fn submit, void *userdata);
void vfy_plan_clear(struct vfy_plan *plan);
/* A plan of observable @i of @plan alone, which is less than @plan->n. 0 or -ENOMEM; to be cleared. */
int vfy_plan_only(struct vfy_plan *ret, const struct vfy_plan *plan, size_t i);

/* Of Get Features (NVMe) the value is the completion's dword 0 and then the data. */
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
	uint8_t *scratch; /* of vfy_observe() */
};

/* An empty snapshot for @plan. 0 or -ENOMEM. */
int vfy_snapshot_make(struct vfy_snapshot *s, const struct vfy_plan *plan);
void vfy_snapshot_clear(struct vfy_snapshot *s);

/*
 * Reads all observables, with @previous (NULL: none) only those that are not rare: what @previous has of
 * the others is taken over. @previous may not be @ret. Reading stops at the first -ENODEV, -ETIMEDOUT or
 * -EPROTO, which it returns: the device is of no use.
 */
int vfy_observe(const struct vfy_plan *plan, struct fwa_device *dev, vfy_submit_fn submit,
		void *userdata, const struct vfy_snapshot *previous, struct vfy_snapshot *ret);

/* --- masks ---------------------------------------------------------------------------------------- */

/* What says nothing: a bit a byte of a snapshot's data, and a bit an observable. Zeroed by make. */
struct vfy_mask {
	uint8_t *bytes;
	uint8_t *whole;
	size_t n_bytes, n;
};

int vfy_mask_make(struct vfy_mask *m, const struct vfy_plan *plan);
void vfy_mask_clear(struct vfy_mask *m);
/*
 * Adds what differs between @a and @b, between which nothing was sent. How many bytes are new. Pure.
 *
 * Not of the first reading of a fresh device: what is different from it and then stays was changed by
 * observing, which sends only what is declared to change nothing. Learn from the second reading on, and
 * let the judge compare the first with the second under an empty claim.
 */
size_t vfy_mask_learn(struct vfy_mask *m, const struct vfy_plan *plan, const struct vfy_snapshot *a,
		      const struct vfy_snapshot *b);
/* Whether anything of observable @i is masked; @s is any snapshot of @plan. */
bool vfy_mask_has(const struct vfy_mask *m, const struct vfy_plan *plan,
		  const struct vfy_snapshot *s, size_t i);

/*
 * Observing can hide a lie: where reading one thing changes another, that one seems to change by itself,
 * and is masked. So of each observable @i of which something was masked this tells whether it stays as it is
 * while nothing else is read, and changes when another one is. 1, with that one in *ret_by: its command,
 * which is declared as a read, changes @i. A campaign with vfy_plan_only() of @i and the command as its
 * experiment shows that. 0: no; -ENOMEM, or as vfy_observe().
 */
int vfy_disturbed(const struct vfy_plan *plan, struct fwa_device *dev, vfy_submit_fn submit,
		  void *userdata, size_t i, size_t *ret_by);
