/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the control plane answers: org.fwadmit.Control.GetInfo, and errors in Varlink's own terms.
 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/served.h"
#include "daemon/varlink.h"

#define DEPTH_MAX 8

static struct json_object *parse(const char *request, size_t len)
{
	struct json_tokener *tok = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *o;

	if (!tok)
		return NULL;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tok, request, (int)len);
	if (!json_object_is_type(o, json_type_object) || json_tokener_get_parse_end(tok) != len) {
		json_object_put(o);
		o = NULL;
	}
	json_tokener_free(tok);
	return o;
}

static void add_text(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value));
}

static void add_number(struct json_object *o, const char *key, int64_t value)
{
	json_object_object_add(o, key, json_object_new_int64(value));
}

static struct json_object *describe_device(const struct fwa_served *s)
{
	struct json_object *o = json_object_new_object();

	add_text(o, "name", s->name);
	add_text(o, "spec", s->spec);
	add_text(o, "state", fwa_served_state_name(s->state));
	if (s->pid > 0)
		add_number(o, "pid", s->pid);
	add_number(o, "restarts", s->restarts);
	add_text(o, "about", s->about);
	return o;
}

static struct json_object *get_info(const struct fwa_daemon *d)
{
	struct json_object *o = json_object_new_object(), *devices = json_object_new_array();

	add_text(o, "version", FWADMIT_VERSION);
	add_number(o, "pid", getpid());
	add_text(o, "policy_digest", fwa_policy_files_digest(d->policy));
	add_text(o, "policy_source", fwa_policy_files_source(d->policy));
	add_text(o, "mode", d->options->mode);
	for (const struct fwa_served *s = d->devices; s; s = s->next)
		if (!s->stopping)
			json_object_array_add(devices, describe_device(s));
	json_object_object_add(o, "devices", devices);
	return o;
}

/* {"error": "org.varlink.service.@name", "parameters": {@key: @value}} */
static struct json_object *refuse(const char *name, const char *key, const char *value)
{
	struct json_object *o = json_object_new_object(), *parameters = json_object_new_object();
	char full[64];

	snprintf(full, sizeof(full), "org.varlink.service.%s", name);
	add_text(o, "error", full);
	add_text(parameters, key, value);
	json_object_object_add(o, "parameters", parameters);
	return o;
}

static struct json_object *answer(const struct fwa_daemon *d, const char *method,
				  struct json_object *parameters)
{
	struct json_object *o;

	if (strncmp(method, "org.fwadmit.Control.", 20) != 0)
		return refuse("InterfaceNotFound", "interface", method);
	if (strcmp(method + 20, "GetInfo") != 0)
		return refuse("MethodNotFound", "method", method);
	if (parameters) {
		json_object_object_foreach(parameters, key, value)
		{
			(void)value;
			return refuse("InvalidParameter", "parameter", key);
		}
	}
	o = json_object_new_object();
	json_object_object_add(o, "parameters", get_info(d));
	return o;
}

char *fwa_varlink_reply(const struct fwa_daemon *d, const char *request, size_t len)
{
	struct json_object *o = parse(request, len), *method, *parameters = NULL, *reply;
	char *text = NULL;

	if (o && json_object_object_get_ex(o, "method", &method) &&
	    json_object_is_type(method, json_type_string) &&
	    (!json_object_object_get_ex(o, "parameters", &parameters) ||
	     json_object_is_type(parameters, json_type_object))) {
		reply = answer(d, json_object_get_string(method), parameters);
		text = strdup(json_object_to_json_string_ext(reply, JSON_C_TO_STRING_PLAIN));
		json_object_put(reply);
	}
	json_object_put(o);
	return text;
}
