/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which unit a control group belongs to: the kernel's text, and what is made of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "worker/unit.h"

static const char *unit_of(const char *text, size_t len)
{
	static char unit[UNIT_NAME_LEN];

	strcpy(unit, "untouched");
	if (!unit_of_cgroups(text, len, unit)) {
		assert_string_equal(unit, "untouched");
		return "";
	}
	return unit;
}

#define USER "0::/user.slice/user-1000.slice/"

/* "": none. */
static const struct {
	const char *text, *unit;
} cases[] = {
	/* what systemd makes */
	{ "0::/system.slice/fw-agent.service\n", "fw-agent.service" },
	{ "0::/system.slice/system-getty.slice/getty@tty1.service\n", "getty@tty1.service" },
	{ "0::/system.slice/dbus.socket\n", "dbus.socket" },
	{ "0::/system.slice/mnt-a.mount\n", "mnt-a.mount" },
	{ "0::/system.slice/dev-sda2.swap\n", "dev-sda2.swap" },
	{ "0::/init.scope\n", "init.scope" },
	{ "0::/fw.service\n", "fw.service" },
	{ "0::/azAZ09.service\n", "azAZ09.service" },
	{ "0::/a@1.service\n", "a@1.service" },
	{ "0::/-.slice/fw.service\n", "fw.service" },
	{ "0::/system.slice/fw.service/its/own/groups\n", "fw.service" },
	{ "0::/system.slice/fw\\x2dagent:1_a.b.service\n", "fw\\x2dagent:1_a.b.service" },
	/* escaped, for the kernel has files of such names */
	{ "0::/system.slice/_cpu.service\n", "cpu.service" },
	{ "0::/system.slice/__x.service\n", "_x.service" },
	{ "0::/_cgroup.slice/fw.service\n", "fw.service" },
	{ "0::/system.slice/_\n", "" },
	{ "0::/system.slice/_.service\n", "" },
	/* users cannot make units of the system */
	{ USER "user@1000.service/app.slice/fw-agent.service\n", "user@1000.service" },
	{ USER "user@1000.service/fw-agent.service\n", "user@1000.service" },
	{ USER "session-3.scope\n", "session-3.scope" },
	{ USER "session-3.scope/fw-agent.service\n", "session-3.scope" },
	/* nor can what runs in a container */
	{ "0::/machine.slice/libpod-0af3.scope/container\n", "libpod-0af3.scope" },
	{ "0::/machine.slice/libpod-0af3.scope/system.slice/fw.service\n", "libpod-0af3.scope" },
	{ "0::/system.slice/docker-0af3.scope\n", "docker-0af3.scope" },
	{ "0::/kubepods.slice/kubepods-besteffort.slice/cri-containerd-1.scope\n",
	  "cri-containerd-1.scope" },
	{ "0::/docker/0af3/system.slice/fw.service\n", "" },
	{ "0::/lxc.payload.c1/system.slice/fw.service\n", "" },
	{ "0::/lxc/c1/fw.service\n", "" },
	{ "0::/kubepods/besteffort/pod1/fw.service\n", "" },
	/* another control group namespace */
	{ "0::/../../system.slice/fw.service\n", "" },
	{ "0::/../fw.service\n", "" },
	{ "0::/..\n", "" },
	{ "0::/system.slice/../fw.service\n", "" },
	{ "0::/./fw.service\n", "" },
	/* removed */
	{ "0::/system.slice/fw.service (deleted)\n", "" },
	{ "0::/system.slice/fw.service/sub (deleted)\n", "" },
	{ "0::/system.slice/fw (deleted).service\n", "" },
	/* no unit */
	{ "0::/\n", "" },
	{ "0::/system.slice\n", "" },
	{ "0::/user.slice/user-1000.slice\n", "" },
	{ "0::/system.slice/\n", "" },
	{ "0::/system.slice//fw.service\n", "" },
	{ "0:://fw.service\n", "" },
	{ "0::/system.slice/fw\n", "" },
	{ "0::/system.slice/fw.target\n", "" },
	{ "0::/system.slice/fw.device\n", "" },
	{ "0::/system.slice/fw.timer\n", "" },
	{ "0::/system.slice/fw.Service\n", "" },
	{ "0::/system.slice/.service\n", "" },
	{ "0::/system.slice/service\n", "" },
	{ "0::/.slice/fw.service\n", "" },
	{ "0::/system.slice/fw@.service\n", "" },
	{ "0::/system.slice/@1.service\n", "" },
	{ "0::/system.slice/fw@a@b.service\n", "fw@a@b.service" },
	{ "0::/system@.slice/fw.service\n", "" },
	{ "0::/system.slice/f w.service\n", "" },
	{ "0::/system.slice/f\tw.service\n", "" },
	{ "0::/system.slice/f*.service\n", "" },
	{ "0::/system.slice/f\x7fw.service\n", "" },
	{ "0::/system.slice/f\xc3\xbcw.service\n", "" },
	{ "0::/sys tem.slice/fw.service\n", "" },
	{ "0::/system.slice/fw.service.d/x.service\n", "" },
	/* not what the kernel writes */
	{ "", "" },
	{ "\n", "" },
	{ "0\n", "" },
	{ "0:\n", "" },
	{ "0::\n", "" },
	{ "0::fw.service\n", "" },
	{ "0::/system.slice/fw.service", "" },
	{ "0::/system.slice/fw.service\n0::/system.slice/b.service\n", "" },
	{ "0::/system.slice/fw.service\nx", "" },
	{ "0::/system.slice/fw.service\n\n", "" },
	{ "00::/system.slice/fw.service\n", "" },
	{ "1::/system.slice/fw.service\n", "" },
	{ "0:x:/system.slice/fw.service\n", "" },
	{ " 0::/system.slice/fw.service\n", "" },
	{ "::/system.slice/fw.service\n", "" },
	/* beside and in version 1 */
	{ "9:name=systemd:/system.slice/a.service\n4:memory:/m/b.service\n0::/\n", "a.service" },
	{ "9:name=systemd:/system.slice/a.service\n4:memory:/m\n", "a.service" },
	{ "9:name=systemd:/system.slice/a.service\n0::/system.slice/b.service\n", "b.service" },
	{ "0::/system.slice/b.service\n9:name=systemd:/system.slice/a.service\n", "b.service" },
	{ "9:name=systemd:/lxc/c1/a.service\n0::/\n", "" },
	{ "9:name=systemd:/system.slice/a.service\n0::/lxc/c1\n", "" },
	{ "9:name=systemd:/system.slice/a.service\n0::/system.slice\n", "" },
	{ "9:name=systemd:/a.service\n8:name=systemd:/b.service\n0::/\n", "" },
	{ "9:cpu,name=systemd:/system.slice/a.service\n0::/\n", "" },
	{ "9:name=systemd2:/system.slice/a.service\n0::/\n", "" },
	{ "4:memory:/system.slice/a.service\n0::/\n", "" },
	{ "4:memory:/a.service\n", "" },
	{ "9:name=systemd:/a:b.service\n", "a:b.service" },
};

static void test_cases(void **state)
{
	for (size_t i = 0; i < FWA_ARRAY_SIZE(cases); i++) {
		const char *unit = unit_of(cases[i].text, strlen(cases[i].text));

		if (strcmp(unit, cases[i].unit))
			fail_msg("\"%s\": unit \"%s\", not \"%s\"", cases[i].text, unit,
				 cases[i].unit);
	}
}

/* No beginning of a text is taken for all of it, and no NUL ends one. */
static void test_cut_short(void **state)
{
	static const char text[] = "4:memory:/m\n0::/system.slice/fw.service\n";
	char holed[sizeof(text)];

	for (size_t len = 0; len + 1 < sizeof(text) - 1; len++)
		assert_string_equal(unit_of(text, len), "");
	assert_string_equal(unit_of(text, sizeof(text) - 1), "fw.service");
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		memcpy(holed, text, sizeof(text));
		holed[i] = '\0';
		assert_string_equal(unit_of(holed, sizeof(text) - 1), "");
	}
}

/* A text with one group whose name has @n letters before its suffix. */
static const char *of_length(size_t n, const char *suffix)
{
	char *text = malloc(n + 64);
	const char *unit;
	size_t len;

	assert_non_null(text);
	len = (size_t)sprintf(text, "0::/");
	memset(text + len, 'a', n);
	len += n;
	len += (size_t)sprintf(text + len, "%s\n", suffix);
	unit = unit_of(text, len);
	free(text);
	return unit;
}

static void test_long_names(void **state)
{
	assert_int_equal(strlen(of_length(255 - strlen(".service"), ".service")), 255);
	assert_string_equal(of_length(256 - strlen(".service"), ".service"), "");
	assert_string_equal(of_length(4096, ".service"), "");
	assert_string_equal(of_length(4096, ".slice/fw.service"), "");
	assert_string_equal(of_length(100000, ""), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_long_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
