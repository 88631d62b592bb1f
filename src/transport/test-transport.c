/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dispatch by a spec's prefix, and by kind of device. The other transports are replaced here:
 * what matters is which one is called, and with what.
 */
#include <errno.h>

#include "transport/read-profile.h"
#include "transport/sim/test-device.h"

static const char *called;
static char called_rest[64];

static int record(const char *name, const char *rest)
{
	called = name;
	strncpy(called_rest, rest, sizeof(called_rest) - 1);
	return -ENXIO;
}

int fwa_qtest_open(struct fwa_open_args *args, const char *rest, struct fwa_device **ret_dev)
{
	return record("qtest", rest);
}

int fwa_cxl_open(struct fwa_open_args *args, const char *rest, struct fwa_device **ret_dev)
{
	return record("cxl", rest);
}

int fwa_nvme_open(struct fwa_open_args *args, const char *rest, struct fwa_device **ret_dev)
{
	return record("nvme", rest);
}

int fwa_nvme_profile_read(struct fwa_device *dev, struct fwa_writer *w, char error[256])
{
	return record("nvme profile", "");
}

static void test_prefixes(void **state)
{
	static const char *const specs[][3] = {
		{ "qtest:nvme,qemu=/x", "qtest", "nvme,qemu=/x" },
		{ "cxl:/dev/cxl/mem0", "cxl", "/dev/cxl/mem0" },
		{ "nvme:/dev/nvme0", "nvme", "/dev/nvme0" },
		{ "nvme:", "nvme", "" },
	};

	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct fwa_open_args args = { .spec = specs[i][0], .fd = -1 };
		struct fwa_device *dev = NULL;

		memset(called_rest, 0, sizeof(called_rest));
		assert_int_equal(fwa_device_open(&args, &dev), -ENXIO);
		assert_string_equal(called, specs[i][1]);
		assert_string_equal(called_rest, specs[i][2]);
	}
}

static void test_no_such_transport(void **state)
{
	static const char *const specs[] = { "", "sim", "SIM:honest", "/dev/nvme0", "usb:1", ":" };

	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct fwa_open_args args = { .spec = specs[i], .fd = -1 };
		struct fwa_device *dev = NULL;

		called = NULL;
		assert_int_equal(fwa_device_open(&args, &dev), -EINVAL);
		assert_null(called);
		assert_null(dev);
		assert_non_null(strstr(args.error, "does not begin with sim:"));
	}
}

static void test_sim(void **state)
{
	struct fwa_open_args args = { .spec = "sim:honest,seed=3", .fd = -1 };
	struct fwa_device *dev = NULL;

	assert_int_equal(fwa_device_open(&args, &dev), 0);
	assert_int_equal(SEND(dev, 0x4000), CXL_RC_SUCCESS);
	assert_null(fwa_device_close(dev));
	assert_null(fwa_device_close(NULL));
}

static void test_profile_reader_by_kind(void **state)
{
	static uint8_t buf[65536];
	struct fwa_writer w = fwa_writer(buf, sizeof(buf));
	struct fwa_device nvme = { .is_nvme = true }, *sim = test_open("honest");
	char error[256] = "";

	called = NULL;
	assert_int_equal(fwa_profile_read(sim, &w, error), 0);
	assert_null(called);
	assert_true(w.len > 0);
	assert_int_equal(fwa_profile_read(&nvme, &w, error), -ENXIO);
	assert_string_equal(called, "nvme profile");
	test_close(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_no_such_transport),
		cmocka_unit_test(test_sim),
		cmocka_unit_test(test_profile_reader_by_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
