/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * advisory STATE KEYS check|import|csaf FILE, ... list, ... make ID FAMILY COMMAND EFFECTS|never [KEY]: what
 * host/advisory.h does, on the command line, by this moment's clock. Errors go to stderr as "ERRNO: text".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/util.h"
#include "host/advisory.h"

static struct fwa_advisory_place place;
static struct fwa_moment now;

static int fail(int r, const char *error)
{
	fprintf(stderr, "%s: %s\n", strerrorname_np(-r), error);
	return 1;
}

static void print(const struct fwa_advisory_file *f, void *userdata)
{
	printf("%s %llu %s %zu %.*s %s%s%s\n", f->id, (unsigned long long)f->sequence,
	       fwa_advisory_status_name(f->status), f->n_commands, 8, *f->key ? f->key : "-",
	       *f->signer ? f->signer : "-", *f->error ? ": " : "", f->error);
}

static void print_csaf(const struct fwa_advisory_file *f)
{
	json_object *o = fwa_advisory_csaf(f, "Example", "https://example.com");

	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static int with_file(const char *verb, const char *path)
{
	fwa_auto_free uint8_t *text = NULL;
	struct fwa_advisory_file f;
	size_t len;
	int r = fwa_read_file(path, FWA_ADVISORY_FILE_MAX + 1, &text, &len);

	if (r < 0)
		return fail(r, path);
	if (strcmp(verb, "import") == 0)
		r = fwa_advisory_import(&place, fwa_span(text, len), &now, &f);
	else
		r = fwa_advisory_check(&place, fwa_span(text, len), &now, &f);
	if (r < 0)
		r = fail(r, f.error);
	else if (strcmp(verb, "csaf") == 0)
		print_csaf(&f);
	else
		print(&f, NULL);
	fwa_advisory_file_clear(&f);
	return r;
}

static int make(char **argv, const char *key)
{
	struct fwa_advisory_draft d = { .id = argv[0], .family = argv[1], .command = argv[2] };
	fwa_auto_free char *text = NULL;
	char error[FWA_ERROR_LEN];
	int r;

	d.never = strcmp(argv[3], "never") == 0;
	d.effects = d.never ? 0 : fwa_effect_by_name(argv[3], strlen(argv[3]));
	r = fwa_advisory_make(&place, &d, key, &now, &text, error);
	if (r < 0)
		return fail(r, error);
	fputs(text, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	int r;

	if (argc < 4)
		return 2;
	place = (struct fwa_advisory_place){ argv[1], argv[2] };
	fwa_moment_now(&now);
	if (strcmp(argv[3], "list") == 0) {
		r = fwa_advisory_list(&place, &now, print, NULL);
		return r < 0 ? fail(r, "the store") : 0;
	}
	if (strcmp(argv[3], "make") == 0 && argc >= 8)
		return make(argv + 4, argv[8]);
	return argc == 5 ? with_file(argv[3], argv[4]) : 2;
}
