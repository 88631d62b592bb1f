/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as an evidence file: it is read or refused with a line that says why, and what was read has no more
 * in it than a sequence may have, and can be written again. The digest is made right where there is a place for
 * it, or nothing behind it would ever be looked at.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "fuzz/fuzz.h"
#include "verify/evidence-internal.h"

static void make_right(char *text, size_t len)
{
	uint8_t digest[32];
	char digits[65];
	size_t id, sha256;

	if (!vfy_evidence_digest(text, len, digest, &id, &sha256))
		return;
	fwa_hex_text(digest, sizeof(digest), digits);
	memcpy(text + id, digits, EVIDENCE_ID_DIGITS);
	memcpy(text + sha256, digits, EVIDENCE_DIGEST_DIGITS);
}

static void check(const struct vfy_evidence *e)
{
	const struct vfy_sequence *q = &e->finding.sequence;
	struct vfy_json j = { 0 };
	size_t payloads = 0;

	if (q->n > VFY_STEPS_MAX || e->finding.n_exhibits > VFY_EXHIBITS_MAX ||
	    (q->n && !e->finding.answer))
		abort();
	for (size_t i = 0; i < q->n; i++)
		payloads += q->step[i].payload_len;
	if (payloads != q->payloads || payloads > VFY_PAYLOADS_MAX)
		abort();
	json_object_put(vfy_finding_json(&j, &e->finding));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), error[FWA_ERROR_LEN] = "";
	struct vfy_evidence e;

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	make_right(text, size);
	if (vfy_evidence_read(&e, fwa_span(text, size), error) == 0)
		check(&e);
	else if (!error[0])
		abort();
	vfy_evidence_clear(&e);
	free(text);
	return 0;
}
