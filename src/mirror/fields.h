/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the mirror says of a record: the fields of one message to systemd-journald. Pure.
 *
 * The records are in fwadmit's journal; what is here is a copy for who watches the system's. Nothing
 * that a caller or a device can choose is in a field's name, and a value ends with its field.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "journal/format.h"

#define FWA_MIRROR_FIELDS 20u
#define FWA_MIRROR_TEXT 8192u

struct fwa_mirror_message {
	struct iovec field[FWA_MIRROR_FIELDS]; /* "NAME=value", views of @text */
	size_t n, len;
	char text[FWA_MIRROR_TEXT];
};

/*
 * Fills @ret for record @f, which a source wrote that is for @device. False when it is none that is
 * mirrored, or cannot be read.
 */
bool fwa_mirror_fields(const struct fwa_frame *f, const char *device,
		       struct fwa_mirror_message *ret);
/* How many kinds of messages there are; the id and the name of each, for documents and tests. */
size_t fwa_mirror_kinds(void);
const char *fwa_mirror_id(size_t kind, const char **ret_name);
