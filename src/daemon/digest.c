/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/fd.h"

int fwa_hex_digest_of_fd(int fd, size_t max, char ret[FWA_HEX_DIGEST])
{
	ssize_t len = fwa_memfd_size(fd, max);
	uint8_t md[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	void *data;
	int ok;

	if (len <= 0)
		return len < 0 ? (int)len : -ENODATA;
	data = mmap(NULL, (size_t)len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	ok = EVP_Digest(data, (size_t)len, md, &n, EVP_sha256(), NULL);
	munmap(data, (size_t)len);
	if (!ok || 2 * n != FWA_HEX_DIGEST - 1)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++)
		snprintf(ret + 2 * i, 3, "%02x", md[i]);
	return 0;
}
