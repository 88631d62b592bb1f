/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One document: what is understood, and each way not to be believed.
 */
#include "host/test-advisory.h"

static void understood(void **state)
{
	fwa_auto_free char *text = sealed(good);
	struct fwa_advisory_file f;

	assert_int_equal(check(text, &f), 0);
	assert_int_equal(f.status, FWA_ADVISORY_IN_FORCE);
	assert_string_equal(f.id, "FWA-2026-0001");
	assert_int_equal(f.sequence, 1);
	assert_int_equal(f.issued, 1796083200);
	assert_int_equal(f.expires, 1811808000);
	assert_string_equal(f.title, "Drives that do more");
	assert_string_equal(f.reference, "https://example.com/a?b=1");
	assert_string_equal(f.signer, "publisher.pem");
	assert_int_equal(strlen(f.key), 64);
	assert_int_equal(f.n_commands, 2);
	assert_non_null(f.document);
	fwa_advisory_file_clear(&f);
	assert_null(f.document);
}

/* What may be left out, or be null. */
static void understood_without(void **state)
{
	static const char *const changes[][2] = {
		{ ",\"expires\":\"2027-06-01T00:00:00Z\"", "" },
		{ "\"2027-06-01T00:00:00Z\"", "null" },
		{ ",\"reference\":\"https://example.com/a?b=1\"", "" },
		{ "\"https://example.com/a?b=1\"", "\"\"" },
		{ "\"https://example.com/a?b=1\"", "\"http://example.com\"" },
		{ ",\"selector\":\"lid:7/lsp:1 !nsid:9\"", "" },
		{ ",\"selector\":\"lid:7/lsp:1 !nsid:9\"", ",\"selector\":null" },
		{ "\"vendor\":\"Acme*\",", "" },
		{ "\"from\":\"1.0\",", "" },
		{ "{\"from\":\"1.0\",\"to\":\"1.9\"}", "null" },
		{ "{\"from\":\"1.0\",\"to\":\"1.9\"}", "{}" },
		{ "{\"from\":\"1.0\",\"to\":\"1.9\"}", "{\"from\":\"1.9\",\"to\":\"1.9\"}" },
		{ "\"never\":true", "\"never\":false,\"effects\":[\"dma\"]" },
		{ "\"c1h\"", "\"0xC1\"" },
		{ "\"data\",\"log\"", "\"exclusive\"" },
		{ "\"id\":\"FWA-2026-0001\"", "\"id\":\"\\u0046WA-2026-0001\"" },
		{ "{\"format_version\"", "{ \n\t\"format_version\"" },
		{ "\"sequence\":1", "\"sequence\":9007199254740991" },
		{ "{\"family\":\"nvme\"}", "{\"family\":\"sim\"}" },
	};

	for (size_t i = 0; i < COUNT(changes); i++) {
		fwa_auto_free char *payload = replaced(good, changes[i][0], changes[i][1]);
		fwa_auto_free char *text = sealed(payload);
		struct fwa_advisory_file f;

		if (check(text, &f) != 0)
			fail_msg("'%s': %s", changes[i][1], f.error);
		fwa_advisory_file_clear(&f);
	}
}

static void not_understood(void **state)
{
	static const struct {
		const char *from, *to, *words;
	} table[] = {
		{ "\"format_version\":1", "\"format_version\":2", "format_version: not 1" },
		{ "\"format_version\":1", "\"format_version\":1.0", "not a whole number" },
		{ "\"format_version\":1", "\"format_version\":\"1\"", "not a whole number" },
		{ "\"format_version\":1,", "", "format_version: missing" },
		{ "\"id\":\"FWA-2026-0001\",", "", "id: missing" },
		{ "FWA-2026-0001", "", "id: empty" },
		{ "FWA-2026-0001", "../../etc/passwd", "id: not letters" },
		{ "FWA-2026-0001", "a/b", "id: not letters" },
		{ "FWA-2026-0001", ".hidden", "id: not letters" },
		{ "FWA-2026-0001", "-x", "id: not letters" },
		{ "FWA-2026-0001", "a b", "id: not letters" },
		{ "FWA-2026-0001", "a\\u0000b", "not printable ASCII" },
		{ "FWA-2026-0001", "a\\u00e4b", "not printable ASCII" },
		{ "FWA-2026-0001",
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		  "id: too long" },
		{ "\"sequence\":1", "\"sequence\":0", "sequence: not a number" },
		{ "\"sequence\":1", "\"sequence\":-1", "sequence: not a number" },
		{ "\"sequence\":1", "\"sequence\":9007199254740992", "sequence: not a number" },
		{ "\"sequence\":1", "\"sequence\":99999999999999999999", "sequence: not a number" },
		{ "\"sequence\":1", "\"sequence\":null", "not a whole number" },
		{ "2026-12-01T00:00:00Z", "2026-12-01", "issued: not a time" },
		{ "2026-12-01T00:00:00Z", "2026-12-01T00:00:00+01", "issued: too long" },
		{ "2027-06-01T00:00:00Z", "2027-02-30T00:00:00Z", "expires: not a time" },
		{ "2027-06-01T00:00:00Z", "2026-12-01T00:00:00Z", "before it was issued" },
		{ "Drives that do more", "", "title: empty" },
		{ "Drives that do more", "Drives\\u001b[2J", "not printable" },
		{ "https://example.com/a?b=1", "javascript:alert(1)", "not a web address" },
		{ "https://example.com/a?b=1", "https://", "not a web address" },
		{ "https://example.com/a?b=1", "https://a/\\\"><script>", "not a web address" },
		{ "\"family\":\"nvme\"}", "\"family\":\"scsi\"}", "no family is called 'scsi'" },
		{ "\"family\":\"nvme\"}", "\"family\":\"none\"}", "no family is called 'none'" },
		{ "{\"family\":\"nvme\"}", "{}", "products[1].family: missing" },
		{ "{\"family\":\"nvme\"}", "1", "products[1]: not an object" },
		{ "{\"family\":\"nvme\"}", "{\"family\":\"nvme\",\"serial\":\"1\"}",
		  "products[1].serial: not known" },
		{ "{\"family\":\"nvme\"}", "{\"family\":\"cxl\"}",
		  "commands[0]: no device of family cxl has it" },
		{ "{\"from\":\"1.0\",\"to\":\"1.9\"}", "{\"from\":\"1.10\",\"to\":\"1.9\"}",
		  "products[0].firmware: no revision is from '1.10' to '1.9'" },
		{ "{\"from\":\"1.0\",\"to\":\"1.9\"}", "\"1.0\"", "firmware: not an object" },
		{ "{\"from\":\"1.0\",\"to\":\"1.9\"}", "{\"upto\":\"1.0\"}",
		  "products[0].firmware.upto: not known" },
		{ "get-log-page", "clear-everything", "unknown command 'clear-everything'" },
		{ "get-log-page", "!get-log-page", "is not one command" },
		{ "get-log-page", "identify, get-log-page", "is not one command" },
		{ "\"command\":\"get-log-page\"", "\"command\":\"get-log-page\",\"opcode\":\"2\"",
		  "not either a command" },
		{ "\"command\":\"get-log-page\",", "", "not either a command" },
		{ "\"set\":\"nvme-admin\",", "", "not either a command" },
		{ "\"set\":\"nvme-admin\"", "\"set\":\"nvme\"", "no set is called 'nvme'" },
		{ "\"set\":\"nvme-admin\"", "\"set\":\"cxl\"", "no device of family nvme" },
		{ "\"c1h\"", "\"1c1h\"", "'1c1h' is no opcode of nvme-admin" },
		{ "\"c1h\"", "\"identify\"", "'identify' is no opcode" },
		{ "\"c1h\"", "193", "commands[1].opcode: not a text" },
		{ "lid:7/lsp:1 !nsid:9", "fid:7", "has no fid" },
		{ "lid:7/lsp:1 !nsid:9", "lid", "not FIELD:VALUE" },
		{ "lid:7/lsp:1 !nsid:9", "lid:7, identify", "is not a lid" },
		{ "lid:7/lsp:1 !nsid:9", "lid:256", "is not a lid" },
		{ "lid:7/lsp:1 !nsid:9", "serial:7", "unknown field 'serial'" },
		{ "[\"data\",\"log\"]", "[]", "effects: empty" },
		{ "[\"data\",\"log\"]", "[\"data\",\"date\"]", "'date' is no effect" },
		{ "[\"data\",\"log\"]", "[\"data\",\"data\"]", "or is there twice" },
		{ "[\"data\",\"log\"]", "[\"unknown\"]", "'unknown' is no effect" },
		{ "[\"data\",\"log\"]", "[4]", "no effect that can be added" },
		{ "[\"data\",\"log\"]", "\"data\"", "effects: not a list" },
		{ "\"effects\":[\"data\",\"log\"]", "\"allow\":true",
		  "commands[0].allow: not known" },
		{ ",\"effects\":[\"data\",\"log\"]", "", "not either effects, or never" },
		{ "\"never\":true", "\"never\":false", "not either effects, or never" },
		{ "\"never\":true", "\"never\":1", "neither true nor false" },
		{ "\"never\":true", "\"never\":true,\"effects\":[\"log\"]",
		  "not either effects, or never" },
		{ "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "0123",
		  "evidence[0].sha256: too short" },
		{ "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		  "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
		  "not 64 digits" },
		{ "\"title\":", "\"lifts\":true,\"title\":", "lifts: not known" },
		{ "\"title\":", "\"sequence\":2,\"title\":", "given twice" },
		{ "\"lid:7/lsp:1 !nsid:9\",", "\"lid:7\",\"never\":false,\"never\":false,",
		  "given twice" },
		{ "{\"family\":\"nvme\"}]", "{\"family\":\"nvme\"},]", "not one JSON object" },
		{ "\"never\":true}]", "\"never\":true}],//", "not one JSON object" },
		{ "\"sequence\":1", "'sequence':1", "not one JSON object" },
		{ "\"firmware\":{", "\"firmware\":{\"from\":[[[[1]]]],\"x\":{",
		  "nested deeper than 6" },
	};

	for (size_t i = 0; i < COUNT(table); i++) {
		fwa_auto_free char *payload = replaced(good, table[i].from, table[i].to);
		fwa_auto_free char *text = sealed(payload);

		refused(text, -EBADMSG, table[i].words);
	}
}

/* Lists and texts as long as they may be, and longer. */
static void counts_are_bounded(void **state)
{
	static const struct {
		const char *from, *item, *words;
		int most;
	} table[] = {
		{ "[{\"family\":\"nvme\",\"vendor\":\"Acme*\",\"model\":\"Drive [12]\","
		  "\"firmware\":{\"from\":\"1.0\",\"to\":\"1.9\"}},{\"family\":\"nvme\"}]",
		  "{\"family\":\"nvme\"}", "products: too many", 256 },
		{ "[{\"command\":\"get-log-page\",\"selector\":\"lid:7/lsp:1 !nsid:9\","
		  "\"effects\":[\"data\",\"log\"]},"
		  "{\"set\":\"nvme-admin\",\"opcode\":\"c1h\",\"never\":true}]",
		  "{\"command\":\"identify\",\"never\":true}", "commands: too many", 1024 },
		{ "[{\"sha256\":\""
		  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}]",
		  "{\"sha256\":\""
		  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}",
		  "evidence: too many", 64 },
	};

	for (size_t i = 0; i < COUNT(table); i++)
		for (int more = 0; more < 2; more++) {
			size_t len = strlen(table[i].item) + 1;
			fwa_auto_free char *list = calloc(1, 2 + len * ((size_t)table[i].most + 1));
			fwa_auto_free char *payload = NULL, *text = NULL;
			struct fwa_advisory_file f;
			char *at = stpcpy(list, "[");

			for (int n = 0; n < table[i].most + more; n++)
				at += sprintf(at, "%s%s", n ? "," : "", table[i].item);
			strcpy(at, "]");
			payload = replaced(good, table[i].from, list);
			text = sealed(payload);
			if (more)
				refused(text, -EBADMSG, table[i].words);
			else
				assert_int_equal(check(text, &f), 0);
			if (!more)
				fwa_advisory_file_clear(&f);
		}
}

/* --- envelopes -------------------------------------------------------------------------------- */

static void envelopes_that_are_none(void **state)
{
	static const char *const texts[][2] = {
		{ "", "not one JSON object" },
		{ "\n", "not one JSON object" },
		{ "[]", "not one JSON object" },
		{ "{}", "payloadType: missing" },
		{ "{}{}", "not one JSON object" },
		{ "{\"payloadType\":1}", "payloadType: not a text" },
		{ "null", "not one JSON object" },
		{ "{", "not one JSON object" },
		{ "[[[[[[[[[[[[[[[[[[", "nested deeper" },
	};
	fwa_auto_free char *many = calloc(1, 1000), *big = calloc(1, FWA_ADVISORY_FILE_MAX + 2);
	fwa_auto_free char *text = sealed(good);

	for (size_t i = 0; i < COUNT(texts); i++)
		refused(texts[i][0], -EBADMSG, texts[i][1]);
	memset(many, '[', 999);
	refused(many, -EBADMSG, "more than 128 values");
	memset(big, ' ', FWA_ADVISORY_FILE_MAX + 1);
	refused(big, -EBADMSG, "longer than 1048576 bytes");
	for (size_t len = 0; len + 1 < strlen(text); len++) {
		fwa_auto_free char *cut = strndup(text, len);
		struct fwa_advisory_file f;

		assert_int_equal(check(cut, &f), -EBADMSG);
		fwa_advisory_file_clear(&f);
	}
}

static void envelopes_that_are_changed(void **state)
{
	fwa_auto_free char *text = sealed(good);
	static const char *const changes[][3] = {
		{ "application/vnd.fwadmit.advisory+json", "application/vnd.in-toto+json",
		  "no advisory, but 'application/vnd.in-toto+json'" },
		{ "\"payloadType\"", "\"x\":1,\"payloadType\"", "x: not known" },
		{ "\"payloadType\"", "\"payload\":\"AAAA\",\"payloadType\"", "given twice" },
		{ "\"payload\":\"", "\"payload\":\"!", "payload: not base64" },
		{ "\"keyid\":\"", "\"keyid\":\"0", "signatures[0].keyid: too long" },
		{ "\"sig\":\"", "\"sig\":\"A", "signatures[0].sig: too long" },
		{ "\"signatures\":[", "\"signatures\":[1,", "signatures[0]: not an object" },
		{ "\"signatures\":[{", "\"signatures\":[{\"cert\":\"\",", "cert: not known" },
	};
	fwa_auto_free char *none = NULL;

	for (size_t i = 0; i < COUNT(changes); i++) {
		fwa_auto_free char *other = replaced(text, changes[i][0], changes[i][1]);

		refused(other, -EBADMSG, changes[i][2]);
	}
	memcpy(strstr(text, "==\"}"), "AA", 2); /* 66 bytes, of which 64 are right */
	refused(text, -EBADMSG, "sig: not a signature in base64");
	assert_true(asprintf(&none, "%.*s[]}", (int)(strchr(text, '[') - text), text) >= 0);
	refused(none, -EBADMSG, "signatures: empty");
}

/* Whatever byte is another one, it is refused. */
static void no_byte_can_be_changed(void **state)
{
	fwa_auto_free char *text = sealed(good);
	unsigned int seen[3] = { 0 };

	text[strlen(text) - 1] = '\0'; /* the end of line */
	for (size_t at = 0; text[at]; at++) {
		char was = text[at];
		static const char flips[] = { 1, 0x20, (char)0x80, 2 };

		for (size_t i = 0; i < COUNT(flips); i++) {
			struct fwa_advisory_file f;
			int r;

			text[at] = (char)(was ^ flips[i]);
			r = fwa_advisory_check(&place, fwa_span(text, strlen(text)), &noon, &f);
			assert_true(r == -EBADMSG || r == -ENOKEY || r == -EKEYREJECTED);
			assert_true(*f.error && !f.document && f.status == FWA_ADVISORY_BAD);
			seen[r == -EBADMSG ? 0 : r == -ENOKEY ? 1 : 2]++;
			fwa_advisory_file_clear(&f);
		}
		text[at] = was;
	}
	refused(text + strlen(text), -EBADMSG, "not one");
	assert_true(seen[0] > 1000 && seen[1] > 100 && seen[2] > 1000);
}

/* --- keys ------------------------------------------------------------------------------------- */

static void keys_that_are_trusted(void **state)
{
	fwa_auto_free char *stranger_key = NULL, *text = NULL, *both = NULL, *mine = NULL;
	fwa_auto_free char *wrong = NULL, *moved = NULL, *garbage = NULL, *one = sealed(good);
	struct fwa_advisory_file f;
	char id[65], path[192];
	char *sig;

	make_key("stranger.pem", false);
	assert_true(asprintf(&stranger_key, "%s/stranger.pem", base) >= 0);
	text = sealed_with(good, stranger_key);
	refused(text, -ENOKEY, "no key that is trusted here has signed it");

	/* the publisher's name under the stranger's signature */
	memcpy(id, strstr(one, "\"keyid\":\"") + 9, 64);
	id[64] = '\0';
	wrong = strdup(text);
	memcpy(strstr(wrong, "\"keyid\":\"") + 9, id, 64);
	refused(wrong, -EKEYREJECTED, "the signature with key publisher.pem is wrong");

	/* both have signed it: one that is trusted is enough, whatever the order */
	sig = strchr(one, '[') + 1;
	assert_true(asprintf(&both, "%.*s,%s", (int)(strrchr(text, ']') - text), text, sig) >= 0);
	assert_int_equal(check(both, &f), 0);
	assert_string_equal(f.signer, "publisher.pem");
	fwa_advisory_file_clear(&f);
	/* unless another one of them is wrong */
	sig = strchr(wrong, '[') + 1;
	assert_true(asprintf(&moved, "%.*s,%s", (int)(strrchr(one, ']') - one), one, sig) >= 0);
	refused(moved, -EKEYREJECTED, "publisher.pem");

	/* this host's own */
	assert_int_equal(mkdir(state_dir, 0700), 0);
	mine = sealed_with(good, NULL);
	assert_int_equal(check(mine, &f), 0);
	assert_string_equal(f.signer, "this host");
	fwa_advisory_file_clear(&f);

	/* files that are no keys do not count, and are named when one is missing */
	snprintf(path, sizeof(path), "%s/broken.pem", keys_dir);
	garbage = strdup("none");
	assert_int_equal(close(open(path, O_WRONLY | O_CREAT, 0644)), 0);
	refused(text, -ENOKEY, "broken.pem: no Ed25519 public key");
	assert_int_equal(check(one, &f), 0);
	fwa_advisory_file_clear(&f);
	unlink(path);
	snprintf(path, sizeof(path), "%s/publisher.pem", keys_dir);
	assert_int_equal(chmod(path, 0664), 0);
	refused(one, -ENOKEY, "publisher.pem: others own it or may write to it");
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(chmod(keys_dir, 0777), 0);
	refused(one, -ENOKEY, "keys: others own it or may write to it");
	assert_int_equal(chmod(keys_dir, 0755), 0);
	assert_int_equal(check(one, &f), 0);
	fwa_advisory_file_clear(&f);
	unlink(path);
	refused(one, -ENOKEY, "no key that is trusted");
}

/* --- clocks ----------------------------------------------------------------------------------- */

static void by_the_clock(void **state)
{
	static const struct {
		uint64_t wall;
		int r;
		uint8_t status;
	} table[] = {
		{ 1811807999, 0, FWA_ADVISORY_IN_FORCE },
		{ 1811808000, -ETIME, FWA_ADVISORY_EXPIRED },
		{ UINT64_MAX, -ETIME, FWA_ADVISORY_EXPIRED },
		{ 1796083200, 0, FWA_ADVISORY_IN_FORCE },
		{ 1796083200 - 86400, 0, FWA_ADVISORY_IN_FORCE },
		{ 1796083200 - 86401, -EAGAIN, FWA_ADVISORY_WAITING },
		{ 0, -EAGAIN, FWA_ADVISORY_WAITING },
	};
	fwa_auto_free char *text = sealed(good);

	for (size_t i = 0; i < COUNT(table); i++) {
		struct fwa_moment now = { .wall = table[i].wall };
		struct fwa_advisory_file f;

		assert_int_equal(fwa_advisory_check(&place, fwa_span(text, strlen(text)), &now, &f),
				 table[i].r);
		assert_int_equal(f.status, table[i].status);
		assert_non_null(f.document); /* it can be shown */
		assert_string_equal(f.id, "FWA-2026-0001");
		assert_int_equal(!*f.error, table[i].r == 0);
		fwa_advisory_file_clear(&f);
	}
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(understood),
		TEST(understood_without),
		TEST(not_understood),
		TEST(counts_are_bounded),
		TEST(envelopes_that_are_none),
		TEST(envelopes_that_are_changed),
		TEST(no_byte_can_be_changed),
		TEST(keys_that_are_trusted),
		TEST(by_the_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
