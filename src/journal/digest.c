/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "journal/digest.h"

#include "journal/sha256.h"

void fwa_sha256(struct fwa_span data, uint8_t out[32])
{
	SHA256_CTX ctx;

	SHA256_Init(&ctx);
	SHA256_Update(&ctx, data.data, data.len);
	SHA256_Final(out, &ctx);
}
