/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's arguments name descriptors by number, so the child puts each of them at its number and
 * closes all others; between fork and exec it makes no call that is not async-signal-safe.
 */
#include "transport/qtest-qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/util.h"

/* The child's descriptors: standard input, output and error, then what its arguments name. */
enum {
	CHILD_NULL,
	CHILD_OUT,
	CHILD_LOG,
	CHILD_QTEST,
	CHILD_ROM,
	CHILD_DISK,
	CHILD_STATUS, /* carries the errno of a failed exec; closed by a good one */
	CHILD_FDS,
};

#define ROM_SIZE 65536u
#define ROM_RESET 0xfff0u /* where an x86 processor begins */
#define LOG_SIZE 4096
#define VERSION_MS 10000
#define ARGS_MAX 64

static const char *const machine_args[] = {
	/* clang-format off */
	"-no-user-config", "-nodefaults", "-display", "none", "-accel", "tcg", "-m", "256M",
	"-bios", "/proc/self/fd/4",
	"-chardev", "socket,id=qtest,fd=3", "-object", "qtest,id=qt,chardev=qtest,log=/dev/null",
	"-M", "q35",
	/* clang-format on */
};

/* cli; hlt; jmp back to hlt */
static int make_rom(void)
{
	static const uint8_t halt[] = { 0xfa, 0xf4, 0xeb, 0xfd };
	fwa_auto_free uint8_t *rom = calloc(1, ROM_SIZE);

	if (!rom)
		return -ENOMEM;
	memcpy(rom + ROM_RESET, halt, sizeof(halt));
	return fwa_memfd_sealed("qtest-rom", fwa_span(rom, ROM_SIZE));
}

/* A memfd of @size bytes that cannot grow, whatever a child writes. */
static int make_memfd(const char *name, size_t size)
{
	fwa_auto_close int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, (off_t)size) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) < 0)
		return -errno;
	return fwa_steal_fd(&fd);
}

/* --- the child, up to its exec: nothing but async-signal-safe calls ------------------------- */

static int child_take_fds(const int fds[CHILD_FDS])
{
	int high[CHILD_FDS];

	/* First out of the way of the numbers that they are to get. */
	for (int i = 0; i < CHILD_FDS; i++) {
		high[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD_CLOEXEC, CHILD_FDS);
		if (fds[i] >= 0 && high[i] < 0)
			return -errno;
	}
	for (int i = 0; i < CHILD_FDS; i++) {
		if (high[i] < 0)
			close(i);
		else if (dup3(high[i], i, i == CHILD_STATUS ? O_CLOEXEC : 0) < 0)
			return -errno;
	}
	return close_range(CHILD_FDS, ~0u, 0) < 0 ? -errno : 0;
}

static int child_exec(const char *program, char *const *argv, pid_t parent)
{
	sigset_t none;

	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) < 0 || setsid() < 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	/* The parent may have died before we asked to be told. */
	if (getppid() != parent)
		return -ESRCH;
	execvp(program, argv);
	return -errno;
}

_Noreturn static void child(const char *program, char *const *argv, const int fds[CHILD_FDS],
			    pid_t parent)
{
	int r = child_take_fds(fds);
	ssize_t written;

	if (r == 0)
		r = child_exec(program, argv, parent);
	written = write(CHILD_STATUS, &r, sizeof(r));
	_exit(written == sizeof(r) ? 126 : 127);
}

/* --- the parent ----------------------------------------------------------------------------- */

static int fork_child(const char *program, char *const *argv, int fds[CHILD_FDS], pid_t *ret)
{
	int status[2], r = 0;
	pid_t parent = getpid(), pid;

	if (pipe2(status, O_CLOEXEC) < 0)
		return -errno;
	fds[CHILD_STATUS] = status[1];
	pid = fork();
	if (pid == 0)
		child(program, argv, fds, parent);
	if (pid < 0)
		r = -errno;
	close(status[1]);
	if (pid > 0 && read(status[0], &r, sizeof(r)) > 0)
		waitpid(pid, NULL, 0);
	close(status[0]);
	if (r == 0)
		*ret = pid;
	return r;
}

/* Starts @argv with the descriptors @rom and @disk (-1: none). */
static int spawn(const char *program, char *const *argv, int rom, int disk, struct fwa_qemu *ret)
{
	fwa_auto_close int log = make_memfd("qtest-log", LOG_SIZE);
	fwa_auto_close int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	fwa_auto_close int ours = -1, theirs = -1;
	int pair[2], r;
	pid_t pid = -1;

	if (log < 0)
		return log;
	if (null < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	ours = pair[0];
	theirs = pair[1];
	r = fork_child(program, argv, (int[CHILD_FDS]){ null, log, log, theirs, rom, disk, -1 },
		       &pid);
	if (r < 0)
		return r;
	*ret = (struct fwa_qemu){
		.pid = pid,
		.sock = fwa_steal_fd(&ours),
		.log = fwa_steal_fd(&log),
	};
	return 0;
}

static int say_why_not(int r, const char *program, char error[FWA_ERROR_LEN])
{
	if (r == -ENOENT && !strchr(program, '/'))
		return fwa_fail(error, r,
				"qtest needs QEMU and there is no %.64s: install the "
				"package " FWA_QEMU_PACKAGE ", or name a program with qemu=PATH",
				program);
	return fwa_fail(error, r, "cannot start %.150s: %s", program, strerror(-r));
}

int fwa_qemu_start(const char *program, const char *const *args, size_t disk_size,
		   struct fwa_qemu *ret, char error[FWA_ERROR_LEN])
{
	const char *argv[ARGS_MAX] = { program };
	fwa_auto_close int rom = make_rom();
	fwa_auto_close int disk = disk_size ? make_memfd("qtest-disk", disk_size) : -1;
	size_t n = 1;
	int r;

	for (size_t i = 0; i < FWA_ARRAY_SIZE(machine_args); i++)
		argv[n++] = machine_args[i];
	while (*args && n < ARGS_MAX - 1)
		argv[n++] = *args++;
	if (rom < 0)
		r = rom;
	else if (disk_size && disk < 0)
		r = disk;
	else
		r = *args ? -E2BIG : spawn(program, (char *const *)argv, rom, disk, ret);
	return r < 0 ? say_why_not(r, program, error) : 0;
}

void fwa_qemu_stop(struct fwa_qemu *qemu)
{
	if (qemu->pid <= 0)
		return;
	/* It leads a session of its own: a wrapper script and what it started both end. */
	kill(-qemu->pid, SIGKILL);
	while (waitpid(qemu->pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(qemu->sock);
	close(qemu->log);
	*qemu = (struct fwa_qemu){ 0 };
}

void fwa_qemu_complaint(const struct fwa_qemu *qemu, char *text, size_t len)
{
	ssize_t n = pread(qemu->log, text, len - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	fwa_make_printable(text);
}

/* Waits until the child has closed its end of the socket, as it does by exiting. */
static int wait_end(const struct fwa_qemu *qemu)
{
	struct pollfd p = { .fd = qemu->sock, .events = POLLIN };
	int r;

	do {
		r = poll(&p, 1, VERSION_MS);
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	return r == 0 ? -ETIMEDOUT : 0;
}

int fwa_qemu_version(const char *program, struct fwa_qemu_version *ret, char error[FWA_ERROR_LEN])
{
	const char *argv[] = { program, "--version", NULL };
	struct fwa_qemu qemu = { 0 };
	struct fwa_qemu_version v;
	char line[128];
	int r = spawn(program, (char *const *)argv, -1, -1, &qemu);

	if (r < 0)
		return say_why_not(r, program, error);
	r = wait_end(&qemu);
	fwa_qemu_complaint(&qemu, line, sizeof(line));
	fwa_qemu_stop(&qemu);
	if (r < 0)
		return say_why_not(r, program, error);
	if (sscanf(line, "QEMU emulator version %31[0-9.]", v.text) != 1 ||
	    sscanf(v.text, "%3u.%3u", &v.major, &v.minor) != 2)
		return fwa_fail(error, -EPROTO, "%.100s is no QEMU: its --version says \"%.100s\"",
				program, line);
	*ret = v;
	return 0;
}
