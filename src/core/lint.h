/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lint: a device's declarations against the specification and the security model. Pure; each
 * finding names its clause.
 */
#pragma once

#include <stdint.h>

#include "core/profile.h"

enum fwa_severity {
	FWA_NOTE,
	FWA_WARNING,
	FWA_ERROR,
};

enum fwa_finding_code {
	FWA_FINDING_UNDER_DECLARED,   /* leaves out an effect that the specification gives */
	FWA_FINDING_OVER_DECLARED,    /* declares an effect that the specification excludes */
	FWA_FINDING_RESERVED_BITS,    /* sets bits that nobody has defined */
	FWA_FINDING_DUPLICATE,        /* lists an opcode twice */
	FWA_FINDING_WRONG_BIT,        /* bits that contradict each other */
	FWA_FINDING_UNDECLARED_FLOOR, /* leaves out a command that the specification requires */
	FWA_FINDING_TRUNCATED,        /* a log that ends inside an entry */
	FWA_FINDING_EMPTY,            /* declares nothing at all */
	FWA_FINDING_UNSUPPORTED_BITS, /* NVMe: bits without CSUPP */
	FWA_FINDING_UNSTABLE,         /* two readings that differ */
	FWA_FINDING_FEATURE_EFFECTS, /* Set Feature's CEL word does not cover a Feature's effects */
	FWA_FINDING_FEATURE_SILENT,  /* a changeable Feature that declares no change */
	FWA_FINDING_COUNT,
};

struct fwa_finding {
	uint8_t code;     /* enum fwa_finding_code */
	uint8_t severity; /* enum fwa_severity */
	uint8_t set;
	bool has_opcode; /* false: about the whole log */
	uint16_t opcode;
	uint16_t clause;
	fwa_effects declared;
	fwa_effects expected;
	uint32_t bits;    /* the raw bits in question */
	uint8_t uuid[16]; /* the Feature, for the feature codes */
	bool has_id;      /* NVMe: about one log page or feature */
	uint8_t id;
};

typedef void (*fwa_finding_fn)(const struct fwa_finding *finding, void *userdata);

/* Calls @fn for each finding, in the order of the declarations. Returns how many. */
uint32_t fwa_lint(const struct fwa_profile *p, fwa_finding_fn fn, void *userdata);

/* "under-declared", ... */
const char *fwa_finding_name(unsigned int code);
/* One sentence, without names of commands. */
const char *fwa_finding_text(unsigned int code);
/* "note", "warning", "error". */
const char *fwa_severity_name(unsigned int severity);
