/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every state of the disk that a power cut can leave, after each step of several lives of the store, and of its
 * recovery from some of those: whatever was said to be durable is there, all of the journal is as it should
 * be, and the cut is recorded. And it sees what it is for: where the steps' order is wrong, states are bad.
 *
 * usage: crash [TRACE TOLD KEYDIR]: what was recorded of fwadmit-journald, instead of lives of the store alone
 * $CRASH_SEEDS: so many times as many lives. $CRASH_ONE_IN: of so many of their states one is tried.
 */
#include "crash.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "base/util.h"

#define SEEN_BITS 22
#define STATES_MIN 20000
#define RECORDED_STEPS 1000 /* of more than these not every state is tried */

/* Names of states that were tried already, with who was told what. */
static uint64_t *seen;

static bool is_new(uint64_t name)
{
	size_t mask = ((size_t)1 << SEEN_BITS) - 1, i = name & mask;

	for (; seen[i]; i = (i + 1) & mask)
		if (seen[i] == name)
			return false;
	seen[i] = name;
	return true;
}

/* --- the states after one step ------------------------------------------------------------------------ */

static void choose_all(struct crash_model *m, enum crash_how how, uint64_t seed)
{
	for (size_t i = 0; i < m->n_pending; i++)
		m->pending[i].choice =
			(struct crash_choice){ how, how == CRASH_RANDOM ? crash_mix(seed, i) : 0 };
}

static void second_order(struct crash_run *run, const struct fwa_testfs *crashed,
			 const struct fwa_testfs *recovered, const uint64_t durable[CRASH_WORDS]);

static void try_state(struct crash_run *run, const struct crash_model *m)
{
	const uint64_t *durable = m->at < m->trace->n ? m->trace->durable[m->at] : run->at_end;
	uint64_t name = crash_name(m);
	struct fwa_testfs t, before;
	bool second = run->second_every && run->c.states % run->second_every == 0;

	for (int i = 0; i < CRASH_WORDS; i++)
		name = crash_mix(name, durable[i]);
	name = crash_mix(name, run->salt);
	if (!is_new(name | 1) || name % run->sparse)
		return;
	fwa_testfs_init(&t);
	crash_make(m, &t);
	t.record = second;
	if (second) {
		fwa_testfs_init(&before);
		crash_make(m, &before);
	}
	crash_survives(&run->c, &t, durable, name >> 8);
	if (second) {
		second_order(run, &before, &t, durable);
		fwa_testfs_clear(&before);
	}
	fwa_testfs_clear(&t);
}

/* One write, or one name, is otherwise than the rest. */
static void try_each(struct crash_run *run, struct crash_model *m, enum crash_how rest,
		     enum crash_how how)
{
	for (size_t i = 0; i < m->n_pending; i++) {
		choose_all(m, rest, 0);
		m->pending[i].choice.how = how;
		if (crash_is_open(&m->pending[i]))
			try_state(run, m);
	}
}

/* The last write is torn, wherever it can be; of long ones at some places. */
static void try_torn(struct crash_run *run, struct crash_model *m, enum crash_how rest)
{
	static const enum crash_how hows[] = { CRASH_PREFIX, CRASH_SUFFIX, CRASH_HOLE, CRASH_ONLY };
	size_t last = m->n_pending - 1, n = crash_sectors(m, last);
	size_t step = n > run->tears ? n / run->tears : 1;

	for (size_t k = 0; k < FWA_ARRAY_SIZE(hows); k++)
		for (size_t at = k < 2 ? 1 : 0; n > 1 && at < n; at += step) {
			choose_all(m, rest, 0);
			m->pending[last].choice = (struct crash_choice){ hows[k], at };
			try_state(run, m);
		}
}

static void try_random(struct crash_run *run, struct crash_model *m, bool whole)
{
	uint64_t seed = run->seed++;

	for (size_t i = 0; i < m->n_pending; i++) {
		uint64_t x = crash_mix(seed, i);

		if (!whole || crash_sectors(m, i) > 1)
			m->pending[i].choice = (struct crash_choice){ CRASH_RANDOM, x };
		if (whole)
			m->pending[i].choice.how = x & 1 ? CRASH_KEEP : CRASH_DROP;
	}
	try_state(run, m);
}

static void try_step(struct crash_run *run, struct crash_model *m)
{
	choose_all(m, CRASH_KEEP, 0);
	try_state(run, m);
	if (m->n_pending == 0)
		return;
	choose_all(m, CRASH_DROP, 0);
	try_state(run, m);
	try_each(run, m, CRASH_KEEP, CRASH_DROP);
	try_each(run, m, CRASH_DROP, CRASH_KEEP);
	if (crash_is_open(&m->pending[m->n_pending - 1])) {
		try_torn(run, m, CRASH_KEEP);
		try_torn(run, m, CRASH_DROP);
	}
	for (size_t i = 0; i < run->randoms; i++)
		try_random(run, m, i % 2);
}

void crash_try(struct crash_run *run, const struct crash_trace *trace,
	       const struct fwa_testfs *base)
{
	struct crash_model m;

	run->salt++;
	crash_begin(&m, trace, base);
	do
		try_step(run, &m);
	while (crash_step(&m));
	crash_end(&m);
}

/* The power is cut once more while it recovers. */
static void second_order(struct crash_run *run, const struct fwa_testfs *crashed,
			 const struct fwa_testfs *recovered, const uint64_t durable[CRASH_WORDS])
{
	struct crash_run inner = *run;
	struct crash_trace trace = { .ops = recovered->ops, .n = recovered->n_ops };

	trace.durable = calloc(trace.n + 1, sizeof(*trace.durable));
	for (size_t i = 0; i < trace.n; i++)
		memcpy(trace.durable[i], durable, sizeof(*trace.durable));
	memcpy(inner.at_end, durable, sizeof(inner.at_end));
	inner.second_every = 0;
	inner.sparse = 1;
	inner.tears = 2;
	inner.randoms = 2;
	inner.c.options.boot_id[0]++;
	crash_try(&inner, &trace, crashed);
	free(trace.durable);
	inner.c.options.boot_id[0]--;
	inner.c.second += inner.c.states - run->c.states;
	inner.tears = run->tears;
	inner.randoms = run->randoms;
	inner.second_every = run->second_every;
	inner.sparse = run->sparse;
	memcpy(inner.at_end, run->at_end, sizeof(inner.at_end));
	*run = inner;
}

/* --- lives ------------------------------------------------------------------------------------------------ */

static void tell(const char *what, const struct crash_run *run, double seconds)
{
	printf("%s: %llu states (%llu of them of recovery itself), %.0f/s; %llu with a tail that "
	       "was cut, "
	       "%llu also read by fwa_verify(); %llu bad\n",
	       what, (unsigned long long)run->c.states, (unsigned long long)run->c.second,
	       (double)run->c.states / seconds, (unsigned long long)run->c.cuts,
	       (unsigned long long)run->c.verified, (unsigned long long)run->c.bad);
	if (run->c.bad)
		printf("%s: the first: %s\n", what, run->c.why);
	fflush(stdout);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

enum mutant {
	NO_MUTANT,
	NO_FDATASYNC,     /* files are never synchronised */
	NO_SYNC_OF_NAMES, /* a new segment is written to before its name is on disk */
	REMOVED_EARLY,    /* a segment is removed before the record that retires it is on disk */
	MUTANTS,
};

static const char *const mutant_names[] = { "", "without fdatasync",
					    "a new file's name is not synced",
					    "removed before its retirement is durable" };

static void leave_out(struct crash_trace *t, enum fwa_testfs_kind kind, enum fwa_testfs_kind behind)
{
	enum fwa_testfs_kind last = FWA_TESTFS_WRITE;
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		enum fwa_testfs_kind k = t->ops[i].kind;

		if (k == FWA_TESTFS_CREATE || k == FWA_TESTFS_REMOVE)
			last = k;
		if (k == kind && last == behind)
			continue;
		memcpy(t->durable[n], t->durable[i], sizeof(*t->durable));
		t->ops[n++] = t->ops[i];
	}
	t->n = n;
}

/* Removals go before the write before them. */
static void remove_early(struct crash_trace *t)
{
	for (size_t i = 1; i < t->n; i++) {
		struct fwa_testfs_op op = t->ops[i];
		size_t k = i;

		while (op.kind == FWA_TESTFS_REMOVE && k > 0 &&
		       (k == i || t->ops[k].kind != FWA_TESTFS_WRITE)) {
			t->ops[k] = t->ops[k - 1];
			k--;
		}
		t->ops[k] = op;
	}
}

static void try_life(struct crash_run *run, enum crash_plan plan, uint64_t seed, enum mutant mutant)
{
	static struct crash_life l;

	crash_live(&l, plan, seed, &run->c.options, mutant == NO_FDATASYNC);
	if (mutant == NO_SYNC_OF_NAMES)
		leave_out(&l.trace, FWA_TESTFS_SYNC_DIR, FWA_TESTFS_CREATE);
	if (mutant == REMOVED_EARLY)
		remove_early(&l.trace);
	/* The same array, in another order. */
	l.t.n_ops = l.trace.n;
	run->c.told[0] = l.told;
	run->c.n_told[0] = CRASH_TOLD_MAX;
	run->at_end[0] = l.durable;
	crash_try(run, &l.trace, NULL);
	crash_life_end(&l);
}

/* All lives, by so many seeds. */
static void try_lives(struct crash_run *run, uint64_t seeds, size_t one_in)
{
	static const unsigned int weights[CRASH_LIVES] = { 10, 6, 2, 2, 1 };
	size_t n = run->n_lives;

	for (int plan = 0; plan < CRASH_LIVES; plan++)
		for (uint64_t i = 0; i < weights[plan] * seeds; i++) {
			run->sparse = one_in * (plan == CRASH_LIFE_LARGE ? 64 : 1);
			try_life(run, plan, 1 + i, NO_MUTANT);
			n++;
		}
	run->n_lives = n;
}

/* True when each of them is seen. */
static bool try_mutants(const struct crash_run *good, size_t one_in)
{
	bool all = true;

	for (enum mutant m = NO_MUTANT + 1; m < MUTANTS; m++) {
		struct crash_run run = *good;
		double begin = seconds();

		memset(&run.c.states, 0, sizeof(run.c) - offsetof(struct crash_check, states));
		run.second_every = 0;
		run.sparse = one_in;
		run.salt += 1000000 * m;
		try_life(&run, CRASH_LIFE_BUSY, 1, m);
		tell(mutant_names[m], &run, seconds() - begin);
		all &= run.c.bad > 0;
	}
	return all;
}

static bool begin(struct crash_run *run, char *dir, const char *keys)
{
	fwa_auto_close int fd = mkdtemp(dir) ? open(keys ? keys : dir, O_RDONLY | O_DIRECTORY) : -1;
	int r = fwa_signer_open(fd, "key", &run->c.options.signer);

	if (!keys) {
		unlinkat(fd, "key", 0);
		unlinkat(fd, "key.pub", 0);
	}
	/* Large blocks come zeroed from the kernel. */
	mallopt(M_MMAP_THRESHOLD, 512 * 1024);
	mallopt(M_TRIM_THRESHOLD, 64 * 1024 * 1024);
	seen = calloc((size_t)1 << SEEN_BITS, sizeof(*seen));
	run->c.options.version = "0.1.0";
	run->c.now = (struct fwa_times){ 1800000000 * FWA_NS_PER_S, 5000 * FWA_NS_PER_S };
	run->c.dir = dir;
	return r == 0 && seen;
}

/* A number of the environment, 1 when it is not there. */
static uint64_t times(const char *name)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : 1;
}

static bool try_made_up(struct crash_run *run)
{
	size_t one_in = times("CRASH_ONE_IN");
	double began = seconds();
	bool good;

	try_lives(run, times("CRASH_SEEDS"), one_in);
	tell("all lives", run, seconds() - began);
	good = run->c.bad == 0 && run->c.states >= STATES_MIN / one_in;
	return try_mutants(run, one_in) && good;
}

/* As it was, and as if fdatasync had been left out. */
static bool try_recorded(struct crash_run *run, const char *trace, const char *told)
{
	struct crash_run without;
	struct crash_trace t;
	double began = seconds();

	if (!crash_read(run, trace, told, &t))
		return false;
	printf("%zu steps\n", t.n);
	run->sparse = 1 + t.n / RECORDED_STEPS;
	without = *run;
	crash_try(run, &t, NULL);
	tell("fwadmit-journald", run, seconds() - began);
	began = seconds();
	for (size_t i = 0; i < t.n; i++)
		if (t.ops[i].kind == FWA_TESTFS_SYNC)
			t.ops[i].error = -EIO;
	without.salt += 1000000;
	without.sparse *= 32;
	without.randoms = 2;
	without.second_every = 0;
	crash_try(&without, &t, NULL);
	tell("without fdatasync", &without, seconds() - began);
	return run->c.bad == 0 && run->c.states > 1000 && without.c.bad;
}

int main(int argc, char **argv)
{
	struct crash_run run = { .tears = 6, .randoms = 8, .seed = 1, .second_every = 200 };
	char dir[] = "/tmp/fwadmit-crash-XXXXXX";
	bool good = begin(&run, dir, argc == 4 ? argv[3] : NULL);

	if (good)
		good = argc == 4 ? try_recorded(&run, argv[1], argv[2]) : try_made_up(&run);
	fwa_signer_free(run.c.options.signer);
	free(seen);
	rmdir(dir);
	puts(good ? "ok: nothing was lost, and each mistake was seen" : "FAILED");
	return !good;
}
