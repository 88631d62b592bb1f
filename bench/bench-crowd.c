/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many clients of one worker. Usage:
 *
 *   bench-crowd fair SOCKET OPCODE FLOOD
 *                                    64 users of their own, without and with one that floods with
 *                                    another command (as root)
 *   bench-crowd watch SOCKET         one client that sends all the time until standard input ends
 *
 * Who floods has 32 connections that always have a request waiting, and one with many behind it.
 */
#include "bench.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "proto/client.h"

#define CLIENTS 64
#define FLOODS 4
#define FLOOD_CONNECTIONS 8
#define AHEAD 16
#define FIRST_UID 50000
#define ROUNDS 300

struct shared {
	volatile int go;
	double took[CLIENTS];
};

static struct fwa_client *dial(const char *path)
{
	struct fwa_client *c;

	if (fwa_client_connect(path, &c) < 0) {
		fprintf(stderr, "cannot connect to %s\n", path);
		_exit(1);
	}
	return c;
}

static struct fwa_command command(unsigned long opcode)
{
	return (struct fwa_command){
		.set = FWA_SET_CXL,
		.opcode = (uint16_t)opcode,
		.scope = FWA_SCOPE_LEAST,
		.out_len = 67,
	};
}

/* Nanoseconds of one round trip; a gate that is busy is asked again, and that counts too. */
static double call(struct fwa_client *c, const struct fwa_command *cmd)
{
	struct fwa_gate_reply reply;
	struct fwa_span data;
	double start = bench_now();

	do
		if (fwa_client_submit(c, cmd, 0, &reply, &data) < 0)
			_exit(1);
	while (reply.error == FWA_GATE_E_BUSY);
	if (reply.error || !fwa_admitted(&reply.decision))
		_exit(1);
	return bench_now() - start;
}

/* A child that is user @uid and ends with us. */
static pid_t child(uid_t uid)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
		_exit(1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return 0;
}

static void wait_for(const volatile int *go)
{
	while (!*go)
		usleep(1000);
}

/* --- fairness --------------------------------------------------------------------------------- */

static void be_client(const char *path, const struct fwa_command *cmd, struct shared *s, int i)
{
	struct fwa_client *c = dial(path);
	double sum = 0;

	wait_for(&s->go);
	for (int n = 0; n < ROUNDS; n++)
		sum += call(c, cmd);
	s->took[i] = sum;
	_exit(0);
}

/* What floods does not wait for its replies in turn, as a struct fwa_client does. */
static int dial_raw(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	strncpy(addr.sun_path, path, sizeof(addr.sun_path) - 1);
	if (sock < 0 || connect(sock, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		_exit(1);
	return sock;
}

static void be_flood(const char *path, const struct fwa_command *cmd, bool ahead)
{
	struct fwa_request r = { .kind = FWA_GATE_SUBMIT, .cmd = *cmd };
	struct pollfd fds[FLOOD_CONNECTIONS];
	uint8_t message[FWA_GATE_REQUEST_LEN], reply[4096];
	struct fwa_writer w = fwa_writer(message, sizeof(message));
	int n = ahead ? 1 : FLOOD_CONNECTIONS;

	fwa_request_encode(&w, &r);
	for (int i = 0; i < n; i++) {
		fds[i] = (struct pollfd){ .fd = dial_raw(path), .events = POLLIN };
		for (int k = 0; k < (ahead ? AHEAD : 1); k++)
			if (send(fds[i].fd, message, sizeof(message), 0) < 0)
				_exit(1);
	}
	while (poll(fds, (nfds_t)n, -1) > 0)
		for (int i = 0; i < n; i++)
			if (fds[i].revents && (recv(fds[i].fd, reply, sizeof(reply), 0) <= 0 ||
					       send(fds[i].fd, message, sizeof(message), 0) < 0))
				_exit(1);
	_exit(1);
}

/* @flood: NULL: nobody does. */
static void crowd(const char *path, const struct fwa_command *cmd, const struct fwa_command *flood)
{
	struct shared *s =
		mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t floods[FLOODS + 1];
	double slowest, median;
	int status;

	for (int i = 0; i < CLIENTS; i++)
		if (!child(FIRST_UID + (uid_t)i))
			be_client(path, cmd, s, i);
	for (int i = 0; flood && i <= FLOODS; i++) {
		floods[i] = child(FIRST_UID + CLIENTS);
		if (!floods[i])
			be_flood(path, flood, i == FLOODS);
	}
	usleep(300000);
	s->go = 1;
	for (int i = 0; i < CLIENTS; i++)
		if (wait(&status) < 0 || status)
			abort(); /* one that floods ends only in failure */
	for (int i = 0; flood && i <= FLOODS; i++) {
		kill(floods[i], SIGKILL);
		waitpid(floods[i], NULL, 0);
	}
	slowest = bench_percentile(s->took, CLIENTS, 1);
	median = bench_percentile(s->took, CLIENTS, 0.5);
	printf("64 clients, %-15s a request: median %7.0f us, slowest %7.0f us: slowest over "
	       "median %.2f\n",
	       flood ? "one user floods," : "alone,", median / ROUNDS / 1e3, slowest / ROUNDS / 1e3,
	       slowest / median);
	munmap(s, sizeof(*s));
}

static int fair(const char *path, const char *opcode, const char *flood_opcode)
{
	struct fwa_command cmd = command(strtoul(opcode, NULL, 16));
	struct fwa_command flood = command(strtoul(flood_opcode, NULL, 16));

	if (geteuid() != 0) {
		printf("fairness: left out: it takes root to be 65 users\n");
		return 0;
	}
	crowd(path, &cmd, NULL);
	fflush(stdout);
	crowd(path, &cmd, &flood);
	return 0;
}

/* --- one that sends all the time -------------------------------------------------------------- */

static bool ended(void)
{
	struct pollfd in = { .fd = 0, .events = POLLIN };

	return poll(&in, 1, 0) != 0;
}

static int watch(const char *path)
{
	static double took[4000000];
	struct fwa_client *c = dial(path);
	struct fwa_command cmd = command(0x4000);
	size_t n = 0;

	for (size_t i = 0; i < 1000; i++)
		call(c, &cmd);
	while (n < sizeof(took) / sizeof(took[0]) && (n % 64 || !ended()))
		took[n++] = call(c, &cmd);
	printf("%.1f %.1f %.1f\n", bench_percentile(took, n, 0.5) / 1e3,
	       bench_percentile(took, n, 0.9999) / 1e3, bench_percentile(took, n, 1) / 1e3);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "fair") == 0)
		return fair(argv[2], argv[3], argv[4]);
	if (argc == 3 && strcmp(argv[1], "watch") == 0)
		return watch(argv[2]);
	fprintf(stderr, "usage: bench-crowd fair SOCKET OPCODE FLOOD | watch SOCKET\n");
	return 2;
}
