/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects: kept under their digest, replaced when they are not what their name says, swept.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/hex.h"
#include "journal/objects.h"
#include "journal/test-dir.h"

static void path_of(const uint8_t sha256[FWA_HASH_LEN], char path[256])
{
	char hex[2 * FWA_HASH_LEN + 1];

	fwa_hex_text(sha256, FWA_HASH_LEN, hex);
	snprintf(path, 256, "%s/objects/%s", dir, hex);
}

static bool holds(const uint8_t sha256[FWA_HASH_LEN], const char *text)
{
	fwa_auto_free uint8_t *data = NULL;
	char path[256];
	size_t len;

	path_of(sha256, path);
	return fwa_read_file(path, 1 << 20, &data, &len) == 0 && len == strlen(text) &&
	       memcmp(data, text, len) == 0;
}

static void put(const char *text, uint8_t sha256[FWA_HASH_LEN])
{
	assert_int_equal(fwa_objects_put(dirfd_, fwa_span(text, strlen(text)), sha256), 0);
	assert_true(holds(sha256, text));
}

static void test_put(void **state)
{
	uint8_t a[FWA_HASH_LEN], b[FWA_HASH_LEN];
	struct stat st, again;
	char path[256];

	put("a policy", a);
	put("", b);
	assert_memory_not_equal(a, b, FWA_HASH_LEN);
	path_of(a, path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777 & ~0640, 0);
	/* What is there stays. */
	put("a policy", a);
	assert_int_equal(stat(path, &again), 0);
	assert_int_equal(st.st_ino, again.st_ino);
	assert_int_equal(fwa_objects_put(dirfd_, fwa_span("", (size_t)FWA_OBJECT_MAX + 1), a),
			 -EFBIG);
}

static void test_replaced(void **state)
{
	static const char *const others[] = { "a polizy", "a policy and more", "" };
	uint8_t a[FWA_HASH_LEN];
	char path[256];

	put("a policy", a);
	path_of(a, path);
	for (size_t i = 0; i < FWA_ARRAY_SIZE(others); i++) {
		FILE *f = fopen(path, "w");

		fputs(others[i], f);
		fclose(f);
		put("a policy", a);
	}
	/* Nobody leads the journal elsewhere. */
	unlink(path);
	assert_int_equal(symlink("/etc/hostname", path), 0);
	put("a policy", a);
}

static bool is(void *arg, const uint8_t sha256[FWA_HASH_LEN])
{
	return memcmp(arg, sha256, FWA_HASH_LEN) == 0;
}

static void test_sweep(void **state)
{
	uint8_t a[FWA_HASH_LEN], b[FWA_HASH_LEN];
	char path[256];
	FILE *f;

	put("a", a);
	put("b", b);
	snprintf(path, sizeof(path), "%s/objects/.new", dir);
	f = fopen(path, "w");
	fclose(f);
	snprintf(path, sizeof(path), "%s/objects/README", dir);
	f = fopen(path, "w");
	fclose(f);
	assert_int_equal(fwa_objects_sweep(dirfd_, is, b), 0);
	assert_false(holds(a, "a"));
	assert_true(holds(b, "b"));
	assert_int_equal(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "%s/objects/.new", dir);
	assert_int_equal(access(path, F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_put, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_replaced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sweep, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
