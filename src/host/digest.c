/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/digest.h"

#include <errno.h>

#include "base/fd.h"
#include "base/hex.h"
#include "journal/sha256.h"

void fwa_sha256_text(struct fwa_span data, char text[FWA_DIGEST_TEXT])
{
	uint8_t md[SHA256_DIGEST_LENGTH];
	SHA256_CTX ctx;

	SHA256_Init(&ctx);
	SHA256_Update(&ctx, data.data, data.len);
	SHA256_Final(md, &ctx);
	fwa_hex_text(md, sizeof(md), text);
}

int fwa_sha256_of_memfd(int fd, size_t max, char text[FWA_DIGEST_TEXT])
{
	struct fwa_span data;
	int r = fwa_memfd_map(fd, max, &data);

	if (r < 0)
		return r;
	if (!data.len)
		return -ENODATA;
	fwa_sha256_text(data, text);
	fwa_memfd_unmap(data);
	return 0;
}
