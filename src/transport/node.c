/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening device nodes. The node is named by the caller, so nothing is believed of its name: what
 * the open descriptor is, sysfs tells by its device number.
 */
#include "transport/node.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/util.h"

/* O_NONBLOCK: a FIFO or a serial line named by mistake is an error, not a wait. */
static int open_node(struct fwa_open_args *args, const char *path)
{
	int fd;

	if (args->fd >= 0)
		fd = fcntl(args->fd, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return fwa_fail(args->error, -errno, "%s: %s", path, strerror(errno));
	return fd;
}

static int open_sysfs(dev_t number)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u", major(number), minor(number));
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static bool is_of(int sysfs, const char *subsystem)
{
	char target[256];
	const char *last;
	ssize_t n;

	n = readlinkat(sysfs, "subsystem", target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	last = strrchr(target, '/');
	return last && strcmp(last + 1, subsystem) == 0;
}

int fwa_node_open(struct fwa_open_args *args, const char *path, const char *subsystem,
		  const char *what, struct fwa_node *ret)
{
	fwa_auto_close int fd = -1;
	fwa_auto_close int sysfs = -1;
	struct stat st;

	fd = open_node(args, path);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return fwa_fail(args->error, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISCHR(st.st_mode))
		return fwa_fail(args->error, -ENODEV, "%s: not %s: not a character device", path,
				what);
	sysfs = open_sysfs(st.st_rdev);
	if (sysfs < 0 || !is_of(sysfs, subsystem))
		return fwa_fail(args->error, -ENODEV, "%s: not %s", path, what);
	*ret = (struct fwa_node){ .fd = fwa_steal_fd(&fd), .sysfs = fwa_steal_fd(&sysfs) };
	return 0;
}

void fwa_node_close(struct fwa_node *node)
{
	node->fd = fwa_close(node->fd);
	node->sysfs = fwa_close(node->sysfs);
}

void fwa_sysfs_text(int sysfs, const char *name, char text[FWA_TEXT_MAX])
{
	fwa_auto_close int fd = openat(sysfs, name, O_RDONLY | O_CLOEXEC);
	char raw[FWA_TEXT_MAX];
	ssize_t n;

	if (fd < 0)
		return;
	n = read(fd, raw, sizeof(raw));
	if (n > 0 && raw[n - 1] == '\n')
		n--;
	if (n > 0)
		fwa_text_clean(text, raw, (size_t)n);
}

unsigned long fwa_sysfs_number(int sysfs, const char *name)
{
	char text[FWA_TEXT_MAX] = "";

	fwa_sysfs_text(sysfs, name, text);
	return strtoul(text, NULL, 0);
}

void fwa_sysfs_pci_id(int sysfs, const char *name, char text[FWA_TEXT_MAX])
{
	unsigned long id = fwa_sysfs_number(sysfs, name);

	if (id)
		snprintf(text, FWA_TEXT_MAX, "%04lx", id);
}
