/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the gate does by itself about leases: it asks how far work is, and ends what was left half
 * done. Between lease.c and lease-own.c.
 */
#pragma once

struct worker;

/* Work has begun whose owner is noted. */
void lease_work_began(struct worker *w);
/* Asks a device that answers at once; has another one asked soon. */
void lease_refresh(struct worker *w);
/* The work may be over sooner than was thought. */
void lease_hasten(struct worker *w);
/* Frees what nobody holds any more, and begins to end what was left half done. */
void lease_tend(struct worker *w);
