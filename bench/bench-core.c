/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decoding of declarations; and with 10, 1,000 and 100,000 grants in the policy: bringing a snapshot
 * into force, finding one client's rights in it, and the decision; the same with none to 65,536 advisories
 * in force.
 */
#include "bench.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pattern.h"
#include "core/decide.h"
#include "wire/nvme.h"

static struct fwa_profile profile;

struct decision_args {
	const struct fwa_rights *rights;
	const struct fwa_command *cmd;
};

static void parse(void *arg)
{
	if (fwa_profile_parse(&profile, *(struct fwa_span *)arg) < 0)
		abort();
}

static void decide(void *arg)
{
	static const struct fwa_contract contract;
	const struct decision_args *a = arg;
	struct fwa_decision d = fwa_decide(&contract, a->rights, &profile, a->cmd, 1);

	/* Uses the result, so that the call is made. */
	__asm__ volatile("" : : "r"(d.reason) : "memory");
	if (!fwa_admitted(&d))
		abort();
}

static struct fwa_span nvme_profile(void)
{
	static uint8_t buf[8192], log[NVME_EFFECTS_LEN];
	struct fwa_writer w = fwa_writer(buf, sizeof(buf));

	for (int i = 0; i < 256; i++)
		fwa_put_le32(log + 4 * i, 1 | (i & 0x1f));
	fwa_profile_begin(&w, FWA_FAMILY_NVME);
	fwa_profile_add(&w, FWA_RECORD_NVME_EFFECTS, fwa_span(log, sizeof(log)));
	return fwa_span(buf, w.len);
}

static struct fwa_span cxl_profile(unsigned int entries)
{
	static uint8_t buf[65536 * 4 + 64], cel[65536 * 4];
	struct fwa_writer w = fwa_writer(buf, sizeof(buf));

	for (unsigned int i = 0; i < entries; i++) {
		fwa_put_le16(cel + 4 * i, i ? (uint16_t)(0xc000 + i) : 0x4000);
		fwa_put_le16(cel + 4 * i + 2, i & 1 ? 0x0004 : 0);
	}
	fwa_profile_begin(&w, FWA_FAMILY_CXL);
	fwa_profile_add(&w, FWA_RECORD_CXL_CEL, fwa_span(cel, 4 * (size_t)entries));
	return fwa_span(buf, w.len);
}

/* Two mailbox commands, and Get Log Page but for one of its forms. */
static const struct fwa_term filter[] = {
	{ .set = FWA_SET_CXL, .value = 0x4000 },
	{ .set = FWA_SET_CXL, .value = 0xc001 },
	{ .set = FWA_SET_NVME_ADMIN, .value = NVME_OP_GET_LOG_PAGE },
	{ .kind = FWA_FIELD_LID, .flags = FWA_TERM_NOT, .value = 7 },
	{ .kind = FWA_FIELD_LSP, .flags = FWA_TERM_NOT | FWA_TERM_AND, .value = 1 },
};
#define FILTER_TERMS (sizeof(filter) / sizeof(filter[0]))

static void write_policy(struct fwa_writer *w, uint32_t n, bool filtered)
{
	struct fwa_policy_counts counts = { n, n, filtered ? n * FILTER_TERMS : 0, 0, 1 };
	static const uint8_t digest[32];

	fwa_policy_write_header(w, &counts, digest);
	for (uint32_t i = 0; i < n; i++)
		fwa_policy_write_grantee(w, &(struct fwa_grantee){ FWA_WHO_UID, 996 + i, 0, i });
	for (uint32_t i = 0; i < n; i++)
		fwa_policy_write_grant(
			w, &(struct fwa_grant){ .scope = 3,
						.effects = FWA_EFFECTS_GRANTABLE,
						.first_term = filtered ? i * FILTER_TERMS : 0,
						.n_terms = filtered ? FILTER_TERMS : 0,
						.name = "g" });
	for (uint32_t i = 0; i < counts.terms; i++)
		fwa_filter_write_term(w, &filter[i % FILTER_TERMS]);
	fwa_write_u8(w, 0);
}

/* @n grants of which few are for uid 1000, and its rights. */
struct snapshot {
	uint8_t *buf;
	size_t len;
	int fd;
	struct fwa_policy policy;
	struct fwa_rights *rights; /* they view @buf */
};

static void connect_client(void *arg)
{
	static const struct fwa_principal who = { .uid = 1000, .gid = 1000 };
	struct snapshot *a = arg;

	fwa_policy_fold(&a->policy, &who, &profile, fwa_pattern_matches, a->rights);
}

/* A snapshot comes in a sealed memfd; to be in force it is mapped and its ends are looked at. */
static void bring_into_force(void *arg)
{
	const struct snapshot *a = arg;
	struct fwa_policy policy;
	void *map = mmap(NULL, a->len, PROT_READ, MAP_SHARED, a->fd, 0);

	if (map == MAP_FAILED || fwa_policy_parse(&policy, fwa_span(map, a->len)) < 0)
		abort();
	munmap(map, a->len);
}

static void make_snapshot(struct snapshot *a, uint32_t n, bool filtered, struct fwa_rights *rights)
{
	size_t cap = FWA_POLICY_HEADER_LEN + 1 +
		     n * (size_t)(FWA_POLICY_GRANTEE_LEN + FWA_POLICY_GRANT_LEN +
				  FILTER_TERMS * FWA_TERM_LEN);
	struct fwa_writer w;

	*a = (struct snapshot){ .buf = malloc(cap), .rights = rights };
	w = fwa_writer(a->buf, a->buf ? cap : 0);
	write_policy(&w, n, filtered);
	a->len = w.len;
	a->fd = fwa_memfd_sealed("bench-policy", fwa_span(a->buf, a->len));
	if (a->fd < 0 || fwa_policy_parse(&a->policy, fwa_span(a->buf, w.len)) < 0)
		abort();
	connect_client(a);
}

static void end_snapshot(struct snapshot *a)
{
	close(a->fd);
	free(a->buf);
}

/* Decisions with 10, 1,000 and 100,000 grants; their cost must not grow. */
static void decide_by_grants(bool filtered)
{
	static const uint32_t grants[] = { 10, 1000, 100000 };
	const char *with = filtered ? ", filters" : "";
	struct fwa_command read = { .set = FWA_SET_CXL,
				    .opcode = 0x4000,
				    .scope = FWA_SCOPE_LEAST };
	struct fwa_command vendor = { .set = FWA_SET_CXL,
				      .opcode = 0xc001,
				      .scope = FWA_SCOPE_LEAST };
	struct fwa_rights rights;
	struct snapshot a;
	double ns[3];
	char name[64];

	for (int i = 0; i < 3; i++) {
		make_snapshot(&a, grants[i], filtered, &rights);
		snprintf(name, sizeof(name), "into force, %u grants%s", grants[i], with);
		bench(name, bring_into_force, &a, 10);
		snprintf(name, sizeof(name), "fold (connect), %u grants%s", grants[i], with);
		bench(name, connect_client, &a, 100);
		snprintf(name, sizeof(name), "decide, plain read, %u grants%s", grants[i], with);
		ns[i] = bench(name, decide, &(struct decision_args){ &rights, &read }, 1000);
		snprintf(name, sizeof(name), "decide, vendor write, %u grants%s", grants[i], with);
		bench(name, decide, &(struct decision_args){ &rights, &vendor }, 1000);
		end_snapshot(&a);
	}
	printf("decide with 100000 grants%s over 10: %.2f\n", with, ns[2] / ns[0]);
}

/* --- advisories ------------------------------------------------------------------------------- */

struct advised {
	uint8_t *buf;
	size_t len;
	struct fwa_advisories table;
	struct fwa_advice *advice;
	const struct fwa_rights *rights;
	const struct fwa_command *cmd;
};

static void decide_advised(void *arg)
{
	const struct advised *a = arg;
	struct fwa_contract contract = { 0 };
	struct fwa_decision d;

	fwa_contract_advise(&contract, a->advice, a->cmd, 1, NULL);
	d = fwa_decide(&contract, a->rights, &profile, a->cmd, 1);
	__asm__ volatile("" : : "r"(d.reason) : "memory");
	if (!fwa_admitted(&d))
		abort();
}

static void fold_advisories(void *arg)
{
	struct advised *a = arg;

	if (fwa_advisories_parse(&a->table, fwa_span(a->buf, a->len)) < 0)
		abort();
	fwa_advice_fold(&a->table, &profile, fwa_pattern_matches, strcmp, a->advice);
}

/* @n entries of which @about are about this device: its commands from c101h on. */
static void write_advisories(struct advised *a, uint32_t n, uint32_t about)
{
	static const uint8_t digest[32];
	size_t cap = FWA_ADVISORIES_HEADER_LEN +
		     (size_t)n * (FWA_ADVISORIES_ENTRY_LEN + FWA_TERM_LEN + 64);
	struct fwa_advisory *all = calloc(n + 1, sizeof(*all));
	uint8_t *terms = calloc(n + 1, FWA_TERM_LEN);
	struct fwa_writer w, t = fwa_writer(terms, (size_t)n * FWA_TERM_LEN);

	a->buf = malloc(cap);
	if (!a->buf || !all || !terms)
		abort();
	for (uint32_t i = 0; i < n; i++) {
		struct fwa_term term = { .set = FWA_SET_CXL, .value = 0xc101 + i % about };

		fwa_filter_write_term(&t, &term);
		all[i] = (struct fwa_advisory){ FWA_FAMILY_CXL, false, FWA_EFFECT_DATA, 0 };
		all[i].filter = fwa_span(terms + (size_t)i * FWA_TERM_LEN, FWA_TERM_LEN);
		all[i].id = "FWA-2026-0001";
		all[i].vendor = i < about ? "" : "another*";
		all[i].model = all[i].firmware_from = all[i].firmware_to = all[i].reference = "";
	}
	w = fwa_writer(a->buf, cap);
	fwa_advisories_write(&w, all, n, digest);
	if (w.full)
		abort();
	a->len = w.len;
	free(all);
	free(terms);
}

/* Decisions with none, one and 65,536 advisories, 256 of them about the device; their cost must not grow. */
static void decide_by_advisories(void)
{
	static const uint32_t numbers[] = { 0, 1, 65536 };
	struct fwa_command read = { .set = FWA_SET_CXL,
				    .opcode = 0x4000,
				    .scope = FWA_SCOPE_LEAST };
	struct fwa_command said = { .set = FWA_SET_CXL,
				    .opcode = 0xc101,
				    .scope = FWA_SCOPE_LEAST };
	struct fwa_rights rights;
	struct snapshot grants;
	double ns[3];
	char name[64];

	make_snapshot(&grants, 10, false, &rights);
	for (int i = 0; i < 3; i++) {
		struct advised a = { .rights = &rights, .advice = calloc(1, sizeof(*a.advice)) };

		write_advisories(&a, numbers[i], numbers[i] > 256 ? 256 : 1);
		snprintf(name, sizeof(name), "into force, %u advisories", numbers[i]);
		bench(name, fold_advisories, &a, 10);
		snprintf(name, sizeof(name), "decide, %u advisories", numbers[i]);
		a.cmd = &read;
		ns[i] = bench(name, decide_advised, &a, 1000);
		snprintf(name, sizeof(name), "decide, advised command, %u advisories", numbers[i]);
		a.cmd = &said;
		bench(name, decide_advised, &a, 1000);
		free(a.buf);
		free(a.advice);
	}
	end_snapshot(&grants);
	printf("decide with 65536 advisories over none: %.2f\n", ns[2] / ns[0]);
}

int main(void)
{
	struct fwa_command smart = { .set = FWA_SET_NVME_ADMIN,
				     .opcode = 0x02,
				     .out_len = 512,
				     .cdw = { 0x007f0002 },
				     .scope = FWA_SCOPE_LEAST };
	struct fwa_span p = nvme_profile();
	struct fwa_rights rights;
	struct snapshot a;

	bench("decode NVMe effects log, 4096 bytes", parse, &p, 100);
	make_snapshot(&a, 10, false, &rights);
	bench("decide, NVMe SMART log", decide, &(struct decision_args){ &rights, &smart }, 1000);
	end_snapshot(&a);
	p = cxl_profile(40);
	bench("decode CEL, 40 commands", parse, &p, 100);
	p = cxl_profile(16384);
	bench("decode CEL, 16384 commands", parse, &p, 10);
	decide_by_grants(false);
	decide_by_grants(true);
	decide_by_advisories();
	return 0;
}
