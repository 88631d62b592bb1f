/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who uses an NVMe controller's namespaces.
 *
 * A namespace that is seen through several controllers belongs to their subsystem in sysfs, and counts
 * for each of them. The kernel's own word comes last: a block device that can be opened exclusively is
 * mounted in no mount namespace, swapped to by nobody, and part of nothing. The rest is there to say
 * who it is.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/util.h"
#include "verify/safety.h"

#define DISKS_MAX 1024u /* namespaces and partitions of one controller */

struct disk {
	const char *name; /* "nvme0n1p1" */
	unsigned int major, minor;
};

/* --- who is it ------------------------------------------------------------------------------------ */

/* Undoes mountinfo's octal escapes as far as a terminal can take it. */
static void readable(char *text)
{
	char *to = text;

	for (const char *c = text; *c; c++) {
		if (strncmp(c, "\\040", 4) == 0) {
			*to++ = ' ';
			c += 3;
		} else {
			*to++ = *c;
		}
	}
	*to = '\0';
	fwa_make_printable(text);
}

/* Whether the device node @path is @disk, by its name or by its number. */
static bool is_node_of(const struct vfy_roots *roots, const struct disk *disk, const char *path)
{
	char own[PATH_MAX];
	struct stat st;

	snprintf(own, sizeof(own), "%s/%s", roots->dev, disk->name);
	if (strcmp(own, path) == 0)
		return true;
	return path[0] == '/' && stat(path, &st) == 0 && S_ISBLK(st.st_mode) &&
	       st.st_rdev == makedev(disk->major, disk->minor);
}

/* One line of mountinfo(5); some file systems have a number of their own there, and name their device. */
static bool mounts(const struct vfy_roots *roots, const struct disk *disk, char *line,
		   char where[FWA_ERROR_LEN])
{
	char *save, *word = strtok_r(line, " \n", &save), *number = NULL, *point = NULL;
	unsigned int major = 0, minor = 0;
	size_t at = 0;

	for (; word && strcmp(word, "-"); word = strtok_r(NULL, " \n", &save), at++) {
		if (at == 2)
			number = word;
		else if (at == 4)
			point = word;
	}
	if (!point || sscanf(number, "%u:%u", &major, &minor) != 2)
		return false;
	if (word)
		word = strtok_r(NULL, " \n", &save); /* the type */
	if (word)
		word = strtok_r(NULL, " \n", &save); /* the source */
	if ((major != disk->major || minor != disk->minor) &&
	    !(word && is_node_of(roots, disk, word)))
		return false;
	readable(point);
	snprintf(where, FWA_ERROR_LEN, "%s", point);
	return true;
}

/* 1 when it is mounted, 0, or negative errno. */
static int is_mounted(const struct vfy_roots *roots, const struct disk *disk,
		      char where[FWA_ERROR_LEN])
{
	fwa_auto_fclose FILE *f = fopen(roots->mountinfo, "re");
	fwa_auto_free char *line = NULL;
	size_t room = 0;

	if (!f)
		return -errno;
	while (getline(&line, &room, f) >= 0)
		if (mounts(roots, disk, line, where))
			return 1;
	return feof(f) ? 0 : -EIO;
}

static bool is_swap(const struct vfy_roots *roots, const struct disk *disk)
{
	fwa_auto_fclose FILE *f = fopen(roots->swaps, "re"); /* none: a kernel without swap */
	fwa_auto_free char *line = NULL;
	size_t room = 0;

	while (f && getline(&line, &room, f) >= 0) {
		line[strcspn(line, " \t\n")] = '\0';
		if (is_node_of(roots, disk, line))
			return true;
	}
	return false;
}

/* The first that is in @dir's folder "holders". */
static bool has_holder(const char *dir, char ret[VFY_ATTRIBUTE_MAX])
{
	char path[PATH_MAX];
	struct dirent *e;
	bool any = false;
	DIR *d;

	if (snprintf(path, sizeof(path), "%s/holders", dir) >= (int)sizeof(path))
		return false;
	d = opendir(path);
	if (!d)
		return false;
	while (!any && (e = readdir(d))) {
		any = e->d_name[0] != '.';
		if (any)
			snprintf(ret, VFY_ATTRIBUTE_MAX, "%s", e->d_name);
	}
	closedir(d);
	return any;
}

/* --- one block device ------------------------------------------------------------------------------ */

static int keep(struct vfy_hold *h, int fd)
{
	int *more = h->n < DISKS_MAX ? reallocarray(h->fd, h->n + 1, sizeof(*more)) : NULL;

	if (!more) {
		fwa_close(fd);
		return -ENOMEM;
	}
	h->fd = more;
	h->fd[h->n++] = fd;
	return 0;
}

static int take_alone(struct vfy_hold *h, const struct vfy_roots *roots, const char *name,
		      char error[FWA_ERROR_LEN])
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", roots->dev, name);
	fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0)
		return keep(h, fd);
	if (errno == EBUSY)
		return fwa_fail(error, -EBUSY, "%s is in use: something has it for itself alone",
				name);
	return fwa_fail(error, -errno, "whether %s is in use cannot be known: %s: %s", name, path,
			strerror(errno));
}

/* @dir: of the namespace or partition in sysfs. */
static int take_disk(struct vfy_hold *h, const struct vfy_roots *roots, const char *dir,
		     char error[FWA_ERROR_LEN])
{
	struct disk disk = { .name = strrchr(dir, '/') + 1 };
	char text[VFY_ATTRIBUTE_MAX], where[FWA_ERROR_LEN];
	int r;

	if (vfy_attribute(dir, "hidden", text) && strcmp(text, "1") == 0)
		return 0; /* one of the ways to a namespace; it has no node */
	if (!vfy_attribute(dir, "dev", text) ||
	    sscanf(text, "%u:%u", &disk.major, &disk.minor) != 2)
		return fwa_fail(error, -EPROTO, "%s has no number in sysfs", disk.name);
	r = is_mounted(roots, &disk, where);
	if (r < 0)
		return fwa_fail(error, r, "whether %s is mounted cannot be known: %s: %s",
				disk.name, roots->mountinfo, strerror(-r));
	if (r)
		return fwa_fail(error, -EBUSY, "%s is mounted at %.128s", disk.name, where);
	if (is_swap(roots, &disk))
		return fwa_fail(error, -EBUSY, "%s is swap space", disk.name);
	if (has_holder(dir, text))
		return fwa_fail(error, -EBUSY, "%s is part of %.64s", disk.name, text);
	return take_alone(h, roots, disk.name, error);
}

/* --- all of them ----------------------------------------------------------------------------------- */

/* Whether the block device with folder @dir, a namespace or a partition of one, is seen through @name. */
static bool is_of(const char *dir, const char *name)
{
	char parent[VFY_ATTRIBUTE_MAX], path[PATH_MAX], text[VFY_ATTRIBUTE_MAX];
	bool partition = vfy_attribute(dir, "partition", text);
	struct stat st;

	if (snprintf(path, sizeof(path), "%s/%sdevice", dir, partition ? "../" : "") >=
	    (int)sizeof(path))
		return false;
	if (!vfy_link_name(path, "", parent))
		return false;
	if (strcmp(parent, name) == 0)
		return true;
	if (strncmp(parent, "nvme-subsys", 11))
		return false;
	return snprintf(path, sizeof(path), "%s/%sdevice/%s", dir, partition ? "../" : "", name) <
		       (int)sizeof(path) &&
	       stat(path, &st) == 0;
}

int vfy_hold_nvme(struct vfy_hold *h, const struct vfy_roots *roots, const char *name,
		  char error[FWA_ERROR_LEN])
{
	char list[PATH_MAX], link[PATH_MAX];
	struct dirent *e;
	int r = 0;
	DIR *d;

	snprintf(list, sizeof(list), "%s/class/block", roots->sysfs);
	d = opendir(list);
	if (!d)
		return fwa_fail(error, -errno,
				"whether %.64s is in use cannot be known: %.128s: %s", name, list,
				strerror(errno));
	while (r == 0 && (e = readdir(d))) {
		fwa_auto_free char *dir = NULL;

		if (e->d_name[0] == '.' ||
		    snprintf(link, sizeof(link), "%s/%s", list, e->d_name) >= (int)sizeof(link))
			continue;
		dir = realpath(link, NULL);
		if (dir && is_of(dir, name))
			r = take_disk(h, roots, dir, error);
	}
	closedir(d);
	return r;
}
