/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Discovery on an imitated sysfs. /dev/null and its kind stand for devices: the tree says what
 * their numbers are.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/util.h"
#include "host/discover.h"

static char sys[64];

/* Makes the directories on the way to @path in the tree. */
static void make_parents(const char *path)
{
	char full[640];

	snprintf(full, sizeof(full), "%s/%s", sys, path);
	for (char *c = full + strlen(sys) + 1; (c = strchr(c, '/')); c++) {
		*c = '\0';
		mkdir(full, 0755);
		*c = '/';
	}
}

static void make_dir(const char *path)
{
	char below[512];

	snprintf(below, sizeof(below), "%s/x", path);
	make_parents(below);
}

/* A link at @path to @target, both in the tree. */
static void make_link(const char *path, const char *target)
{
	char from[512], to[512];

	make_parents(path);
	snprintf(from, sizeof(from), "%s/%s", sys, path);
	snprintf(to, sizeof(to), "%s/%s", sys, target);
	unlink(from);
	assert_int_equal(symlink(to, from), 0);
}

static int setup(void **state)
{
	strcpy(sys, "/tmp/fwadmit-sysfs-XXXXXX");
	if (!mkdtemp(sys))
		return -1;
	make_dir("bus/cxl");
	make_dir("class/block");
	make_dir("class/mem");
	make_dir("class/nvme");
	make_dir("class/nvme-generic");
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", sys);
	return system(command);
}

static void test_names(void **state)
{
	static const struct {
		const char *subsystem, *name;
		bool ours;
	} table[] = {
		{ "nvme", "nvme0", true },
		{ "nvme", "nvme123456789", true },
		{ "cxl", "mem0", true },
		{ "nvme", "mem0", false },
		{ "cxl", "nvme0", false },
		{ "nvme", "nvme", false },
		{ "nvme", "", false },
		{ "nvme", "nvme0n1", false },
		{ "nvme", "nvme-0", false },
		{ "nvme", "nvme0/..", false },
		{ "nvme", "../nvme0", false },
		{ "nvme", "nvme0\n", false },
		{ "nvme", "nvme1234567890", false },
		{ "cxl", "decoder0.0", false },
		{ "cxl", "mem0 ", false },
		{ "block", "nvme0", false },
	};
	struct fwa_found found;

	for (size_t i = 0; i < FWA_ARRAY_SIZE(table); i++)
		assert_int_equal(fwa_discover_name(table[i].subsystem, table[i].name, &found),
				 table[i].ours);
	assert_true(fwa_discover_name("cxl", "mem3", &found));
	assert_string_equal(found.name, "mem3");
	assert_string_equal(found.node, "/dev/cxl/mem3");
	assert_string_equal(found.spec, "cxl:/dev/cxl/mem3");
	assert_true(fwa_discover_name("nvme", "nvme3", &found));
	assert_string_equal(found.spec, "nvme:/dev/nvme3");
}

static void test_all(void **state)
{
	fwa_auto_free struct fwa_found *found = NULL;
	size_t n;

	assert_int_equal(fwa_discover_in("/nowhere", &found, &n), 0); /* no drivers */
	assert_int_equal(n, 0);
	free(found);

	make_dir("class/nvme/nvme10");
	make_dir("class/nvme/nvme9");
	make_dir("class/nvme/nvme-evil");
	make_dir("bus/cxl/devices/mem0");
	make_dir("bus/cxl/devices/endpoint2");
	make_dir("bus/cxl/devices/decoder0.0");
	assert_int_equal(fwa_discover_in(sys, &found, &n), 0);
	assert_int_equal(n, 3);
	assert_string_equal(found[0].name, "mem0");
	assert_string_equal(found[1].name, "nvme9");
	assert_string_equal(found[2].name, "nvme10");
}

static void expect(const char *path, int r, const char *text)
{
	struct fwa_found found = { .name = "untouched" };
	char error[256] = "";

	assert_int_equal(fwa_discover_path_in(sys, path, &found, error), r);
	if (r < 0) {
		assert_string_equal(found.name, "untouched");
		assert_non_null(strstr(error, text));
	} else {
		assert_string_equal(found.spec, text);
	}
}

static void test_not_devices(void **state)
{
	char path[128], link[128];

	snprintf(path, sizeof(path), "%s/file", sys);
	fclose(fopen(path, "we"));
	snprintf(link, sizeof(link), "%s/loop", sys);
	assert_int_equal(symlink(link, link), 0);
	expect("/nowhere/nvme0", -ENOENT, "/nowhere/nvme0: No such file or directory");
	expect(path, -ENOTBLK, "file: not a device node");
	expect(sys, -ENOTBLK, "not a device node");
	expect(link, -ELOOP, "loop: Too many levels");
	expect("/dev/null", -ENODEV, "/dev/null: the kernel has no such device (");

	make_dir("devices/virtual/mem/null");
	make_link("dev/char/1:3", "devices/virtual/mem/null");
	expect("/dev/null", -ENODEV, "not an NVMe controller or CXL memory device");
	make_link("devices/virtual/mem/null/subsystem", "class/mem");
	expect("/dev/null", -ENODEV, "not an NVMe controller or CXL memory device");
}

static void test_controller(void **state)
{
	char link[128];

	make_dir("devices/pci0/nvme/nvme4");
	make_link("devices/pci0/nvme/nvme4/subsystem", "class/nvme");
	make_link("dev/char/1:3", "devices/pci0/nvme/nvme4");
	expect("/dev/null", 0, "nvme:/dev/null"); /* the node that was given */
	snprintf(link, sizeof(link), "%s/by-id", sys);
	assert_int_equal(symlink("/dev/null", link), 0);
	expect(link, 0, "nvme:/dev/null");

	make_dir("devices/pci0/mem7");
	make_link("devices/pci0/mem7/subsystem", "bus/cxl");
	make_link("dev/char/1:3", "devices/pci0/mem7");
	expect("/dev/null", 0, "cxl:/dev/null");

	/* A directory of ours with somebody else's name. */
	make_dir("devices/pci0/nvme4x");
	make_link("devices/pci0/nvme4x/subsystem", "class/nvme");
	make_link("dev/char/1:3", "devices/pci0/nvme4x");
	expect("/dev/null", -ENODEV, "not an NVMe controller or CXL memory device");
}

/* A namespace's char node, /dev/ng0n1; block nodes differ in the number's folder only. */
static void test_namespace(void **state)
{
	make_dir("devices/pci0/nvme/nvme4");
	make_dir("devices/pci0/nvme/nvme4/ng4n1");
	make_link("devices/pci0/nvme/nvme4/ng4n1/subsystem", "class/nvme-generic");
	make_link("devices/pci0/nvme/nvme4/ng4n1/device", "devices/pci0/nvme/nvme4");
	make_link("dev/char/1:3", "devices/pci0/nvme/nvme4/ng4n1");
	expect("/dev/null", 0, "nvme:/dev/nvme4");

	/* Multipath: it belongs to the subsystem. */
	make_dir("devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1/nvme0n1p1");
	make_link("devices/virtual/nvme-subsystem/nvme-subsys0/nvme4", "devices/pci0/nvme/nvme4");
	make_link("devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1/subsystem", "class/block");
	make_link("devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1/device",
		  "devices/virtual/nvme-subsystem/nvme-subsys0");
	make_link("dev/char/1:3", "devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1");
	expect("/dev/null", 0, "nvme:/dev/nvme4");
	make_link("devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1/nvme0n1p1/subsystem",
		  "class/block");
	make_dir("devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1/nvme0n1p1/partition");
	make_link("dev/char/1:3", "devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1/nvme0n1p1");
	expect("/dev/null", 0, "nvme:/dev/nvme4");

	make_dir("devices/pci0/nvme/nvme5");
	make_link("devices/virtual/nvme-subsystem/nvme-subsys0/nvme5", "devices/pci0/nvme/nvme5");
	expect("/dev/null", -EMLINK, "has several controllers");

	/* A disk of another kind. */
	make_dir("devices/pci0/sda");
	make_link("devices/pci0/sda/subsystem", "class/block");
	make_link("devices/pci0/sda/device", "devices/pci0");
	make_link("dev/char/1:3", "devices/pci0/sda");
	expect("/dev/null", -ENODEV, "not an NVMe controller or CXL memory device");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test_setup_teardown(test_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_devices, setup, teardown),
		cmocka_unit_test_setup_teardown(test_controller, setup, teardown),
		cmocka_unit_test_setup_teardown(test_namespace, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
