/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decoding of declarations; and with 10, 1,000 and 100,000 grants in the policy: bringing a snapshot
 * into force, finding one client's rights in it, and the decision.
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
	return 0;
}
