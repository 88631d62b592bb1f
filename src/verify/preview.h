/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a campaign would send, without sending it.
 */
#pragma once

#include <json-c/json.h>

#include "verify/campaign.h"

/*
 * Opens the device of @args, reads what it declares, and nothing else of it: 0 with the document in *ret;
 * negative errno with @error. What depends on answers is counted as if there were none.
 */
int vfy_preview(const struct vfy_campaign_args *args, json_object **ret, char error[FWA_ERROR_LEN]);
