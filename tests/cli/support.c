/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "transport/transport.h"

const struct cli test_cli;

/* --- what main.c has -------------------------------------------------------------------------- */

int cli_fail(const struct cli *c, int code, const char *format, ...)
{
	return code;
}

void cli_note(const struct cli *c, const char *format, ...)
{
}

unsigned int cli_timeout(const struct cli *c, unsigned int otherwise)
{
	return otherwise;
}

const char *cli_socket_dir(const struct cli *c)
{
	return "/nonexistent";
}

/* --- devices --------------------------------------------------------------------------------- */

struct cli_subject test_subject;

void test_set_subject(uint8_t *encoded, size_t len, const char *name)
{
	cli_subject_close(&test_subject);
	assert_true(cli_subject_set_profile(&test_subject, encoded, len));
	snprintf(test_subject.name, sizeof(test_subject.name), "%s", name);
	test_subject.now = 1000;
}

void test_open_sim(const char *personality)
{
	char spec[64], name[FWA_TEXT_MAX], error[FWA_ERROR_LEN];
	struct fwa_open_args args = { .spec = spec, .fd = -1 };
	struct fwa_device *dev;
	uint8_t *encoded = malloc(FWA_PROFILE_MAX);
	struct fwa_writer w = fwa_writer(encoded, FWA_PROFILE_MAX);

	snprintf(spec, sizeof(spec), "sim:%s", personality);
	snprintf(name, sizeof(name), "sim:%.32s", personality);
	assert_int_equal(fwa_device_open(&args, &dev), 0);
	assert_int_equal(fwa_profile_read(dev, &w, error), 0);
	fwa_device_close(dev);
	test_set_subject(encoded, w.len, name);
}
