/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding devices in sysfs.
 *
 * A name becomes part of a path, of a socket's name and of a log line only after it was found to be
 * letters that we wrote here followed by a number. A path that a user gives is never searched for by
 * its text: the kernel is asked which device its number is.
 */
#include "host/discover.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/util.h"

#define SYSFS "/sys"
#define FOUND_MAX 4096

static const struct kind {
	const char *subsystem;
	const char *prefix; /* of the name; a number follows */
	const char *dev;    /* where the node is */
	const char *family; /* of the spec */
	const char *list;   /* in sysfs */
} kinds[] = {
	{ "cxl", "mem", "/dev/cxl/", "cxl", "bus/cxl/devices" },
	{ "nvme", "nvme", "/dev/", "nvme", "class/nvme" },
};

static bool is_numbered(const char *name, const char *prefix)
{
	size_t len = strlen(prefix), digits;

	if (strncmp(name, prefix, len) != 0)
		return false;
	digits = strspn(name + len, "0123456789");
	return digits >= 1 && digits <= 9 && name[len + digits] == '\0';
}

static const struct kind *find_kind(const char *subsystem, const char *name)
{
	for (size_t i = 0; i < FWA_ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].subsystem, subsystem) == 0 &&
		    is_numbered(name, kinds[i].prefix))
			return &kinds[i];
	return NULL;
}

bool fwa_discover_name(const char *subsystem, const char *name, struct fwa_found *ret)
{
	const struct kind *kind = find_kind(subsystem, name);

	if (!kind)
		return false;
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	snprintf(ret->node, sizeof(ret->node), "%s%s", kind->dev, ret->name);
	snprintf(ret->spec, sizeof(ret->spec), "%s:%s", kind->family, ret->node);
	return true;
}

/* --- all devices ---------------------------------------------------------------------------- */

struct list {
	struct fwa_found *at;
	size_t n, cap;
};

static int list_add(struct list *l, const struct fwa_found *found)
{
	struct fwa_found *more;

	if (l->n == FOUND_MAX)
		return -E2BIG;
	if (l->n == l->cap) {
		more = reallocarray(l->at, l->cap + 16, sizeof(*more));
		if (!more)
			return -ENOMEM;
		l->at = more;
		l->cap += 16;
	}
	l->at[l->n++] = *found;
	return 0;
}

static int list_kind(struct list *l, const char *sysfs, const struct kind *kind)
{
	fwa_auto_free char *path = NULL;
	struct fwa_found found;
	struct dirent *e;
	int r = 0;
	DIR *d;

	if (asprintf(&path, "%s/%s", sysfs, kind->list) < 0)
		return -ENOMEM;
	d = opendir(path);
	if (!d)
		return errno == ENOENT ? 0 : -errno; /* the driver is not there */
	while (r == 0 && (e = readdir(d)))
		if (fwa_discover_name(kind->subsystem, e->d_name, &found))
			r = list_add(l, &found);
	closedir(d);
	return r;
}

static int found_order(const void *pa, const void *pb)
{
	const struct fwa_found *a = pa, *b = pb;

	return strverscmp(a->name, b->name);
}

int fwa_discover_in(const char *sysfs, struct fwa_found **ret, size_t *ret_n)
{
	struct list l = { 0 };
	int r = 0;

	for (size_t i = 0; i < FWA_ARRAY_SIZE(kinds) && r == 0; i++)
		r = list_kind(&l, sysfs, &kinds[i]);
	if (r < 0) {
		free(l.at);
		return r;
	}
	if (l.n)
		qsort(l.at, l.n, sizeof(*l.at), found_order);
	*ret = l.at;
	*ret_n = l.n;
	return 0;
}

int fwa_discover(struct fwa_found **ret, size_t *ret_n)
{
	return fwa_discover_in(SYSFS, ret, ret_n);
}

/* --- one path ------------------------------------------------------------------------------- */

static int not_served(const char *path, char error[FWA_ERROR_LEN])
{
	return fwa_fail(error, -ENODEV, "%.128s: not an NVMe controller or CXL memory device",
			path);
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Where the link @dir/@name leads, NULL when it is not there. To be freed. */
static char *follow(const char *dir, const char *name)
{
	fwa_auto_free char *path = NULL;

	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		path = NULL;
		return NULL;
	}
	return realpath(path, NULL);
}

/* The only controller of the NVMe subsystem at @sys: 0, or -ENODEV, -EMLINK, other negative errno. */
static int only_controller(const char *sys, struct fwa_found *ret)
{
	struct fwa_found found;
	struct dirent *e;
	size_t n = 0;
	DIR *d;

	d = opendir(sys);
	if (!d)
		return -errno;
	while ((e = readdir(d)))
		n += fwa_discover_name("nvme", e->d_name, &found);
	closedir(d);
	if (n != 1)
		return n ? -EMLINK : -ENODEV;
	*ret = found;
	return 0;
}

/* The controller of the namespace at @sys. */
static int controller_of(const char *path, const char *sys, struct fwa_found *ret,
			 char error[FWA_ERROR_LEN])
{
	fwa_auto_free char *parent = follow(sys, "device");
	int r;

	if (!parent)
		return not_served(path, error);
	if (fwa_discover_name("nvme", last_part(parent), ret))
		return 0;
	if (strncmp(last_part(parent), "nvme-subsys", 11) != 0)
		return not_served(path, error);
	r = only_controller(parent, ret);
	if (r == -EMLINK)
		return fwa_fail(error, r,
				"%s: has several controllers: name one of them (/dev/nvmeN)", path);
	if (r < 0)
		return fwa_fail(error, r, "%s: has no controller", path);
	return 0;
}

/* The device whose directory in sysfs is @sys; it was reached by @node. */
static int identify(const char *path, const char *node, const char *sys, struct fwa_found *ret,
		    char error[FWA_ERROR_LEN])
{
	fwa_auto_free char *subsystem = follow(sys, "subsystem");
	fwa_auto_free char *partition = follow(sys, "partition");
	fwa_auto_free char *whole = NULL;
	const char *name;

	if (!subsystem)
		return not_served(path, error);
	name = last_part(subsystem);
	if (fwa_discover_name(name, last_part(sys), ret)) {
		/* The node that was given: in a container it may be the only one. */
		const struct kind *kind = find_kind(name, ret->name);

		snprintf(ret->node, sizeof(ret->node), "%s", node);
		snprintf(ret->spec, sizeof(ret->spec), "%s:%s", kind->family, ret->node);
		return 0;
	}
	if (strcmp(name, "block") != 0 && strcmp(name, "nvme-generic") != 0)
		return not_served(path, error);
	whole = partition ? follow(sys, "..") : strdup(sys);
	if (!whole)
		return fwa_fail(error, -ENOMEM, "%s: %s", path, strerror(ENOMEM));
	return controller_of(path, whole, ret, error);
}

int fwa_discover_path_in(const char *sysfs, const char *path, struct fwa_found *ret,
			 char error[FWA_ERROR_LEN])
{
	fwa_auto_free char *node = realpath(path, NULL);
	fwa_auto_free char *sys = NULL;
	struct fwa_found found;
	char number[64];
	struct stat st;
	int r;

	if (!node || stat(node, &st) < 0)
		return fwa_fail(error, -errno, "%.128s: %s", path, strerror(errno));
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return fwa_fail(error, -ENOTBLK, "%.128s: not a device node", path);
	if (strlen(node) >= sizeof(ret->node))
		return fwa_fail(error, -ENAMETOOLONG, "%.128s..: the path is too long", path);
	snprintf(number, sizeof(number), "dev/%s/%u:%u", S_ISCHR(st.st_mode) ? "char" : "block",
		 major(st.st_rdev), minor(st.st_rdev));
	sys = follow(sysfs, number);
	if (!sys)
		return fwa_fail(error, -ENODEV, "%s: the kernel has no such device (%s/%s)", path,
				sysfs, number);
	r = identify(path, node, sys, &found, error);
	if (r == 0)
		*ret = found;
	return r;
}

int fwa_discover_path(const char *path, struct fwa_found *ret, char error[FWA_ERROR_LEN])
{
	return fwa_discover_path_in(SYSFS, path, ret, error);
}
