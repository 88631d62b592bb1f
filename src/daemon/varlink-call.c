/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of methods, and those that only ask. A call is checked whole before it is run: who may,
 * and what it says.
 */
#include "daemon/varlink-call.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/journal.h"
#include "daemon/reload.h"
#include "host/grants.h"

#define INTERFACE "org.fwadmit.Control"
#define SERVICE "org.varlink.service"
#define NAME_MAX_LEN 64
#define RATE_MAX (1ll << 40)

static const char service_interface[] =
	"# What every Varlink service answers.\n"
	"interface org.varlink.service\n"
	"\n"
	"method GetInfo() -> (\n"
	"  vendor: string,\n"
	"  product: string,\n"
	"  version: string,\n"
	"  url: string,\n"
	"  interfaces: []string\n"
	")\n"
	"\n"
	"method GetInterfaceDescription(interface: string) -> (description: string)\n"
	"\n"
	"error InterfaceNotFound (interface: string)\n"
	"\n"
	"error MethodNotFound (method: string)\n"
	"\n"
	"error MethodNotImplemented (method: string)\n"
	"\n"
	"error InvalidParameter (parameter: string)\n"
	"\n"
	"error ExpectedMore ()\n";

/* --- asking --------------------------------------------------------------------------------- */

static void service_get_info(struct fwa_varlink_call *call, const struct fwa_varlink_parameters *p)
{
	struct json_object *o = json_object_new_object(), *interfaces = json_object_new_array();

	fwa_varlink_text(o, "vendor", "fwadmit");
	fwa_varlink_text(o, "product", "fwadmitd");
	fwa_varlink_text(o, "version", FWADMIT_VERSION);
	fwa_varlink_text(o, "url", "");
	json_object_array_add(interfaces, json_object_new_string(SERVICE));
	json_object_array_add(interfaces, json_object_new_string(INTERFACE));
	json_object_object_add(o, "interfaces", interfaces);
	fwa_varlink_reply(call, o);
}

static void service_describe(struct fwa_varlink_call *call, const struct fwa_varlink_parameters *p)
{
	const char *text = strcmp(p->interface, INTERFACE) == 0 ? fwa_varlink_interface
			   : strcmp(p->interface, SERVICE) == 0 ? service_interface
								: NULL;
	struct json_object *o;

	if (!text) {
		fwa_varlink_refuse(call, SERVICE ".InterfaceNotFound", "interface", p->interface);
		return;
	}
	o = json_object_new_object();
	fwa_varlink_text(o, "description", text);
	fwa_varlink_reply(call, o);
}

static struct json_object *describe_journal(struct fwa_journald *j)
{
	static const char *const states[] = {
		[FWA_JOURNALD_STARTING] = "starting",
		[FWA_JOURNALD_OK] = "ok",
		[FWA_JOURNALD_TROUBLE] = "trouble",
	};
	struct json_object *o = json_object_new_object();
	struct fwa_journald_status status;

	if (!j) {
		fwa_varlink_text(o, "state", "none");
		return o;
	}
	fwa_journald_status(j, &status);
	fwa_varlink_text(o, "state", states[status.state]);
	fwa_varlink_text(o, "path", status.path);
	if (status.pid)
		fwa_varlink_number(o, "pid", status.pid);
	fwa_varlink_number(o, "head", (int64_t)status.head);
	fwa_varlink_number(o, "unsynced", (int64_t)status.unsynced);
	if (*status.trouble)
		fwa_varlink_text(o, "trouble", status.trouble);
	return o;
}

static void get_info(struct fwa_varlink_call *call, const struct fwa_varlink_parameters *p)
{
	const struct fwa_daemon *d = call->daemon;
	struct json_object *o = json_object_new_object();

	fwa_varlink_text(o, "version", FWADMIT_VERSION);
	fwa_varlink_number(o, "pid", getpid());
	fwa_varlink_text(o, "policy_digest", fwa_policy_files_digest(d->policy));
	fwa_varlink_text(o, "policy_source", fwa_policy_files_source(d->policy));
	fwa_varlink_number(o, "policy_grants", fwa_policy_files_count(d->policy));
	fwa_varlink_text(o, "mode", d->options->mode);
	if (d->state.path)
		fwa_varlink_text(o, "state_dir", d->state.path);
	json_object_object_add(o, "require_pinned",
			       json_object_new_boolean(d->baselines.require_pinned));
	fwa_varlink_number(o, "advisories", d->advisories.n);
	if (*d->advisories.trouble)
		fwa_varlink_text(o, "advisories_trouble", d->advisories.trouble);
	json_object_object_add(o, "journal", describe_journal(d->journald));
	json_object_object_add(o, "devices", fwa_varlink_devices(d, call->peer.admin));
	fwa_varlink_reply(call, o);
}

static void list_devices(struct fwa_varlink_call *call, const struct fwa_varlink_parameters *p)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "devices", fwa_varlink_devices(call->daemon, call->peer.admin));
	fwa_varlink_reply(call, o);
}

static void subscribe(struct fwa_varlink_call *call, const struct fwa_varlink_parameters *p)
{
	if (call->request.more)
		fwa_varlink_subscribe(call);
	else
		fwa_varlink_refuse(call, SERVICE ".ExpectedMore", NULL, NULL);
}

/* --- reloading ------------------------------------------------------------------------------ */

static void on_reloaded(void *userdata, int r, const char *message)
{
	struct fwa_varlink_call *call = userdata;
	struct json_object *o;

	if (r < 0) {
		fwa_varlink_refuse(call, "PolicyError", "message", message);
		return;
	}
	o = json_object_new_object();
	fwa_varlink_text(o, "policy_digest", fwa_policy_files_digest(call->daemon->policy));
	fwa_varlink_reply(call, o);
}

static void reload(struct fwa_varlink_call *call, const struct fwa_varlink_parameters *p)
{
	log_info("policy: reload, asked for by uid %u", call->peer.uid);
	if (fwa_reload(call->daemon, &call->peer, on_reloaded, call) < 0)
		fwa_varlink_refuse(call, "Busy", NULL, NULL);
}

/* --- the table ------------------------------------------------------------------------------ */

#define AT(member) offsetof(struct fwa_varlink_parameters, member)
#define TEXT(key, member, max)                                   \
	{                                                        \
		key, FWA_VARLINK_TEXT, false, AT(member), 1, max \
	}
#define MAYBE_TEXT(key, member, max)                            \
	{                                                       \
		key, FWA_VARLINK_TEXT, true, AT(member), 1, max \
	}
#define MAYBE_TEXTS(key, member)                                                 \
	{                                                                        \
		key, FWA_VARLINK_TEXTS, true, AT(member), 1, FWA_GRANT_ITEMS_MAX \
	}
#define MAYBE_NUMBER(key, member, max)                            \
	{                                                         \
		key, FWA_VARLINK_NUMBER, true, AT(member), 1, max \
	}
#define DEVICE TEXT("device", device, NAME_MAX_LEN)

const struct fwa_varlink_method fwa_varlink_methods[] = {
	{ SERVICE ".GetInfo", false, service_get_info, {} },
	{ SERVICE ".GetInterfaceDescription",
	  false,
	  service_describe,
	  { TEXT("interface", interface, FWA_VARLINK_METHOD_MAX) } },
	{ INTERFACE ".GetInfo", false, get_info, {} },
	{ INTERFACE ".ListDevices", false, list_devices, {} },
	{ INTERFACE ".GetProfile", false, fwa_call_get_profile, { DEVICE } },
	{ INTERFACE ".Subscribe", false, subscribe, {} },
	{ INTERFACE ".Reload", true, reload, {} },
	{ INTERFACE ".Quarantine",
	  true,
	  fwa_call_quarantine,
	  { DEVICE, TEXT("reason", reason, FWA_QUARANTINE_REASON_MAX) } },
	{ INTERFACE ".Release", true, fwa_call_release, { DEVICE } },
	{ INTERFACE ".Reprofile", true, fwa_call_reprofile, { DEVICE } },
	{ INTERFACE ".AcceptBaseline",
	  true,
	  fwa_call_accept_baseline,
	  { DEVICE, MAYBE_TEXT("declarations_digest", declarations_digest, FWA_DIGEST_TEXT - 1) } },
	{ INTERFACE ".CreateGrant",
	  true,
	  fwa_call_create_grant,
	  { MAYBE_TEXT("name", name, NAME_MAX_LEN),
	    MAYBE_TEXTS("user", user),
	    MAYBE_TEXTS("group", group),
	    MAYBE_TEXTS("unit", unit),
	    { "device", FWA_VARLINK_TEXTS, false, AT(devices), 1, FWA_GRANT_ITEMS_MAX },
	    MAYBE_TEXT("scope", scope, NAME_MAX_LEN),
	    MAYBE_TEXTS("effects", effects),
	    MAYBE_TEXT("commands", commands, 4096),
	    { "seconds", FWA_VARLINK_NUMBER, false, AT(seconds), 1, FWA_GRANT_SECONDS_MAX },
	    MAYBE_TEXT("ticket", ticket, 256),
	    MAYBE_NUMBER("commands_per_second", commands_per_second, UINT32_MAX),
	    MAYBE_NUMBER("bytes_per_second", bytes_per_second, RATE_MAX),
	    MAYBE_NUMBER("max_sessions", max_sessions, UINT32_MAX),
	    MAYBE_TEXT("record", record, NAME_MAX_LEN) } },
	{ INTERFACE ".ListGrants", false, fwa_call_list_grants, {} },
	{ INTERFACE ".RevokeGrant",
	  true,
	  fwa_call_revoke_grant,
	  { TEXT("name", name, NAME_MAX_LEN) } },
	{ INTERFACE ".ImportAdvisory",
	  true,
	  fwa_call_import_advisory,
	  { TEXT("document", document, FWA_VARLINK_DOCUMENT_MAX) } },
	{ INTERFACE ".ListAdvisories",
	  false,
	  fwa_call_list_advisories,
	  { MAYBE_TEXT("id", id, FWA_ADVISORY_ID_MAX - 1) } },
	{ INTERFACE ".RemoveAdvisory",
	  true,
	  fwa_call_remove_advisory,
	  { TEXT("id", id, FWA_ADVISORY_ID_MAX - 1) } },
	{ 0 },
};

static size_t n_fields(const struct fwa_varlink_method *m)
{
	size_t n = 0;

	while (n < FWA_VARLINK_FIELDS_MAX && m->fields[n].name)
		n++;
	return n;
}

/* There is no such method; is there such an interface? */
static void refuse_method(struct fwa_varlink_call *call)
{
	const char *method = call->request.method, *dot = strrchr(method, '.');
	size_t len = dot ? (size_t)(dot - method) : strlen(method);
	char interface[FWA_VARLINK_METHOD_MAX + 1];

	snprintf(interface, sizeof(interface), "%.*s", (int)len, method);
	if (strcmp(interface, INTERFACE) == 0 || strcmp(interface, SERVICE) == 0)
		fwa_varlink_refuse(call, SERVICE ".MethodNotFound", "method", method);
	else
		fwa_varlink_refuse(call, SERVICE ".InterfaceNotFound", "interface", interface);
}

void fwa_varlink_run(struct fwa_varlink_call *call)
{
	const struct fwa_varlink_method *m = fwa_varlink_methods;
	struct fwa_varlink_parameters parameters = { 0 };
	const char *bad = "upgrade";

	while (m->name && strcmp(m->name, call->request.method) != 0)
		m++;
	if (!m->name) {
		refuse_method(call);
	} else if (m->change && !call->peer.admin) { /*= spec/SECURITY-MODEL.md#C3 */
		fwa_varlink_refuse(call, "NotAuthorized", NULL, NULL);
	} else if (call->request.upgrade ||
		   !fwa_varlink_take(&call->request, m->fields, n_fields(m), &parameters, &bad)) {
		fwa_varlink_refuse(call, SERVICE ".InvalidParameter", "parameter", bad);
	} else {
		m->run(call, &parameters);
	}
}
