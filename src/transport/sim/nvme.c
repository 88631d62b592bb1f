/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The controller as a transport, and what it says of itself.
 */
#include "transport/sim/nvme.h"

#include <errno.h>
#include <stdio.h>

#define LID_FW_SLOT 0x03
#define SMART_LEN 512

/* Identify Controller (Figure 275). */
#define ID_CTRL_OACS 256
#define OACS_FORMAT (1u << 1)
#define OACS_FIRMWARE (1u << 2)
#define OACS_SELF_TEST (1u << 4)
#define ID_CTRL_FRMW 260
#define FRMW (1u << 4 | SIM_NVME_SLOTS << 1) /* activation without a reset; slots */
#define ID_CTRL_SANICAP 328
#define SANICAP 7u /* crypto erase, block erase, overwrite */
#define ID_CTRL_NN 516
#define ID_CTRL_ONCS 520
#define ONCS_WRITE_ZEROES (1u << 3)
#define ONCS_FEATURES_SAVE (1u << 4)
#define ID_CTRL_FNA 524
#define FNA_CRYPTO_ERASE (1u << 2)
#define ID_CTRL_VWC 525

#define CC_ENABLED (1u | 6u << 16 | 4u << 20)
#define CSTS_READY 1u

#define EXCLUSIVE \
	(1u << NVME_EFFECT_CSE_SHIFT) /* CSE 1: no command beside it in the same namespace */

static struct sim_nvme *nvme_of(struct fwa_device *dev)
{
	return (struct sim_nvme *)dev;
}

/* --- what it says of itself ----------------------------------------------------------------- */

static void text(uint8_t *at, size_t len, const char *s)
{
	memset(at, ' ', len);
	memcpy(at, s, strlen(s));
}

static void identify_controller(struct sim_nvme *n)
{
	uint8_t *page = n->answer;

	fwa_put_le16(page + NVME_ID_CTRL_VID, 0x1234);
	text(page + NVME_ID_CTRL_SN, NVME_ID_CTRL_SN_LEN, n->dev.id.serial);
	text(page + NVME_ID_CTRL_MN, NVME_ID_CTRL_MN_LEN, "Simulated NVMe controller");
	memcpy(page + NVME_ID_CTRL_FR, n->running, NVME_ID_CTRL_FR_LEN);
	fwa_put_le16(page + ID_CTRL_OACS, OACS_FORMAT | OACS_FIRMWARE | OACS_SELF_TEST);
	page[ID_CTRL_FRMW] = FRMW;
	fwa_put_le32(page + ID_CTRL_SANICAP, SANICAP);
	fwa_put_le32(page + ID_CTRL_NN, SIM_NVME_NSID);
	fwa_put_le16(page + ID_CTRL_ONCS, ONCS_WRITE_ZEROES | ONCS_FEATURES_SAVE);
	page[ID_CTRL_FNA] = FNA_CRYPTO_ERASE;
	page[ID_CTRL_VWC] = 1;
}

static uint16_t identify(struct sim_nvme *n, const struct fwa_command *cmd)
{
	switch (cmd->cdw[0] & 0xff) {
	case NVME_CNS_NAMESPACE:
		return sim_nvme_identify_namespace(n, cmd);
	case NVME_CNS_CONTROLLER:
		identify_controller(n);
		return 0;
	case NVME_CNS_ACTIVE_LIST:
		if (cmd->nsid < SIM_NVME_NSID)
			fwa_put_le32(n->answer, SIM_NVME_NSID);
		return 0;
	default:
		return NVME_INVALID_FIELD;
	}
}

static sim_nvme_handler get_log;

/* The one table of what it can do, and of what it declares. */
static const struct {
	uint8_t set;
	uint8_t opcode;
	uint32_t word;
	sim_nvme_handler *run;
} commands[] = {
	{ FWA_SET_NVME_ADMIN, NVME_OP_GET_LOG_PAGE, 0, get_log },
	{ FWA_SET_NVME_ADMIN, NVME_OP_IDENTIFY, 0, identify },
	{ FWA_SET_NVME_ADMIN, NVME_OP_SET_FEATURES, 0, sim_nvme_set_features },
	{ FWA_SET_NVME_ADMIN, NVME_OP_GET_FEATURES, 0, sim_nvme_get_features },
	{ FWA_SET_NVME_ADMIN, NVME_OP_FW_COMMIT, NVME_EFFECT_CCC, sim_nvme_commit },
	{ FWA_SET_NVME_ADMIN, NVME_OP_FW_DOWNLOAD, 0, sim_nvme_download },
	{ FWA_SET_NVME_ADMIN, NVME_OP_SELF_TEST, 0, sim_nvme_self_test },
	{ FWA_SET_NVME_ADMIN, NVME_OP_FORMAT, NVME_EFFECT_LBCC | NVME_EFFECT_NCC, sim_nvme_format },
	{ FWA_SET_NVME_ADMIN, NVME_OP_SANITIZE, NVME_EFFECT_LBCC, sim_nvme_sanitize },
	{ FWA_SET_NVME_IO, NVME_OP_FLUSH, 0, sim_nvme_flush },
	{ FWA_SET_NVME_IO, NVME_OP_WRITE, NVME_EFFECT_LBCC, sim_nvme_write },
	{ FWA_SET_NVME_IO, NVME_OP_READ, 0, sim_nvme_read },
	{ FWA_SET_NVME_IO, NVME_OP_WRITE_ZEROES, NVME_EFFECT_LBCC, sim_nvme_write_zeroes },
};

static void effects_page(const struct sim_nvme *n, uint8_t *page)
{
	for (size_t i = 0; i < FWA_ARRAY_SIZE(commands); i++) {
		bool io = commands[i].set == FWA_SET_NVME_IO;
		bool exclusive = !io && commands[i].opcode == n->options.exclusive;

		fwa_put_le32(page + (io ? NVME_EFFECTS_IO : 0) + 4u * commands[i].opcode,
			     NVME_EFFECT_CSUPP | commands[i].word | (exclusive ? EXCLUSIVE : 0));
	}
}

static uint8_t percent(const struct sim_nvme *n)
{
	return sim_percent(n->work.start_ns, n->work.until_ns);
}

/* The page of @lid; its length, 0 when there is none. */
static uint32_t log_page(struct sim_nvme *n, uint8_t lid)
{
	uint8_t *page = n->answer;

	switch (lid) {
	case NVME_LID_SMART:
		return SMART_LEN;
	case LID_FW_SLOT:
		page[0] = (uint8_t)(n->active | n->next << 4);
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

static uint16_t get_log(struct sim_nvme *n, const struct fwa_command *cmd)
{
	uint32_t len = log_page(n, (uint8_t)cmd->cdw[0]);

	/* No offset. What is behind the end of the page is zeroes. */
	return len && !cmd->cdw[2] && !cmd->cdw[3] ? 0 : NVME_INVALID_FIELD;
}

/* --- the device ----------------------------------------------------------------------------- */

uint16_t sim_nvme_command(struct sim_nvme *n, const struct fwa_command *cmd)
{
	bool looks = cmd->set == FWA_SET_NVME_ADMIN &&
		     (cmd->opcode == NVME_OP_GET_LOG_PAGE || cmd->opcode == NVME_OP_IDENTIFY);

	if (n->work.opcode == NVME_OP_SANITIZE && !looks)
		return NVME_SANITIZE_IN_PROGRESS;
	for (size_t i = 0; i < FWA_ARRAY_SIZE(commands); i++)
		if (commands[i].set == cmd->set && commands[i].opcode == cmd->opcode)
			return commands[i].run(n, cmd);
	return NVME_INVALID_OPCODE;
}

static uint16_t run(struct sim_nvme *n, const struct fwa_command *cmd)
{
	if (n->personality->nvme_command)
		return n->personality->nvme_command(n, cmd);
	return sim_nvme_command(n, cmd);
}

static void execute(struct sim_nvme *n, const struct fwa_command *cmd, struct fwa_reply *reply)
{
	sim_tally_note(&n->tally, cmd);
	sim_nvme_settle(n);
	memset(n->answer, 0, cmd->out_len < NVME_PAGE_LEN ? NVME_PAGE_LEN : cmd->out_len);
	n->result = 0;
	reply->code = run(n, cmd);
	reply->result = n->result;
	if (reply->code == 0 && cmd->out_len) {
		memcpy(reply->out, n->answer, cmd->out_len);
		reply->out_len = cmd->out_len;
	}
}

static int submit(struct fwa_device *dev, const struct fwa_command *cmd, struct fwa_reply *reply,
		  unsigned int timeout_ms)
{
	struct sim_nvme *n = nvme_of(dev);
	bool io = cmd->set == FWA_SET_NVME_IO;

	if (!io && cmd->set != FWA_SET_NVME_ADMIN)
		return -EOPNOTSUPP;
	if (cmd->out_len > (io ? SIM_NVME_DISK_LEN : NVME_PAGE_LEN) ||
	    cmd->out_len > reply->out_cap)
		return -EMSGSIZE;
	reply->maybe_sent = true;
	sim_wait_ms(n->options.delay_ms < timeout_ms ? n->options.delay_ms : timeout_ms);
	if (n->options.delay_ms > timeout_ms)
		return -ETIMEDOUT;
	pthread_mutex_lock(&n->lock);
	execute(n, cmd, reply);
	pthread_mutex_unlock(&n->lock);
	return 0;
}

/* Nothing is ever behind a reply: it is copied out of a buffer that the controller cannot reach. */
static int peek(struct fwa_device *dev, enum fwa_region region, uint64_t at, void *buf, size_t len)
{
	uint8_t raw[2 * FWA_BEYOND_LEN] = { 0 };
	uint64_t size = region == FWA_REGION_REGISTERS ? 8 : sizeof(raw);

	if (region != FWA_REGION_REGISTERS && region != FWA_REGION_BEYOND)
		return -EOPNOTSUPP;
	if (at > size || len > size - at)
		return -ERANGE;
	if (region == FWA_REGION_REGISTERS) {
		fwa_put_le32(raw, CC_ENABLED);
		fwa_put_le32(raw + 4, CSTS_READY);
	}
	memcpy(buf, raw + at, len);
	return 0;
}

/* What is stored outlives both kinds. */
static int reset(struct fwa_device *dev, enum fwa_reset kind, unsigned int timeout_ms)
{
	struct sim_nvme *n = nvme_of(dev);

	if (kind != FWA_RESET_COLD && kind != FWA_RESET_CONVENTIONAL)
		return -EOPNOTSUPP;
	pthread_mutex_lock(&n->lock);
	sim_nvme_settle(n);
	sim_nvme_work_reset(n);
	sim_nvme_features_reset(n);
	pthread_mutex_unlock(&n->lock);
	return 0;
}

static void close_nvme(struct fwa_device *dev)
{
	sim_tally_close(&nvme_of(dev)->tally);
	free(nvme_of(dev));
}

static const struct fwa_device_ops ops = {
	.submit = submit,
	.peek = peek,
	.reset = reset,
	.close = close_nvme,
};

int sim_nvme_open(const struct sim_personality *personality, const struct sim_options *options,
		  struct fwa_open_args *args, struct fwa_device **ret_dev)
{
	struct sim_nvme *n = calloc(1, sizeof(*n));
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
	n->personality = personality;
	n->options = *options;
	snprintf(n->dev.id.serial, FWA_TEXT_MAX, "%016llx", (unsigned long long)options->seed);
	sim_nvme_work_init(n);
	sim_nvme_features_init(n);
	*ret_dev = &n->dev;
	return 0;
}
