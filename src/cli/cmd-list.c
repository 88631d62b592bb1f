/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fwadmit list: the devices of a running fwadmitd; without one those that this user can open, or
 * the simulated ones.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/findings.h"
#include "cli/table.h"
#include "cli/varlink.h"
#include "host/discover.h"
#include "host/launch.h"

#define CANDIDATES_MAX 4096

struct candidate {
	char *name;   /* owned; what is shown */
	char *device; /* owned; what is opened */
	char *about;  /* owned; may be NULL */
};

struct listing {
	struct cli *cli;
	struct candidate *candidates;
	size_t n;
	struct json_object *served; /* owned: what fwadmitd says of its devices; NULL: nothing */
	struct json_object *json;   /* array */
	struct libscols_table *table;
};

static int add_candidate(struct listing *l, const char *name, const char *device, const char *about)
{
	struct candidate *more;

	if (l->n == CANDIDATES_MAX)
		return -E2BIG;
	more = reallocarray(l->candidates, l->n + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	l->candidates = more;
	more[l->n] =
		(struct candidate){ strdup(name), strdup(device), about ? strdup(about) : NULL };
	l->n++;
	return more[l->n - 1].name && more[l->n - 1].device ? 0 : -ENOMEM;
}

/* --- where devices come from ---------------------------------------------------------------- */

static int is_device_socket(const struct dirent *e)
{
	const char *suffix = strrchr(e->d_name, '.');

	return suffix && strcmp(suffix, ".sock") == 0 && strcmp(e->d_name, "control.sock") != 0;
}

static int find_served(struct listing *l)
{
	struct dirent **entries;
	int n = scandir(cli_socket_dir(l->cli), &entries, is_device_socket, versionsort);
	int r = 0;

	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		*strrchr(entries[i]->d_name, '.') = '\0';
		if (r == 0)
			r = add_candidate(l, entries[i]->d_name, entries[i]->d_name, NULL);
		free(entries[i]);
	}
	free(entries);
	return r;
}

/* How much fwadmitd finds about @name that one device alone does not show. */
static size_t served_findings(const struct listing *l, const char *name)
{
	struct json_object *devices = l->served ? cli_member_array(l->served, "devices") : NULL;
	size_t n = devices ? json_object_array_length(devices) : 0;
	char text[CLI_MEMBER_TEXT];

	for (size_t i = 0; i < n; i++) {
		struct json_object *d = json_object_array_get_idx(devices, i), *findings;

		if (strcmp(cli_member(d, "name", "", text), name) != 0)
			continue;
		findings = cli_member_array(d, "findings");
		return findings ? json_object_array_length(findings) : 0;
	}
	return 0;
}

/* Who serves the devices but does not answer is no reason not to list them. */
static void ask_daemon(struct listing *l)
{
	struct cli_failure f;

	if (l->n && cli_varlink_try(l->cli, "ListDevices", NULL, &l->served, &f) != CLI_OK)
		l->served = NULL;
}

static int find_here(struct listing *l)
{
	struct fwa_found *found = NULL;
	size_t n = 0;
	int r = fwa_discover(&found, &n);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = add_candidate(l, found[i].name, found[i].node, NULL);
	free(found);
	return r;
}

/* The worker knows its personalities: "name<TAB>about" lines. */
static int find_simulated(struct listing *l)
{
	fwa_auto_free char *line = NULL;
	size_t cap = 0;
	int r = 0;
	FILE *f = fwa_launch_list_sim();

	if (!f)
		return -errno;
	while (r == 0 && getline(&line, &cap, f) > 0) {
		fwa_auto_free char *name = NULL;
		char *about = strchr(line, '\t');

		if (!about)
			continue;
		*about++ = '\0';
		about[strcspn(about, "\n")] = '\0';
		r = asprintf(&name, "sim:%s", line) < 0 ? -ENOMEM
							: add_candidate(l, name, name, about);
	}
	pclose(f);
	return r;
}

/* --- showing -------------------------------------------------------------------------------- */

static void show_json(struct listing *l, const struct candidate *c, const struct cli_subject *s,
		      size_t findings, const char *state, const char *error)
{
	struct json_object *o = json_object_new_object();
	const struct fwa_profile *p = s->profile;

	json_object_object_add(o, "name", cli_json_text(c->name));
	json_object_object_add(o, "family", p ? cli_json_text(fwa_family_name(p->family)) : NULL);
	json_object_object_add(o, "vendor", p ? cli_json_text(p->id.vendor) : NULL);
	json_object_object_add(o, "model", p ? cli_json_text(p->id.model) : NULL);
	json_object_object_add(o, "serial", p ? cli_json_text(p->id.serial) : NULL);
	json_object_object_add(o, "firmware", p ? cli_json_text(p->id.firmware) : NULL);
	json_object_object_add(o, "commands",
			       p ? json_object_new_int64(fwa_profile_count(p)) : NULL);
	json_object_object_add(o, "findings", p ? json_object_new_int64((int64_t)findings) : NULL);
	json_object_object_add(o, "state", json_object_new_string(state));
	json_object_object_add(o, "about", cli_json_text(c->about));
	json_object_object_add(o, "error", cli_json_text(error));
	json_object_array_add(l->json, o);
}

/* Simulated devices are told apart by what they do, not by who made them. */
#define COLUMN_ABOUT 4

static size_t columns(const struct listing *l)
{
	return cli_given(&l->cli->args, CLI_OPT_SIM) ? COLUMN_ABOUT + 1 : 8;
}

static void show_text(struct listing *l, const struct candidate *c, const struct cli_subject *s,
		      size_t findings, const char *state)
{
	const struct fwa_profile *p = s->profile;
	char commands[16] = "-", found[24] = "-";
	const char *cells[] = { c->name,
				commands,
				found,
				state,
				p ? fwa_family_name(p->family) : NULL,
				p && *p->id.model ? p->id.model : NULL,
				p && *p->id.firmware ? p->id.firmware : NULL,
				p && *p->id.serial ? p->id.serial : NULL };

	if (p) {
		snprintf(commands, sizeof(commands), "%u", fwa_profile_count(p));
		snprintf(found, sizeof(found), "%zu", findings);
	}
	if (c->about)
		cells[COLUMN_ABOUT] = c->about;
	cli_table_add(l->table, cells, columns(l), 3, p ? NULL : "red");
}

static void show(struct listing *l, const struct candidate *c)
{
	cli_auto_subject struct cli_subject s = CLI_SUBJECT_NONE;
	cli_auto_findings struct cli_findings f = { 0 };
	const char *state = "gone";
	size_t findings = 0;
	char error[FWA_ERROR_LEN] = "";

	if (cli_subject_try_device(l->cli, c->device, &s, error) == CLI_OK) {
		f = cli_findings_of(s.profile);
		findings = f.n + served_findings(l, c->device);
		state = s.contract.quarantine ? "quarantined" : "ready";
	} else {
		cli_note(l->cli, "%s", error);
	}
	if (l->cli->json)
		show_json(l, c, &s, findings, state, error);
	else
		show_text(l, c, &s, findings, state);
}

static int find_all(struct listing *l)
{
	int r;

	if (cli_given(&l->cli->args, CLI_OPT_SIM))
		return find_simulated(l);
	r = find_served(l);
	if (r == 0)
		ask_daemon(l);
	return r == 0 && l->n == 0 ? find_here(l) : r;
}

static void show_all(struct listing *l)
{
	static const char *const real[] = { "NAME",   "COMMANDS", "FINDINGS", "STATE",
					    "FAMILY", "MODEL",    "FIRMWARE", "SERIAL" };
	static const char *const sim[] = { "NAME", "COMMANDS", "FINDINGS", "STATE", "ABOUT" };
	const char *const *heads = cli_given(&l->cli->args, CLI_OPT_SIM) ? sim : real;
	struct json_object *o = l->cli->json ? cli_json_begin(l->cli) : NULL;

	l->json = o ? json_object_new_array() : NULL;
	l->table = o ? NULL : cli_table_new(l->cli, heads, columns(l));
	for (size_t i = 0; i < l->n; i++)
		show(l, &l->candidates[i]);
	if (!o) {
		cli_table_print(l->table);
		return;
	}
	json_object_object_add(o, "devices", l->json);
	cli_json_end(o);
}

static void free_listing(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->candidates[i].name);
		free(l->candidates[i].device);
		free(l->candidates[i].about);
	}
	free(l->candidates);
	json_object_put(l->served);
}

int cli_cmd_list(struct cli *cli)
{
	__attribute__((cleanup(free_listing))) struct listing l = { .cli = cli };
	int r = find_all(&l);

	if (r < 0)
		return cli_fail(cli, CLI_FAILED, "cannot look for devices: %s", strerror(-r));
	/* An empty list is said by the exit code, and in JSON is an empty array all the same. */
	if (!l.n && !cli->json)
		return cli_fail(cli, CLI_NOT_FOUND,
				"no device; `fwadmit list --sim` has simulated ones");
	show_all(&l);
	return l.n ? CLI_OK : CLI_NOT_FOUND;
}
