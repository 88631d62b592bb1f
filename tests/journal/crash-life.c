/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lives of the store: what journald does with it, in an order that a seed chooses, on files in memory.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "core/outcome.h"
#include "crash.h"

#define SOURCES 3
#define OPEN_MAX 8

struct living {
	struct crash_life *l;
	struct fwa_fs fs;
	struct fwa_store_options o;
	struct fwa_store *s;
	struct fwa_times now;
	uint64_t seed, before; /* and what was durable when the last call began */
	size_t n_ops;
	bool troubled; /* errors are expected */
	struct {
		uint8_t id[16];
		uint64_t number, counter, open[OPEN_MAX];
		size_t n_open;
	} source[SOURCES];
};

static uint64_t chance(struct living *v, uint64_t n)
{
	return fwa_testfs_random(&v->seed) % n;
}

static void must(const struct living *v, int r, const char *what)
{
	if (r == 0 || (v->troubled && r != -EPROTO && r != -EINVAL && r != -EBADMSG))
		return;
	fprintf(stderr, "crash: %s: %s\n", what, strerror(-r));
	abort();
}

/* After each call: what had been durable before it is what its steps were done with. */
static int done(struct living *v, int r)
{
	struct crash_life *l = v->l;

	l->trace.durable =
		reallocarray(l->trace.durable, l->t.n_ops + 1, sizeof(*l->trace.durable));
	for (; v->n_ops < l->t.n_ops; v->n_ops++) {
		memset(l->trace.durable[v->n_ops], 0, sizeof(*l->trace.durable));
		l->trace.durable[v->n_ops][0] = l->durable;
	}
	if (v->s && fwa_store_durable(v->s) > l->durable)
		l->durable = fwa_store_durable(v->s);
	return r;
}

static int sync_it(struct living *v)
{
	return done(v, fwa_store_sync(v->s));
}

static void repair(struct living *v)
{
	for (int i = 0; i < 40 && done(v, fwa_store_repair(v->s, v->now)) < 0; i++)
		if (i > 3)
			v->l->t.space = 0;
	must(v, sync_it(v), "repair");
}

/* --- records -------------------------------------------------------------------------------------------- */

static int append(struct living *v, const struct fwa_append *a, uint64_t *ret_seq)
{
	uint64_t seq = 0;
	int r = fwa_store_append(v->s, a, v->now, &seq);

	if (r == -ENOBUFS && sync_it(v) == 0)
		r = fwa_store_append(v->s, a, v->now, &seq);
	done(v, 0);
	if (r < 0 || seq >= CRASH_TOLD_MAX)
		return r;
	v->l->told[seq].kind = a->kind;
	fwa_sha256(a->body, v->l->told[seq].body_sha256);
	*ret_seq = seq;
	return 0;
}

static void put_source(struct living *v, size_t i)
{
	struct fwa_record_source r = { .kind = FWA_SOURCE_WORKER, .pid = 42, .name = "nvme0" };
	struct fwa_append a = { .kind = FWA_RECORD_SOURCE };
	struct fwa_open_source left;
	uint8_t body[512];
	struct fwa_writer w = fwa_writer(body, sizeof(body));

	memcpy(r.id, v->source[i].id, sizeof(r.id));
	if (fwa_store_source(v->s, r.id, &left))
		r.resumed = left.counter;
	fwa_record_source_encode(&w, &r);
	a.body = fwa_span(body, w.len);
	if (append(v, &a, &v->source[i].number) < 0)
		v->source[i].number = 0;
	v->source[i].counter = r.resumed;
	/* What it had put in, and was lost with the writer, it would put in again; here it begins anew. */
	v->source[i].n_open = 0;
}

static int put(struct living *v, size_t i, uint8_t kind, struct fwa_span body)
{
	struct fwa_append a = { .kind = kind,
				.source = v->source[i].number,
				.counter = v->source[i].counter + 1,
				.body = body };
	uint64_t seq;
	int r = a.source ? append(v, &a, &seq) : 0;

	if (r == 0 && a.source)
		v->source[i].counter++;
	return r;
}

static void put_decision(struct living *v, size_t i, bool admitted)
{
	struct fwa_record_decision r = {
		.judged = v->now.boot,
		.decision = { .reason = admitted ? FWA_REASON_ADMIT : FWA_REASON_LEASE,
			      .required = FWA_SCOPE_CONFIGURATION,
			      .scope = FWA_SCOPE_CONFIGURATION,
			      .set = FWA_SET_CXL,
			      .opcode = 1 },
		.cmd = { .set = FWA_SET_CXL, .scope = FWA_SCOPE_LEAST, .opcode = 1 },
	};
	uint8_t body[1024];
	struct fwa_writer w = fwa_writer(body, sizeof(body));

	if (admitted && v->source[i].n_open == OPEN_MAX)
		return;
	fwa_record_decision_encode(&w, &r);
	if (put(v, i, FWA_RECORD_DECISION, fwa_span(body, w.len)) == 0 && admitted &&
	    v->source[i].number)
		v->source[i].open[v->source[i].n_open++] = v->source[i].counter;
}

static void put_outcome(struct living *v, size_t i)
{
	struct fwa_record_outcome r = { .status = FWA_OUTCOME_COMPLETED };
	uint8_t body[256];
	struct fwa_writer w = fwa_writer(body, sizeof(body));

	if (v->source[i].n_open == 0)
		return;
	r.decision = v->source[i].open[v->source[i].n_open - 1];
	fwa_record_outcome_encode(&w, &r);
	if (put(v, i, FWA_RECORD_OUTCOME, fwa_span(body, w.len)) == 0)
		v->source[i].n_open--;
}

static void put_control(struct living *v, size_t i, size_t len)
{
	struct fwa_record_control r = { .act = FWA_ACT_GRANT_CREATED, .uid = 7 };
	uint8_t body[2048];
	struct fwa_writer w = fwa_writer(body, sizeof(body));

	memset(r.text, 'a' + (int)chance(v, 26), len);
	fwa_record_control_encode(&w, &r);
	put(v, i, FWA_RECORD_CONTROL, fwa_span(body, w.len));
}

static void put_object(struct living *v)
{
	struct fwa_record_object o = { .kind = FWA_OBJECT_POLICY, .device = "d" };
	struct fwa_append a = { .kind = FWA_RECORD_OBJECT };
	uint8_t body[256];
	struct fwa_writer w = fwa_writer(body, sizeof(body));
	uint64_t seq;

	o.sha256[0] = (uint8_t)chance(v, 4);
	if (fwa_store_has_object(v->s, &o))
		return;
	fwa_record_object_encode(&w, &o);
	a.body = fwa_span(body, w.len);
	append(v, &a, &seq);
}

/* --- coming and going -------------------------------------------------------------------------------------- */

static void begin(struct living *v)
{
	uint64_t last;
	int r = done(v, fwa_store_open(&v->fs, &v->o, v->now, &v->s));

	must(v, r, "open");
	if (r < 0)
		return;
	/* What was appended only is gone, and its numbers are given again. */
	last = fwa_store_last(v->s);
	for (uint64_t seq = last > 1 ? last - 1 : 1; seq < CRASH_TOLD_MAX; seq++)
		v->l->told[seq].kind = 0;
	for (size_t i = 0; i < SOURCES; i++)
		put_source(v, i);
	must(v, sync_it(v), "sync");
}

/* In order, or not. */
static void come_again(struct living *v)
{
	bool orderly = chance(v, 2);

	for (size_t i = 0; i < SOURCES && orderly; i++)
		if (v->source[i].number && chance(v, 2))
			must(v, done(v, fwa_store_end_source(v->s, v->source[i].number, 0, v->now)),
			     "end");
	if (orderly) {
		must(v, fwa_store_checkpoint(v->s, FWA_CHECKPOINT_STOP, v->now), "stop");
		must(v, sync_it(v), "stop");
	} else if (chance(v, 2)) {
		must(v, done(v, fwa_store_write(v->s)), "write");
	}
	fwa_store_free(v->s);
	v->s = NULL;
	v->now.real += FWA_NS_PER_S;
	v->now.boot += FWA_NS_PER_S;
	/* An ended source has nothing more to say; another one comes. */
	for (size_t i = 0; i < SOURCES && orderly; i++)
		v->source[i].id[1]++;
	begin(v);
}

/* --- lives -------------------------------------------------------------------------------------------------- */

static void step(struct living *v)
{
	size_t i = chance(v, SOURCES);
	uint64_t ms = (1 + chance(v, 7)) * FWA_NS_PER_MS;

	v->now.real += ms;
	v->now.boot += ms;
	switch (chance(v, 17)) {
	case 0:
	case 1:
		put_decision(v, i, false);
		break;
	case 2:
	case 3:
	case 4: /* somebody waits for it */
		put_decision(v, i, true);
		must(v, sync_it(v), "sync");
		break;
	case 5:
	case 6:
		put_outcome(v, i);
		break;
	case 7:
	case 8:
	case 9:
		put_control(v, i, 100 + chance(v, 900));
		break;
	case 10:
		put_object(v);
		break;
	case 11:
		must(v, done(v, fwa_store_checkpoint(v->s, FWA_CHECKPOINT_PERIODIC, v->now)),
		     "sign");
		must(v, sync_it(v), "sync");
		break;
	case 12:
	case 13:
		must(v, done(v, fwa_store_write(v->s)), "write");
		break;
	case 14:
		v->now.real += chance(v, 4) ? 0 : 2 * FWA_NS_PER_S;
		break;
	default:
		must(v, done(v, fwa_store_rotate(v->s, v->now)), "rotate");
	}
}

static void live_large(struct living *v)
{
	for (int n = 0; n < 3; n++) {
		while (fwa_store_unsynced(v->s) < FWA_STORE_UNSYNCED_MAX * 3 / 4) {
			put_control(v, chance(v, SOURCES), 1000);
			if (chance(v, 60) == 0)
				must(v, fwa_store_checkpoint(v->s, 0, v->now), "sign");
			if (chance(v, 200) == 0)
				must(v, done(v, fwa_store_write(v->s)), "write");
		}
		must(v, sync_it(v), "sync");
	}
}

static void live_busy(struct living *v, enum crash_plan plan, unsigned int steps)
{
	for (unsigned int i = 0; i < steps; i++) {
		if (plan == CRASH_LIFE_ERRORS && i % 12 == 5) {
			v->l->t.fail_kind = (int)chance(v, 6) - 1;
			v->l->t.fail_from = v->l->t.calls + 1 + chance(v, 4);
			v->l->t.fail_to = v->l->t.fail_from + 1 + chance(v, 3);
			v->l->t.fail_error = chance(v, 4) ? EIO : ENOSPC;
		}
		if (plan == CRASH_LIFE_FULL && i == 20)
			v->l->t.space = 80 * 1024;
		if (plan == CRASH_LIFE_KILLED && i % 20 == 19)
			come_again(v);
		step(v);
		if (v->troubled && fwa_store_checkpoint(v->s, 0, v->now) == -EROFS)
			repair(v);
	}
}

void crash_live(struct crash_life *l, enum crash_plan plan, uint64_t seed,
		const struct fwa_store_options *o, bool no_sync)
{
	struct living v = { .l = l, .o = *o, .seed = seed };

	memset(l, 0, sizeof(*l));
	fwa_testfs_init(&l->t);
	l->t.record = true;
	l->t.no_sync = no_sync;
	l->t.seed = seed;
	v.fs = fwa_testfs_fs(&l->t);
	v.now = (struct fwa_times){ 1700000000 * FWA_NS_PER_S, 1000 * FWA_NS_PER_S };
	if (plan != CRASH_LIFE_LARGE) {
		v.o.segment_max = 4 * 1024;
		v.o.total_max = 140 * 1024;
	}
	for (size_t i = 0; i < SOURCES; i++)
		v.source[i].id[0] = (uint8_t)(i + 1);
	begin(&v);
	v.troubled = plan == CRASH_LIFE_ERRORS || plan == CRASH_LIFE_FULL;
	if (plan == CRASH_LIFE_LARGE)
		live_large(&v);
	else
		live_busy(&v, plan, 120);
	fwa_store_free(v.s);
	l->trace.ops = l->t.ops;
	l->trace.n = l->t.n_ops;
}

void crash_life_end(struct crash_life *l)
{
	free(l->trace.durable);
	fwa_testfs_clear(&l->t);
}
