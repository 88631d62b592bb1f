/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Medians of many rounds, with an anchor measured between them: on a shared machine only ratios to
 * something in the same run mean anything.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BENCH_ROUNDS 101

static inline double bench_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* Of all threads: that nobody else's work makes longer, unless it takes the same core's units. */
static inline double bench_cpu(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static inline int bench_order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static inline double bench_percentile(double *v, size_t n, double p)
{
	qsort(v, n, sizeof(*v), bench_order);
	return v[(size_t)((double)(n - 1) * p)];
}

/* The anchor: one system call that does nothing. */
static inline void bench_getppid(void *unused)
{
	syscall(SYS_getppid);
}

/* Prints the median ns of one call of @fn, in rounds that alternate with the anchor. */
static inline double bench(const char *name, void (*fn)(void *), void *arg, unsigned int calls)
{
	static double own[BENCH_ROUNDS], anchor[BENCH_ROUNDS];
	double ns, base;

	for (int r = 0; r < BENCH_ROUNDS; r++) {
		double start = bench_now();

		for (unsigned int i = 0; i < calls; i++)
			fn(arg);
		own[r] = (bench_now() - start) / calls;
		start = bench_now();
		for (unsigned int i = 0; i < 1000; i++)
			bench_getppid(NULL);
		anchor[r] = (bench_now() - start) / 1000;
	}
	ns = bench_percentile(own, BENCH_ROUNDS, 0.5);
	base = bench_percentile(anchor, BENCH_ROUNDS, 0.5);
	printf("%-44s %10.1f ns   %8.3f x getppid (%.0f ns)\n", name, ns, ns / base, base);
	return ns;
}
