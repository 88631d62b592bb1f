/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check-records PROFILE POLICY ACCEPTED < RECORDS: whether each record is one, and whether each decision by that
 * profile and that policy is made again of what its record says. RECORDS: le32 kind, le32 length, body.
 * ACCEPTED may be an empty file. Prints how many were, and how many decisions were made again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/pattern.h"
#include "core/record.h"
#include "journal/digest.h"

static struct fwa_profile profile, accepted;
static struct fwa_policy policy;
static uint8_t profile_sha256[FWA_HASH_LEN];

static struct fwa_span load(const char *path)
{
	uint8_t *bytes;
	size_t len;

	if (fwa_read_file(path, FWA_POLICY_MAX, &bytes, &len) < 0) {
		fprintf(stderr, "%s: cannot be read\n", path);
		exit(2);
	}
	return fwa_span(bytes, len);
}

/* 1 when it was made again, 0 when that cannot be, -1 when it is another one. */
static int replay(struct fwa_span body)
{
	struct fwa_record_decision r;
	struct fwa_decision again;
	const char *why = NULL;

	if (fwa_record_decision_decode(body, &r) < 0 ||
	    memcmp(r.profile_sha256, profile_sha256, FWA_HASH_LEN) != 0)
		return 0;
	if (fwa_record_replay(&r, &profile, &policy, accepted.encoded.len ? &accepted : NULL,
			      fwa_pattern_matches, &again, &why))
		return 1;
	if (why)
		return 0;
	fprintf(stderr, "opcode %04x of uid %u: was %u %u, is %u %u\n", r.cmd.opcode, r.who.uid,
		r.decision.reason, r.decision.detail, again.reason, again.detail);
	return -1;
}

static int check(unsigned int kind, struct fwa_span body)
{
	uint64_t closes;
	bool admitted;

	if (!fwa_record_check(kind, body, &admitted, &closes)) {
		fprintf(stderr, "a record of kind %u and %zu bytes is none\n", kind, body.len);
		return -1;
	}
	return kind == FWA_RECORD_DECISION ? replay(body) : 0;
}

/* The files are read, in the order of the arguments. */
static int check_all(struct fwa_span records, const struct fwa_span *file)
{
	struct fwa_reader m = fwa_reader(records);
	unsigned int n = 0, again = 0;

	fwa_sha256(file[0], profile_sha256);
	if (fwa_profile_parse(&profile, file[0]) < 0 || fwa_policy_parse(&policy, file[1]) < 0)
		return 2;
	fwa_profile_parse(&accepted, file[2]);
	while (m.left) {
		unsigned int kind = fwa_read_le32(&m);
		int r = check(kind, fwa_read_span(&m, fwa_read_le32(&m)));

		if (m.bad || r < 0)
			return 1;
		n++;
		again += (unsigned int)r;
	}
	printf("%u %u\n", n, again);
	return 0;
}

int main(int argc, char **argv)
{
	struct fwa_span file[4];
	int r;

	if (argc != 4)
		return 2;
	for (int i = 0; i < 3; i++)
		file[i] = load(argv[1 + i]);
	file[3] = load("-");
	r = check_all(file[3], file);
	for (int i = 0; i < 4; i++)
		free((void *)file[i].data);
	return r;
}
