/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of advisory files share: a place with a publisher's key, and documents signed with it.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/util.h"
#include "host/advisory-internal.h"
#include "journal/format.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define S UINT64_C(1000000000)

/* 2026-12-31T18:00:00Z, an hour after the boot */
static const struct fwa_moment noon = { 1798740000, 0, 3600 * S, "" };

static char base[64], state_dir[80], keys_dir[80], publisher[128];
static const struct fwa_advisory_place place = { state_dir, keys_dir };

/* A document like those that are published. */
static const char good[] =
	"{\"format_version\":1,\"id\":\"FWA-2026-0001\",\"sequence\":1,"
	"\"issued\":\"2026-12-01T00:00:00Z\",\"expires\":\"2027-06-01T00:00:00Z\","
	"\"title\":\"Drives that do more\",\"reference\":\"https://example.com/a?b=1\","
	"\"products\":[{\"family\":\"nvme\",\"vendor\":\"Acme*\",\"model\":\"Drive [12]\","
	"\"firmware\":{\"from\":\"1.0\",\"to\":\"1.9\"}},{\"family\":\"nvme\"}],"
	"\"commands\":[{\"command\":\"get-log-page\",\"selector\":\"lid:7/lsp:1 !nsid:9\","
	"\"effects\":[\"data\",\"log\"]},"
	"{\"set\":\"nvme-admin\",\"opcode\":\"c1h\",\"never\":true}],"
	"\"evidence\":[{\"sha256\":\""
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}]}";

/* Makes a private key, and its public half in the folder of keys when it is to be trusted. */
static inline void make_key(const char *name, bool trusted)
{
	fwa_auto_close int dir = open(base, O_RDONLY | O_DIRECTORY);
	fwa_auto_close int keys = open(keys_dir, O_RDONLY | O_DIRECTORY);
	struct fwa_signer *s;

	assert_int_equal(fwa_signer_open(dir, name, &s), 0);
	if (trusted)
		assert_int_equal(fwa_signer_publish(s, keys, name), 0);
	fwa_signer_free(s);
}

static inline int setup(void **state)
{
	strcpy(base, "/tmp/fwadmit-advisory-XXXXXX");
	if (!mkdtemp(base))
		return -1;
	snprintf(state_dir, sizeof(state_dir), "%s/state", base);
	snprintf(keys_dir, sizeof(keys_dir), "%s/keys", base);
	snprintf(publisher, sizeof(publisher), "%s/publisher.pem", base);
	if (mkdir(keys_dir, 0755) < 0)
		return -1;
	make_key("publisher.pem", true);
	return 0;
}

static inline int teardown(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", base);
	return system(command);
}

/*
 * @payload in an envelope, signed with @key: fresh. No part of its callers: gcc 12 would take the text for
 * the pointer to it.
 */
__attribute__((noinline, unused)) static char *sealed_with(const char *payload, const char *key)
{
	char error[FWA_ERROR_LEN], *text = NULL;

	if (fwa_advisory_seal(&place, key, fwa_span(payload, strlen(payload)), &text, error) < 0)
		fail_msg("%s", error);
	return text;
}

static inline char *sealed(const char *payload)
{
	return sealed_with(payload, publisher);
}

/* @text with @from, which is there once, replaced: fresh. */
static inline char *replaced(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	char *ret = NULL;

	if (!at || strstr(at + 1, from))
		fail_msg("'%s' is not there once", from);
	assert_true(asprintf(&ret, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) >= 0);
	return ret;
}

static inline int check(const char *text, struct fwa_advisory_file *f)
{
	return fwa_advisory_check(&place, fwa_span(text, strlen(text)), &noon, f);
}

/* That it is refused so, in these words. */
static inline void refused(const char *text, int expected, const char *words)
{
	struct fwa_advisory_file f;
	int r = check(text, &f);

	if (r != expected || !strstr(f.error, words))
		fail_msg("not %d, '%s': %d, '%s'", expected, words, r, f.error);
	assert_true(expected == -ETIME || expected == -EAGAIN || !f.document);
	fwa_advisory_file_clear(&f);
}
