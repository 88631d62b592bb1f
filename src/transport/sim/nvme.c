/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A simulated NVMe controller: what is needed to see firmware downloads, Device Self-test and
 * Sanitize from outside (NVM Express Base 2.0). It has no I/O, and no pages 00h and 12h.
 *
 * An image begins with "SIMNVME1" and 8 bytes of revision. Self-test and Sanitize take bg-ms.
 */
#include <errno.h>
#include <stdio.h>

#include "transport/sim/sim.h"
#include "wire/nvme.h"

#define SLOTS 3
#define IMAGE_MAX 65536u
#define IMAGE_MAGIC "SIMNVME1"
#define BLOCK_SHIFT 12

#define LID_FW_SLOT 0x03
#define SMART_LEN 512

/* SCT << 8 | SC */
#define NVME_INVALID_OPCODE 0x001
#define NVME_INVALID_FIELD 0x002
#define NVME_SANITIZE_IN_PROGRESS 0x01d
#define NVME_INVALID_SLOT 0x106
#define NVME_INVALID_IMAGE 0x107
#define NVME_OVERLAPPING_RANGE 0x114
#define NVME_SELF_TEST_IN_PROGRESS 0x11d

#define SANITIZE_DONE 1

#define EXCLUSIVE \
	(1u << NVME_EFFECT_CSE_SHIFT) /* CSE 1: no command beside it in the same namespace */

struct nvme {
	struct fwa_device dev;
	struct sim_options options;
	pthread_mutex_t lock; /* of all below */
	struct sim_tally tally;
	struct {
		uint16_t opcode; /* 0: none runs */
		uint8_t code;    /* STC or SANACT */
		uint64_t start_ns;
		uint64_t until_ns;
	} work;
	uint8_t sanitize_status;
	uint8_t active; /* slots count from 1 */
	char slot[SLOTS][NVME_ID_CTRL_FR_LEN];
	uint32_t image_len;
	uint8_t image[IMAGE_MAX];
	uint8_t page[NVME_IDENTIFY_LEN]; /* the answer */
};

static struct nvme *nvme_of(struct fwa_device *dev)
{
	return (struct nvme *)dev;
}

/* --- work ----------------------------------------------------------------------------------- */

static void settle(struct nvme *n)
{
	if (!n->work.opcode || sim_now() < n->work.until_ns)
		return;
	if (n->work.opcode == NVME_OP_SANITIZE)
		n->sanitize_status = SANITIZE_DONE;
	n->work.opcode = 0;
}

static uint16_t begin(struct nvme *n, const struct fwa_command *cmd, uint8_t code)
{
	n->work.opcode = cmd->opcode;
	n->work.code = code;
	n->work.start_ns = sim_now();
	n->work.until_ns = n->work.start_ns + n->options.bg_ms * 1000000;
	return 0;
}

static uint16_t self_test(struct nvme *n, const struct fwa_command *cmd)
{
	uint8_t code = cmd->cdw[0] & NVME_SELF_TEST_CODE;

	if (code == NVME_SELF_TEST_ABORT) {
		n->work.opcode = 0;
		return 0;
	}
	if (code != 1 && code != 2)
		return NVME_INVALID_FIELD;
	return n->work.opcode ? NVME_SELF_TEST_IN_PROGRESS : begin(n, cmd, code);
}

/* It ends a self-test that runs. */
static uint16_t sanitize(struct nvme *n, const struct fwa_command *cmd)
{
	uint8_t action = cmd->cdw[0] & 7;

	if (action < 2 || action > 4)
		return NVME_INVALID_FIELD;
	n->sanitize_status = NVME_SANITIZE_RUNS;
	return begin(n, cmd, action);
}

/* --- firmware ------------------------------------------------------------------------------- */

static uint16_t download(struct nvme *n, const struct fwa_command *cmd)
{
	uint64_t at = (uint64_t)cmd->cdw[1] * 4;

	if (cmd->payload.len != ((uint64_t)cmd->cdw[0] + 1) * 4)
		return NVME_INVALID_FIELD;
	if (at && at != n->image_len)
		return NVME_OVERLAPPING_RANGE;
	if (at + cmd->payload.len > IMAGE_MAX)
		return NVME_INVALID_FIELD;
	memcpy(n->image + at, cmd->payload.data, cmd->payload.len);
	n->image_len = (uint32_t)(at + cmd->payload.len);
	return 0;
}

static uint16_t commit(struct nvme *n, const struct fwa_command *cmd)
{
	unsigned int slot = cmd->cdw[0] & 7, action = NVME_COMMIT_ACTION(cmd->cdw[0]);

	if (action > 3)
		return NVME_INVALID_FIELD;
	if (!slot || slot > SLOTS)
		return NVME_INVALID_SLOT;
	if (action != NVME_COMMIT_ACTIVATE) {
		if (n->image_len < 16 || memcmp(n->image, IMAGE_MAGIC, 8) != 0)
			return NVME_INVALID_IMAGE;
		memcpy(n->slot[slot - 1], n->image + 8, NVME_ID_CTRL_FR_LEN);
		n->image_len = 0;
	}
	if (!n->slot[slot - 1][0])
		return NVME_INVALID_IMAGE;
	if (action == 3)
		n->active = (uint8_t)slot;
	return 0;
}

/* --- what it says of itself ----------------------------------------------------------------- */

static void text(uint8_t *at, size_t len, const char *s)
{
	memset(at, ' ', len);
	memcpy(at, s, strlen(s));
}

static uint16_t identify(struct nvme *n, const struct fwa_command *cmd)
{
	uint8_t *page = n->page;

	switch (cmd->cdw[0] & 0xff) {
	case NVME_CNS_NAMESPACE:
		page[NVME_ID_NS_LBAF + 2] = BLOCK_SHIFT;
		return 0;
	case NVME_CNS_CONTROLLER:
		fwa_put_le16(page + NVME_ID_CTRL_VID, 0x1234);
		text(page + NVME_ID_CTRL_SN, NVME_ID_CTRL_SN_LEN, n->dev.id.serial);
		text(page + NVME_ID_CTRL_MN, NVME_ID_CTRL_MN_LEN, "Simulated NVMe controller");
		memcpy(page + NVME_ID_CTRL_FR, n->slot[n->active - 1], NVME_ID_CTRL_FR_LEN);
		return 0;
	case NVME_CNS_ACTIVE_LIST:
		fwa_put_le32(page, 1);
		return 0;
	default:
		return NVME_INVALID_FIELD;
	}
}

static void effects_page(const struct nvme *n, uint8_t *page)
{
	static const struct {
		uint8_t opcode;
		uint32_t word;
	} admin[] = {
		{ NVME_OP_GET_LOG_PAGE, NVME_EFFECT_CSUPP },
		{ NVME_OP_IDENTIFY, NVME_EFFECT_CSUPP },
		{ NVME_OP_FW_COMMIT, NVME_EFFECT_CSUPP | NVME_EFFECT_CCC },
		{ NVME_OP_FW_DOWNLOAD, NVME_EFFECT_CSUPP },
		{ NVME_OP_SELF_TEST, NVME_EFFECT_CSUPP },
		{ NVME_OP_SANITIZE, NVME_EFFECT_CSUPP | NVME_EFFECT_LBCC },
	};

	for (size_t i = 0; i < FWA_ARRAY_SIZE(admin); i++)
		fwa_put_le32(page + 4u * admin[i].opcode,
			     admin[i].word |
				     (admin[i].opcode == n->options.exclusive ? EXCLUSIVE : 0));
}

static uint8_t percent(const struct nvme *n)
{
	return sim_percent(n->work.start_ns, n->work.until_ns);
}

/* The page of @lid; its length, 0 when there is none. */
static uint32_t log_page(struct nvme *n, uint8_t lid)
{
	uint8_t *page = n->page;

	switch (lid) {
	case NVME_LID_SMART:
		return SMART_LEN;
	case LID_FW_SLOT:
		page[0] = n->active;
		memcpy(page + 8, n->slot, sizeof(n->slot));
		return SMART_LEN;
	case NVME_LID_EFFECTS:
		effects_page(n, page);
		return NVME_EFFECTS_LEN;
	case NVME_LID_SELF_TEST:
		if (n->work.opcode != NVME_OP_SELF_TEST)
			return SMART_LEN;
		page[0] = n->work.code;
		page[1] = percent(n);
		return SMART_LEN;
	case NVME_LID_SANITIZE:
		fwa_put_le16(page, UINT16_MAX);
		page[2] = n->sanitize_status;
		if (n->sanitize_status == NVME_SANITIZE_RUNS)
			fwa_put_le16(page, (uint16_t)(percent(n) * 65536u / 100));
		return SMART_LEN;
	default:
		return 0;
	}
}

static uint16_t get_log(struct nvme *n, const struct fwa_command *cmd)
{
	uint32_t len = log_page(n, (uint8_t)cmd->cdw[0]);

	/* No offset. What is behind the end of the page is zeroes. */
	return len && !cmd->cdw[2] && !cmd->cdw[3] ? 0 : NVME_INVALID_FIELD;
}

/* --- the device ----------------------------------------------------------------------------- */

static uint16_t run(struct nvme *n, const struct fwa_command *cmd)
{
	switch (cmd->opcode) {
	case NVME_OP_GET_LOG_PAGE:
		return get_log(n, cmd);
	case NVME_OP_IDENTIFY:
		return identify(n, cmd);
	default:
		break;
	}
	if (n->work.opcode == NVME_OP_SANITIZE)
		return NVME_SANITIZE_IN_PROGRESS;
	switch (cmd->opcode) {
	case NVME_OP_FW_COMMIT:
		return commit(n, cmd);
	case NVME_OP_FW_DOWNLOAD:
		return download(n, cmd);
	case NVME_OP_SELF_TEST:
		return self_test(n, cmd);
	case NVME_OP_SANITIZE:
		return sanitize(n, cmd);
	default:
		return NVME_INVALID_OPCODE;
	}
}

static int submit(struct fwa_device *dev, const struct fwa_command *cmd, struct fwa_reply *reply,
		  unsigned int timeout_ms)
{
	struct nvme *n = nvme_of(dev);
	uint16_t code;

	if (cmd->set != FWA_SET_NVME_ADMIN)
		return -EOPNOTSUPP;
	if (cmd->out_len > sizeof(n->page) || cmd->out_len > reply->out_cap)
		return -EMSGSIZE;
	reply->maybe_sent = true;
	sim_wait_ms(n->options.delay_ms < timeout_ms ? n->options.delay_ms : timeout_ms);
	if (n->options.delay_ms > timeout_ms)
		return -ETIMEDOUT;
	pthread_mutex_lock(&n->lock);
	sim_tally_note(&n->tally, cmd);
	settle(n);
	memset(n->page, 0, sizeof(n->page));
	code = run(n, cmd);
	if (code == 0 && cmd->out_len) {
		memcpy(reply->out, n->page, cmd->out_len);
		reply->out_len = cmd->out_len;
	}
	pthread_mutex_unlock(&n->lock);
	reply->code = code;
	return 0;
}

static void close_nvme(struct fwa_device *dev)
{
	sim_tally_close(&nvme_of(dev)->tally);
	free(nvme_of(dev));
}

static const struct fwa_device_ops ops = {
	.submit = submit,
	.close = close_nvme,
};

int sim_nvme_open(const struct sim_options *options, struct fwa_open_args *args,
		  struct fwa_device **ret_dev)
{
	struct nvme *n = calloc(1, sizeof(*n));
	int r;

	if (!n)
		return fwa_fail(args->error, -ENOMEM, "sim: out of memory");
	r = sim_tally_open(&n->tally, options->count, args->error);
	if (r < 0) {
		free(n);
		return r;
	}
	n->dev.ops = &ops;
	n->dev.family = FWA_FAMILY_SIM;
	n->dev.is_nvme = true;
	n->dev.lanes = options->delay_ms ? (unsigned int)options->lanes : 0;
	pthread_mutex_init(&n->lock, NULL);
	n->options = *options;
	snprintf(n->dev.id.serial, FWA_TEXT_MAX, "%016llx", (unsigned long long)options->seed);
	memcpy(n->slot[0], "1.0     ", NVME_ID_CTRL_FR_LEN);
	n->active = 1;
	*ret_dev = &n->dev;
	return 0;
}
