/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decoding of declarations, and the decision with 10, 1,000 and 100,000 grants in the policy.
 */
#include "bench.h"

#include <string.h>

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

/* The rights of uid 1000, folded out of @n grants of which few are for it. */
static void fold(uint32_t n, struct fwa_rights *ret)
{
	static uint8_t digest[32];
	size_t cap = FWA_POLICY_HEADER_LEN + (size_t)n * FWA_POLICY_GRANT_LEN;
	uint8_t *buf = malloc(cap);
	struct fwa_writer w = fwa_writer(buf, cap);
	struct fwa_principal who = { .uid = 1000, .gid = 1000 };
	struct fwa_policy policy;
	double start;

	fwa_policy_write_header(&w, n, digest);
	for (uint32_t i = 0; i < n; i++) {
		struct fwa_grant g = { .who = FWA_WHO_UID,
				       .id = 996 + i,
				       .scope = 3,
				       .effects = FWA_EFFECTS_GRANTABLE,
				       .name = "g" };

		fwa_policy_write_grant(&w, &g);
	}
	if (fwa_policy_parse(&policy, fwa_span(buf, w.len)) < 0)
		abort();
	start = bench_now();
	fwa_policy_fold(&policy, &who, ret);
	printf("fold at connect, %6u grants                 %10.0f ns   (once a client)\n", n,
	       bench_now() - start);
	free(buf);
}

int main(void)
{
	static const uint32_t grants[] = { 10, 1000, 100000 };
	struct fwa_command read = { .set = FWA_SET_CXL,
				    .opcode = 0x4000,
				    .scope = FWA_SCOPE_LEAST };
	struct fwa_command vendor = { .set = FWA_SET_CXL,
				      .opcode = 0xc001,
				      .scope = FWA_SCOPE_LEAST };
	struct fwa_command smart = { .set = FWA_SET_NVME_ADMIN,
				     .opcode = 0x02,
				     .out_len = 512,
				     .cdw = { 0x007f0002 },
				     .scope = FWA_SCOPE_LEAST };
	struct fwa_span p = nvme_profile();
	struct fwa_rights rights;
	double ns[3];
	char name[64];

	bench("decode NVMe effects log, 4096 bytes", parse, &p, 100);
	fold(10, &rights);
	bench("decide, NVMe SMART log", decide, &(struct decision_args){ &rights, &smart }, 10000);
	p = cxl_profile(40);
	bench("decode CEL, 40 commands", parse, &p, 100);
	p = cxl_profile(16384);
	bench("decode CEL, 16384 commands", parse, &p, 10);
	for (int i = 0; i < 3; i++) {
		fold(grants[i], &rights);
		snprintf(name, sizeof(name), "decide, plain read, %u grants", grants[i]);
		ns[i] = bench(name, decide, &(struct decision_args){ &rights, &read }, 10000);
		snprintf(name, sizeof(name), "decide, vendor write, %u grants", grants[i]);
		bench(name, decide, &(struct decision_args){ &rights, &vendor }, 10000);
	}
	printf("decide with 100000 grants over 10: %.2f\n", ns[2] / ns[0]);
	return 0;
}
