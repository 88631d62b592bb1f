/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The quarantine of the device: by an operator, or by what the device did itself (C22).
 */
#pragma once

#include "core/decide.h"

struct job;
struct worker;

/*
 * From now on the device gets nothing; @text, one line, says why. Says so to whoever started the
 * worker. Does nothing when it is quarantined already.
 */
void quarantine(struct worker *w, enum fwa_quarantine why, const char *text);
/* A client's job has come back: quarantines a device that gives no sense, or nothing in time. */
void quarantine_follow(struct worker *w, const struct job *j);

/*
 * Messages of whoever started the worker. QUARANTINE's text is that of QUARANTINED, "KIND: WHY", or an
 * operator's own.
 */
void quarantine_on_quarantine(struct worker *w, const char *text, int *fd);
void quarantine_on_release(struct worker *w, const char *text, int *fd);
