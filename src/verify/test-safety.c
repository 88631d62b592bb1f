/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a device is in use, on imitated trees of what the kernel says.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/util.h"
#include "verify/safety.h"

static char root[64], sysfs[96], dev[96], mountinfo[96], swaps[96];
static const struct vfy_roots roots = {
	.sysfs = sysfs, .dev = dev, .mountinfo = mountinfo, .swaps = swaps
};
static char error[FWA_ERROR_LEN];

/* --- the tree -------------------------------------------------------------------------------------- */

static void make_parents(const char *path)
{
	char full[640];

	snprintf(full, sizeof(full), "%s/%s", root, path);
	for (char *c = full + strlen(root) + 1; (c = strchr(c, '/')); c++) {
		*c = '\0';
		mkdir(full, 0755);
		*c = '/';
	}
}

static void make_file(const char *path, const char *text)
{
	fwa_auto_fclose FILE *f = NULL;
	char full[640];

	make_parents(path);
	snprintf(full, sizeof(full), "%s/%s", root, path);
	f = fopen(full, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
}

static void make_dir(const char *path)
{
	char below[640];

	snprintf(below, sizeof(below), "%s/x", path);
	make_parents(below);
}

static void make_link(const char *path, const char *target)
{
	char from[640], to[640];

	make_parents(path);
	snprintf(from, sizeof(from), "%s/%s", root, path);
	snprintf(to, sizeof(to), "%s/%s", root, target);
	assert_int_equal(symlink(to, from), 0);
}

static int make_root(void **state)
{
	strcpy(root, "/tmp/fwadmit-safety-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	snprintf(sysfs, sizeof(sysfs), "%s/sys", root);
	snprintf(dev, sizeof(dev), "%s/dev", root);
	snprintf(mountinfo, sizeof(mountinfo), "%s/mountinfo", root);
	snprintf(swaps, sizeof(swaps), "%s/swaps", root);
	make_dir("sys/class/block");
	make_dir("sys/bus/cxl/devices");
	make_dir("sys/bus/dax/devices");
	make_dir("sys/bus/nd/devices");
	make_file("mountinfo", "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n");
	make_file("swaps", "Filename\tType\tSize\tUsed\tPriority\n/dev/sda2 partition 100 0 -2\n");
	error[0] = '\0';
	return 0;
}

static int remove_root(void **state)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

/* Namespace or partition @name, below @parent, with the number @number. */
static void make_disk(const char *parent, const char *name, const char *number, bool partition)
{
	char path[512], link[128];

	snprintf(path, sizeof(path), "%s/%s/dev", parent, name);
	make_file(path, number);
	snprintf(path, sizeof(path), "%s/%s/holders", parent, name);
	make_dir(path);
	if (partition) {
		snprintf(path, sizeof(path), "%s/%s/partition", parent, name);
		make_file(path, "1\n");
	} else {
		snprintf(path, sizeof(path), "%s/%s/device", parent, name);
		make_link(path, parent);
	}
	snprintf(link, sizeof(link), "sys/class/block/%s", name);
	snprintf(path, sizeof(path), "%s/%s", parent, name);
	make_link(link, path);
	snprintf(path, sizeof(path), "dev/%s", name);
	make_file(path, "");
}

#define CONTROLLER "sys/devices/pci0/nvme/nvme0"
#define OTHER "sys/devices/pci1/nvme/nvme1"

/* Two controllers, a namespace each; the first one's has two partitions. */
static void make_nvme(void)
{
	make_disk(CONTROLLER, "nvme0n1", "259:0\n", false);
	make_disk(CONTROLLER "/nvme0n1", "nvme0n1p1", "259:1\n", true);
	make_disk(CONTROLLER "/nvme0n1", "nvme0n1p2", "259:2\n", true);
	make_disk(OTHER, "nvme1n1", "259:5\n", false);
}

static int take(const char *name)
{
	struct vfy_hold hold;
	int r = vfy_hold_take(&hold, &roots, name, error);
	size_t n = hold.n;

	vfy_hold_release(&hold);
	assert_true(r == 0 || n == 0);
	return r == 0 ? (int)n : r;
}

static void assert_in_use(const char *name, const char *why)
{
	assert_int_equal(take(name), -EBUSY);
	assert_string_equal(error, why);
}

/* --- NVMe ------------------------------------------------------------------------------------------ */

static void nvme_is_free(void **state)
{
	make_nvme();
	assert_int_equal(take("nvme0"), 3);
	assert_int_equal(take("nvme1"), 1);
	assert_int_equal(take("nvme2"), 0);
}

static void nvme_is_mounted(void **state)
{
	make_nvme();
	make_file("mountinfo", "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
			       "30 21 259:2 / /srv/my\\040data rw shared:1 - ext4 /dev/x rw\n");
	assert_in_use("nvme0", "nvme0n1p2 is mounted at /srv/my data");
	assert_int_equal(take("nvme1"), 1);
	make_file("mountinfo", "30 21 259:0 / /srv rw master:1 propagate_from:2 - xfs none rw");
	assert_in_use("nvme0", "nvme0n1 is mounted at /srv");
}

/* A file system with a number of its own says its source only. */
static void nvme_is_mounted_by_name(void **state)
{
	char line[256];

	make_nvme();
	snprintf(line, sizeof(line), "30 21 0:35 /sub /srv rw - btrfs %s/nvme0n1p1 rw\n", dev);
	make_file("mountinfo", line);
	assert_in_use("nvme0", "nvme0n1p1 is mounted at /srv");
	assert_int_equal(take("nvme1"), 1);
}

static void odd_mountinfo(void **state)
{
	static const char *const odd[] = {
		"",  "\n\n", "1 2 3\n",   "1 2 3 4\n",       "30 21 259:1\n",
		"-", "- -",  "- - - -\n", "a b c d e - f g", "1 1 259 / / rw - ext4\n",
	};

	make_nvme();
	for (size_t i = 0; i < FWA_ARRAY_SIZE(odd); i++) {
		make_file("mountinfo", odd[i]);
		assert_int_equal(take("nvme0"), 3);
	}
}

static void nvme_is_swap(void **state)
{
	char text[256];

	make_nvme();
	snprintf(text, sizeof(text), "Filename\tType\n%s/nvme0n1p2 partition 1 0 -2\n", dev);
	make_file("swaps", text);
	assert_in_use("nvme0", "nvme0n1p2 is swap space");
	assert_int_equal(take("nvme1"), 1);
}

static void nvme_is_held(void **state)
{
	make_nvme();
	make_dir(OTHER "/nvme1n1/holders/dm-3");
	assert_in_use("nvme1", "nvme1n1 is part of dm-3");
	assert_int_equal(take("nvme0"), 3);
}

/* Seen through two controllers: a node for both, and hidden ones for each way. */
static void nvme_of_a_subsystem(void **state)
{
	make_disk("sys/devices/virtual/nvme-subsystem/nvme-subsys0", "nvme0n1", "259:0\n", false);
	make_dir(CONTROLLER);
	make_link("sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0", CONTROLLER);
	make_disk(CONTROLLER, "nvme0c0n1", "0:0\n", false);
	make_file(CONTROLLER "/nvme0c0n1/hidden", "1\n");
	assert_int_equal(take("nvme0"), 1);
	assert_int_equal(take("nvme1"), 0);
	make_dir("sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1/holders/md0");
	assert_in_use("nvme0", "nvme0n1 is part of md0");
}

/* What cannot be known is no "free". */
static void nvme_unknown(void **state)
{
	char path[160];

	make_nvme();
	snprintf(path, sizeof(path), "%s/nvme0n1p1", dev);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(take("nvme0"), -ENOENT);
	assert_non_null(strstr(error, "whether nvme0n1p1 is in use cannot be known"));
	make_file("dev/nvme0n1p1", "");
	assert_int_equal(take("nvme0"), 3);
	make_file(CONTROLLER "/nvme0n1/dev", "what\n");
	assert_int_equal(take("nvme0"), -EPROTO);
	assert_int_equal(unlink(mountinfo), 0);
	assert_int_equal(take("nvme1"), -ENOENT);
	assert_non_null(strstr(error, "whether nvme1n1 is mounted cannot be known"));
	snprintf(sysfs, sizeof(sysfs), "%s/nowhere", root);
	assert_int_equal(take("nvme1"), -ENOENT);
}

/* --- CXL ------------------------------------------------------------------------------------------- */

#define MEM "sys/devices/pci0/mem0"
#define ENDPOINT "sys/devices/root0/endpoint2"
#define REGION "sys/devices/root0/region0"

static void make_cxl(const char *region, const char *size)
{
	make_dir(MEM);
	make_file(ENDPOINT "/decoder2.0/dpa_size", size);
	make_file(ENDPOINT "/decoder2.0/region", region);
	make_link(ENDPOINT "/uport", MEM);
	make_link("sys/bus/cxl/devices/decoder2.0", ENDPOINT "/decoder2.0");
	make_link("sys/bus/cxl/devices/mem0", MEM);
	/* The root's decoder has a region, and is of no memory device. */
	make_file("sys/devices/root0/decoder0.0/region", "region0\n");
	make_link("sys/bus/cxl/devices/decoder0.0", "sys/devices/root0/decoder0.0");
}

static void cxl_is_free(void **state)
{
	make_cxl("\n", "0x0000000000000000\n");
	assert_int_equal(take("mem0"), 0);
	assert_int_equal(take("mem1"), 0);
}

static void cxl_is_mapped(void **state)
{
	make_cxl("\n", "0x10000000\n");
	assert_in_use("mem0", "decoder2.0 maps 0x10000000 bytes of mem0");
	assert_int_equal(take("mem1"), 0);
}

static void cxl_is_in_a_region(void **state)
{
	make_cxl("region0\n", "0x10000000\n");
	assert_in_use("mem0", "memory of mem0 is in region0");
	make_dir("sys/bus/dax/drivers/kmem");
	make_link(REGION "/dax_region0/dax0.0/driver", "sys/bus/dax/drivers/kmem");
	make_link("sys/bus/dax/devices/dax0.0", REGION "/dax_region0/dax0.0");
	assert_in_use("mem0", "memory of mem0 is in region0, which dax0.0 (kmem) uses");
}

static void cxl_is_persistent_memory(void **state)
{
	make_cxl("region0\n", "0x10000000\n");
	make_dir("sys/bus/nd/drivers/nd_pmem");
	make_link(REGION "/ndbus0/region0/namespace0.0/driver", "sys/bus/nd/drivers/nd_pmem");
	make_link("sys/bus/nd/devices/namespace0.0", REGION "/ndbus0/region0/namespace0.0");
	assert_in_use("mem0", "memory of mem0 is in region0, which namespace0.0 (nd_pmem) uses");
}

static void cxl_unknown(void **state)
{
	snprintf(sysfs, sizeof(sysfs), "%s/nowhere", root);
	assert_int_equal(take("mem0"), -ENOENT);
}

/* --- named ----------------------------------------------------------------------------------------- */

static void by_name(void **state)
{
	struct fwa_identity id = { .serial = "S1" }, nobody = { .serial = "" };

	for (unsigned int probe = 0; probe < VFY_PROBES; probe++) {
		bool free_for_all = probe < VFY_PROBE_DESTRUCTIVE;

		assert_int_equal(vfy_may_probe(true, probe, &nobody, NULL, error), 0);
		assert_int_equal(vfy_may_probe(false, probe, &id, "S1", error), 0);
		assert_int_equal(vfy_may_probe(false, probe, &id, NULL, error) == 0, free_for_all);
		assert_int_equal(vfy_may_probe(false, probe, &id, "S", error) == 0, free_for_all);
		assert_int_equal(vfy_may_probe(false, probe, &id, "", error) == 0, free_for_all);
		assert_int_equal(vfy_may_probe(false, probe, &nobody, "", error) == 0,
				 free_for_all);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nvme_is_free),
		TEST(nvme_is_mounted),
		TEST(nvme_is_mounted_by_name),
		TEST(odd_mountinfo),
		TEST(nvme_is_swap),
		TEST(nvme_is_held),
		TEST(nvme_of_a_subsystem),
		TEST(nvme_unknown),
		TEST(cxl_is_free),
		TEST(cxl_is_mapped),
		TEST(cxl_is_in_a_region),
		TEST(cxl_is_persistent_memory),
		TEST(cxl_unknown),
		cmocka_unit_test(by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
