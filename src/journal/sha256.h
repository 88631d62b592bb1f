/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SHA-256 by libcrypto's functions for it, which cannot fail. Through EVP the first digest of a process
 * loads libcrypto's providers: half of all the instructions of a short command.
 */
#pragma once

/* Deprecated since 3.0, but there. Must come before any other header of libcrypto. */
#define OPENSSL_API_COMPAT 0x10100000L
#include <openssl/sha.h>
