/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a policy file: errors with a line, or grants that compile to a valid snapshot. And as a
 * file of the store: one grant that ends, or none.
 */
#include <errno.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "host/grants.h"
#include "host/policy-internal.h"

static void message(const struct fwa_policy_message *m, void *userdata)
{
	unsigned int *errors = userdata;

	*errors += m->error;
	if (!m->text || !m->text[0])
		abort();
}

/* Left out, it leaves nothing behind; else it ends within its length from any moment. */
static void stored_file(struct fwa_span text)
{
	static const struct fwa_policy_stored_file stored = { .name = "x" };
	static const struct fwa_moment moments[] = {
		{ 0, 0, 1, "" },
		{ 1798740000, 5, 1000000, "00000000-0000-4000-8000-00000000000a" },
		{ FWA_TIME_MAX, 0, UINT64_MAX / 2, "00000000-0000-4000-8000-00000000000b" },
	};
	struct fwa_policy_files *p = calloc(1, sizeof(*p));
	struct fwa_policy_names names = { 0 };
	unsigned int errors = 0;
	struct fwa_policy_report report = { .fn = message, .userdata = &errors };
	uint64_t end;
	int r = p ? fwa_policy_add_stored(p, &names, &report, "x.conf", text, &stored) : -ENOMEM;

	if (r == 1 && (errors != 1 || p->n_rules || p->n_subjects || p->n_files || p->n_stored))
		abort();
	if (r == 0 && (errors || p->n_rules != 1 || p->rules[0].stored != 1))
		abort();
	for (size_t i = 0; r == 0 && i < 3; i++)
		if (fwa_policy_rule_end(p, &p->rules[0], &moments[i], &end) &&
		    (!end ||
		     (end > moments[i].boot &&
		      end - moments[i].boot > FWA_GRANT_SECONDS_MAX * UINT64_C(1000000000))))
			abort();
	fwa_policy_names_clear(&names);
	fwa_policy_files_free(p);
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

	stored_file(fwa_span(data, size));
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
