/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simulated CXL type-3 device. Names in this folder begin with sim_; only fwa_sim_open() and
 * fwa_sim_personality() (transport.h) are seen outside of it.
 *
 * 1. All state is in one struct sim; a command allocates nothing. Commands run one at a time, also
 *    where several wait out their delay.
 * 2. The same personality, options and commands give the same answers (only background work and
 *    the timestamp follow CLOCK_MONOTONIC).
 * 3. The honest device does what its one command table (table.c) declares and nothing else. A
 *    personality is that device with a hook or two: it edits the declarations, or stands between
 *    the mailbox and the command.
 * 4. The caller's bytes are hostile to the device as the device's are to the caller: each handler
 *    gets a payload whose length the table has checked, and checks every field of it.
 */
#pragma once

#include <pthread.h>

#include "base/bytes.h"
#include "base/util.h"
#include "base/uuid.h"
#include "transport/transport.h"
#include "wire/cxl.h"

#define SIM_PATH_MAX 256u
#define SIM_LSA_LEN 16384u
#define SIM_DEBUG_LOG_LEN 1024u
#define SIM_CEL_MAX (65536u * CXL_CEL_ENTRY_LEN)

#define SIM_CAPACITY_UNIT (256ull << 20) /* Identify counts in 256 MiB */
#define SIM_CAPACITY_UNITS 4u
#define SIM_CAPACITY (SIM_CAPACITY_UNITS * SIM_CAPACITY_UNIT)
#define SIM_VOLATILE_ONLY_UNITS 1u
#define SIM_PERSISTENT_ONLY_UNITS 1u

#define SIM_LINE_LEN 64u
#define SIM_LINES_MAX 4096u /* that are not as they came, or as an erase left them */

#define SIM_POISON_MAX 64u
#define SIM_POISON_LIMIT 32u /* how many may be injected */

#define SIM_EVENT_LOGS 4 /* informational, warning, failure, fatal */
#define SIM_EVENTS_MAX 8
#define SIM_EVENT_LEN 128

#define SIM_FW_SLOTS 2
#define SIM_FW_REVISION_LEN 16
#define SIM_FW_HEAD_LEN 32
#define SIM_FW_UNIT 128u /* Transfer FW offsets and parts */

#define SIM_PASSPHRASE_LEN 32
#define SIM_PASSPHRASE_TRIES 3

#define SIM_REGISTERS 16
#define SIM_REGISTER_MEDIA_KEY 1 /* counts changes of the media encryption key */
#define SIM_REGISTER_FIRST_WRITABLE 8

/* The vendor commands, vendor.c. */
#define SIM_OP_VENDOR_READ 0xc000
#define SIM_OP_VENDOR_WRITE 0xc001
#define SIM_OP_SCAN_MEDIA 0x4304
#define SIM_OP_SANITIZE 0x4400

enum sim_feature_id {
	SIM_FEATURE_SCRUB,
	SIM_FEATURE_LINK,
	SIM_FEATURE_TELEMETRY,
	SIM_FEATURE_VERBOSITY,
	SIM_FEATURE_CALIBRATION,
	SIM_FEATURE_ERASE_LOCK,
	SIM_FEATURE_BUILD,
	SIM_FEATURE_COUNT,
};
#define SIM_FEATURE_MAX 4096u

enum sim_selection {
	SIM_CURRENT,
	SIM_DEFAULT,
	SIM_SAVED,
	SIM_SELECTIONS,
};

struct sim;
struct sim_nvme;

/* One command on its way through the mailbox. */
struct sim_call {
	uint16_t opcode;
	struct fwa_span in;
	struct fwa_writer out; /* the payload registers */
	size_t reported;       /* what the length register says */
};

typedef uint16_t sim_handler(struct sim *s, struct sim_call *c); /* gives the return code */

struct sim_command {
	uint16_t opcode;
	uint16_t effects; /* as declared in the CEL */
	uint32_t in_min;
	uint32_t in_max;
	bool media; /* reaches the media: answers Media Disabled while it is disabled */
	sim_handler *run;
};

struct sim_personality {
	const char *name;
	const char *about;
	/* Edits the honest declarations; NULL = none. */
	void (*declare)(struct sim *s);
	/* Stands in for sim_command(): a return code, -ENODEV or -ETIMEDOUT; NULL = sim_command(). */
	int (*command)(struct sim *s, struct sim_call *c);
	bool waits; /* may keep a caller waiting by itself */
	bool nvme;  /* a device of its own, nvme.c */
	/* The same for it, with the status; NULL = sim_nvme_command(). */
	uint16_t (*nvme_command)(struct sim_nvme *n, const struct fwa_command *cmd);
	uint64_t after; /* what the option is when it is not given; 0: 1 */
};

struct sim_options {
	uint64_t seed;
	uint64_t payload;
	uint64_t bg_ms;
	uint64_t fw_ms;
	uint64_t after;
	uint64_t locked;
	/* Of change.c; UINT64_MAX: not given. */
	uint64_t declare; /* opcode << 16 | word */
	uint64_t undeclare;
	uint64_t serial;
	uint64_t exclusive; /* of nvme.c: the opcode that others are not to run beside; as above */
	uint64_t delay_ms;
	uint64_t lanes;
	char count[SIM_PATH_MAX]; /* of tally.c; "": none */
};

/* See tally.c. */
struct sim_tally {
	uint8_t *map;
	size_t len;
};

struct sim_background {
	uint16_t opcode; /* 0 = none runs */
	uint64_t start_ns;
	uint64_t until_ns;
	uint16_t (*finish)(struct sim *s); /* NULL: only time passes */
};

/* What is stored, see media-lines.c. */
struct sim_media {
	bool keyed; /* what was not written since reads as noise of the media key, else as zeroes */
	unsigned int n;
	struct sim_line {
		uint64_t dpa;
		uint8_t data[SIM_LINE_LEN];
	} line[SIM_LINES_MAX]; /* by address */
};

struct sim_event_log {
	unsigned int count;
	uint8_t record[SIM_EVENTS_MAX][SIM_EVENT_LEN]; /* oldest first */
};

struct sim_firmware {
	uint8_t active; /* slots count from 1 */
	uint8_t staged; /* 0 = none */
	bool filled[SIM_FW_SLOTS];
	uint8_t head[SIM_FW_SLOTS][SIM_FW_HEAD_LEN];
	bool transferring;
	uint64_t part_at; /* the last part taken, bytes */
	uint64_t part_len;
	uint8_t coming[SIM_FW_HEAD_LEN];
	uint8_t slot; /* of the package or activation that the background works on */
};

/* Scan Media's results, handed out once. */
struct sim_scan {
	bool done;    /* there are results */
	uint64_t dpa; /* of what is left of the range */
	uint64_t lines;
};

/* A Supported Feature entry, in the order of Table 8-97. */
struct sim_feature {
	const uint8_t *uuid;
	uint16_t get_size;
	uint16_t set_size;
	uint32_t flags;
	uint8_t get_version;
	uint8_t set_version;
	uint16_t effects;     /* as declared */
	bool waits;           /* a new value waits for a reset */
	const uint8_t *place; /* where byte i of the Set data is in the value; NULL = at i */
};

struct sim_feature_transfer {
	bool running;
	bool save;
	enum sim_feature_id id;
	uint32_t at;
	uint32_t len;
	uint8_t data[SIM_FEATURE_MAX];
};

struct sim_passphrase {
	bool set;
	unsigned int failures;
	uint8_t text[SIM_PASSPHRASE_LEN];
};

/* What the liars of liar-*.c keep in mind; an honest device has none of it. */
struct sim_lie {
	uint64_t count; /* of commands that led up to the lie */
	bool wedged;
};

enum sim_passphrase_type {
	SIM_MASTER,
	SIM_USER,
	SIM_PASSPHRASES,
};

struct sim {
	struct fwa_device dev;
	pthread_mutex_t
		lock; /* for all below, where there are lanes; never held while anybody waits */
	const struct sim_personality *personality;
	struct sim_options options;
	struct sim_tally tally;
	uint64_t random;
	uint64_t commands;     /* after the declarations were read twice (personality gone) */
	unsigned int readings; /* how often the CEL was read to its end */
	bool hung;             /* the doorbell never clears */
	bool gone;

	struct sim_background background;
	uint16_t background_opcode; /* of the one that ended last */
	uint16_t background_code;

	struct sim_media media;
	size_t cel_len;
	uint8_t cel[SIM_CEL_MAX];
	uint8_t debug_log[SIM_DEBUG_LOG_LEN];

	struct sim_event_log event[SIM_EVENT_LOGS];
	uint8_t event_policy[SIM_EVENT_LOGS];

	struct sim_firmware firmware;
	struct sim_scan scan;

	bool timestamp_set;
	uint64_t timestamp;       /* as set by the host */
	uint64_t timestamp_at_ns; /* when */

	struct sim_feature feature[SIM_FEATURE_COUNT];
	uint8_t value[SIM_SELECTIONS][SIM_FEATURE_COUNT][SIM_FEATURE_MAX];
	struct sim_feature_transfer transfer;

	uint8_t lsa[SIM_LSA_LEN];
	uint64_t volatile_units;
	uint64_t next_volatile_units;

	uint8_t alerts[16]; /* Get Alert Configuration's reply */
	uint8_t shutdown;

	unsigned int n_poison;
	unsigned int n_injected;
	struct sim_poison {
		uint64_t dpa;
		uint8_t source;
	} poison[SIM_POISON_MAX]; /* by address */
	uint64_t poison_from;     /* the next piece of a list that did not fit begins here */
	uint64_t poison_of;       /* the request that it belongs to */
	uint64_t poison_of_len;

	struct sim_passphrase passphrase[SIM_PASSPHRASES];
	bool locked;
	bool frozen;

	uint32_t reg[SIM_REGISTERS];

	bool beyond_asked; /* the payload registers are cleared before each command */
	size_t replied;    /* how much of them is the reply of the last one */
	uint16_t code;     /* its return code */

	struct sim_lie lie;

	uint8_t payload[]; /* the mailbox's payload registers, dev.payload_max bytes */
};

/* --- the device, sim.c ---------------------------------------------------------------------- */

/* The next of the numbers that options.seed begins. */
uint64_t sim_random(struct sim *s);
/* One number for another. */
uint64_t sim_mix(uint64_t z);
/* CLOCK_MONOTONIC in ns. */
uint64_t sim_now(void);
void sim_wait_ms(uint64_t ms);
/* Opens the NVMe controller, nvme.c. */
int sim_nvme_open(const struct sim_personality *personality, const struct sim_options *options,
		  struct fwa_open_args *args, struct fwa_device **ret_dev);

/* Opens the tally at @path, none for "": 0, or negative errno with one line in @error. */
int sim_tally_open(struct sim_tally *t, const char *path, char error[FWA_ERROR_LEN]);
void sim_tally_close(struct sim_tally *t);
/* @cmd is about to be executed; under the device's lock. */
void sim_tally_note(struct sim_tally *t, const struct fwa_command *cmd);

/* Reads "PERSONALITY[,key=value...]": 0, or -EINVAL with one line in @error. */
int sim_options_parse(const char *text, const struct sim_personality **ret_personality,
		      struct sim_options *ret_options, char error[FWA_ERROR_LEN]);
extern const struct sim_personality sim_personalities[];
extern const size_t sim_n_personalities;

/* --- the command table and what is declared, table.c ---------------------------------------- */

/* What the honest device does with @c. */
int sim_command(struct sim *s, struct sim_call *c);
/* The most bytes that @opcode takes; 0 when there is no such command. */
uint32_t sim_input_max(uint16_t opcode);
/* Declares the command table. */
void sim_declare_honest(struct sim *s);
/* Changes what is declared for @opcode. */
void sim_declare(struct sim *s, uint16_t opcode, uint16_t effects);
/* Adds an entry at the end, whether or not there is one for @opcode. */
void sim_declare_more(struct sim *s, uint16_t opcode, uint16_t effects);
/* Takes the entry for @opcode away. */
void sim_undeclare(struct sim *s, uint16_t opcode);

/* --- other declarations, change.c ------------------------------------------------------------ */

/* Declares what the options say, and gives the serial number that they say. */
void sim_change_by_options(struct sim *s);
/* Declares what the firmware says that is now active; @head of its package. */
void sim_change(struct sim *s, const uint8_t *head);

/* --- past the mailbox, peek.c and reset.c ------------------------------------------------------ */

/* As in struct fwa_device_ops. */
int sim_peek(struct fwa_device *dev, enum fwa_region region, uint64_t at, void *buf, size_t len);
int sim_poke(struct fwa_device *dev, enum fwa_region region, uint64_t at, struct fwa_span data);
int sim_reset(struct fwa_device *dev, enum fwa_reset kind, unsigned int timeout_ms);

/* --- what is stored, media-lines.c ------------------------------------------------------------- */

/* The line at @dpa, of 64 bytes; a poisoned one is all ones. */
void sim_media_read(const struct sim *s, uint64_t dpa, uint8_t ret[SIM_LINE_LEN]);
/* False when the device has no room for another line that is not as an erase left it. */
bool sim_media_write(struct sim *s, uint64_t dpa, const uint8_t data[SIM_LINE_LEN]);
/* Nothing is stored any more: @keyed, for the media key is another one; else it is overwritten. */
void sim_media_erase(struct sim *s, bool keyed);
/* The same for what is stored from @from up to @to, as far as it was written. */
void sim_media_forget(struct sim *s, uint64_t from, uint64_t to);

/* --- background work, background.c ---------------------------------------------------------- */

/* Begins @ms of work for @opcode that ends in @finish, or nothing; gives CXL_RC_BACKGROUND. */
uint16_t sim_background_start(struct sim *s, uint16_t opcode, uint64_t ms,
			      uint16_t (*finish)(struct sim *s));
/* Finishes what is due. Called before anything looks at the state. */
void sim_background_settle(struct sim *s);
/* How much of the time from @start_ns to @until_ns is over, 0 to 99. */
uint8_t sim_percent(uint64_t start_ns, uint64_t until_ns);
/* It ends now: a sanitize by being done, other work by coming to nothing. */
void sim_background_end(struct sim *s);
/* The media cannot be reached: a sanitize runs, or the device is locked. */
bool sim_media_disabled(const struct sim *s);

/* --- what other groups and the personalities use -------------------------------------------- */

void sim_events_init(struct sim *s);
void sim_firmware_init(struct sim *s);
const uint8_t *sim_firmware_revision(const struct sim *s, unsigned int slot);
void sim_features_init(struct sim *s);
/* What a reset does to them: saved or default values, and no transfer. */
void sim_features_reset(struct sim *s);
/* The value of @id that takes effect only at a reset, put into effect at once. */
void sim_feature_apply_saved(struct sim *s, enum sim_feature_id id);
void sim_alerts_init(struct sim *s);
void sim_poison_init(struct sim *s);
void sim_log_init(struct sim *s);
void sim_security_init(struct sim *s);
void sim_vendor_init(struct sim *s);
/* The transfer that runs, and that the background works on, comes to nothing. */
void sim_firmware_abort(struct sim *s);
/* The firmware that was staged is active. */
void sim_firmware_apply_staged(struct sim *s);
/* The capacity is divided as was asked for; what moved from one part to the other is lost. */
void sim_partition_apply(struct sim *s);
/* Locked if there is a passphrase, not frozen, and nobody has tried one yet. */
void sim_security_reset(struct sim *s);
bool sim_is_poisoned(const struct sim *s, uint64_t dpa);
/* User data gone: media, LSA, poison and the media key. */
void sim_sanitize_now(struct sim *s);

/* --- handlers, by group --------------------------------------------------------------------- */

sim_handler sim_request_abort;
sim_handler sim_get_events, sim_clear_events, sim_get_event_policy, sim_set_event_policy;
sim_handler sim_get_fw_info, sim_transfer_fw, sim_activate_fw;
sim_handler sim_get_timestamp, sim_set_timestamp;
sim_handler sim_get_supported_logs, sim_get_log, sim_get_log_caps, sim_clear_log;
sim_handler sim_get_supported_features, sim_get_feature, sim_set_feature;
sim_handler sim_identify, sim_get_partition, sim_set_partition;
sim_handler sim_get_lsa, sim_set_lsa;
sim_handler sim_get_health, sim_get_alerts, sim_set_alerts, sim_get_shutdown, sim_set_shutdown;
sim_handler sim_get_poison, sim_inject_poison, sim_clear_poison, sim_get_scan_caps, sim_scan_media,
	sim_get_scan_results;
sim_handler sim_sanitize, sim_secure_erase;
sim_handler sim_get_security, sim_set_passphrase, sim_disable_passphrase, sim_unlock, sim_freeze,
	sim_passphrase_erase;
sim_handler sim_vendor_read, sim_vendor_write;
