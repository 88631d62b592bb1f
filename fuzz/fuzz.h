/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The entry point that libFuzzer calls, and that replay.c calls for each file of the corpus.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
