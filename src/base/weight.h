/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How much there is in a JSON text, before anything is made of it: "[],[],.." takes a hundred times its length once
 * it is read.
 */
#pragma once

#include <stddef.h>

#include "base/bytes.h"

/* Values of a document that somebody may write. */
#define FWA_JSON_VALUES_MAX (1u << 20)

/* How many values @text has at most, if it is JSON. */
size_t fwa_json_values(struct fwa_span text);
