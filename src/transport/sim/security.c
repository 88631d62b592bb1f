/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sanitize, erase, passphrases and the security state (CXL 3.1 sections 8.2.9.9.5 and .6).
 *
 * Three wrong passphrases shut the door until a cold reset. With the option locked=1 it begins locked
 * by the user passphrase "fwadmit".
 */
#include "transport/sim/sim.h"

#define STATE_USER_SET (1u << 0)
#define STATE_MASTER_SET (1u << 1)
#define STATE_LOCKED (1u << 2)
#define STATE_FROZEN (1u << 3)
#define STATE_USER_LIMIT (1u << 4)
#define STATE_MASTER_LIMIT (1u << 5)

#define LOCKED_WITH "fwadmit"

/* Set Passphrase: type, 31 reserved, current, new; the others: type, 31 reserved, current. */
#define TYPE 0
#define CURRENT 32
#define NEW 64

void sim_security_init(struct sim *s)
{
	if (!s->options.locked)
		return;
	s->passphrase[SIM_USER].set = true;
	memcpy(s->passphrase[SIM_USER].text, LOCKED_WITH, sizeof(LOCKED_WITH));
	s->locked = true;
}

void sim_security_reset(struct sim *s)
{
	for (unsigned int i = 0; i < SIM_PASSPHRASES; i++)
		s->passphrase[i].failures = 0;
	s->locked = s->passphrase[SIM_USER].set;
	s->frozen = false;
}

/* By another key, or by writing over it as well. */
static void erase_media(struct sim *s, bool overwrite)
{
	s->n_poison = 0;
	s->n_injected = 0;
	s->reg[SIM_REGISTER_MEDIA_KEY]++;
	sim_media_erase(s, !overwrite);
}

void sim_sanitize_now(struct sim *s)
{
	erase_media(s, true);
	memset(s->lsa, 0, sizeof(s->lsa));
}

static uint16_t sanitized(struct sim *s)
{
	sim_sanitize_now(s);
	return CXL_RC_SUCCESS;
}

uint16_t sim_sanitize(struct sim *s, struct sim_call *c)
{
	if (s->passphrase[SIM_USER].set || s->frozen)
		return CXL_RC_SECURITY_STATE;
	return sim_background_start(s, c->opcode, s->options.bg_ms, sanitized);
}

uint16_t sim_secure_erase(struct sim *s, struct sim_call *c)
{
	if (s->locked || s->frozen)
		return CXL_RC_SECURITY_STATE;
	if (s->background.opcode)
		return CXL_RC_BUSY;
	erase_media(s, false);
	return CXL_RC_SUCCESS;
}

static bool exhausted(const struct sim_passphrase *p)
{
	return p->failures >= SIM_PASSPHRASE_TRIES;
}

uint16_t sim_get_security(struct sim *s, struct sim_call *c)
{
	const struct sim_passphrase *user = &s->passphrase[SIM_USER];
	const struct sim_passphrase *master = &s->passphrase[SIM_MASTER];

	fwa_write_le32(&c->out,
		       (user->set ? STATE_USER_SET : 0) | (master->set ? STATE_MASTER_SET : 0) |
			       (s->locked ? STATE_LOCKED : 0) | (s->frozen ? STATE_FROZEN : 0) |
			       (exhausted(user) ? STATE_USER_LIMIT : 0) |
			       (exhausted(master) ? STATE_MASTER_LIMIT : 0));
	return CXL_RC_SUCCESS;
}

/* The passphrase that @in names, NULL when there is no such type. */
static struct sim_passphrase *named(struct sim *s, const uint8_t *in)
{
	return in[TYPE] < SIM_PASSPHRASES ? &s->passphrase[in[TYPE]] : NULL;
}

/* Compares @given with passphrase @p, and counts a wrong one. */
static uint16_t check_passphrase(struct sim *s, struct sim_passphrase *p, const uint8_t *given)
{
	if (s->frozen || exhausted(p))
		return CXL_RC_SECURITY_STATE;
	if (memcmp(p->text, given, SIM_PASSPHRASE_LEN) == 0) {
		p->failures = 0;
		return CXL_RC_SUCCESS;
	}
	p->failures++;
	return CXL_RC_PASSPHRASE;
}

uint16_t sim_set_passphrase(struct sim *s, struct sim_call *c)
{
	const uint8_t *in = c->in.data;
	struct sim_passphrase *p = named(s, in);

	if (!p)
		return CXL_RC_INVALID_INPUT;
	if (s->frozen || s->locked)
		return CXL_RC_SECURITY_STATE;
	if (p->set) {
		uint16_t code = check_passphrase(s, p, in + CURRENT);

		if (code != CXL_RC_SUCCESS)
			return code;
	}
	memcpy(p->text, in + NEW, SIM_PASSPHRASE_LEN);
	p->set = true;
	return CXL_RC_SUCCESS;
}

static void forget(struct sim *s, struct sim_passphrase *p)
{
	*p = (struct sim_passphrase){ 0 };
	if (p == &s->passphrase[SIM_USER])
		s->locked = false;
}

uint16_t sim_disable_passphrase(struct sim *s, struct sim_call *c)
{
	const uint8_t *in = c->in.data;
	struct sim_passphrase *p = named(s, in);
	uint16_t code;

	if (!p)
		return CXL_RC_INVALID_INPUT;
	if (!p->set || s->locked)
		return CXL_RC_SECURITY_STATE;
	code = check_passphrase(s, p, in + CURRENT);
	if (code == CXL_RC_SUCCESS)
		forget(s, p);
	return code;
}

uint16_t sim_unlock(struct sim *s, struct sim_call *c)
{
	uint16_t code;

	if (!s->locked)
		return CXL_RC_SECURITY_STATE;
	code = check_passphrase(s, &s->passphrase[SIM_USER], c->in.data);
	if (code == CXL_RC_SUCCESS)
		s->locked = false;
	return code;
}

uint16_t sim_freeze(struct sim *s, struct sim_call *c)
{
	s->frozen = true;
	return CXL_RC_SUCCESS;
}

/* By either passphrase; the user's is gone with the data. */
uint16_t sim_passphrase_erase(struct sim *s, struct sim_call *c)
{
	const uint8_t *in = c->in.data;
	struct sim_passphrase *p = named(s, in);
	uint16_t code;

	if (!p)
		return CXL_RC_INVALID_INPUT;
	if (!p->set)
		return CXL_RC_SECURITY_STATE;
	if (s->background.opcode)
		return CXL_RC_BUSY;
	code = check_passphrase(s, p, in + CURRENT);
	if (code != CXL_RC_SUCCESS)
		return code;
	erase_media(s, false);
	forget(s, &s->passphrase[SIM_USER]);
	return CXL_RC_SUCCESS;
}
