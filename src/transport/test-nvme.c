// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the NVMe transport hands to the kernel, and what it makes of the kernel's answers. The kernel
 * is replaced here: its ioctl, and the opening of nodes.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>

#include <cmocka.h>

#include "base/util.h"
#include "transport/node.h"
#include "wire/nvme.h"

static struct nvme_passthru_cmd64 passed;
static unsigned long request;
static int answer;              /* of the ioctl: a status, or a negative errno */
static unsigned int answer_ms;  /* how long it takes */
static unsigned long parameter; /* the kernel's time-outs in seconds; 0: not to be had */

int ioctl(int fd, unsigned long what, ...)
{
	va_list args;

	if (what != NVME_IOCTL_RESET) {
		va_start(args, what);
		passed = *va_arg(args, struct nvme_passthru_cmd64 *);
		va_end(args);
	}
	request = what;
	usleep(answer_ms * 1000);
	if (answer >= 0)
		return answer;
	errno = -answer;
	return -1;
}

int fwa_node_open(struct fwa_open_args *args, const char *path, const char *subsystem,
		  const char *what, struct fwa_node *ret)
{
	*ret = (struct fwa_node){ .fd = -1, .sysfs = -1 };
	ret->fd = open("/dev/null", O_RDONLY | O_CLOEXEC); /* any that can be closed */
	return ret->fd < 0 ? -errno : 0;
}

void fwa_node_close(struct fwa_node *node)
{
	node->fd = fwa_close(node->fd);
}

void fwa_sysfs_text(int sysfs, const char *name, char text[FWA_TEXT_MAX])
{
}

unsigned long fwa_sysfs_number(int sysfs, const char *name)
{
	return parameter;
}

void fwa_sysfs_pci_id(int sysfs, const char *name, char text[FWA_TEXT_MAX])
{
}

static int submit(uint8_t opcode, unsigned int timeout_ms, struct fwa_reply *reply)
{
	struct fwa_open_args args = { .spec = "nvme:/dev/nvme0", .fd = -1 };
	struct fwa_command cmd = { .set = FWA_SET_NVME_ADMIN, .opcode = opcode };
	struct fwa_device *dev;
	int r;

	assert_int_equal(fwa_nvme_open(&args, "/dev/nvme0", &dev), 0);
	r = dev->ops->submit(dev, &cmd, reply, timeout_ms);
	dev->ops->close(dev);
	return r;
}

/*
 * The kernel resets a controller whose command is late. A caller that may only read must not be able
 * to have that done by asking for an answer in a millisecond.
 */
static void test_no_hurry(void **state)
{
	static const unsigned int asked[] = { 1, 200, 2000, 30000, 60000 };
	struct fwa_reply reply = { 0 };

	answer = 0;
	for (size_t i = 0; i < FWA_ARRAY_SIZE(asked); i++) {
		assert_int_equal(submit(0x80, asked[i], &reply), 0);
		assert_int_equal(request, NVME_IOCTL_ADMIN64_CMD);
		assert_int_equal(passed.timeout_ms, 0); /* the kernel's own */
	}
	assert_int_equal(submit(0x80, 600000, &reply), 0);
	assert_int_equal(passed.timeout_ms, 600000);
}

static void test_outcomes(void **state)
{
	static const struct {
		int kernel, result;
		bool maybe_sent;
	} cases[] = {
		{ 0, 0, true },
		{ 0x4002, 0, true },
		{ -EACCES, -EPERM, false },
		{ -ENOTTY, -EOPNOTSUPP, false },
		{ -EINVAL, -EINVAL, false },
		{ -EINTR, -ECANCELED, true }, /* so soon: somebody had the controller reset */
		{ -EIO, -EIO, true },
		{ -EFAULT, -EFAULT, true },
	};

	for (size_t i = 0; i < FWA_ARRAY_SIZE(cases); i++) {
		struct fwa_reply reply = { 0 };

		answer = cases[i].kernel;
		assert_int_equal(submit(0x80, 0, &reply), cases[i].result);
		assert_int_equal(reply.maybe_sent, cases[i].maybe_sent);
	}
}

/* Only a command that had its time says something about the controller (C22). */
static void test_late(void **state)
{
	struct fwa_reply reply = { 0 };

	answer = -EINTR;
	parameter = 1;
	answer_ms = 1000;
	assert_int_equal(submit(0x80, 100, &reply), -ETIMEDOUT);
	assert_int_equal(submit(0x80, 2000, &reply), -ECANCELED);
	answer_ms = 100;
	assert_int_equal(submit(0x80, 100, &reply), -ECANCELED);
	answer_ms = 0;
	parameter = 0;
}

static void test_reset(void **state)
{
	static const int errors[][2] = {
		{ 0, 0 }, { -EACCES, -EPERM }, { -ENOTTY, -EOPNOTSUPP }, { -ENODEV, -ENODEV }
	};
	struct fwa_open_args args = { .spec = "nvme:/dev/nvme0", .fd = -1 };
	struct fwa_device *dev;

	assert_int_equal(fwa_nvme_open(&args, "/dev/nvme0", &dev), 0);
	for (size_t i = 0; i < FWA_ARRAY_SIZE(errors); i++) {
		answer = errors[i][0];
		request = 0;
		assert_int_equal(dev->ops->reset(dev, FWA_RESET_CONVENTIONAL, 1), errors[i][1]);
		assert_int_equal(request, NVME_IOCTL_RESET);
	}
	request = 0;
	assert_int_equal(dev->ops->reset(dev, FWA_RESET_COLD, 1), -EOPNOTSUPP);
	assert_int_equal(request, 0);
	assert_null(dev->ops->peek);
	dev->ops->close(dev);
	answer = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_hurry),
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
