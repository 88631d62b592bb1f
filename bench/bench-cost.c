/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one request costs a worker, in instructions: they are the same whatever else runs here.
 * Usage: bench-cost SOCKET PID OPCODE. As root it sends as a user that is not.
 */
#include "bench.h"

#include <dirent.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/ioctl.h>

#include "proto/client.h"

#define NOBODY 65534
#define THREADS_MAX 16
#define REQUESTS 10000
/* A worker tells of a new client once a second: that is over then. */
#define SETTLE_US 1200000

struct counters {
	int fd[THREADS_MAX];
	int n;
};

static int open_counter(int tid, bool kernel)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_HARDWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_HW_INSTRUCTIONS,
					.exclude_user = kernel,
					.exclude_kernel = !kernel,
					.exclude_hv = 1 };

	return (int)syscall(SYS_perf_event_open, &attr, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

/* Of all threads of @pid. */
static struct counters open_counters(const char *pid, bool kernel)
{
	struct counters c = { .n = 0 };
	struct dirent *e;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/task", pid);
	dir = opendir(path);
	while (dir && c.n < THREADS_MAX && (e = readdir(dir))) {
		int fd = e->d_name[0] == '.' ? -1 : open_counter(atoi(e->d_name), kernel);

		if (fd >= 0)
			c.fd[c.n++] = fd;
	}
	if (dir)
		closedir(dir);
	return c;
}

static uint64_t read_counters(const struct counters *c)
{
	uint64_t sum = 0, v;

	for (int i = 0; i < c->n; i++)
		if (read(c->fd[i], &v, sizeof(v)) == sizeof(v))
			sum += v;
	return sum;
}

static uint8_t call(struct fwa_client *c, unsigned long opcode)
{
	struct fwa_command cmd = { .set = FWA_SET_CXL,
				   .opcode = (uint16_t)opcode,
				   .scope = FWA_SCOPE_LEAST,
				   .out_len = 67 };
	struct fwa_gate_reply reply;
	struct fwa_span data;

	if (fwa_client_submit(c, &cmd, 0, &reply, &data) < 0 || reply.error)
		abort();
	return reply.decision.reason;
}

int main(int argc, char **argv)
{
	struct counters user, kernel;
	unsigned long opcode;
	struct fwa_client *c;
	double before[2];

	if (argc != 4)
		return 2;
	opcode = strtoul(argv[3], NULL, 16);
	user = open_counters(argv[2], false);
	kernel = open_counters(argv[2], true);
	if (!user.n) {
		printf("left out: no counters of instructions here\n");
		return 0;
	}
	if (geteuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
		return 1;
	if (fwa_client_connect(argv[1], &c) < 0)
		return 1;
	call(c, opcode);
	usleep(SETTLE_US);
	call(c, opcode);
	before[0] = (double)read_counters(&user);
	before[1] = (double)read_counters(&kernel);
	for (int i = 0; i < REQUESTS; i++)
		call(c, opcode);
	printf("%6.0f user, %6.0f kernel instructions a request (%s)\n",
	       ((double)read_counters(&user) - before[0]) / REQUESTS,
	       ((double)read_counters(&kernel) - before[1]) / REQUESTS,
	       fwa_reason_name(call(c, opcode)));
	fwa_client_free(c);
	return 0;
}
