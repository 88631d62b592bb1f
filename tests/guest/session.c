/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client that stays connected: for each line of standard input it sends Get Log Page for the SMART
 * log on the one connection, and says in a line what came of it. Usage: session SOCKET
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proto/client.h"

#define GET_LOG_PAGE 0x02
#define SMART 0x02
#define SMART_LEN 512u

static const struct fwa_command smart = {
	.set = FWA_SET_NVME_ADMIN,
	.opcode = GET_LOG_PAGE,
	.scope = FWA_SCOPE_LEAST,
	.nsid = UINT32_MAX,
	.cdw = { SMART | (SMART_LEN / 4 - 1) << 16 },
	.out_len = SMART_LEN,
};

static void ask(struct fwa_client *c)
{
	struct fwa_gate_reply reply;
	struct fwa_span data;
	int r = fwa_client_submit(c, &smart, 0, &reply, &data);

	if (r < 0)
		printf("lost: %s\n", strerror(-r));
	else if (reply.error)
		printf("error: %s\n", fwa_gate_error_text(reply.error));
	else
		printf("%s, %s\n", fwa_reason_name(reply.decision.reason),
		       fwa_outcome_name(reply.status));
	fflush(stdout);
}

int main(int argc, char *argv[])
{
	struct fwa_client *c;
	char line[16];
	int r = argc == 2 ? fwa_client_connect(argv[1], &c) : -EINVAL;

	if (r < 0) {
		fprintf(stderr, "session: %s\n", strerror(-r));
		return 1;
	}
	while (fgets(line, sizeof(line), stdin))
		ask(c);
	fwa_client_free(c);
	return 0;
}
