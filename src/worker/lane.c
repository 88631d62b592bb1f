/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The threads in which device calls wait.
 */
#include "worker/lane.h"

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/thread.h"

/* Submit needs little; what is not touched costs nothing. */
#define STACK_LEN (256u * 1024)

static struct errand *next_errand(struct lanes *l)
{
	struct fwa_link *first;

	while (fwa_list_empty(&l->inbox))
		pthread_cond_wait(&l->work, &l->lock);
	first = l->inbox.next;
	fwa_list_remove(first);
	return fwa_list_entry(first, struct errand, link);
}

static void report(struct lanes *l)
{
	const uint64_t one = 1;
	ssize_t n = write(l->done_fd, &one, sizeof(one));

	(void)n; /* only a counter that is full could refuse, and that wakes the reader too */
}

static void *run(void *arg)
{
	struct lanes *l = arg;

	pthread_mutex_lock(&l->lock);
	l->started++;
	pthread_cond_broadcast(&l->work);
	for (;;) {
		struct errand *e = next_errand(l);

		pthread_mutex_unlock(&l->lock);
		e->run(e);
		pthread_mutex_lock(&l->lock);
		fwa_list_append(&l->outbox, &e->link);
		report(l);
	}
	return NULL;
}

static int start_threads(struct lanes *l, unsigned int n)
{
	int r = 0;

	while (r == 0 && l->n < n) {
		r = fwa_thread_start(STACK_LEN, run, l);
		l->n += r == 0;
	}
	return r;
}

int lanes_start(struct lanes *l, unsigned int n)
{
	int r;

	*l = (struct lanes){ .done_fd = -1 };
	fwa_list_init(&l->inbox);
	fwa_list_init(&l->outbox);
	if (!n)
		return 0;
	/* A heap for each thread would have to be made inside the sandbox. Not every libc has them. */
	mallopt(M_ARENA_MAX, 1);
	l->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->done_fd < 0)
		return -errno;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->work, NULL);
	r = start_threads(l, n < LANES_MAX ? n : LANES_MAX);
	pthread_mutex_lock(&l->lock);
	while (l->started < l->n)
		pthread_cond_wait(&l->work, &l->lock);
	pthread_mutex_unlock(&l->lock);
	return r;
}

bool lanes_free(const struct lanes *l)
{
	return l->busy < l->n;
}

void lanes_give(struct lanes *l, struct errand *e)
{
	l->busy++;
	pthread_mutex_lock(&l->lock);
	fwa_list_append(&l->inbox, &e->link);
	pthread_cond_signal(&l->work);
	pthread_mutex_unlock(&l->lock);
}

void lanes_collect(struct lanes *l, struct fwa_link *ret)
{
	uint64_t count;
	ssize_t n = read(l->done_fd, &count, sizeof(count));

	(void)n; /* nothing to read is fine: the list says what is done */
	pthread_mutex_lock(&l->lock);
	fwa_list_each(at, following, &l->outbox)
	{
		fwa_list_remove(at);
		fwa_list_append(ret, at);
		l->busy--;
	}
	pthread_mutex_unlock(&l->lock);
}
