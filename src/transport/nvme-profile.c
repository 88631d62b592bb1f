/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading all that an NVMe controller declares (C23): who it is, log page 05h, and how its active
 * namespaces are formatted. By dev->ops alone, so for every way to a controller.
 *
 * 1. An answer that is an error or makes no sense leaves its part of the profile empty: without log
 *    page 05h the controller declares nothing, and everything is refused (C6).
 * 2. Only a controller that is gone, does not answer or may not be asked ends the reading.
 */
#include "transport/read-profile.h"

#include <errno.h>
#include <stdio.h>

#include "base/util.h"
#include "wire/nvme.h"

#define NAMESPACE_RECORD_LEN 8
/* Log2 of a block's bytes (NVM Command Set 1.0, Figure 98): 512 is the least. */
#define LBADS_MIN 9u
#define LBADS_MAX 21u
#define LBAF_LEN 4u
#define LBAF_COUNT 64u
#define ID_NS_NLBAF 25

struct reading {
	struct fwa_device *dev;
	char *error; /* FWA_ERROR_LEN bytes */
	uint8_t log[NVME_EFFECTS_LEN];
	uint8_t log_again[NVME_EFFECTS_LEN];
	uint8_t page[NVME_IDENTIFY_LEN]; /* the newest Identify answer */
	uint8_t list[NVME_IDENTIFY_LEN];
};

static const char *words_for(int error)
{
	switch (error) {
	case -ENODEV:
		return "the device is gone";
	case -ETIMEDOUT:
		return "the device does not answer";
	case -EPERM:
	case -EACCES:
		return "the kernel does not permit admin commands (CAP_SYS_ADMIN)";
	default:
		return NULL;
	}
}

/*
 * Sends one command that returns 4096 bytes to @page, which is all zeroes when the answer was an
 * error. 1: it answered; 0: with an error; negative errno: the reading cannot go on.
 */
static int ask(struct reading *r, struct fwa_command *cmd, uint8_t *page)
{
	struct fwa_reply reply = { .out = page, .out_cap = NVME_IDENTIFY_LEN };
	int e;

	cmd->set = FWA_SET_NVME_ADMIN;
	cmd->out_len = NVME_IDENTIFY_LEN;
	memset(page, 0, NVME_IDENTIFY_LEN);
	e = r->dev->ops->submit(r->dev, cmd, &reply, FWA_READ_TIMEOUT_MS);
	if (words_for(e))
		return fwa_fail(r->error, e,
				"%s while its declarations were read (admin command %02Xh)",
				words_for(e), cmd->opcode);
	if (e == 0 && reply.code == 0 && reply.out_len == NVME_IDENTIFY_LEN)
		return 1;
	memset(page, 0, NVME_IDENTIFY_LEN);
	return 0;
}

static int ask_identify(struct reading *r, uint8_t cns, uint32_t nsid, uint8_t *page)
{
	struct fwa_command cmd = { .opcode = NVME_OP_IDENTIFY, .nsid = nsid, .cdw = { cns } };

	return ask(r, &cmd, page);
}

/* Log page 05h, whole: a log that is read in pieces could change between them. */
static int ask_effects(struct reading *r, uint8_t *page)
{
	struct fwa_command cmd = {
		.opcode = NVME_OP_GET_LOG_PAGE,
		.cdw = { (NVME_EFFECTS_LEN / 4 - 1) << 16 | NVME_LID_EFFECTS },
	};

	return ask(r, &cmd, page);
}

static int read_controller(struct reading *r)
{
	struct fwa_identity *id = &r->dev->id;
	int e = ask_identify(r, NVME_CNS_CONTROLLER, 0, r->page);

	if (e <= 0)
		return e;
	snprintf(id->vendor, sizeof(id->vendor), "%04x", fwa_le16(r->page + NVME_ID_CTRL_VID));
	fwa_text_clean(id->serial, r->page + NVME_ID_CTRL_SN, NVME_ID_CTRL_SN_LEN);
	fwa_text_clean(id->model, r->page + NVME_ID_CTRL_MN, NVME_ID_CTRL_MN_LEN);
	fwa_text_clean(id->firmware, r->page + NVME_ID_CTRL_FR, NVME_ID_CTRL_FR_LEN);
	return 0;
}

/* The LBA format in use: index in FLBAS 6:5 and 3:0, at most NLBAF, which counts from 0. */
static void put_namespace(struct fwa_writer *namespaces, uint32_t nsid, const uint8_t *page)
{
	uint8_t flbas = page[NVME_ID_NS_FLBAS];
	uint8_t index = (uint8_t)((flbas >> 5 & 3) << 4 | (flbas & 0xf));
	const uint8_t *format = page + NVME_ID_NS_LBAF + LBAF_LEN * index;
	bool sane = index <= page[ID_NS_NLBAF] && index < LBAF_COUNT && format[2] >= LBADS_MIN &&
		    format[2] <= LBADS_MAX;

	fwa_write_le32(namespaces, nsid);
	fwa_write_u8(namespaces, sane ? format[2] : 0);
	fwa_write_u8(namespaces, 0);
	fwa_write_le16(namespaces, sane ? fwa_le16(format) : 0);
}

/* Active namespaces, in the ascending order in which a controller lists them. */
static int read_namespaces(struct reading *r, struct fwa_writer *namespaces)
{
	uint32_t previous = 0;
	int e = ask_identify(r, NVME_CNS_ACTIVE_LIST, 0, r->list);

	for (size_t i = 0; e >= 0 && i < FWA_PROFILE_NAMESPACES_MAX; i++) {
		uint32_t nsid = fwa_le32(r->list + 4 * i);

		if (nsid <= previous)
			break;
		previous = nsid;
		e = ask_identify(r, NVME_CNS_NAMESPACE, nsid, r->page);
		if (e >= 0)
			put_namespace(namespaces, nsid, r->page);
	}
	return e < 0 ? e : 0;
}

/* The second reading comes last: the farther from the first, the more it tells. */
static int collect(struct reading *r, struct fwa_writer *namespaces, bool *ret_has_log)
{
	int e, first, second;

	first = ask_effects(r, r->log);
	if (first < 0)
		return first;
	e = read_controller(r);
	if (e < 0)
		return e;
	e = read_namespaces(r, namespaces);
	if (e < 0)
		return e;
	second = ask_effects(r, r->log_again);
	if (second < 0)
		return second;
	*ret_has_log = first || second;
	return 0;
}

static void encode(const struct reading *r, const struct fwa_writer *namespaces, bool has_log,
		   struct fwa_writer *w)
{
	fwa_profile_begin(w, r->dev->family);
	fwa_profile_add_identity(w, &r->dev->id);
	if (has_log)
		fwa_profile_add(w, FWA_RECORD_NVME_EFFECTS, fwa_span(r->log, sizeof(r->log)));
	if (memcmp(r->log, r->log_again, sizeof(r->log)) != 0)
		fwa_profile_add(w, FWA_RECORD_NVME_EFFECTS_AGAIN,
				fwa_span(r->log_again, sizeof(r->log_again)));
	if (namespaces->len)
		fwa_profile_add(w, FWA_RECORD_NVME_NAMESPACES,
				fwa_span(namespaces->buf, namespaces->len));
}

int fwa_nvme_profile_read(struct fwa_device *dev, struct fwa_writer *w, char error[FWA_ERROR_LEN])
{
	fwa_auto_free struct reading *r = calloc(1, sizeof(*r));
	uint8_t records[FWA_PROFILE_NAMESPACES_MAX * NAMESPACE_RECORD_LEN];
	struct fwa_writer namespaces = fwa_writer(records, sizeof(records));
	bool has_log = false;
	int e;

	if (!r)
		return fwa_fail(error, -ENOMEM, "out of memory while the declarations were read");
	r->dev = dev;
	r->error = error;
	e = collect(r, &namespaces, &has_log);
	if (e == 0)
		encode(r, &namespaces, has_log, w);
	return e;
}
