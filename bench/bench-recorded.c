/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the journal adds to a command through the gate: a read and a write, or a read of more, by turns through a
 * gate without a journal and one with. Usage: bench-recorded SOCKET-WITHOUT SOCKET-WITH cxl|nvme
 */
#include "bench.h"

#include <stdbool.h>
#include <string.h>

#include "proto/client.h"

/* As many as take longer than the writer dozes, which would else work between two rounds. */
#define READS 4000
#define WRITES 100
#define ROUNDS 25

static double call(struct fwa_client *c, const struct fwa_command *cmd, unsigned int n)
{
	struct fwa_gate_reply reply;
	struct fwa_span data;
	double start = bench_now();

	for (unsigned int i = 0; i < n; i++)
		if (fwa_client_submit(c, cmd, 0, &reply, &data) < 0 || reply.error ||
		    !fwa_admitted(&reply.decision) || reply.status != FWA_OUTCOME_COMPLETED) {
			fprintf(stderr, "reason %u, status %u\n", reply.decision.reason,
				reply.status);
			exit(1);
		}
	return (bench_now() - start) / n;
}

/* Who is first changes from round to round. */
static void compare(const char *name, struct fwa_client *const c[2], const struct fwa_command *cmd,
		    unsigned int n)
{
	static double ns[2][ROUNDS];
	double without, with;

	for (int r = 0; r < ROUNDS; r++)
		for (int k = 0; k < 2; k++) {
			int which = (k + r) & 1;

			ns[which][r] = call(c[which], cmd, n);
		}
	without = bench_percentile(ns[0], ROUNDS, 0.5);
	with = bench_percentile(ns[1], ROUNDS, 0.5);
	printf("%-20s %9.1f us without a journal, %9.1f us with one: %.2f x, %.1f us more\n", name,
	       without / 1e3, with / 1e3, with / without, (with - without) / 1e3);
}

int main(int argc, char **argv)
{
	static const uint8_t label[8 + 16];
	const struct fwa_command read = { .opcode = 0x4000,
					  .scope = FWA_SCOPE_LEAST,
					  .out_len = 67 };
	const struct fwa_command write = { .opcode = 0x4103,
					   .scope = FWA_SCOPE_LEAST,
					   .payload = fwa_span(label, sizeof(label)) };
	const struct fwa_command log = { .set = FWA_SET_NVME_ADMIN,
					 .scope = FWA_SCOPE_LEAST,
					 .opcode = 0x02,
					 .nsid = 0xffffffff,
					 .cdw = { 0x05 | (4096 / 4 - 1) << 16 },
					 .out_len = 4096 };
	struct fwa_client *c[2];
	bool nvme;

	if (argc != 4) {
		fprintf(stderr, "usage: bench-recorded SOCKET-WITHOUT SOCKET-WITH cxl|nvme\n");
		return 2;
	}
	nvme = strcmp(argv[3], "nvme") == 0;
	for (int i = 0; i < 2; i++) {
		int r = fwa_client_connect(argv[1 + i], &c[i]);

		if (r < 0) {
			fprintf(stderr, "%s: %s\n", argv[1 + i], strerror(-r));
			return 1;
		}
	}
	if (nvme) {
		compare("a log of 4 KiB", c, &log, READS);
		return 0;
	}
	compare("a read of 67 bytes", c, &read, READS);
	compare("one with effects", c, &write, WRITES);
	return 0;
}
