/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Background work: how an NVMe controller is asked how far it is.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/command.h"

#define FWA_PERCENT_UNKNOWN 255u

enum fwa_work {
	FWA_WORK_OVER,    /* none runs */
	FWA_WORK_RUNS,    /* it does; how far it is may be known */
	FWA_WORK_UNKNOWN, /* an answer that makes no sense */
};

/*
 * The NVMe command that asks how far the work is that @opcode of set nvme-admin began: Device
 * Self-test by log page 06h, Sanitize by 81h, which keeps its event. False when there is none.
 */
bool fwa_background_ask(uint16_t opcode, struct fwa_command *ret);
/*
 * What the answer @page to that command says; in *ret_percent 0 to 100, or FWA_PERCENT_UNKNOWN.
 */
enum fwa_work fwa_background_answer(uint16_t opcode, struct fwa_span page, uint8_t *ret_percent);
