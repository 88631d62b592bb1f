/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store: editions that only go up, what is made of files that are not as they were written, and the table
 * that comes of it. And documents that are made here.
 */
#include "base/pattern.h"
#include "host/test-advisory.h"

/* --- documents -------------------------------------------------------------------------------- */

#define ZEROES "0000000000000000000000000000000000000000000000000000000000000000"

/* An edition of @id whose one command is CXL's @opcode. */
static char *edition(const char *id, unsigned int sequence, unsigned int opcode)
{
	fwa_auto_free char *payload = NULL;

	assert_true(asprintf(&payload,
			     "{\"format_version\":1,\"id\":\"%s\",\"sequence\":%u,"
			     "\"issued\":\"2026-12-01T00:00:00Z\",\"title\":\"t\","
			     "\"products\":[{\"family\":\"cxl\"}],\"commands\":[{\"set\":\"cxl\","
			     "\"opcode\":\"%xh\",\"effects\":[\"data\"]}]}",
			     id, sequence, opcode) >= 0);
	return sealed(payload);
}

/* Imports @text, which it frees. */
static int import(char *text, struct fwa_advisory_file *f)
{
	int r = fwa_advisory_import(&place, fwa_span(text, strlen(text)), &noon, f);

	free(text);
	return r;
}

/* That importing @text gives @expected, with these words. */
static void imported(char *text, int expected, const char *words)
{
	struct fwa_advisory_file f;
	int r = import(text, &f);

	if (r != expected || !strstr(f.error, words))
		fail_msg("not %d, '%s': %d, '%s'", expected, words, r, f.error);
	fwa_advisory_file_clear(&f);
}

static char *path_of(const char *name)
{
	static char path[192];

	snprintf(path, sizeof(path), "%s/advisories/%s", state_dir, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(path_of(name), "we");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static char *read_file(const char *name)
{
	uint8_t *text = NULL;
	size_t len;

	assert_int_equal(fwa_read_file(path_of(name), FWA_ADVISORY_FILE_MAX, &text, &len), 0);
	return (char *)text;
}

/* --- the list --------------------------------------------------------------------------------- */

static char listed[4096];

static void list_one(const struct fwa_advisory_file *f, void *userdata)
{
	size_t len = strlen(listed);

	snprintf(listed + len, sizeof(listed) - len, "%s %llu %s%s%s\n", f->id,
		 (unsigned long long)f->sequence, fwa_advisory_status_name(f->status),
		 *f->error ? ": " : "", f->error);
}

/* That the list is @expected. */
static void is_list(const char *expected)
{
	listed[0] = '\0';
	assert_int_equal(fwa_advisory_list(&place, &noon, list_one, NULL), 0);
	assert_string_equal(listed, expected);
}

/* --- the table -------------------------------------------------------------------------------- */

struct table {
	struct fwa_span map;
	struct fwa_advisories a;
	uint64_t until;
};

static void compile_at(struct table *t, const struct fwa_moment *now)
{
	int fd = -1;

	listed[0] = '\0';
	assert_int_equal(fwa_advisories_compile(&place, now, list_one, NULL, &fd, &t->until), 0);
	assert_int_equal(fwa_memfd_map(fd, FWA_ADVISORIES_TABLE_MAX, &t->map), 0);
	close(fd);
	assert_int_equal(fwa_advisories_parse(&t->a, t->map), 0);
}

static void free_table(struct table *t)
{
	fwa_memfd_unmap(t->map);
}

/* The opcodes of CXL that are in the table, each in four digits. */
static void is_table(const char *expected)
{
	char opcodes[256] = "";
	struct fwa_advisory e;
	struct fwa_term term;
	struct table t;

	compile_at(&t, &noon);
	for (uint32_t i = 0; fwa_advisories_entry(&t.a, i, &e); i++) {
		assert_true(fwa_filter_term(e.filter, 0, &term));
		snprintf(opcodes + strlen(opcodes), sizeof(opcodes) - strlen(opcodes), "%s%04x",
			 i ? " " : "", term.value);
	}
	assert_string_equal(opcodes, expected);
	free_table(&t);
}

/* --- editions --------------------------------------------------------------------------------- */

static void editions_only_go_up(void **state)
{
	is_list("");
	is_table("");
	imported(edition("A", 2, 0xc002), 0, "");
	is_list("A 2 in-force\n");
	is_table("c002");
	imported(edition("A", 1, 0xc001), -ESTALE, "edition 1 is older than 2, which was accepted");
	imported(edition("A", 2, 0xc001), -EEXIST, "another edition 2 was accepted");
	imported(edition("A", 2, 0xc002), 0, "");
	imported(edition("B", 1, 0xc00b), 0, ""); /* each id for itself */
	imported(edition("A", 3, 0xc003), 0, "");
	is_list("A 3 in-force\nB 1 in-force\n");
	is_table("c003 c00b");
	imported(edition("A", 2, 0xc002), -ESTALE, "older than 3");

	assert_int_equal(fwa_advisory_remove(&place, "A"), 0);
	is_list("B 1 in-force\n");
	is_table("c00b");
	imported(edition("A", 2, 0xc002), -ESTALE, "older than 3, which was removed");
	imported(edition("A", 3, 0xc002), -EEXIST, "another edition 3");
	is_list("B 1 in-force\n");
	imported(edition("A", 3, 0xc003), 0, ""); /* who removed it may think again */
	is_list("A 3 in-force\nB 1 in-force\n");
	assert_int_equal(fwa_advisory_remove(&place, "A"), 0);
	assert_int_equal(access(path_of("A.json"), F_OK), -1);
	imported(edition("A", 4, 0xc004), 0, "");
	is_table("c004 c00b");

	assert_int_equal(fwa_advisory_remove(&place, "C"), -ENOENT);
	assert_int_equal(fwa_advisory_remove(&place, "../x"), -ENOENT);
	assert_int_equal(fwa_advisory_remove(&place, ""), -ENOENT);
	assert_int_equal(fwa_advisory_remove(&place, "B"), 0);
	assert_int_equal(fwa_advisory_remove(&place, "B"), -ENOENT);
}

/* The next edition is of who signed the last one, for it can say less. */
static void editions_are_of_one_key(void **state)
{
	fwa_auto_free char *payload = replaced(good, "\"sequence\":1", "\"sequence\":2");
	fwa_auto_free char *third = replaced(good, "\"sequence\":1", "\"sequence\":3");
	fwa_auto_free char *other = NULL, *both = NULL, *first = NULL;
	fwa_auto_free char *second = NULL;
	char path[192];

	make_key("other.pem", true);
	assert_true(asprintf(&other, "%s/other.pem", base) >= 0);
	imported(sealed(good), 0, "");
	imported(sealed_with(good, other), 0, ""); /* the same: nothing changes */
	imported(sealed_with(payload, other), -EKEYREJECTED,
		 "key publisher.pem has signed the last edition and not this one");
	is_list("FWA-2026-0001 1 in-force\n");

	/* who changes the key signs once with both */
	first = sealed(payload);
	second = sealed_with(payload, other);
	assert_true(asprintf(&both, "%.*s,%s", (int)(strrchr(first, ']') - first), first,
			     strchr(second, '[') + 1) >= 0); /* the old one first */
	imported(strdup(both), 0, "");
	is_list("FWA-2026-0001 2 in-force\n");
	assert_int_equal(fwa_advisory_remove(&place, "FWA-2026-0001"), 0);
	imported(strdup(both), 0, "");
	imported(sealed_with(third, other), 0, "");

	/* or the operator takes the advisory out, or the old key */
	assert_int_equal(fwa_advisory_remove(&place, "FWA-2026-0001"), 0);
	free(payload);
	payload = replaced(good, "\"sequence\":1", "\"sequence\":4");
	imported(sealed(payload), 0, "");
	free(third);
	third = replaced(good, "\"sequence\":1", "\"sequence\":5");
	imported(sealed_with(third, other), -EKEYREJECTED, "publisher.pem");
	snprintf(path, sizeof(path), "%s/publisher.pem", keys_dir);
	assert_int_equal(unlink(path), 0);
	imported(sealed_with(third, other), 0, "");
	is_list("FWA-2026-0001 5 in-force\n");
}

static void nothing_is_stored_of_what_is_refused(void **state)
{
	fwa_auto_free char *late =
		replaced(good, "\"expires\":\"2027-06-01", "\"expires\":\"2026-12-31");
	fwa_auto_free char *early =
		replaced(good, "\"issued\":\"2026-12-01", "\"issued\":\"2027-01-02");
	struct stat st;

	imported(strdup("{}"), -EBADMSG, "payloadType: missing");
	imported(sealed(late), -ETIME, "it expired at 2026-12-31T00:00:00Z");
	imported(sealed(early), -EAGAIN, "it is of 2027-01-02T00:00:00Z, which is in the future");
	assert_int_equal(stat(state_dir, &st), -1); /* not even the folder */
	imported(sealed(good), 0, "");
	assert_int_equal(stat(path_of("FWA-2026-0001.json"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

/* What is cut short between the steps. */
static void cut_short(void **state)
{
	fwa_auto_free char *two = edition("A", 2, 0xc002);

	/* the document is written, and its edition is not */
	imported(edition("A", 1, 0xc001), 0, "");
	write_file("A.json", two);
	is_list("A 2 in-force\n");
	is_table("c002");
	imported(edition("A", 1, 0xc001), -ESTALE, "older than 2");
	imported(edition("A", 2, 0xc001), -EEXIST, "another edition 2");
	assert_int_equal(unlink(path_of("A.seen")), 0);
	imported(edition("A", 1, 0xc001), -ESTALE, "older than 2");
	is_list("A 2 in-force\n");

	/* that it is removed is noted, and it is there still: that was never answered */
	imported(edition("A", 3, 0xc003), 0, "");
	two[0] = '\0';
	write_file("A.seen", "3 " ZEROES " " ZEROES " removed\n");
	is_list("A 0 bad: edition 3 is not the one that was accepted\n");
}

/* --- files that are not as they were written ------------------------------------------------------ */

static void files_that_are_bad(void **state)
{
	fwa_auto_free char *one = edition("A", 1, 0xc001), *other = edition("A", 2, 0xc0f2);
	fwa_auto_free char *two = NULL;

	imported(edition("A", 2, 0xc002), 0, "");
	imported(edition("B", 1, 0xc00b), 0, "");
	two = read_file("A.json");

	write_file("A.json", one);
	is_list("A 0 bad: edition 1 was put in the place of edition 2\nB 1 in-force\n");
	is_table("c00b");
	assert_string_equal(listed, "A 0 bad: edition 1 was put in the place of edition 2\n");
	write_file("A.json", other);
	is_list("A 0 bad: edition 2 is not the one that was accepted\nB 1 in-force\n");
	write_file("A.json", "");
	is_list("A 0 bad: not one JSON object\nB 1 in-force\n");
	write_file("A.json", two);
	assert_int_equal(truncate(path_of("A.json"), 100), 0);
	is_list("A 0 bad: not one JSON object\nB 1 in-force\n");
	write_file("C.json", two);
	is_list("A 0 bad: not one JSON object\nB 1 in-force\nC 0 bad: it is A\n");
	assert_int_equal(fwa_advisory_remove(&place, "C"), 0);
	assert_int_equal(unlink(path_of("A.json")), 0);
	is_list("A 0 bad: its document, edition 2, is gone: import it again, or remove it\n"
		"B 1 in-force\n");
	imported(edition("A", 1, 0xc001), -ESTALE, "older than 2"); /* it is known still */
	imported(edition("A", 2, 0xc002), 0, "");
	is_list("A 2 in-force\nB 1 in-force\n");
	write_file("A.json", one);
	imported(edition("A", 2, 0xc002), 0, "");
	is_list("A 2 in-force\nB 1 in-force\n");
	write_file("A.json", two);
	is_list("A 2 in-force\nB 1 in-force\n");
	assert_int_equal(chmod(path_of("A.json"), 0666), 0);
	is_list("A 0 bad: others own it or may write to it\nB 1 in-force\n");
	assert_int_equal(unlink(path_of("A.json")), 0);
	assert_int_equal(symlink("B.json", path_of("A.json")), 0);
	is_list("A 0 bad: Too many levels of symbolic links\nB 1 in-force\n");
	assert_int_equal(fwa_advisory_remove(&place, "A"), 0);
	is_list("B 1 in-force\n");
	imported(edition("A", 1, 0xc001), -ESTALE, "older than 2");

	/* what is no advisory's is left alone */
	write_file("README", "x");
	write_file(".hidden.json", "x");
	is_list("B 1 in-force\n");
}

static void notes_that_are_bad(void **state)
{
	static const char *const notes[] = {
		"",
		"2",
		"2\n",
		"2 " ZEROES " " ZEROES "\n",
		"2 " ZEROES " present\n",
		"2 " ZEROES " " ZEROES " here\n",
		"0 " ZEROES " " ZEROES " removed\n",
		"x " ZEROES " " ZEROES " removed\n",
		"2 000000000000000000000000000000000000000000000000000000000000000g " ZEROES
		" removed\n",
		"2 " ZEROES " 0 removed\n",
		"2 " ZEROES " " ZEROES " removed",
		"2 " ZEROES " " ZEROES " removed\nx\n",
	};

	imported(edition("A", 2, 0xc002), 0, "");
	for (size_t i = 0; i < COUNT(notes); i++) {
		write_file("A.seen", notes[i]);
		is_list("A 2 in-force\n"); /* what is good counts */
		imported(edition("A", 3, 0xc003), -EBADMSG, "A.seen, which says what was accepted");
	}
	assert_int_equal(fwa_advisory_remove(&place, "A"), 0); /* of the document it is known */
	imported(edition("A", 1, 0xc003), -ESTALE, "older than 2");
	write_file("A.seen", "");
	is_list("A 0 bad: its document is gone, and which edition it was cannot be read\n");
	assert_int_equal(fwa_advisory_remove(&place, "A"), -EBADMSG);
}

static void stores_that_are_others(void **state)
{
	struct fwa_advisory_file f;
	uint64_t until;
	int fd = -1;

	imported(edition("A", 1, 0xc001), 0, "");
	assert_int_equal(chmod(path_of(""), 0777), 0);
	assert_int_equal(fwa_advisory_list(&place, &noon, list_one, NULL), -EPERM);
	assert_int_equal(fwa_advisories_compile(&place, &noon, NULL, NULL, &fd, &until), -EPERM);
	assert_int_equal(fd, -1);
	assert_int_equal(import(edition("A", 2, 0xc002), &f), -EPERM);
	assert_non_null(strstr(f.error, "others own it or may write to it"));
	fwa_advisory_file_clear(&f);
	assert_int_equal(fwa_advisory_remove(&place, "A"), -EPERM);
	assert_int_equal(chmod(path_of(""), 0700), 0);
	is_list("A 1 in-force\n");
}

/* Whose key is not trusted any more is not believed any more. */
static void keys_that_are_taken_back(void **state)
{
	char path[192];

	imported(edition("A", 1, 0xc001), 0, "");
	snprintf(path, sizeof(path), "%s/publisher.pem", keys_dir);
	assert_int_equal(unlink(path), 0);
	is_list("A 0 bad: no key that is trusted here has signed it\n");
	is_table("");
	assert_string_equal(listed, "A 0 bad: no key that is trusted here has signed it\n");
}

/* --- what comes of it ------------------------------------------------------------------------- */

static void table_of_what_is_in_force(void **state)
{
	struct fwa_moment now = noon;
	struct fwa_advisory e;
	struct fwa_term term;
	uint8_t digest[32];
	struct table t;

	compile_at(&t, &noon);
	assert_int_equal(t.a.n, 0);
	assert_int_equal(t.until, 0);
	memset(digest, 0, sizeof(digest));
	assert_memory_equal(t.a.digest, digest, sizeof(digest));
	free_table(&t);

	imported(sealed(good), 0, "");
	compile_at(&t, &noon);
	assert_int_equal(t.a.n, 4); /* products by commands */
	assert_int_equal(t.until, 3600 * S + (UINT64_C(1811808000) - noon.wall) * S);
	assert_true(fwa_advisories_entry(&t.a, 0, &e));
	assert_int_equal(e.family, FWA_FAMILY_NVME);
	assert_int_equal(e.effects, FWA_EFFECT_DATA | FWA_EFFECT_LOG);
	assert_false(e.never);
	assert_int_equal(e.until, t.until);
	assert_string_equal(e.id, "FWA-2026-0001");
	assert_string_equal(e.vendor, "Acme*");
	assert_string_equal(e.model, "Drive [12]");
	assert_string_equal(e.firmware_from, "1.0");
	assert_string_equal(e.firmware_to, "1.9");
	assert_string_equal(e.reference, "https://example.com/a?b=1");
	assert_int_equal(e.filter.len / FWA_TERM_LEN, 4);
	assert_true(fwa_filter_term(e.filter, 2, &term));
	assert_int_equal(term.kind, FWA_FIELD_LSP);
	assert_int_equal(term.flags, FWA_TERM_AND);
	assert_true(fwa_advisories_entry(&t.a, 3, &e));
	assert_true(e.never && !e.effects && !*e.vendor && !*e.firmware_from);
	memcpy(digest, t.a.digest, sizeof(digest));
	free_table(&t);

	/* another one without an end, and another digest */
	imported(edition("Z", 1, 0xc001), 0, "");
	compile_at(&t, &noon);
	assert_int_equal(t.a.n, 5);
	assert_int_equal(t.until, 3600 * S + (UINT64_C(1811808000) - noon.wall) * S);
	assert_true(fwa_advisories_entry(&t.a, 4, &e) && !e.until);
	assert_memory_not_equal(t.a.digest, digest, sizeof(digest));
	free_table(&t);
	assert_int_equal(fwa_advisory_remove(&place, "Z"), 0);
	compile_at(&t, &noon);
	assert_memory_equal(t.a.digest, digest, sizeof(digest));
	free_table(&t);

	/* over: left out, and said; the clock before all of it: in force */
	now.wall = 1811808000;
	compile_at(&t, &now);
	assert_int_equal(t.a.n, 0);
	assert_int_equal(t.until, 0);
	assert_non_null(strstr(listed, "FWA-2026-0001 1 expired: it expired at"));
	free_table(&t);
	now.wall = 0;
	compile_at(&t, &now);
	assert_int_equal(t.a.n, 4);
	assert_string_equal(listed, "");
	free_table(&t);
}

/* What a worker makes of it. */
static void table_folds(void **state)
{
	static struct fwa_advice advice;
	struct fwa_profile p = { .family = FWA_FAMILY_NVME,
				 .id = { "Acme Inc", "Drive 2", "1", "1.10" } };
	struct fwa_command cmd = { .set = FWA_SET_NVME_ADMIN, .opcode = 2, .cdw = { 7 | 1 << 8 } };
	struct table t;

	imported(sealed(good), 0, "");
	compile_at(&t, &noon);
	fwa_advice_fold(&t.a, &p, fwa_pattern_matches, fwa_version_compare, &advice);
	assert_int_equal(advice.n, 2); /* 1.10 is behind 1.9 */
	strcpy(p.id.firmware, "1.5");
	fwa_advice_fold(&t.a, &p, fwa_pattern_matches, fwa_version_compare, &advice);
	assert_int_equal(advice.n, 4);
	assert_int_equal(fwa_advice_effects(&advice, &cmd, NULL, noon.boot, NULL),
			 FWA_EFFECT_DATA | FWA_EFFECT_LOG);
	assert_int_equal(fwa_advice_effects(&advice, &cmd, NULL, t.until, NULL), 0);
	cmd.nsid = 9;
	assert_int_equal(fwa_advice_effects(&advice, &cmd, NULL, noon.boot, NULL), 0);
	cmd.opcode = 0xc1;
	assert_int_equal(fwa_advice_effects(&advice, &cmd, NULL, noon.boot, NULL),
			 FWA_EFFECT_UNKNOWN);
	free_table(&t);
}

/* 256 products by 256 commands are as many as a table has room for. */
static void table_is_full(void **state)
{
	static const char product[] = "{\"family\":\"cxl\"}";
	static const char command[] = "{\"set\":\"cxl\",\"opcode\":\"c000h\",\"never\":true}";
	fwa_auto_free char *payload = calloc(1, 65536), *more = NULL;
	char *at = stpcpy(payload,
			  "{\"format_version\":1,\"id\":\"BIG\",\"sequence\":1,"
			  "\"issued\":\"2026-12-01T00:00:00Z\",\"title\":\"t\",\"products\":[");
	struct table t;

	for (int i = 0; i < 256; i++)
		at += sprintf(at, "%s%s", i ? "," : "", product);
	at = stpcpy(at, "],\"commands\":[");
	for (int i = 0; i < 256; i++)
		at += sprintf(at, "%s%s", i ? "," : "", command);
	strcpy(at, "]}");
	imported(sealed(payload), 0, "");
	compile_at(&t, &noon);
	assert_int_equal(t.a.n, FWA_ADVISORIES_MAX);
	free_table(&t);
	imported(edition("A", 1, 0xc001), -E2BIG, "more commands than one table has room for");
	is_list("BIG 1 in-force\n");
	assert_true(asprintf(&more, "%.*s,%s]}", (int)strlen(payload) - 2, payload, command) >= 0);
	imported(sealed(more), -EBADMSG, "more than 65536 products and commands");
	/* a new edition takes the place of the old one */
	strcpy(payload + strlen(payload) - 2, "   ]}");
	*strstr(payload, "\"sequence\":1") = '"';
	memcpy(strstr(payload, "\"sequence\":1"), "\"sequence\":2", 12);
	imported(sealed(payload), 0, "");
	assert_int_equal(fwa_advisory_remove(&place, "BIG"), 0);
	imported(edition("A", 1, 0xc001), 0, "");
}

/* --- made here -------------------------------------------------------------------------------- */

static const struct fwa_advisory_draft draft = {
	.family = "cxl",
	.vendor = "Acme",
	.model = "Mem \\*",
	.firmware_from = "2",
	.firmware_to = "2",
	.command = "set-feature uuid:96c09fb6-31a4-4a42-a4ef-8a9d5b0a5e0e",
	.effects = FWA_EFFECT_DATA | FWA_EFFECT_CONFIG,
	.evidence_sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
};

static char *made(const struct fwa_advisory_draft *d, const char *key)
{
	char error[FWA_ERROR_LEN] = "", *text = NULL;

	if (fwa_advisory_make(&place, d, key, &noon, &text, error) < 0)
		fail_msg("%s", error);
	return text;
}

static void made_here(void **state)
{
	struct fwa_advisory_draft d = draft;
	struct fwa_advisory_file f;
	struct stat st;
	char path[192];

	assert_int_equal(import(made(&d, NULL), &f), 0);
	assert_string_equal(f.id, "FWA-local-0123456789abcdef");
	assert_string_equal(f.signer, "this host");
	assert_string_equal(f.title, "Acme Mem \\*: set-feature "
				     "uuid:96c09fb6-31a4-4a42-a4ef-8a9d5b0a5e0e does more than it "
				     "declares");
	assert_int_equal(f.sequence, 1);
	assert_int_equal(f.issued, noon.wall);
	assert_int_equal(f.expires, 0);
	fwa_advisory_file_clear(&f);
	snprintf(path, sizeof(path), "%s/" FWA_ADVISORY_KEY, state_dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	is_table("0502");

	/* the next edition, and one that is removed is not forgotten */
	d.never = true;
	d.effects = 0;
	assert_int_equal(import(made(&d, NULL), &f), 0);
	assert_int_equal(f.sequence, 2);
	fwa_advisory_file_clear(&f);
	assert_int_equal(fwa_advisory_remove(&place, "FWA-local-0123456789abcdef"), 0);
	assert_int_equal(import(made(&d, NULL), &f), 0);
	assert_int_equal(f.sequence, 3);
	fwa_advisory_file_clear(&f);

	/* with another key, another id, all that can be said */
	d = draft;
	d.id = "X";
	d.sequence = 7;
	d.expires = noon.wall + 1;
	d.title = "A title";
	d.reference = "https://example.com";
	d.command = "0xc000";
	d.vendor = NULL;
	assert_int_equal(import(made(&d, publisher), &f), 0);
	assert_string_equal(f.signer, "publisher.pem");
	assert_string_equal(f.title, "A title");
	assert_int_equal(f.expires, noon.wall + 1);
	assert_int_equal(f.sequence, 7);
	fwa_advisory_file_clear(&f);
}

static void not_made(void **state)
{
	static const struct {
		struct fwa_advisory_draft d;
		const char *words;
		bool nothing; /* to be said of the command */
	} table[] = {
		{ { .family = "" }, "a family and a command are needed" },
		{ { .command = "" }, "a family and a command are needed" },
		{ { .id = NULL }, "an id is needed" },
		{ { .evidence_sha256 = "../../../../etc/x" }, "an id is needed" },
		{ { .id = "../x" }, "id: not 1 to 63" },
		{ { .id = "x", .evidence_sha256 = "12" }, "sha256: too short" },
		{ { .id = "x", .reference = "file:///etc/passwd" }, "not a web address" },
		{ { .id = "x", .expires = 1 }, "expires" },
		{ { .id = "x", .expires = 1798740000 }, "expire" },
		{ { .id = "x", .effects = FWA_EFFECT_UNKNOWN }, "'unknown'" },
		{ { .id = "x" }, "effects: empty", true },
		{ { .id = "x", .command = "nothing" }, "unknown command" },
		{ { .id = "x", .command = "admin:2" }, "no device of family cxl" },
		{ { .id = "x", .family = "scsi" }, "no family" },
		{ { .id = "x", .vendor = "A\n" }, "not printable" },
		{ { .id = "x", .firmware_from = "2", .firmware_to = "1" }, "no revision" },
		{ { .id = "x", .sequence = UINT64_MAX }, "sequence" },
	};
	char error[FWA_ERROR_LEN], *text = NULL;

	for (size_t i = 0; i < COUNT(table); i++) {
		struct fwa_advisory_draft d = table[i].d;
		int r;

		if (!d.family)
			d.family = "cxl";
		if (!d.command)
			d.command = "0xc000";
		d.never = !d.effects && !table[i].nothing;
		if (!*d.family)
			d.family = NULL;
		if (!*d.command)
			d.command = NULL;
		r = fwa_advisory_make(&place, &d, publisher, &noon, &text, error);
		if (r != -EINVAL || !strstr(error, table[i].words))
			fail_msg("not '%s': %d, '%s'", table[i].words, r, error);
	}
	assert_int_equal(fwa_advisory_make(&place, &draft, "none.pem", &noon, &text, error),
			 -ENOENT);
	assert_non_null(strstr(error, "none.pem"));
	assert_int_equal(access("none.pem", F_OK), -1); /* none is made */
	assert_int_equal(access(state_dir, F_OK), -1);
	assert_null(text);
}

static void patterns_of_one_text(void **state)
{
	static const char *const texts[] = { "", "Acme", "a*b", "[x]", "\\", "a?[\\]*" };
	char pattern[128];

	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_true(fwa_pattern_exactly(texts[i], pattern, sizeof(pattern)));
		for (size_t k = 0; k < COUNT(texts); k++)
			assert_int_equal(fwa_pattern_matches(pattern, texts[k]), i == k);
		assert_false(fwa_pattern_exactly(texts[i], pattern, strlen(pattern)));
		assert_int_equal(fwa_pattern_exactly(texts[i], pattern, 1), !i);
	}
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(editions_only_go_up),
		TEST(editions_are_of_one_key),
		TEST(nothing_is_stored_of_what_is_refused),
		TEST(cut_short),
		TEST(files_that_are_bad),
		TEST(notes_that_are_bad),
		TEST(stores_that_are_others),
		TEST(keys_that_are_taken_back),
		TEST(table_of_what_is_in_force),
		TEST(table_folds),
		TEST(table_is_full),
		TEST(made_here),
		TEST(not_made),
		TEST(patterns_of_one_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
