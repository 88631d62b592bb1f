/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store of baselines: which one is found, what is kept, and what is not trusted.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/util.h"
#include "core/drift.h"
#include "host/baseline.h"
#include "host/state.h"
#include "proto/control.h"

static char dir[] = "/tmp/fwadmit-baseline-XXXXXX", pinned[64], state_dir[64];
static struct fwa_identified who;

static int set_up(void **state)
{
	strcpy(dir + sizeof(dir) - 7, "XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(pinned, sizeof(pinned), "%s/etc/baselines", dir);
	snprintf(state_dir, sizeof(state_dir), "%s/state/below", dir);
	return fwa_identified_parse("nvme\nAcme\nDrive 1\nS1\n1.0\n17", &who);
}

static int tear_down(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

static struct fwa_baselines store(void)
{
	return (struct fwa_baselines){ .pinned_dir = pinned, .state_dir = state_dir };
}

/* What is found: its source, and its text in @text. */
static enum fwa_baseline_source find(const struct fwa_baselines *b, char text[16])
{
	enum fwa_baseline_source source;
	fwa_auto_close int fd = -1;
	ssize_t n = 0;

	memset(text, 0, 16);
	assert_int_equal(fwa_baselines_find(b, &who, &source, &fd), 0);
	if (fd >= 0) {
		assert_true(fwa_memfd_size(fd, 15) >= 0); /* sealed */
		n = pread(fd, text, 15, 0);
	}
	assert_true(n >= 0);
	return source;
}

static int save(const struct fwa_baselines *b, enum fwa_baseline_source source, const char *text)
{
	fwa_auto_close int fd = fwa_memfd_sealed("test", fwa_span(text, strlen(text)));

	return fwa_baselines_save(b, source, &who, fd);
}

static void pin(const char *text)
{
	char name[FWA_DIGEST_TEXT];

	fwa_baseline_name(&who, name);
	assert_int_equal(fwa_make_dirs(pinned), 0);
	assert_int_equal(fwa_write_durably(pinned, name, text, strlen(text)), 0);
}

static void order(void **state)
{
	struct fwa_baselines b = store();
	char text[16];

	assert_int_equal(find(&b, text), FWA_BASELINE_FROM_NOWHERE);
	assert_int_equal(save(&b, FWA_BASELINE_FROM_SEEN, "seen"), 0);
	assert_int_equal(find(&b, text), FWA_BASELINE_FROM_SEEN);
	assert_string_equal(text, "seen");
	assert_int_equal(save(&b, FWA_BASELINE_FROM_ACCEPTED, "accepted"), 0);
	assert_int_equal(find(&b, text), FWA_BASELINE_FROM_ACCEPTED);
	assert_string_equal(text, "accepted");
	assert_int_equal(save(&b, FWA_BASELINE_FROM_ACCEPTED, "again"), 0);
	find(&b, text);
	assert_string_equal(text, "again");
	b.require_pinned = true;
	assert_int_equal(find(&b, text), FWA_BASELINE_FROM_REQUIRED);
	pin("pinned");
	assert_int_equal(find(&b, text), FWA_BASELINE_FROM_PINNED);
	assert_string_equal(text, "pinned");
	b.require_pinned = false;
	assert_int_equal(find(&b, text), FWA_BASELINE_FROM_PINNED);
	b.pinned_dir = NULL;
	assert_int_equal(find(&b, text), FWA_BASELINE_FROM_ACCEPTED);
	b.state_dir = NULL;
	assert_int_equal(find(&b, text), FWA_BASELINE_FROM_NOWHERE);
	assert_int_equal(save(&b, FWA_BASELINE_FROM_SEEN, "x"), -ENOENT);
}

/* Nobody but its owner reads or writes it, and no half-written file stays. */
static void files(void **state)
{
	struct fwa_baselines b = store();
	char name[FWA_DIGEST_TEXT], path[256];
	struct stat st;

	assert_int_equal(save(&b, FWA_BASELINE_FROM_SEEN, "seen"), 0);
	fwa_baseline_name(&who, name);
	snprintf(path, sizeof(path), "%s/baselines/seen/%s", state_dir, name);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	snprintf(path, sizeof(path), "%s/baselines/seen", state_dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(st.st_nlink, 2);
	snprintf(path, sizeof(path), "test -z \"$(ls -A '%s/baselines/seen' | grep -v '^%s$')\"",
		 state_dir, name);
	assert_int_equal(system(path), 0);
}

/* What cannot be read is not the same as none. */
static void unreadable(void **state)
{
	struct fwa_baselines b = store();
	enum fwa_baseline_source source = FWA_BASELINE_FROM_NOWHERE;
	char name[FWA_DIGEST_TEXT], path[256];
	int fd = 0;

	fwa_baseline_name(&who, name);
	assert_int_equal(save(&b, FWA_BASELINE_FROM_SEEN, "seen"), 0);
	snprintf(path, sizeof(path), "%s/%s", pinned, name);
	assert_int_equal(fwa_make_dirs(path), 0); /* a folder in place of the file */
	assert_int_equal(fwa_baselines_find(&b, &who, &source, &fd), -EISDIR);
	assert_int_equal(source, FWA_BASELINE_FROM_REQUIRED);
	assert_int_equal(fd, -1);
	assert_int_equal(rmdir(path), 0);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, FWA_DECLARATIONS_MAX + 1), 0);
	close(fd);
	assert_int_equal(fwa_baselines_find(&b, &who, &source, &fd), -EFBIG);
	assert_int_equal(source, FWA_BASELINE_FROM_REQUIRED);
}

/* Only sealed memfds, and no more than a baseline has. */
static void not_saved(void **state)
{
	struct fwa_baselines b = store();
	fwa_auto_close int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	fwa_auto_free char *much = calloc(1, FWA_DECLARATIONS_MAX + 1);
	fwa_auto_close int fd = fwa_memfd_sealed("test", fwa_span(much, FWA_DECLARATIONS_MAX + 1));
	char text[16];

	assert_true(fwa_baselines_save(&b, FWA_BASELINE_FROM_SEEN, &who, null) < 0);
	assert_int_equal(fwa_baselines_save(&b, FWA_BASELINE_FROM_SEEN, &who, fd), -EMSGSIZE);
	assert_true(fwa_baselines_save(&b, FWA_BASELINE_FROM_SEEN, &who, -1) < 0);
	assert_int_equal(find(&b, text), FWA_BASELINE_FROM_NOWHERE);
}

/* Family, vendor, model and firmware make the key; the serial number does not, nor do lines run together. */
static void keys(void **state)
{
	static const char *const other[] = {
		"cxl\nAcme\nDrive 1\nS1\n1.0\n17",  "nvme\nAcm\neDrive 1\nS1\n1.0\n17",
		"nvme\nAcme\nDrive\nS1\n1.0\n17",   "nvme\nAcme\nDrive 1\nS1\n1.1\n17",
		"nvme\nAcme\nDrive 11\nS1\n.0\n17", "nvme\nAcme\n\nS1\nDrive 11.0\n17",
		"nvme\n\nAcmeDrive 1\nS1\n1.0\n17",
	};
	char name[FWA_DIGEST_TEXT], mine[FWA_DIGEST_TEXT], device[FWA_DIGEST_TEXT];
	struct fwa_identified x;

	fwa_baseline_name(&who, mine);
	assert_int_equal(strspn(mine, "0123456789abcdef"), 64);
	for (size_t i = 0; i < FWA_ARRAY_SIZE(other); i++) {
		assert_int_equal(fwa_identified_parse(other[i], &x), 0);
		fwa_baseline_name(&x, name);
		assert_string_not_equal(name, mine);
	}
	fwa_device_digest(&who, device);
	assert_string_not_equal(device, mine);
	assert_int_equal(fwa_identified_parse("nvme\nAcme\nDrive 1\nS2\n1.0\n9", &x), 0);
	fwa_baseline_name(&x, name);
	assert_string_equal(name, mine);
	fwa_device_digest(&x, name);
	assert_string_not_equal(name, device);
	/* printf 'nvme\0Acme\0Drive 1\0001.0\0' | sha256sum */
	assert_string_equal(mine,
			    "ef6cc7b4485723a6a710a384df922f41b096a4134341805323aa5ce643746567");
}

/* A vendor of 64 characters. */
#define V16 "vvvvvvvvvvvvvvvv"
#define LONG_LINE "nvme\n" V16 V16 V16 V16 "\nm\ns\nf\n1"

static void identities(void **state)
{
	static const char *const bad[] = {
		"",
		"\n\n\n\n\n1",
		"nvme",
		"nvme\nv\nm\ns\nf",
		"nvme\nv\nm\ns\nf\n",
		"nvme\nv\nm\ns\nf\nx",
		"nvme\nv\nm\ns\nf\n-1",
		"nvme\nv\nm\ns\nf\n4294967296",
		"nvme\nv\nm\ns\nf\n1\n2",
		LONG_LINE,
	};
	struct fwa_identified x = { .commands = 5 };

	for (size_t i = 0; i < FWA_ARRAY_SIZE(bad); i++) {
		assert_int_equal(fwa_identified_parse(bad[i], &x), -EPROTO);
		assert_int_equal(x.commands, 5);
	}
	assert_int_equal(fwa_identified_parse("sim\n\nm \x1b[2J\n\n../..\n0", &x), 0);
	assert_string_equal(x.id.vendor, "");
	assert_string_equal(x.id.model, "m ?[2J");
	assert_string_equal(x.id.firmware, "../..");
	assert_int_equal(x.commands, 0);
}

static void answers(void **state)
{
	struct fwa_baselines b = store();
	enum fwa_baseline_source source;
	char text[FWA_CONTROL_TEXT_MAX + 1];
	uint16_t kind;
	int pair[2], fd, given, error;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	for (unsigned int i = 0; i < 3; i++) {
		b.require_pinned = i == 0;
		if (i == 2)
			pin("pinned");
		assert_int_equal(fwa_baselines_answer(&b, &who, pair[0], &source, &given, &error),
				 0);
		assert_int_equal(error, 0);
		assert_int_equal(fwa_control_recv(pair[1], &kind, text, &fd), 0);
		assert_int_equal(kind, FWA_CONTROL_BASELINE);
		assert_string_equal(text, i == 0 ? "required" : i == 1 ? "none" : "pinned");
		assert_string_equal(text, fwa_baseline_source_name(source));
		assert_int_equal(fd >= 0, i == 2);
		assert_int_equal(given >= 0, i == 2);
		fwa_close(given);
		fwa_close(fd);
	}
	assert_null(fwa_baseline_source_name(FWA_BASELINE_SOURCE_COUNT));
	close(pair[0]);
	close(pair[1]);
}

static void state_folder(void **state)
{
	fwa_auto_free char *a = NULL, *b = NULL;

	setenv("FWADMIT_STATE_DIR", "/x/y", 1);
	a = fwa_state_dir();
	assert_string_equal(a, "/x/y");
	unsetenv("FWADMIT_STATE_DIR");
	setenv("XDG_STATE_HOME", "/home/me/state", 1);
	b = fwa_state_dir();
	assert_string_equal(b, geteuid() ? "/home/me/state/fwadmit" : FWA_STATE_DIR);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(order), TEST(files),      TEST(unreadable), TEST(not_saved),
		TEST(keys),  TEST(identities), TEST(answers),    TEST(state_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
