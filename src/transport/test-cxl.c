// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the CXL transport makes of the kernel's answers. The kernel is replaced here: its ioctls, and
 * the opening of nodes.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/cxl_mem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "transport/node.h"

#define VENDOR 0xc000

static int answer; /* to a command: an errno */
static unsigned int answer_ms;

/* It knows RAW, and nothing else. */
int ioctl(int fd, unsigned long what, ...)
{
	va_list args;
	void *arg;

	va_start(args, what);
	arg = va_arg(args, void *);
	va_end(args);
	if (what == CXL_MEM_QUERY_COMMANDS) {
		struct cxl_mem_query_commands *query = arg;

		query->n_commands = 1;
		query->commands[0].id = CXL_MEM_COMMAND_ID_RAW;
		query->commands[0].size_in = UINT32_MAX;
		return 0;
	}
	usleep(answer_ms * 1000);
	errno = answer;
	return answer ? -1 : 0;
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
	return 2048; /* payload_max */
}

void fwa_sysfs_pci_id(int sysfs, const char *name, char text[FWA_TEXT_MAX])
{
}

/*
 * The kernel says ETIMEDOUT of what a RAW command began in the background, and of a mailbox that did
 * not answer for two seconds. Only the second says something about the device (C22).
 */
static void test_outcomes(void **state)
{
	static const struct {
		int kernel;
		unsigned int ms;
		int result;
		bool maybe_sent;
	} cases[] = {
		{ 0, 0, 0, true },
		{ ENOTTY, 0, -EOPNOTSUPP, false },
		{ ENXIO, 0, -ENODEV, false },
		{ EPERM, 0, -EPERM, false },
		{ EBUSY, 0, -EBUSY, false },
		{ EIO, 0, -EIO, true },
		{ ETIMEDOUT, 0, -EINPROGRESS, true },
		{ ETIMEDOUT, 1000, -EINPROGRESS, true },
		{ ETIMEDOUT, 2000, -ETIMEDOUT, true },
	};
	struct fwa_open_args args = { .spec = "cxl:/dev/cxl/mem0", .fd = -1 };
	struct fwa_device *dev;

	assert_int_equal(fwa_cxl_open(&args, "/dev/cxl/mem0", &dev), 0);
	for (size_t i = 0; i < FWA_ARRAY_SIZE(cases); i++) {
		struct fwa_command cmd = { .set = FWA_SET_CXL, .opcode = VENDOR };
		struct fwa_reply reply = { 0 };

		answer = cases[i].kernel;
		answer_ms = cases[i].ms;
		assert_int_equal(dev->ops->submit(dev, &cmd, &reply, 30000), cases[i].result);
		assert_int_equal(reply.maybe_sent, cases[i].maybe_sent);
	}
	dev->ops->close(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outcomes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
