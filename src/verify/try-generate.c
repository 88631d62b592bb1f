/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * try-generate SPEC [SEED [PROBE [COMMANDS [PHASES]]]]: sends a generator's experiments to a device and
 * prints how many of each phase it took, by command. For people who work on the generator.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "verify/test-drive.h"

static struct {
	uint64_t tried, taken;
	uint32_t code[8], n[8]; /* the first ones that were seen; the last place has the others */
} seen[VFY_PHASES][FWA_SET_COUNT][65536];

static void note(unsigned int phase, const struct vfy_step *step, const struct vfy_answer *a)
{
	uint32_t code = a->error ? (uint32_t)a->error : a->code;
	unsigned int i = 0;

	while (i < 7 && seen[phase][step->set][step->opcode].n[i] &&
	       seen[phase][step->set][step->opcode].code[i] != code)
		i++;
	seen[phase][step->set][step->opcode].code[i] = code;
	seen[phase][step->set][step->opcode].n[i]++;
}

static void each(const struct vfy_experiment *e, const struct vfy_step *step,
		 const struct vfy_answer *a)
{
	bool taken = !a->error && (!a->code || (step->set == FWA_SET_CXL && a->code == 1));

	seen[e->phase][step->set][step->opcode].tried++;
	seen[e->phase][step->set][step->opcode].taken += taken;
	note(e->phase, step, a);
}

static void print_commands(unsigned int phase)
{
	for (unsigned int set = 0; set < FWA_SET_COUNT; set++)
		for (unsigned int opcode = 0; opcode < 65536; opcode++) {
			const struct fwa_model_command *row = fwa_model_find(set, (uint16_t)opcode);

			if (!seen[phase][set][opcode].tried)
				continue;
			printf("    %-12s %04xh %-36s %6llu of %6llu  ", fwa_set_name(set), opcode,
			       row ? row->name : "-",
			       (unsigned long long)seen[phase][set][opcode].taken,
			       (unsigned long long)seen[phase][set][opcode].tried);
			for (unsigned int i = 0; i < 8; i++)
				if (seen[phase][set][opcode].n[i])
					printf(" %xh:%u", seen[phase][set][opcode].code[i],
					       seen[phase][set][opcode].n[i]);
			printf("\n");
		}
}

static void print(const struct drive *d, bool commands)
{
	struct vfy_slow slow;

	for (size_t i = 0; vfy_generator_slow(d->generator, i, &slow); i++)
		printf("slow: %04xh %llu ns, usually %llu; %u of %u neighbours\n",
		       slow.step->opcode, (unsigned long long)slow.took_ns,
		       (unsigned long long)slow.usual_ns, slow.slow_neighbours, slow.neighbours);
	for (unsigned int i = 0; i < VFY_PHASES; i++) {
		const struct drive_count *c = &d->count[i];
		struct vfy_coverage of;

		vfy_generator_coverage(d->generator, i, &of);
		printf("%-10s %6llu experiments %8llu commands %8llu taken  %llu of %llu %s\n",
		       vfy_phase_name(i), (unsigned long long)c->experiments,
		       (unsigned long long)c->commands, (unsigned long long)c->taken,
		       (unsigned long long)of.done, (unsigned long long)of.planned, of.unit);
		if (commands && i != VFY_PHASE_SWEEP)
			print_commands(i);
	}
}

int main(int argc, char **argv)
{
	struct vfy_generate_args args = {
		.seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1,
		.probe = (uint8_t)(argc > 3 ? atoi(argv[3]) : VFY_PROBE_DESTRUCTIVE),
		.only_set = -1,
		.phases = argc > 5 ? (uint32_t)strtoul(argv[5], NULL, 0) : 0,
	};
	uint64_t commands = argc > 4 ? strtoull(argv[4], NULL, 0) : 100000;
	uint64_t from = fwa_clock_ns(CLOCK_MONOTONIC);
	struct drive d;
	int r = 1;

	if (argc < 2) {
		fprintf(stderr, "usage: try-generate SPEC [SEED [PROBE [COMMANDS [PHASES]]]]\n");
		return 2;
	}
	if (drive_open(&d, argv[1], &args) == 0) {
		d.each = each;
		r = drive_run(&d, commands) < 0;
		print(&d, getenv("COMMANDS"));
		printf("%llu times lost, %.2f s\n", (unsigned long long)d.lost,
		       (double)(fwa_clock_ns(CLOCK_MONOTONIC) - from) / 1e9);
	}
	drive_close(&d);
	return r;
}
