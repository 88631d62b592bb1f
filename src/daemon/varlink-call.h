/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The methods of the control plane, as a table: what is not in it cannot be called.
 */
#pragma once

#include "daemon/varlink.h"

#define FWA_VARLINK_FIELDS_MAX 14

/* What any method's parameters fill in, as far as its fields say. */
struct fwa_varlink_parameters {
	const char *interface, *device, *name, *reason, *declarations_digest;
	const char *scope, *commands, *ticket, *record, *document, *id;
	struct json_object *user, *group, *unit, *devices, *effects;
	int64_t seconds, commands_per_second, bytes_per_second, max_sessions;
};

struct fwa_varlink_method {
	const char *name; /* in full */
	bool change;      /* for administrators only */
	/* Replies now or later. @p: what @fields fill in, as long as @call. */
	void (*run)(struct fwa_varlink_call *call, const struct fwa_varlink_parameters *p);
	struct fwa_varlink_field fields[FWA_VARLINK_FIELDS_MAX];
};

/* All of them; ended by one without a name. */
extern const struct fwa_varlink_method fwa_varlink_methods[];

/* varlink-advisory-call.c, varlink-device-call.c and varlink-grant-call.c */
void fwa_call_import_advisory(struct fwa_varlink_call *call,
			      const struct fwa_varlink_parameters *p);
void fwa_call_list_advisories(struct fwa_varlink_call *call,
			      const struct fwa_varlink_parameters *p);
void fwa_call_remove_advisory(struct fwa_varlink_call *call,
			      const struct fwa_varlink_parameters *p);
void fwa_call_get_profile(struct fwa_varlink_call *call, const struct fwa_varlink_parameters *p);
void fwa_call_quarantine(struct fwa_varlink_call *call, const struct fwa_varlink_parameters *p);
void fwa_call_release(struct fwa_varlink_call *call, const struct fwa_varlink_parameters *p);
void fwa_call_reprofile(struct fwa_varlink_call *call, const struct fwa_varlink_parameters *p);
void fwa_call_accept_baseline(struct fwa_varlink_call *call,
			      const struct fwa_varlink_parameters *p);
void fwa_call_create_grant(struct fwa_varlink_call *call, const struct fwa_varlink_parameters *p);
void fwa_call_list_grants(struct fwa_varlink_call *call, const struct fwa_varlink_parameters *p);
void fwa_call_revoke_grant(struct fwa_varlink_call *call, const struct fwa_varlink_parameters *p);

/* spec/org.fwadmit.Control.varlink */
extern const char fwa_varlink_interface[];
