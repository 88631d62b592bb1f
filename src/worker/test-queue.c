/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose turn it is: of requests, and of commands that wait for their start.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "worker/queue.h"

#define SESSIONS 8

struct fixture {
	struct queue q;
	struct peer *peer[3];
	struct turn turn[3][SESSIONS];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	queue_init(&f->q);
	for (uint32_t u = 0; u < 3; u++) {
		for (int s = 0; s < SESSIONS; s++) {
			f->peer[u] = queue_enter(&f->q, 1000 + u);
			f->turn[u][s].peer = f->peer[u];
			fwa_list_init(&f->turn[u][s].link);
		}
		assert_int_equal(queue_sessions(&f->q, 1000 + u), SESSIONS);
	}
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (int u = 0; u < 3; u++)
		for (int s = 0; s < SESSIONS; s++)
			queue_leave(f->peer[u]);
	assert_true(fwa_list_empty(&f->q.peers));
	assert_int_equal(queue_sessions(&f->q, 1000), 0);
	free(f);
	return 0;
}

static struct wait job(struct peer *p, enum job_class class)
{
	return (struct wait){ .peer = p, .class = class, .bytes = 10, .deadline = 100 };
}

/* Many sessions of one user have as many turns as the one of another. */
static void test_turns_go_round_users(void **state)
{
	struct fixture *f = *state;
	struct turn *expected[] = { &f->turn[0][0], &f->turn[1][0], &f->turn[0][1],
				    &f->turn[1][1], &f->turn[0][2], &f->turn[0][3] };

	for (int s = 0; s < 4; s++)
		queue_ready(&f->q, &f->turn[0][s]);
	for (int s = 0; s < 2; s++)
		queue_ready(&f->q, &f->turn[1][s]);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_ptr_equal(queue_next(&f->q), expected[i]);
	assert_null(queue_next(&f->q));
}

/* Who always has the next request ready waits for each of the others. */
static void test_a_user_with_more_waits_for_the_others(void **state)
{
	struct fixture *f = *state;
	int served[3] = { 0 };

	for (int s = 0; s < SESSIONS; s++)
		queue_ready(&f->q, &f->turn[0][s]);
	queue_ready(&f->q, &f->turn[1][0]);
	queue_ready(&f->q, &f->turn[2][0]);
	for (int i = 0; i < 300; i++) {
		struct turn *t = queue_next(&f->q);

		served[t->peer->uid - 1000]++;
		queue_ready(&f->q, t);
	}
	for (int u = 0; u < 3; u++)
		assert_int_equal(served[u], 100);
	while (queue_next(&f->q))
		;
}

static void test_withdrawn(void **state)
{
	struct fixture *f = *state;

	queue_withdraw(&f->turn[0][0]); /* which is not in */
	queue_ready(&f->q, &f->turn[0][0]);
	queue_ready(&f->q, &f->turn[1][0]);
	queue_ready(&f->q, &f->turn[1][1]);
	queue_withdraw(&f->turn[0][0]);
	queue_withdraw(&f->turn[1][0]);
	assert_ptr_equal(queue_next(&f->q), &f->turn[1][1]);
	assert_null(queue_next(&f->q));
}

/* Every pair: what runs, and whether the other one may start beside it. */
static void test_what_may_run_beside(void **state)
{
	static const bool beside[JOB_CLASSES][JOB_CLASSES] = {
		[JOB_READ] = { [JOB_READ] = true, [JOB_CHANGE] = true },
		[JOB_CHANGE] = { [JOB_READ] = true },
	};
	struct fixture *f = *state;

	for (int a = 0; a < JOB_CLASSES; a++)
		for (int b = 0; b < JOB_CLASSES; b++) {
			struct wait running = job(f->peer[0], a), next = job(f->peer[1], b);

			queue_began(&f->q, &running);
			queue_wait(&f->q, &next);
			assert_ptr_equal(queue_start(&f->q, false), beside[a][b] ? &next : NULL);
			queue_ended(&f->q, &running);
			if (!beside[a][b])
				assert_ptr_equal(queue_start(&f->q, false), &next);
			assert_int_equal(queue_waiting(&f->q), 0);
		}
}

static void test_starts_go_round_users(void **state)
{
	struct fixture *f = *state;
	struct wait many[4], few = job(f->peer[1], JOB_READ);
	struct wait *expected[] = { &many[0], &few, &many[1], &many[2], &many[3] };

	for (int i = 0; i < 4; i++) {
		many[i] = job(f->peer[0], JOB_READ);
		queue_wait(&f->q, &many[i]);
	}
	queue_wait(&f->q, &few);
	for (int i = 0; i < 5; i++)
		assert_ptr_equal(queue_start(&f->q, false), expected[i]);
}

/* A read passes the changes that wait for one another, also those of its own user. */
static void test_reads_pass_changes(void **state)
{
	struct fixture *f = *state;
	struct wait running = job(f->peer[0], JOB_CHANGE);
	struct wait change = job(f->peer[0], JOB_CHANGE), read = job(f->peer[0], JOB_READ);

	queue_began(&f->q, &running);
	queue_wait(&f->q, &change);
	queue_wait(&f->q, &read);
	assert_ptr_equal(queue_start(&f->q, false), &read);
	assert_null(queue_start(&f->q, false));
	queue_ended(&f->q, &running);
	assert_ptr_equal(queue_start(&f->q, false), &change);
}

/* Else reads that keep coming would keep it from ever starting. */
static void test_what_runs_alone_holds_back_those_behind_it(void **state)
{
	struct fixture *f = *state;
	struct wait running = job(f->peer[0], JOB_READ);
	struct wait alone = job(f->peer[1], JOB_ALONE), read = job(f->peer[2], JOB_READ);

	queue_began(&f->q, &running);
	queue_wait(&f->q, &alone);
	queue_wait(&f->q, &read);
	assert_null(queue_start(&f->q, false));
	queue_ended(&f->q, &running);
	assert_ptr_equal(queue_start(&f->q, false), &alone);
	queue_began(&f->q, &alone);
	assert_null(queue_start(&f->q, false));
	queue_ended(&f->q, &alone);
	assert_ptr_equal(queue_start(&f->q, false), &read);
}

static void test_own_go_first(void **state)
{
	struct fixture *f = *state;
	struct wait read = job(f->peer[0], JOB_READ), own = job(NULL, JOB_ALONE);

	queue_wait(&f->q, &read);
	queue_wait(&f->q, &own);
	assert_ptr_equal(queue_start(&f->q, false), &own);
	assert_null(queue_start(&f->q, true));
	assert_ptr_equal(queue_start(&f->q, false), &read);
}

static void test_bounds(void **state)
{
	struct fixture *f = *state;
	struct wait many[QUEUE_JOBS_MAX + 1], large = job(f->peer[1], JOB_READ);

	for (uint32_t i = 0; i <= QUEUE_JOBS_MAX; i++) {
		assert_false(queue_over(f->peer[0]));
		many[i] = job(f->peer[0], JOB_READ);
		queue_wait(&f->q, &many[i]);
	}
	assert_true(queue_over(f->peer[0]));
	for (uint32_t i = 0; i <= QUEUE_JOBS_MAX; i++)
		queue_cancel(&f->q, &many[i]);
	large.bytes = QUEUE_BYTES_MAX + 1;
	queue_wait(&f->q, &large);
	assert_true(queue_over(f->peer[1]));
	queue_cancel(&f->q, &large);
	assert_int_equal(f->peer[1]->waiting_bytes, 0);
}

static unsigned int late(struct queue *q, uint64_t now)
{
	struct fwa_link list;
	unsigned int n = 0;

	fwa_list_init(&list);
	queue_expire(q, now, &list);
	for (struct fwa_link *l = list.next; l != &list; l = l->next)
		n++;
	return n;
}

static void test_deadlines(void **state)
{
	struct fixture *f = *state;
	struct wait waits[] = { job(f->peer[0], JOB_READ), job(f->peer[0], JOB_READ),
				job(f->peer[1], JOB_READ), job(f->peer[2], JOB_READ) };

	waits[1].deadline = 50;
	waits[2].deadline = 50;
	waits[3].deadline = 200;
	for (int i = 0; i < 4; i++)
		queue_wait(&f->q, &waits[i]);
	assert_int_equal(f->q.next_deadline, 50);
	assert_int_equal(late(&f->q, 49), 0);
	assert_int_equal(late(&f->q, 50), 2);
	assert_int_equal(f->q.next_deadline, 100);
	assert_int_equal(late(&f->q, 150), 1);
	assert_int_equal(late(&f->q, 1000), 1);
	assert_int_equal(f->q.next_deadline, UINT64_MAX);
	assert_int_equal(queue_waiting(&f->q), 0);
}

/* Bytes that wait elsewhere count as if they waited here. */
static void test_held_bytes(void **state)
{
	struct fixture *f = *state;
	struct wait one = job(f->peer[0], JOB_READ);

	queue_hold(f->peer[0], QUEUE_BYTES_MAX - 10);
	assert_false(queue_over_bytes(f->peer[0]));
	queue_wait(&f->q, &one);
	assert_false(queue_over(f->peer[0]));
	queue_hold(f->peer[0], 1);
	assert_true(queue_over_bytes(f->peer[0]));
	assert_true(queue_over(f->peer[0]));
	assert_false(queue_over(f->peer[1]));
	queue_unhold(f->peer[0], QUEUE_BYTES_MAX - 9);
	assert_false(queue_over(f->peer[0]));
	assert_int_equal(f->peer[0]->waiting_bytes, 10);
	queue_cancel(&f->q, &one);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_turns_go_round_users),
		TEST(test_a_user_with_more_waits_for_the_others),
		TEST(test_withdrawn),
		TEST(test_what_may_run_beside),
		TEST(test_starts_go_round_users),
		TEST(test_reads_pass_changes),
		TEST(test_what_runs_alone_holds_back_those_behind_it),
		TEST(test_own_go_first),
		TEST(test_bounds),
		TEST(test_held_bytes),
		TEST(test_deadlines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
