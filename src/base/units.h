/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Units of time, as clocks count it.
 */
#pragma once

#include <stdint.h>

#define FWA_NS_PER_S UINT64_C(1000000000)
#define FWA_NS_PER_MS UINT64_C(1000000)
#define FWA_US_PER_S UINT64_C(1000000)
