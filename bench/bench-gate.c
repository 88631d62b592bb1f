/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Round trips through a running gate, beside the anchor: the same bytes to and from a process that
 * only echoes them, over the same kind of socket. Usage: bench-gate SOCKET [ROUNDS]
 */
#include "bench.h"

#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "core/status.h"
#include "proto/client.h"

#define REQUEST 64
#define REPLY (128 + 67)

static void echo(int sock)
{
	uint8_t buf[4096];

	prctl(PR_SET_PDEATHSIG, 9);
	while (recv(sock, buf, sizeof(buf), 0) > 0)
		if (send(sock, buf, REPLY, 0) < 0)
			break;
	_exit(0);
}

static int start_echo(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
		abort();
	if (fork() == 0) {
		close(pair[0]);
		echo(pair[1]);
	}
	close(pair[1]);
	return pair[0];
}

static double gate_call(struct fwa_client *c)
{
	struct fwa_command cmd = {
		.set = FWA_SET_CXL, .opcode = 0x4000, .scope = FWA_SCOPE_LEAST, .out_len = 67
	};
	struct fwa_gate_reply reply;
	struct fwa_span data;
	double start = bench_now();

	if (fwa_client_submit(c, &cmd, 0, &reply, &data) < 0 || !fwa_admitted(&reply.decision) ||
	    data.len != 67)
		abort();
	return bench_now() - start;
}

static double echo_call(int sock)
{
	uint8_t buf[REPLY] = { 0 };
	double start = bench_now();

	if (send(sock, buf, REQUEST, 0) < 0 || recv(sock, buf, sizeof(buf), 0) != REPLY)
		abort();
	return bench_now() - start;
}

/* --- connecting ------------------------------------------------------------------------------- */

#define CONNECTS 1000

/* Answers one message of each client, on an abstract socket. */
static void serve_echo(int listener)
{
	prctl(PR_SET_PDEATHSIG, 9);
	for (;;) {
		int sock = accept(listener, NULL, NULL);
		uint8_t buf[4096];

		if (sock < 0 || recv(sock, buf, sizeof(buf), 0) < 0 ||
		    send(sock, buf, REPLY, 0) < 0)
			_exit(1);
		close(sock);
	}
}

static socklen_t echo_address(struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(ret->sun_path + 1, sizeof(ret->sun_path) - 1, "fwadmit-bench-%d", (int)getpid());
	return sizeof(*ret);
}

static void start_echo_server(void)
{
	int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	struct sockaddr_un at;
	socklen_t len = echo_address(&at);

	if (listener < 0 || bind(listener, (struct sockaddr *)&at, len) < 0 ||
	    listen(listener, 16) < 0)
		abort();
	if (fork() == 0)
		serve_echo(listener);
	close(listener);
}

static double gate_connect(const char *path)
{
	struct fwa_client *c;
	double start = bench_now();

	if (fwa_client_connect(path, &c) < 0)
		abort();
	gate_call(c);
	fwa_client_free(c);
	return bench_now() - start;
}

static double echo_connect(void)
{
	struct sockaddr_un at;
	socklen_t len = echo_address(&at);
	double start = bench_now();
	int sock = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	if (sock < 0 || connect(sock, (struct sockaddr *)&at, len) < 0)
		abort();
	echo_call(sock);
	close(sock);
	return bench_now() - start;
}

static void connects(const char *path)
{
	static double gate[CONNECTS], bare[CONNECTS];
	double g, b;

	start_echo_server();
	for (int i = 0; i < CONNECTS; i++) {
		gate[i] = gate_connect(path);
		bare[i] = echo_connect();
	}
	g = bench_percentile(gate, CONNECTS, 0.5);
	b = bench_percentile(bare, CONNECTS, 0.5);
	printf("connect, first request, close, p50: gate %.1f us, bare echo %.1f us: %.2f\n",
	       g / 1e3, b / 1e3, g / b);
}

int main(int argc, char **argv)
{
	size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 20000;
	double *gate = malloc(n * sizeof(*gate)), *bare = malloc(n * sizeof(*bare));
	struct fwa_client *c;
	int sock = start_echo();

	if (argc < 2 || fwa_client_connect(argv[1], &c) < 0) {
		fprintf(stderr, "usage: bench-gate SOCKET [ROUNDS]\n");
		return 2;
	}
	for (size_t i = 0; i < n; i++) {
		gate[i] = gate_call(c);
		bare[i] = echo_call(sock);
	}
	printf("gate, identify of sim:honest: p50 %.1f us, p99 %.1f us\n",
	       bench_percentile(gate, n, 0.5) / 1e3, bench_percentile(gate, n, 0.99) / 1e3);
	printf("bare echo, the same bytes:    p50 %.1f us, p99 %.1f us\n",
	       bench_percentile(bare, n, 0.5) / 1e3, bench_percentile(bare, n, 0.99) / 1e3);
	printf("gate over bare echo, p50: %.2f\n",
	       bench_percentile(gate, n, 0.5) / bench_percentile(bare, n, 0.5));
	fwa_client_free(c);
	connects(argv[1]);
	return 0;
}
