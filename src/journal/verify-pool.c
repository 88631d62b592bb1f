/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/util.h"
#include "journal/verify-private.h"

#define THREADS_MAX 16u

/*
 * A circle of runs: those before @given were handed over, those before @begun are being checked or done, those
 * before @taken are free again. Without threads whoever takes a run checks it.
 */
struct fwa_pool {
	unsigned int n_threads, n_runs;
	pthread_t threads[THREADS_MAX];
	pthread_mutex_t lock;
	pthread_cond_t work, done;
	uint64_t given, begun, taken;
	bool ends;
	struct {
		struct fwa_run *run;
		bool checked;
	} slots[2 * THREADS_MAX];
};

static void *work(void *arg)
{
	struct fwa_pool *p = arg;

	pthread_mutex_lock(&p->lock);
	while (!p->ends) {
		unsigned int i;

		if (p->begun == p->given) {
			pthread_cond_wait(&p->work, &p->lock);
			continue;
		}
		i = (unsigned int)(p->begun++ % p->n_runs);
		pthread_mutex_unlock(&p->lock);
		fwa_run_check(p->slots[i].run);
		pthread_mutex_lock(&p->lock);
		p->slots[i].checked = true;
		pthread_cond_signal(&p->done);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* Starts what can be started: with fewer threads it only takes longer. Signals are for the others. */
static void start(struct fwa_pool *p, unsigned int threads)
{
	sigset_t all, before;

	sigfillset(&all);
	sigdelset(&all, SIGBUS);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	while (p->n_threads < threads &&
	       pthread_create(&p->threads[p->n_threads], NULL, work, p) == 0)
		p->n_threads++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct fwa_pool *fwa_pool_new(unsigned int threads)
{
	struct fwa_pool *p = calloc(1, sizeof(*p));
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (!p)
		return NULL;
	if (!threads)
		threads = processors > 0 ? (unsigned int)processors : 1;
	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	p->n_runs = threads > 1 ? 2 * threads : 1;
	for (unsigned int i = 0; i < p->n_runs; i++) {
		p->slots[i].run = malloc(sizeof(struct fwa_run));
		if (!p->slots[i].run) {
			p->n_runs = i;
			break;
		}
	}
	if (!p->n_runs) {
		free(p);
		return NULL;
	}
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	pthread_cond_init(&p->done, NULL);
	if (threads > 1)
		start(p, threads);
	if (!p->n_threads)
		p->n_runs = 1;
	return p;
}

void fwa_pool_free(struct fwa_pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->ends = true;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	for (unsigned int i = 0; i < p->n_threads; i++)
		pthread_join(p->threads[i], NULL);
	for (unsigned int i = 0; i < p->n_runs; i++)
		free(p->slots[i].run);
	pthread_cond_destroy(&p->work);
	pthread_cond_destroy(&p->done);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

bool fwa_pool_is_lazy(const struct fwa_pool *p)
{
	return !p->n_threads;
}

struct fwa_run *fwa_pool_room(struct fwa_pool *p)
{
	return p->given - p->taken == p->n_runs ? NULL : p->slots[p->given % p->n_runs].run;
}

void fwa_pool_give(struct fwa_pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->slots[p->given++ % p->n_runs].checked = false;
	pthread_cond_signal(&p->work);
	pthread_mutex_unlock(&p->lock);
}

struct fwa_run *fwa_pool_take(struct fwa_pool *p)
{
	unsigned int i = (unsigned int)(p->taken % p->n_runs);

	if (p->taken == p->given)
		return NULL;
	if (!p->n_threads) {
		fwa_run_check(p->slots[i].run);
		return p->slots[i].run;
	}
	pthread_mutex_lock(&p->lock);
	while (!p->slots[i].checked)
		pthread_cond_wait(&p->done, &p->lock);
	pthread_mutex_unlock(&p->lock);
	return p->slots[i].run;
}

void fwa_pool_drop(struct fwa_pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->taken++;
	if (!p->n_threads)
		p->begun = p->taken;
	pthread_mutex_unlock(&p->lock);
}

void fwa_pool_clear(struct fwa_pool *p)
{
	pthread_mutex_lock(&p->lock);
	/* Those that nobody has begun are not wanted any more. */
	p->given = p->n_threads ? p->begun : p->taken;
	pthread_mutex_unlock(&p->lock);
	while (p->taken != p->given) {
		if (p->n_threads)
			fwa_pool_take(p);
		fwa_pool_drop(p);
	}
}
