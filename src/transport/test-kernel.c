// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the kernel transports say to paths that are not their devices. Their work on real ones is
 * tested in the guest (tests/guest).
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/util.h"
#include "transport/transport.h"

typedef int (*open_fn)(struct fwa_open_args *args, const char *rest, struct fwa_device **ret_dev);

static void refused(open_fn open_it, int fd, const char *path, int err, const char *why)
{
	struct fwa_open_args args = { .spec = path, .fd = fd };
	struct fwa_device *dev = NULL;

	assert_int_equal(open_it(&args, path, &dev), err);
	assert_null(dev);
	assert_string_equal(args.error, why);
}

static void test_missing(void **state)
{
	refused(fwa_cxl_open, -1, "/nowhere/mem0", -ENOENT,
		"/nowhere/mem0: No such file or directory");
	refused(fwa_nvme_open, -1, "/nowhere/nvme0", -ENOENT,
		"/nowhere/nvme0: No such file or directory");
}

static void test_other_devices(void **state)
{
	refused(fwa_cxl_open, -1, "/dev/null", -ENODEV, "/dev/null: not a CXL memory device");
	refused(fwa_nvme_open, -1, "/dev/null", -ENODEV, "/dev/null: not an NVMe controller");
}

/* A FIFO would keep a plain open waiting for ever. */
static void test_not_a_node(void **state)
{
	char dir[] = "/tmp/fwadmit-test-XXXXXX";
	char path[64], why[128];

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/fifo", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(why, sizeof(why), "%s: not an NVMe controller: not a character device", path);
	refused(fwa_nvme_open, -1, path, -ENODEV, why);
	snprintf(why, sizeof(why), "%s: not a CXL memory device: not a character device", path);
	refused(fwa_cxl_open, -1, path, -ENODEV, why);
	assert_int_equal(unlink(path), 0);

	snprintf(why, sizeof(why), "%s: Is a directory", dir);
	refused(fwa_cxl_open, -1, dir, -EISDIR, why);
	assert_int_equal(rmdir(dir), 0);
}

/* With a descriptor it is that which counts, not the path, and it stays open. */
static void test_descriptor(void **state)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	refused(fwa_cxl_open, fd, "/dev/cxl/mem0", -ENODEV,
		"/dev/cxl/mem0: not a CXL memory device");
	refused(fwa_nvme_open, fd, "/dev/nvme0", -ENODEV, "/dev/nvme0: not an NVMe controller");
	assert_int_equal(close(fd), 0);
	refused(fwa_cxl_open, fd, "/dev/cxl/mem0", -EBADF, "/dev/cxl/mem0: Bad file descriptor");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_other_devices),
		cmocka_unit_test(test_not_a_node),
		cmocka_unit_test(test_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
