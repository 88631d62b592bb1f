/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * By libcrypto's functions for it, which cannot fail: through EVP each digest looks up who makes it, and
 * a campaign makes some thousands a second.
 */
/* Deprecated since 3.0, but there. Must come before any other header of libcrypto. */
#define OPENSSL_API_COMPAT 0x10100000L
#include <openssl/sha.h>

#include "verify/digest.h"

void vfy_sha256(struct fwa_span data, uint8_t ret[32])
{
	SHA256_CTX ctx;

	SHA256_Init(&ctx);
	SHA256_Update(&ctx, data.data, data.len);
	SHA256_Final(ret, &ctx);
}
