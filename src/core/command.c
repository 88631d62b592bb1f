/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a command selects, and the names of scopes.
 */
#include "core/command.h"

#include "base/uuid.h"
#include "core/text.h"

struct fwa_selector fwa_command_selector(const struct fwa_model_command *row,
					 const struct fwa_command *cmd)
{
	struct fwa_selector s = { .kind = FWA_SELECT_NONE };

	if (!row || !row->select)
		return s;
	s.kind = row->select->kind;
	switch (s.kind) {
	case FWA_SELECT_LOG_UUID:
	case FWA_SELECT_FEATURE_UUID:
		if (cmd->payload.len >= FWA_UUID_LEN)
			s.uuid = cmd->payload.data;
		break;
	default:
		s.value = (uint8_t)cmd->cdw[0];
		break;
	}
	return s;
}

/* False when the payload ends before the field. */
static bool operation_value(const struct fwa_operation_table *t, const struct fwa_command *cmd,
			    uint32_t *ret)
{
	uint32_t v = 0;

	if (t->cdw) {
		v = cmd->cdw[t->cdw - 10];
	} else {
		if (cmd->payload.len < (size_t)t->at + t->width)
			return false;
		for (uint8_t i = 0; i < t->width; i++)
			v = v << 8 | cmd->payload.data[t->at + i];
	}
	*ret = v >> t->shift & t->mask;
	return true;
}

const struct fwa_operation *fwa_command_operation(const struct fwa_model_command *row,
						  const struct fwa_command *cmd,
						  uint16_t *ret_value)
{
	const struct fwa_operation_table *t = row ? row->operations : NULL;
	uint32_t value;

	if (!t || !operation_value(t, cmd, &value))
		return NULL;
	*ret_value = (uint16_t)value;
	for (uint8_t i = 0; i < t->n; i++)
		if (value <= t->all[i].last)
			return &t->all[i];
	return NULL;
}

static const char *const scope_names[] = { "configuration", "debug-read-only", "debug-write",
					   "debug-write-full", "never" };

const char *fwa_scope_name(unsigned int scope)
{
	if (scope == FWA_SCOPE_LEAST)
		return "least";
	return scope <= FWA_SCOPE_NEVER ? scope_names[scope] : NULL;
}

int fwa_scope_by_name(const char *name)
{
	for (int i = 0; i < FWA_SCOPE_NEVER; i++)
		if (fwa_text_eq(scope_names[i], name))
			return i;
	return -1;
}
