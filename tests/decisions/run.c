/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs tables of verdicts (*.tests in this folder; their format is in README.md) through
 * fwa_decide() and reports each row as one TAP test, named by file and line.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/util.h"
#include "base/uuid.h"
#include "core/decide.h"
#include "host/policy-file.h"
#include "wire/cxl.h"
#include "wire/nvme.h"

#define BYTES 65536

struct table {
	const char *file;
	unsigned int line;
	unsigned int n, failed;

	uint8_t family;
	struct fwa_writer cel, logs, features, namespaces;
	uint8_t cel_bytes[BYTES], log_bytes[BYTES], feature_bytes[BYTES], namespace_bytes[512];
	uint8_t effects[NVME_EFFECTS_LEN];
	uint8_t lids[NVME_IDS_LEN], fids[NVME_IDS_LEN]; /* log pages 00h and 12h */
	bool has_lids, has_fids;
	uint32_t payload_max, lsa_size;
	bool nvme;
	struct fwa_contract contract;
	struct fwa_drift drift;
	uint64_t now;
	struct fwa_rights rights;
	uint8_t *filters[FWA_RIGHTS_MAX]; /* owned; what the rights view */
	uint8_t encoded[8 * BYTES];
	uint8_t payload[BYTES];
	struct fwa_profile profile;
	uint8_t accepted_bytes[8 * BYTES];
	struct fwa_profile accepted;
};

static void die(const struct table *t, const char *what, const char *word)
{
	fprintf(stderr, "%s:%u: %s '%s'\n", t->file, t->line, what, word ? word : "");
	exit(2);
}

static uint64_t number(const struct table *t, const char *word)
{
	char *end;
	unsigned long long v;

	if (!word)
		die(t, "a number is missing", NULL);
	v = strtoull(word, &end, 0);
	if (end == word || *end)
		die(t, "not a number", word);
	return v;
}

/* The value of word "key=value", NULL when @word has another key. */
static char *value(char *word, const char *key)
{
	size_t len = strlen(key);

	return !strncmp(word, key, len) && word[len] == '=' ? word + len + 1 : NULL;
}

static fwa_effects effects(const struct table *t, const char *list)
{
	fwa_effects all = 0;

	if (!list)
		die(t, "effects are missing", NULL);
	if (!strcmp(list, "-"))
		return 0;
	if (!strcmp(list, "all"))
		return FWA_EFFECTS_GRANTABLE;
	while (*list) {
		size_t len = strcspn(list, ",");
		fwa_effects e = fwa_effect_by_name(list, len);

		if (!e)
			die(t, "no such effect", list);
		all |= e;
		list += len + (list[len] == ',');
	}
	return all;
}

/* --- the device, the gate, the grants ------------------------------------------------------------ */

static void no_grants(struct table *t)
{
	for (size_t i = 0; i < FWA_RIGHTS_MAX; i++) {
		free(t->filters[i]);
		t->filters[i] = NULL;
	}
	t->rights = (struct fwa_rights){ 0 };
}

static void device(struct table *t, char **save)
{
	char *family = strtok_r(NULL, " \t", save), *word, *v;

	t->family = family && !strcmp(family, "nvme") ? FWA_FAMILY_NVME : FWA_FAMILY_CXL;
	t->nvme = t->family == FWA_FAMILY_NVME;
	t->cel = fwa_writer(t->cel_bytes, sizeof(t->cel_bytes));
	t->logs = fwa_writer(t->log_bytes, sizeof(t->log_bytes));
	t->features = fwa_writer(t->feature_bytes, sizeof(t->feature_bytes));
	t->namespaces = fwa_writer(t->namespace_bytes, sizeof(t->namespace_bytes));
	memset(t->effects, 0, sizeof(t->effects));
	memset(t->lids, 0, sizeof(t->lids));
	memset(t->fids, 0, sizeof(t->fids));
	t->has_lids = t->has_fids = false;
	t->payload_max = t->lsa_size = 0;
	t->contract = (struct fwa_contract){ 0 };
	no_grants(t);
	t->now = 0;
	while ((word = strtok_r(NULL, " \t", save))) {
		if ((v = value(word, "payload")))
			t->payload_max = (uint32_t)number(t, v);
		else if ((v = value(word, "lsa")))
			t->lsa_size = (uint32_t)number(t, v);
		else
			die(t, "no such property of a device", word);
	}
}

static void take_uuid(struct table *t, struct fwa_writer *w, const char *text)
{
	struct fwa_uuid uuid;

	if (!text || !fwa_uuid_parse(text, &uuid))
		die(t, "not a UUID", text);
	fwa_write_bytes(w, uuid.b, sizeof(uuid.b));
}

static void feature(struct table *t, char **save)
{
	uint16_t get = 4, set = 4, word16 = 0;
	uint32_t flags = CXL_FEATURE_CHANGEABLE;
	char *word, *v;

	take_uuid(t, &t->features, strtok_r(NULL, " \t", save));
	while ((word = strtok_r(NULL, " \t", save))) {
		if ((v = value(word, "get")))
			get = (uint16_t)number(t, v);
		else if ((v = value(word, "set")))
			set = (uint16_t)number(t, v);
		else if ((v = value(word, "flags")))
			flags = (uint32_t)number(t, v);
		else if ((v = value(word, "effects")))
			word16 = (uint16_t)number(t, v);
		else
			die(t, "no such property of a Feature", word);
	}
	fwa_write_le16(&t->features, 0);
	fwa_write_le16(&t->features, get);
	fwa_write_le16(&t->features, set);
	fwa_write_le32(&t->features, flags);
	fwa_write_le16(&t->features, 0x0101);
	fwa_write_le16(&t->features, word16);
	fwa_write_room(&t->features, 18);
}

static void namespace(struct table *t, char **save)
{
	fwa_write_le32(&t->namespaces, (uint32_t)number(t, strtok_r(NULL, " \t", save)));
	fwa_write_u8(&t->namespaces, (uint8_t)number(t, strtok_r(NULL, " \t", save)));
	fwa_write_u8(&t->namespaces, 0);
	fwa_write_le16(&t->namespaces, (uint16_t)number(t, strtok_r(NULL, " \t", save)));
}

/* "transfer=UUID": the caller's own transfer of this Feature; "transfer=other". */
static void transfer(struct table *t, const char *text)
{
	struct fwa_writer w =
		fwa_writer(t->contract.transfer_uuid, sizeof(t->contract.transfer_uuid));

	t->contract.transfer = FWA_TRANSFER_OTHER;
	if (!strcmp(text, "other"))
		return;
	t->contract.transfer = FWA_TRANSFER_OWN;
	take_uuid(t, &w, text);
}

/* "drift=accepted": held to the device that was accepted last; "drift=missing": to none. */
static void drift(struct table *t, const char *text)
{
	t->contract.drift = &t->drift;
	t->drift.baseline = NULL;
	if (!strcmp(text, "accepted") && t->accepted.encoded.len)
		t->drift.baseline = &t->accepted;
	else if (strcmp(text, "missing"))
		die(t, "no such drift", text);
}

static void state(struct table *t, char **save)
{
	char *word, *v;

	t->contract = (struct fwa_contract){ 0 };
	t->now = 0;
	while ((word = strtok_r(NULL, " \t", save))) {
		if (!strcmp(word, "lockdown"))
			t->contract.lockdown = true;
		else if (!strcmp(word, "not-to-abort"))
			t->contract.not_to_abort = true;
		else if (!strcmp(word, "firmware-leased"))
			t->contract.firmware_leased = true;
		else if ((v = value(word, "quarantine")))
			t->contract.quarantine = (uint8_t)number(t, v);
		else if ((v = value(word, "drift")))
			drift(t, v);
		else if (!strcmp(word, "leased"))
			t->contract.leased = true;
		else if ((v = value(word, "rate-over")))
			t->contract.rate_over = (uint32_t)number(t, v);
		else if ((v = value(word, "seats-over")))
			t->contract.seats_over = (uint32_t)number(t, v);
		else if ((v = value(word, "journal")))
			t->contract.journal = (uint8_t)number(t, v);
		else if (!strcmp(word, "linux"))
			t->contract.mode = FWA_MODE_LINUX;
		else if ((v = value(word, "advisory")))
			t->contract.advisory = effects(t, v);
		else if ((v = value(word, "transfer")))
			transfer(t, v);
		else if ((v = value(word, "now")))
			t->now = number(t, v);
		else if (strcmp(word, "ordinary"))
			die(t, "no such state", word);
	}
}

static void complain(const struct fwa_policy_message *m, void *userdata)
{
	if (m->error)
		die(userdata, m->text, NULL);
}

/* @items as a policy file has them, compiled as a policy file is. */
static void commands(struct table *t, const char *items)
{
	fwa_auto_free char *text = NULL;
	struct fwa_policy_files *files = NULL;
	struct fwa_policy policy;
	struct fwa_grant g;
	size_t len;

	if (asprintf(&text,
		     "[grant x]\nuser = *\ndevice = *\nscope = configuration\ncommands = %s\n",
		     items) < 0 ||
	    fwa_policy_files_parse_memory("commands", fwa_span(text, strlen(text)), complain, t,
					  &files) < 0 ||
	    fwa_policy_files_encode(files, "x", NULL, &t->filters[t->rights.n], &len) < 0 ||
	    fwa_policy_parse(&policy, fwa_span(t->filters[t->rights.n], len)) < 0)
		die(t, "not commands", items);
	fwa_policy_grant(&policy, 0, &g);
	t->rights.right[t->rights.n].filter = fwa_policy_filter(&policy, &g);
	fwa_policy_files_free(files);
}

static void grant(struct table *t, char **save)
{
	char *scope = strtok_r(NULL, " \t", save), *list, *word;
	struct fwa_right *r;

	if (scope && !strcmp(scope, "none")) {
		no_grants(t);
		return;
	}
	if (!scope || fwa_scope_by_name(scope) < 0 || t->rights.n == FWA_RIGHTS_MAX)
		die(t, "no such scope", scope);
	list = strtok_r(NULL, " \t", save);
	r = &t->rights.right[t->rights.n];
	r->grant = t->rights.n;
	r->scope = (uint32_t)fwa_scope_by_name(scope);
	r->effects = list ? effects(t, list) : fwa_grant_default_effects(r->scope);
	while ((word = strtok_r(NULL, " \t", save))) {
		if (value(word, "until")) {
			r->until = number(t, value(word, "until"));
		} else if (!strcmp(word, "commands")) {
			commands(t, *save);
			break; /* it is the rest of the line */
		} else {
			die(t, "no such property of a grant", word);
		}
	}
	t->rights.n++;
	t->rights.n_matched++;
}

static void encode(struct table *t)
{
	struct fwa_writer w = fwa_writer(t->encoded, sizeof(t->encoded));
	uint8_t limits[8];

	fwa_profile_begin(&w, t->family);
	if (t->nvme) {
		fwa_profile_add(&w, FWA_RECORD_NVME_EFFECTS,
				fwa_span(t->effects, sizeof(t->effects)));
		if (t->has_lids)
			fwa_profile_add(&w, FWA_RECORD_NVME_LOGS,
					fwa_span(t->lids, sizeof(t->lids)));
		if (t->has_fids)
			fwa_profile_add(&w, FWA_RECORD_NVME_FEATURES,
					fwa_span(t->fids, sizeof(t->fids)));
		fwa_profile_add(&w, FWA_RECORD_NVME_NAMESPACES,
				fwa_span(t->namespaces.buf, t->namespaces.len));
	} else {
		fwa_put_le32(limits, t->payload_max);
		fwa_put_le32(limits + 4, t->lsa_size);
		fwa_profile_add(&w, FWA_RECORD_CXL_CEL, fwa_span(t->cel.buf, t->cel.len));
		fwa_profile_add(&w, FWA_RECORD_CXL_LOGS, fwa_span(t->logs.buf, t->logs.len));
		fwa_profile_add(&w, FWA_RECORD_CXL_FEATURES,
				fwa_span(t->features.buf, t->features.len));
		fwa_profile_add(&w, FWA_RECORD_CXL_LIMITS, fwa_span(limits, sizeof(limits)));
	}
	if (w.full || fwa_profile_parse(&t->profile, fwa_span(t->encoded, w.len)) < 0 ||
	    !fwa_profile_check(&t->profile))
		die(t, "the device makes no profile", NULL);
}

/* The device so far is what later ones are held to. */
static void accept(struct table *t)
{
	struct fwa_writer w = fwa_writer(t->accepted_bytes, sizeof(t->accepted_bytes));

	encode(t);
	fwa_declarations_write(&w, &t->profile);
	if (w.full || fwa_profile_parse(&t->accepted, fwa_span(t->accepted_bytes, w.len)) < 0)
		die(t, "the device makes no baseline", NULL);
}

/* --- commands ----------------------------------------------------------------------------------- */

static size_t append_hex(struct table *t, size_t at, const char *hex)
{
	for (; hex[0]; hex += 2) {
		if (at == sizeof(t->payload) || !fwa_hex_byte(hex, &t->payload[at++]))
			die(t, "not hex", hex);
	}
	return at;
}

static size_t append_uuid(struct table *t, size_t at, const char *text)
{
	struct fwa_writer w = fwa_writer(t->payload + at, sizeof(t->payload) - at);

	take_uuid(t, &w, text);
	return at + w.len;
}

static bool take_field(struct table *t, struct fwa_command *cmd, char *word)
{
	char *v;

	if ((v = value(word, "scope")))
		cmd->scope = !strcmp(v, "least")          ? FWA_SCOPE_LEAST
			     : isdigit((unsigned char)*v) ? (uint8_t)number(t, v)
							  : (uint8_t)fwa_scope_by_name(v);
	else if ((v = value(word, "out")))
		cmd->out_len = (uint32_t)number(t, v);
	else if ((v = value(word, "nsid")))
		cmd->nsid = (uint32_t)number(t, v);
	else if ((v = value(word, "hex")))
		cmd->payload.len = append_hex(t, cmd->payload.len, v);
	else if ((v = value(word, "uuid")))
		cmd->payload.len = append_uuid(t, cmd->payload.len, v);
	else if ((v = value(word, "zeros")))
		cmd->payload.len += number(t, v);
	else if (!strncmp(word, "cdw1", 4) && word[4] >= '0' && word[4] <= '5' && word[5] == '=')
		cmd->cdw[word[4] - '0'] = (uint32_t)number(t, word + 6);
	else
		return false;
	return true;
}

static uint8_t command_set(const struct table *t, const char *word)
{
	for (uint8_t set = 0; set < FWA_SET_COUNT; set++)
		if (!strcmp(word, fwa_set_name(set)))
			return set;
	die(t, "no such command set", word);
	return 0;
}

static bool matches(struct table *t, const struct fwa_decision *d, char *word)
{
	char *v;

	if ((v = value(word, "required")))
		return !strcmp(fwa_scope_name(d->required), v);
	if ((v = value(word, "effects")))
		return d->effects == effects(t, v);
	if ((v = value(word, "declared")))
		return d->declared == effects(t, v);
	if ((v = value(word, "floor")))
		return d->floor == effects(t, v);
	if ((v = value(word, "need")))
		return !strcmp(fwa_need_name(d->need), v);
	if ((v = value(word, "attributes")))
		return d->attributes == number(t, v);
	if ((v = value(word, "detail")))
		return d->detail == number(t, v);
	if ((v = value(word, "grant")))
		return d->grant == number(t, v);
	if (!fwa_reason_name(FWA_REASON_ADMIT))
		return false;
	return !strcmp(fwa_reason_name(d->reason), word);
}

/* "try SET OPCODE [fields] -> REASON [expectations]" */
static void try(struct table *t, char **save)
{
	struct fwa_command cmd = { .scope = FWA_SCOPE_LEAST };
	char *word = strtok_r(NULL, " \t", save);
	struct fwa_decision d;
	bool ok = true;

	memset(t->payload, 0, sizeof(t->payload));
	if (!word)
		die(t, "a command set is missing", NULL);
	cmd.set = command_set(t, word);
	cmd.opcode = (uint16_t)number(t, strtok_r(NULL, " \t", save));
	while ((word = strtok_r(NULL, " \t", save)) && strcmp(word, "->"))
		if (!take_field(t, &cmd, word))
			die(t, "no such field", word);
	cmd.payload.data = t->payload;
	encode(t);
	d = fwa_decide(&t->contract, &t->rights, &t->profile, &cmd, t->now);
	for (int n = 0; (word = strtok_r(NULL, " \t", save)) || n == 0; n++) {
		if (!word)
			die(t, "a reason is missing", NULL);
		ok = ok && matches(t, &d, word);
	}
	t->n++;
	t->failed += !ok;
	printf("%s %u - %s:%u\n", ok ? "ok" : "not ok", t->n, t->file, t->line);
	if (!ok)
		printf("# decided %s (%s), required %s, effects %05x, declared %05x, floor %05x\n",
		       fwa_reason_name(d.reason), fwa_detail_text(d.detail),
		       fwa_scope_name(d.required), d.effects, d.declared, d.floor);
}

static void run_line(struct table *t, char *line)
{
	char *save = NULL;
	const char *verb = strtok_r(line, " \t", &save);

	if (!verb || *verb == '#')
		return;
	if (!strcmp(verb, "device")) {
		device(t, &save);
	} else if (!strcmp(verb, "cel")) {
		fwa_write_le16(&t->cel, (uint16_t)number(t, strtok_r(NULL, " \t", &save)));
		fwa_write_le16(&t->cel, (uint16_t)number(t, strtok_r(NULL, " \t", &save)));
	} else if (!strcmp(verb, "admin") || !strcmp(verb, "io")) {
		size_t at = (*verb == 'i' ? NVME_EFFECTS_IO : 0) +
			    4 * (number(t, strtok_r(NULL, " \t", &save)) & 0xff);

		fwa_put_le32(t->effects + at, (uint32_t)number(t, strtok_r(NULL, " \t", &save)));
	} else if (!strcmp(verb, "lid") || !strcmp(verb, "fid")) {
		uint8_t *page = *verb == 'l' ? t->lids : t->fids;
		size_t at = 4 * (number(t, strtok_r(NULL, " \t", &save)) & 0xff);

		fwa_put_le32(page + at, (uint32_t)number(t, strtok_r(NULL, " \t", &save)));
		t->has_lids |= page == t->lids;
		t->has_fids |= page == t->fids;
	} else if (!strcmp(verb, "log")) {
		take_uuid(t, &t->logs, strtok_r(NULL, " \t", &save));
		fwa_write_le32(&t->logs, (uint32_t)number(t, strtok_r(NULL, " \t", &save)));
	} else if (!strcmp(verb, "feature")) {
		feature(t, &save);
	} else if (!strcmp(verb, "namespace")) {
		namespace(t, &save);
	} else if (!strcmp(verb, "state")) {
		state(t, &save);
	} else if (!strcmp(verb, "grant")) {
		grant(t, &save);
	} else if (!strcmp(verb, "accept")) {
		accept(t);
	} else if (!strcmp(verb, "try")) {
		try(t, &save);
	} else {
		die(t, "no such line", verb);
	}
}

int main(int argc, char **argv)
{
	static struct table t;
	char line[4096];

	for (int i = 1; i < argc; i++) {
		fwa_auto_fclose FILE *f = fopen(argv[i], "r");
		char *slash = strrchr(argv[i], '/');

		if (!f) {
			perror(argv[i]);
			return 2;
		}
		t.file = slash ? slash + 1 : argv[i];
		for (t.line = 1; fgets(line, sizeof(line), f); t.line++) {
			line[strcspn(line, "\n")] = '\0';
			run_line(&t, line);
		}
	}
	no_grants(&t);
	printf("1..%u\n", t.n);
	return t.failed != 0;
}
