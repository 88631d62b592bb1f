/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a policy file: errors with a line, or grants that compile to a valid snapshot.
 */
#include <errno.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "host/policy-file.h"

static void message(const struct fwa_policy_message *m, void *userdata)
{
	unsigned int *errors = userdata;

	*errors += m->error;
	if (!m->text || !m->text[0])
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fwa_policy_files *files = NULL;
	unsigned int errors = 0;
	struct fwa_policy policy;
	uint8_t *snapshot;
	size_t len;
	int r = fwa_policy_files_parse_memory("fuzz.conf", fwa_span(data, size), message, &errors,
					      &files);

	if ((r < 0) != (errors > 0) && r != -ENOMEM)
		abort();
	if (r < 0)
		return 0;
	if (fwa_policy_files_encode(files, "mem0", "sim:honest", &snapshot, &len) == 0) {
		if (fwa_policy_parse(&policy, fwa_span(snapshot, len)) < 0 ||
		    !fwa_policy_whole(&policy))
			abort();
		free(snapshot);
	}
	fwa_policy_files_free(files);
	return 0;
}
