/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Workers with a test in the place of whoever starts them. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#include "host/baseline.h"
#include "proto/client.h"
#include "proto/control.h"
#include "wire/cxl.h"

#define NOBODY 65534
#define PATIENCE_MS 20000
#define SET_LSA 0x4103
#define HEALTH 0x4200
#define VENDOR 0xc0de /* which no simulated device has unless it is told to */

/* A worker and what it said last. */
struct started {
	pid_t pid;
	int control;
	struct fwa_client *client;
	struct fwa_identified who;
	int profile_fd, declarations_fd;
	char text[FWA_CONTROL_TEXT_MAX + 1];
};

struct started start_as(const char *spec, unsigned int limit_ms, uid_t uid);
struct started start(const char *spec);
/* Starts and answers with the baseline @source of @fd. */
struct started start_with(const char *spec, const char *source, int fd);
void stop(struct started *s);

/* Anything but how it is: that it says whenever it changes. */
bool says_something(struct started *s, int ms);
/* Its next message must be @kind; the descriptor goes to @ret_fd or must not be there. */
void expect(struct started *s, uint16_t kind, int *ret_fd);
/* IDENTITY and DECLARATIONS, which are one thing. */
void expect_profile(struct started *s);
void say(const struct started *s, enum fwa_control_kind kind, const char *text, int fd);

/* --- commands ------------------------------------------------------------------------------- */

struct fwa_gate_reply submit_for(struct started *s, uint16_t opcode, struct fwa_span payload,
				 unsigned int timeout_ms);
struct fwa_gate_reply submit(struct started *s, uint16_t opcode);
void expect_reason(struct started *s, uint16_t opcode, enum fwa_reason reason,
		   enum fwa_detail detail);

#define ADMIT FWA_REASON_ADMIT, FWA_DETAIL_NONE

#define DECLARES (1u << 2)
#define UNDECLARES (1u << 3)
#define SERIAL (1u << 4)

/* A package for slot 2, as sim/fw.c has it: what it changes, and its revision. */
void load_firmware(struct started *s, uint32_t flags, uint16_t opcode, uint16_t effects,
		   const char *revision);
void activate(struct started *s);
