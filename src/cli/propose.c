/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is proposed is made of the bytes of the command, as the gate reads them.
 */
#include "cli/propose.h"

#include <stdio.h>
#include <string.h>

#include "cli/text.h"
#include "core/transfer.h"

#define POLICY_DIR "/etc/fwadmit/policy.d"

/* The UUID that a filter sees: of the Feature itself where the command names the one in transfer. */
static const uint8_t *resolved(const struct cli_verdict *v, const uint8_t *uuid)
{
	bool named = v->cmd->set == FWA_SET_CXL && v->contract->transfer == FWA_TRANSFER_OWN &&
		     fwa_transfer_part(v->cmd) && fwa_transfer_named(uuid);

	return named ? v->contract->transfer_uuid : uuid;
}

/* The filter that covers commands of this opcode with the same fields: one item of one group. */
static void least_filter(const struct cli_verdict *v, struct fwa_writer *w)
{
	uint8_t flags = 0;

	fwa_filter_write_term(w, &(struct fwa_term){ .kind = FWA_TERM_COMMAND,
						     .set = v->cmd->set,
						     .value = v->cmd->opcode });
	for (unsigned int field = 1; field < FWA_FIELD_COUNT; field++) {
		struct fwa_term t = { .kind = (uint8_t)field, .flags = flags };
		struct fwa_field_value value;

		/* Whoever sends the first of several parts sends the others, too. */
		if (!fwa_command_field(v->cmd, field, &value) ||
		    (v->parts > 1 && field == FWA_FIELD_OP))
			continue;
		t.value = value.uuid ? 0 : value.number;
		if (value.uuid)
			memcpy(t.uuid, resolved(v, value.uuid), sizeof(t.uuid));
		fwa_filter_write_term(w, &t);
		flags = FWA_TERM_AND;
	}
}

/* @name as a pattern that matches it and, where a policy file has no way to write it, little else. */
static void exact_pattern(const char *name, char *text, size_t size)
{
	size_t len = 0;

	for (; *name && len + 3 < size; name++) {
		if (strchr("*?[\\", *name))
			text[len++] = '\\';
		text[len++] = *name;
		if (strchr(" \t,;#", *name)) /* ends an item, or the line */
			text[len - 1] = '?';
	}
	text[len] = '\0';
}

void cli_propose(const struct cli *cli, const struct cli_verdict *v, struct cli_proposal *ret)
{
	const struct fwa_model_command *row = fwa_model_find(v->cmd->set, v->cmd->opcode);
	const char *dir = cli->args.text[CLI_OPT_POLICY];
	uint8_t terms[FWA_FIELD_COUNT * FWA_TERM_LEN];
	struct fwa_writer w = fwa_writer(terms, sizeof(terms));
	char opcode[CLI_OPCODE_TEXT], effects[CLI_EFFECTS_TEXT];
	const char *command = row ? row->name : opcode;

	cli_opcode_hex(v->cmd->set, v->cmd->opcode, opcode);
	snprintf(ret->user, sizeof(ret->user), "%s", v->user);
	snprintf(ret->name, sizeof(ret->name), "%.28s-%.16s", command, v->user);
	snprintf(ret->file, sizeof(ret->file), "%.192s/60-%.80s.conf", dir ? dir : POLICY_DIR,
		 ret->name);
	exact_pattern(v->subject->name, ret->device, sizeof(ret->device));
	ret->scope = fwa_scope_name(v->remedy.scope);
	/* also "none": without the line a grant reaches every effect of its scope */
	snprintf(ret->effects, sizeof(ret->effects), "%s",
		 cli_effects_text(v->remedy.effects, 0, ", ", effects));
	least_filter(v, &w);
	cli_filter_item(fwa_span(terms, w.len), 0, ret->commands);
}

void cli_proposal_policy(const struct cli_proposal *p, char text[CLI_PROPOSAL_TEXT])
{
	snprintf(text, CLI_PROPOSAL_TEXT,
		 "# %s\n[grant %s]\nuser = %s\ndevice = %s\nscope = %s\neffects = %s\n"
		 "commands = %.1024s\n",
		 p->file, p->name, p->user, p->device, p->scope, p->effects, p->commands);
}

/* Appends " --@option=@value", the value in quotes where a shell would not leave it alone. */
static void add_option(char text[CLI_PROPOSAL_TEXT], const char *option, const char *value)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_./:,@%+=";
	bool quote = value[strspn(value, plain)];
	size_t len = strlen(text);

	len += (size_t)snprintf(text + len, CLI_PROPOSAL_TEXT - len, " --%s=%s", option,
				quote ? "'" : "");
	for (; *value && len + 6 < CLI_PROPOSAL_TEXT; value++)
		len += (size_t)snprintf(text + len, CLI_PROPOSAL_TEXT - len,
					*value == '\'' ? "'\\''" : "%c", *value);
	if (quote)
		snprintf(text + len, CLI_PROPOSAL_TEXT - len, "'");
}

/* "config, data" as "config,data": nothing to quote. */
static void without_blanks(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (*text != ' ')
			*to++ = *text;
	}
	*to = '\0';
}

void cli_proposal_command(const struct cli_proposal *p, char text[CLI_PROPOSAL_TEXT])
{
	char effects[CLI_EFFECTS_TEXT];

	snprintf(effects, sizeof(effects), "%s", p->effects);
	without_blanks(effects);
	snprintf(text, CLI_PROPOSAL_TEXT, "fwadmit grant create");
	add_option(text, "user", p->user);
	add_option(text, "device", p->device);
	add_option(text, "scope", p->scope);
	add_option(text, "effects", effects);
	add_option(text, "commands", p->commands);
	add_option(text, "for", "1h");
}
