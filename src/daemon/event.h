/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens, told to those who subscribed (varlink.c keeps them).
 */
#pragma once

#include "daemon/daemon.h"

/* @event is a word of the type Event in spec/org.fwadmit.Control.varlink; @device may be NULL. */
void fwa_event(struct fwa_daemon *d, const char *event, const char *device, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
