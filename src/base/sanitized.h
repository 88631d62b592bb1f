/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether this is a build with a sanitizer, whose run time opens files and makes system calls of its own.
 */
#pragma once

#include <stdbool.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FWA_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || \
	__has_feature(thread_sanitizer)
#define FWA_SANITIZED true
#endif
#endif
#ifndef FWA_SANITIZED
#define FWA_SANITIZED false
#endif
