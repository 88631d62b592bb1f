/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads that run as long as their process. */
#pragma once

#include <stddef.h>

/* Starts @run(@arg) with so much of a stack. 0 or negative errno. */
int fwa_thread_start(size_t stack_len, void *(*run)(void *arg), void *arg);
