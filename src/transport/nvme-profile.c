/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading all that an NVMe controller declares (C23): who it is, log page 05h, pages 00h and 12h where
 * it has them, and how its active namespaces are formatted. By dev->ops alone, so for every way to a
 * controller.
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

/* A log page that is read twice. */
struct log {
	uint8_t lid;
	uint8_t record; /* enum fwa_profile_record; the next one is that of the second reading */
	uint16_t len;
	bool here; /* one of the readings brought it */
	uint8_t first[NVME_EFFECTS_LEN];
	uint8_t again[NVME_EFFECTS_LEN];
};

enum {
	LOG_EFFECTS,
	LOG_LOGS, /* this one and the next, only where the controller says that it has them */
	LOG_FEATURES,
	LOG_COUNT,
};

struct reading {
	struct fwa_device *dev;
	char *error; /* FWA_ERROR_LEN bytes */
	struct log logs[LOG_COUNT];
	unsigned int n_logs;             /* as many as the controller has */
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
 * Sends one command that returns @len bytes to @page, which is all zeroes when the answer was an
 * error. 1: it answered; 0: with an error; negative errno: the reading cannot go on.
 */
static int ask(struct reading *r, struct fwa_command *cmd, uint8_t *page, uint32_t len)
{
	struct fwa_reply reply = { .out = page, .out_cap = len };
	int e;

	cmd->set = FWA_SET_NVME_ADMIN;
	cmd->out_len = len;
	memset(page, 0, len);
	e = r->dev->ops->submit(r->dev, cmd, &reply, FWA_READ_TIMEOUT_MS);
	if (words_for(e))
		return fwa_fail(r->error, e,
				"%s while its declarations were read (admin command %02Xh)",
				words_for(e), cmd->opcode);
	if (e == 0 && reply.code == 0 && reply.out_len == len)
		return 1;
	memset(page, 0, len);
	return 0;
}

static int ask_identify(struct reading *r, uint8_t cns, uint32_t nsid, uint8_t *page)
{
	struct fwa_command cmd = { .opcode = NVME_OP_IDENTIFY, .nsid = nsid, .cdw = { cns } };

	return ask(r, &cmd, page, NVME_IDENTIFY_LEN);
}

/* The log page whole: one that is read in pieces could change between them. */
static int read_log(struct reading *r, struct log *log, uint8_t *page)
{
	struct fwa_command cmd = {
		.opcode = NVME_OP_GET_LOG_PAGE,
		.cdw = { (log->len / 4u - 1) << 16 | log->lid },
	};
	int e = ask(r, &cmd, page, log->len);

	log->here |= e > 0;
	return e;
}

/*
 * A controller without pages 00h and 12h is not asked for them: each time it would note an error in
 * its log, which monitors count.
 */
static int read_controller(struct reading *r)
{
	struct fwa_identity *id = &r->dev->id;
	int e = ask_identify(r, NVME_CNS_CONTROLLER, 0, r->page);

	r->n_logs = LOG_COUNT;
	if (e <= 0)
		return e;
	if (!(r->page[NVME_ID_CTRL_LPA] & NVME_LPA_IDS))
		r->n_logs = LOG_LOGS;
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
static int collect(struct reading *r, struct fwa_writer *namespaces)
{
	int e = read_controller(r);

	for (unsigned int i = 0; e >= 0 && i < r->n_logs; i++)
		e = read_log(r, &r->logs[i], r->logs[i].first);
	if (e >= 0)
		e = read_namespaces(r, namespaces);
	for (unsigned int i = 0; e >= 0 && i < r->n_logs; i++)
		e = read_log(r, &r->logs[i], r->logs[i].again);
	return e < 0 ? e : 0;
}

static void encode_log(const struct log *log, struct fwa_writer *w)
{
	if (log->here)
		fwa_profile_add(w, log->record, fwa_span(log->first, log->len));
	if (memcmp(log->first, log->again, log->len) != 0) /*= spec/SECURITY-MODEL.md#C23 */
		fwa_profile_add(w, log->record + 1u, fwa_span(log->again, log->len));
}

static void encode(const struct reading *r, const struct fwa_writer *namespaces,
		   struct fwa_writer *w)
{
	fwa_profile_begin(w, r->dev->family);
	fwa_profile_add_identity(w, &r->dev->id);
	for (unsigned int i = 0; i < r->n_logs; i++)
		encode_log(&r->logs[i], w);
	if (namespaces->len)
		fwa_profile_add(w, FWA_RECORD_NVME_NAMESPACES,
				fwa_span(namespaces->buf, namespaces->len));
}

static void begin_log(struct log *log, uint8_t lid, enum fwa_profile_record record, uint16_t len)
{
	log->lid = lid;
	log->record = (uint8_t)record;
	log->len = len;
}

int fwa_nvme_profile_read(struct fwa_device *dev, struct fwa_writer *w, char error[FWA_ERROR_LEN])
{
	fwa_auto_free struct reading *r = calloc(1, sizeof(*r));
	uint8_t records[FWA_PROFILE_NAMESPACES_MAX * NAMESPACE_RECORD_LEN];
	struct fwa_writer namespaces = fwa_writer(records, sizeof(records));
	int e;

	if (!r)
		return fwa_fail(error, -ENOMEM, "out of memory while the declarations were read");
	r->dev = dev;
	r->error = error;
	begin_log(&r->logs[LOG_EFFECTS], NVME_LID_EFFECTS, FWA_RECORD_NVME_EFFECTS,
		  NVME_EFFECTS_LEN);
	begin_log(&r->logs[LOG_LOGS], NVME_LID_SUPPORTED, FWA_RECORD_NVME_LOGS, NVME_IDS_LEN);
	begin_log(&r->logs[LOG_FEATURES], NVME_LID_FEATURES, FWA_RECORD_NVME_FEATURES,
		  NVME_IDS_LEN);
	e = collect(r, &namespaces);
	if (e == 0)
		encode(r, &namespaces, w);
	return e;
}
