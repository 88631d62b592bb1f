/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/hex.h"

void fwa_sha256_text(struct fwa_span data, char text[FWA_DIGEST_TEXT])
{
	uint8_t md[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	/* A digest that cannot be made is a broken installation: there is nothing to go on with. */
	if (!EVP_Digest(data.data, data.len, md, &len, EVP_sha256(), NULL) || len != 32)
		abort();
	fwa_hex_text(md, len, text);
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
