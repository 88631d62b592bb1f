/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A document as others read advisories: CSAF 2.0, profile "security advisory" (OASIS csaf-v2.0, 4.4). What
 * CSAF has no word for, the command and its effects, stands in the ids of a vulnerability as our own JSON.
 *
 * An advisory has no history here, so the document's version is 1.SEQUENCE.0 with itself as the only revision.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "host/advisory-internal.h"

#define SYSTEM "fwadmit-effects-breach"
#define TEXT_MAX 2048

static void put(json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

/* An array of just @item. */
static json_object *only(json_object *item)
{
	json_object *list = json_object_new_array();

	json_object_array_add(list, item);
	return list;
}

static json_object *note(const char *category, const char *text)
{
	json_object *o = json_object_new_object();

	put(o, "category", category);
	put(o, "text", text);
	return o;
}

static json_object *references(const struct fwa_advisory_file *f)
{
	json_object *o = json_object_new_object();

	put(o, "category", "external");
	put(o, "summary", "What the advisory refers to");
	put(o, "url", f->reference);
	return only(o);
}

/* --- the document ----------------------------------------------------------------------------- */

static json_object *generator(void)
{
	json_object *o = json_object_new_object(), *engine = json_object_new_object();

	put(engine, "name", "fwadmit");
	put(engine, "version", FWADMIT_VERSION);
	json_object_object_add(o, "engine", engine);
	return o;
}

static json_object *tracking(const struct fwa_advisory_file *f)
{
	json_object *o = json_object_new_object(), *revision = json_object_new_object();
	char time[FWA_TIME_TEXT], version[40];

	fwa_time_text(f->issued, time);
	snprintf(version, sizeof(version), "1.%llu.0", (unsigned long long)f->sequence);
	put(revision, "date", time);
	put(revision, "number", version);
	put(revision, "summary", "This edition");
	put(o, "current_release_date", time);
	json_object_object_add(o, "generator", generator());
	put(o, "id", f->id);
	put(o, "initial_release_date", time);
	json_object_object_add(o, "revision_history", only(revision));
	put(o, "status", "final");
	put(o, "version", version);
	return o;
}

static json_object *document(const struct fwa_advisory_file *f, const char *publisher,
			     const char *namespace)
{
	json_object *o = json_object_new_object(), *by = json_object_new_object();

	put(by, "category", "other");
	put(by, "name", publisher);
	put(by, "namespace", namespace);
	put(o, "category", "csaf_security_advisory");
	put(o, "csaf_version", "2.0");
	put(o, "lang", "en");
	json_object_object_add(
		o, "notes",
		only(note("summary",
			  "Devices were found to do more on a command than they declare. Names of "
			  "vendors and products are patterns as the shell has them; revisions of "
			  "firmware are compared with runs of digits as numbers.")));
	json_object_object_add(o, "publisher", by);
	if (*f->reference)
		json_object_object_add(o, "references", references(f));
	put(o, "title", f->title);
	json_object_object_add(o, "tracking", tracking(f));
	return o;
}

/* --- products --------------------------------------------------------------------------------- */

static void product_id(const struct fwa_advisory_file *f, size_t i, char id[128])
{
	snprintf(id, 128, "%s-P%zu", f->id, i + 1);
}

/* A revision within a version range: what means something there is written as its number. */
static void write_revision(FILE *out, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789.-_~";

	for (; *text; text++) {
		if (strchr(plain, *text))
			fputc(*text, out);
		else
			fprintf(out, "%%%02X", (unsigned char)*text);
	}
}

/* "vers:generic/>=1.0|<=1.9" */
static void version_range(json_object *firmware, char text[TEXT_MAX])
{
	const char *from = fwa_json_text(firmware, "from"), *to = fwa_json_text(firmware, "to");
	FILE *out = fmemopen(text, TEXT_MAX, "w");

	text[0] = '\0';
	if (!out)
		return;
	if (!*from && !*to)
		fputs("vers:all/*", out);
	else
		fputs("vers:generic/", out);
	if (*from && strcmp(from, to) == 0) {
		write_revision(out, from);
	} else {
		if (*from)
			fputs(">=", out);
		write_revision(out, from);
		if (*to)
			fputs(*from ? "|<=" : "<=", out);
		write_revision(out, to);
	}
	fclose(out);
}

/* A branch without what is below it. */
static json_object *branch(const char *category, const char *name)
{
	json_object *o = json_object_new_object();

	put(o, "category", category);
	put(o, "name", name);
	return o;
}

static json_object *product_branch(const struct fwa_advisory_file *f, json_object *p, size_t i)
{
	const char *vendor = fwa_json_text(p, "vendor"), *model = fwa_json_text(p, "model");
	json_object *product = json_object_new_object(), *versions, *models, *o;
	char range[TEXT_MAX], name[TEXT_MAX + 512], id[128];

	version_range(json_object_object_get(p, "firmware"), range);
	product_id(f, i, id);
	vendor = *vendor ? vendor : "any vendor";
	model = *model ? model : "any model";
	snprintf(name, sizeof(name), "%s %s (%s), firmware %s", vendor, model,
		 fwa_json_text(p, "family"), range);
	put(product, "name", name);
	put(product, "product_id", id);
	versions = branch("product_version_range", range);
	json_object_object_add(versions, "product", product);
	models = branch("product_name", model);
	json_object_object_add(models, "branches", only(versions));
	o = branch("vendor", vendor);
	json_object_object_add(o, "branches", only(models));
	return o;
}

static json_object *product_tree(const struct fwa_advisory_file *f)
{
	json_object *o = json_object_new_object(), *branches = json_object_new_array(), *list;
	size_t n = fwa_json_items(f->document, "products", &list);

	for (size_t i = 0; i < n; i++)
		json_object_array_add(branches,
				      product_branch(f, json_object_array_get_idx(list, i), i));
	json_object_object_add(o, "branches", branches);
	return o;
}

/* All products: each command is about each of them. */
static json_object *product_ids(const struct fwa_advisory_file *f)
{
	json_object *ids = json_object_new_array(), *list;
	size_t n = fwa_json_items(f->document, "products", &list);
	char id[128];

	for (size_t i = 0; i < n; i++) {
		product_id(f, i, id);
		json_object_array_add(ids, json_object_new_string(id));
	}
	return ids;
}

/* --- vulnerabilities -------------------------------------------------------------------------- */

/* "get-log-page lid:7", "cxl c000h". */
static void command_text(json_object *command, char text[TEXT_MAX])
{
	const char *name = fwa_json_text(command, "command");
	const char *selector = fwa_json_text(command, "selector");

	snprintf(text, TEXT_MAX, "%s%s%s%s%s", *name ? name : fwa_json_text(command, "set"),
		 *name ? "" : " ", fwa_json_text(command, "opcode"), *selector ? " " : "",
		 selector);
}

/* "data, log", or "" for never. */
static void effects_text(json_object *command, char text[TEXT_MAX])
{
	json_object *list;
	size_t n = fwa_json_items(command, "effects", &list), len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < n && len < TEXT_MAX; i++)
		len += (size_t)snprintf(text + len, TEXT_MAX - len, "%s%s", i ? ", " : "",
					json_object_get_string(json_object_array_get_idx(list, i)));
}

static json_object *vulnerability_ids(json_object *command)
{
	json_object *o = json_object_new_object();

	put(o, "system_name", SYSTEM);
	put(o, "text",
	    json_object_to_json_string_ext(command, JSON_C_TO_STRING_PLAIN |
							    JSON_C_TO_STRING_NOSLASHESCAPE));
	return only(o);
}

static json_object *remediations(const struct fwa_advisory_file *f, const char *details)
{
	json_object *o = json_object_new_object();

	put(o, "category", "mitigation");
	put(o, "details", details);
	json_object_object_add(o, "product_ids", product_ids(f));
	return only(o);
}

static json_object *notes_of(const struct fwa_advisory_file *f, const char *text)
{
	json_object *notes = only(note("description", text)), *list;
	size_t n = fwa_json_items(f->document, "evidence", &list);
	char line[256];

	for (size_t i = 0; i < n; i++) {
		snprintf(line, sizeof(line), "Evidence with SHA-256 %s",
			 fwa_json_text(json_object_array_get_idx(list, i), "sha256"));
		json_object_array_add(notes, note("details", line));
	}
	return notes;
}

static json_object *vulnerability(const struct fwa_advisory_file *f, json_object *command)
{
	char name[TEXT_MAX], effects[TEXT_MAX], what[3 * TEXT_MAX], how[3 * TEXT_MAX];
	json_object *o = json_object_new_object(), *status = json_object_new_object();

	command_text(command, name);
	effects_text(command, effects);
	if (*effects) {
		snprintf(what, sizeof(what),
			 "Command %s has effects that these devices do not declare: %s.", name,
			 effects);
		snprintf(how, sizeof(how),
			 "Let nobody send the command who may not cause: %s. fwadmit holds it to "
			 "these effects once it has imported the advisory.",
			 effects);
	} else {
		snprintf(
			what, sizeof(what),
			"Command %s does what these devices do not declare, and is not to be sent.",
			name);
		snprintf(how, sizeof(how),
			 "Do not send the command. fwadmit refuses it once it has imported the "
			 "advisory.");
	}
	json_object_object_add(o, "ids", vulnerability_ids(command));
	json_object_object_add(o, "notes", notes_of(f, what));
	json_object_object_add(status, "known_affected", product_ids(f));
	json_object_object_add(o, "product_status", status);
	if (*f->reference)
		json_object_object_add(o, "references", references(f));
	json_object_object_add(o, "remediations", remediations(f, how));
	put(o, "title", name);
	return o;
}

json_object *fwa_advisory_csaf(const struct fwa_advisory_file *f, const char *publisher,
			       const char *publisher_namespace)
{
	json_object *o, *vulnerabilities, *list;
	size_t n;

	if (!f->document)
		return NULL;
	o = json_object_new_object();
	vulnerabilities = json_object_new_array();
	n = fwa_json_items(f->document, "commands", &list);
	for (size_t i = 0; i < n; i++)
		json_object_array_add(vulnerabilities,
				      vulnerability(f, json_object_array_get_idx(list, i)));
	json_object_object_add(o, "document", document(f, publisher, publisher_namespace));
	json_object_object_add(o, "product_tree", product_tree(f));
	json_object_object_add(o, "vulnerabilities", vulnerabilities);
	return o;
}
