/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a device's declarations, by kind. fwa_profile_read() (transport.h) chooses.
 */
#pragma once

#include "transport/transport.h"

/* How long one command of a reading may take: Linux's own limit for a CXL mailbox. */
#define FWA_READ_TIMEOUT_MS 2000

/* As fwa_profile_read(), for one kind of device each; whether all fitted into @w is for it to see. */
int fwa_cxl_profile_read(struct fwa_device *dev, struct fwa_writer *w, char error[FWA_ERROR_LEN]);
int fwa_nvme_profile_read(struct fwa_device *dev, struct fwa_writer *w, char error[FWA_ERROR_LEN]);
