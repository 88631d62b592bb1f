/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys: made once, whole, for their owner alone; read in both forms; and what is no key.
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

#include "base/hex.h"
#include "journal/format.h"
#include "journal/test-dir.h"

static char path[128];
static const struct fwa_span message = { (const uint8_t *)"a message", 9 };

static const char *at(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	FILE *f = fopen(at(name), "w");

	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(at(name), mode), 0);
}

static void test_made_once(void **state)
{
	uint8_t key[FWA_KEY_LEN], again[FWA_KEY_LEN], signature[FWA_SIGNATURE_LEN];
	struct fwa_signer *s, *t;
	struct stat st;

	assert_int_equal(fwa_signer_open(dirfd_, "key", &s), 0);
	assert_int_equal(stat(at("key"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_nlink, 1);
	fwa_signer_key(s, key);
	assert_int_equal(fwa_sign(s, message, signature), 0);
	assert_true(fwa_signed_by(key, message, signature));
	assert_int_equal(fwa_signer_open(dirfd_, "key", &t), 0);
	fwa_signer_key(t, again);
	assert_memory_equal(key, again, FWA_KEY_LEN);
	assert_int_equal(fwa_public_key_read(at("key.pub"), again), 0);
	assert_memory_equal(key, again, FWA_KEY_LEN);
	/* Lost, or another one's: it says again what is so. */
	write_file("key.pub", "nonsense", 0644);
	fwa_signer_free(t);
	assert_int_equal(fwa_signer_open(dirfd_, "key", &t), 0);
	memset(again, 0, sizeof(again));
	assert_int_equal(fwa_public_key_read(at("key.pub"), again), 0);
	assert_memory_equal(key, again, FWA_KEY_LEN);
	fwa_signer_free(s);
	fwa_signer_free(t);
}

static void test_signatures(void **state)
{
	uint8_t key[FWA_KEY_LEN], signature[FWA_SIGNATURE_LEN];
	struct fwa_signer *s;

	assert_int_equal(fwa_signer_open(dirfd_, "key", &s), 0);
	fwa_signer_key(s, key);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(fwa_sign(s, message, signature), 0);
		assert_true(fwa_signed_by(key, message, signature));
	}
	assert_false(fwa_signed_by(key, fwa_span("b message", 9), signature));
	assert_false(fwa_signed_by(key, fwa_span(message.data, 8), signature));
	for (size_t i = 0; i < sizeof(signature); i++) {
		signature[i] ^= 1;
		assert_false(fwa_signed_by(key, message, signature));
		signature[i] ^= 1;
	}
	key[5] ^= 1;
	assert_false(fwa_signed_by(key, message, signature));
	memset(key, 0xff, sizeof(key));
	assert_false(fwa_signed_by(key, message, signature));
	fwa_signer_free(s);
}

static void test_no_key(void **state)
{
	static const char *const texts[] = {
		"",
		"nonsense\n",
		"-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n",
		/* of another kind: X25519 */
		"-----BEGIN PRIVATE KEY-----\n"
		"MC4CAQAwBQYDK2VuBCIEIHcHbQpzGKV9PBbBclGyZkXfTC+H68CZKrF3+6UduSwq\n"
		"-----END PRIVATE KEY-----\n",
	};
	struct fwa_signer *s = NULL;

	for (size_t i = 0; i < FWA_ARRAY_SIZE(texts); i++) {
		write_file("key", texts[i], 0600);
		assert_int_equal(fwa_signer_open(dirfd_, "key", &s), -EBADMSG);
	}
	unlink(at("key"));
	assert_int_equal(symlink("elsewhere", at("key")), 0);
	assert_int_equal(fwa_signer_open(dirfd_, "key", &s), -ELOOP);
	unlink(at("key"));
	assert_int_equal(mkdir(at("key"), 0700), 0);
	assert_int_equal(fwa_signer_open(dirfd_, "key", &s), -EBADMSG);
	/* One that is given has to be there. */
	assert_int_equal(fwa_signer_open(dirfd_, at("none"), &s), -ENOENT);
	assert_null(s);
}

static void test_not_for_others(void **state)
{
	static const mode_t modes[] = { 0644, 0604, 0602, 0620, 0601 };
	struct fwa_signer *s;

	assert_int_equal(fwa_signer_open(dirfd_, "key", &s), 0);
	fwa_signer_free(s);
	for (size_t i = 0; i < FWA_ARRAY_SIZE(modes); i++) {
		chmod(at("key"), modes[i]);
		assert_int_equal(fwa_signer_open(dirfd_, "key", &s), -EPERM);
	}
	chmod(at("key"), 0440);
	/* Another one's place for a key: its public half stays where it is. */
	assert_int_equal(fwa_signer_open(dirfd_, at("key"), &s), 0);
	fwa_signer_free(s);
}

static void test_public_keys(void **state)
{
	uint8_t key[FWA_KEY_LEN], again[FWA_KEY_LEN];
	char hex[2 * FWA_KEY_LEN + 2];

	for (size_t i = 0; i < FWA_KEY_LEN; i++)
		key[i] = (uint8_t)(i * 7);
	fwa_hex_text(key, sizeof(key), hex);
	assert_int_equal(fwa_public_key_read(hex, again), 0);
	assert_memory_equal(key, again, FWA_KEY_LEN);
	hex[63] = 'g';
	assert_int_equal(fwa_public_key_read(hex, again), -ENOENT);
	write_file("pub", "-----BEGIN PUBLIC KEY-----\nnonsense\n", 0600);
	assert_int_equal(fwa_public_key_read(at("pub"), again), -EBADMSG);
	memset(again, 1, sizeof(again));
	assert_int_equal(fwa_public_key_read("/dev/zero", again), -EBADMSG);
	assert_int_equal(again[0], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_made_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_signatures, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_key, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_for_others, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_public_keys, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
