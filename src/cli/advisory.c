/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/advisory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/base64.h"
#include "base/util.h"
#include "cli/json.h"
#include "cli/varlink.h"
#include "host/advisory.h"
#include "host/state.h"

static int no_state(const struct cli *cli)
{
	return cli_fail(cli, CLI_FAILED, "there is no state folder: set FWADMIT_STATE_DIR or HOME");
}

static struct json_object *with_id(const char *id)
{
	struct json_object *o = json_object_new_object();

	if (id)
		json_object_object_add(o, "id", json_object_new_string(id));
	return o;
}

/* --- importing -------------------------------------------------------------------------------- */

static int imported(const struct cli *cli, const char *id, int64_t sequence, bool by_daemon)
{
	struct json_object *o;

	if (!cli->json) {
		printf("advisory %s, edition %lld, is in force%s\n", id, (long long)sequence,
		       by_daemon ? "" : " for devices that this user opens without fwadmitd");
		return CLI_OK;
	}
	o = cli_json_begin(cli);
	json_object_object_add(o, "id", cli_json_text(id));
	json_object_object_add(o, "sequence", json_object_new_int64(sequence));
	json_object_object_add(o, "by", cli_json_text(by_daemon ? "fwadmitd" : "own-store"));
	cli_json_end(o);
	return CLI_OK;
}

static int import_own(const struct cli *cli, const char *path, struct fwa_span text)
{
	fwa_auto_free char *state = fwa_state_dir();
	struct fwa_advisory_place place = { .state = state };
	struct fwa_advisory_file f;
	struct fwa_moment now;
	int r;

	if (!state)
		return no_state(cli);
	fwa_moment_now(&now);
	r = fwa_advisory_import(&place, text, &now, &f);
	if (r == 0)
		r = imported(cli, f.id, (int64_t)f.sequence, false);
	else
		r = cli_fail(cli, CLI_FAILED, "%s: %s", path, *f.error ? f.error : strerror(-r));
	fwa_advisory_file_clear(&f);
	return r;
}

static struct json_object *document_request(struct fwa_span text)
{
	fwa_auto_free char *base64 = malloc(fwa_base64_len(text.len) + 1);
	struct json_object *o;

	if (!base64)
		return NULL;
	fwa_base64_text(text.data, text.len, base64);
	o = json_object_new_object();
	json_object_object_add(o, "document", json_object_new_string(base64));
	return o;
}

int cli_advisory_import(const struct cli *cli, const char *path, struct fwa_span text)
{
	struct json_object *reply, *request;
	struct cli_failure failure;
	char id[CLI_MEMBER_TEXT];
	int r;

	if (!text.len || text.len > FWA_ADVISORY_FILE_MAX)
		return cli_fail(cli, CLI_FAILED, "%s: %s", path,
				text.len ? "longer than an advisory may be (1 MiB)" : "empty");
	request = document_request(text);
	if (!request)
		return cli_fail(cli, CLI_FAILED, "out of memory");
	r = cli_varlink_try(cli, "ImportAdvisory", request, &reply, &failure);
	if (r == CLI_NOT_RUNNING)
		return import_own(cli, path, text);
	if (r != CLI_OK)
		return cli_fail(cli, r, "%s: %s", path, failure.text);
	r = imported(cli, cli_member(reply, "id", "?", id), cli_member_number(reply, "sequence", 0),
		     true);
	json_object_put(reply);
	return r;
}

/* --- listing ---------------------------------------------------------------------------------- */

struct listing {
	struct json_object *all;
	const char *id; /* NULL: all */
};

static void add_one(const struct fwa_advisory_file *f, void *userdata)
{
	struct listing *l = userdata;
	struct json_object *o;

	if (l->id && strcmp(l->id, f->id) != 0)
		return;
	o = json_object_new_object();
	json_object_object_add(o, "id", json_object_new_string(f->id));
	json_object_object_add(o, "status",
			       json_object_new_string(fwa_advisory_status_name(f->status)));
	json_object_object_add(o, "sequence", json_object_new_int64((int64_t)f->sequence));
	json_object_object_add(o, "issued", json_object_new_int64((int64_t)f->issued));
	if (f->expires)
		json_object_object_add(o, "expires", json_object_new_int64((int64_t)f->expires));
	json_object_object_add(o, "title", json_object_new_string(f->title));
	json_object_object_add(o, "reference", json_object_new_string(f->reference));
	json_object_object_add(o, "signer", json_object_new_string(f->signer));
	json_object_object_add(o, "key", json_object_new_string(f->key));
	json_object_object_add(o, "commands", json_object_new_int64((int64_t)f->n_commands));
	if (*f->error)
		json_object_object_add(o, "error", json_object_new_string(f->error));
	if (l->id && f->document)
		json_object_object_add(o, "document",
				       json_object_new_string(json_object_to_json_string_ext(
					       f->document, JSON_C_TO_STRING_PLAIN)));
	json_object_array_add(l->all, o);
}

static int list_own(const struct cli *cli, const char *id, struct json_object **ret)
{
	fwa_auto_free char *state = fwa_state_dir();
	struct fwa_advisory_place place = { .state = state };
	struct listing l = { .id = id };
	struct fwa_moment now;
	int r;

	if (!state)
		return no_state(cli);
	fwa_moment_now(&now);
	l.all = json_object_new_array();
	r = fwa_advisory_list(&place, &now, add_one, &l);
	if (r < 0) {
		json_object_put(l.all);
		return cli_fail(cli, CLI_FAILED, "the advisories in %s cannot be read: %s", state,
				strerror(-r));
	}
	*ret = l.all;
	return CLI_OK;
}

int cli_advisory_list(const struct cli *cli, const char *id, struct json_object **ret)
{
	struct cli_failure failure;
	struct json_object *reply;
	int r = cli_varlink_try(cli, "ListAdvisories", with_id(id), &reply, &failure);

	if (r == CLI_OK) {
		*ret = json_object_get(cli_member_array(reply, "advisories"));
		json_object_put(reply);
		if (!*ret)
			return cli_fail(cli, CLI_FAILED, "fwadmitd's answer has no list");
	} else if (r == CLI_NOT_RUNNING) {
		r = list_own(cli, id, ret);
	} else {
		r = cli_fail(cli, r, "%s", failure.text);
	}
	if (r == CLI_OK && id && !json_object_array_length(*ret)) {
		json_object_put(*ret);
		r = cli_fail(cli, CLI_NOT_FOUND,
			     "%s: there is no such advisory; `fwadmit advisory list` shows them",
			     id);
	}
	return r;
}

/* --- removing --------------------------------------------------------------------------------- */

int cli_advisory_remove(const struct cli *cli, const char *id)
{
	fwa_auto_free char *state = NULL;
	struct fwa_advisory_place place;
	struct cli_failure failure;
	struct json_object *reply;
	int r = cli_varlink_try(cli, "RemoveAdvisory", with_id(id), &reply, &failure);

	if (r == CLI_OK) {
		json_object_put(reply);
		return r;
	}
	if (r != CLI_NOT_RUNNING)
		return cli_fail(cli, r, "%s", failure.text);
	state = fwa_state_dir();
	if (!state)
		return no_state(cli);
	place = (struct fwa_advisory_place){ .state = state };
	r = fwa_advisory_remove(&place, id);
	if (r == -ENOENT)
		return cli_fail(cli, CLI_NOT_FOUND,
				"%s: there is no such advisory; `fwadmit advisory list` shows them",
				id);
	return r < 0 ? cli_fail(cli, CLI_FAILED, "%s: %s", id, strerror(-r)) : CLI_OK;
}
