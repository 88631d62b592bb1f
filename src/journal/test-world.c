/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "journal/test-world.h"

#include "core/outcome.h"
#include "journal/test-dir.h"

struct world w;
struct fwa_signer *signer;

void begin_world(uint64_t segment_max, uint64_t total_max)
{
	memset(&w, 0, sizeof(w));
	fwa_testfs_init(&w.t);
	w.fs = fwa_testfs_fs(&w.t);
	w.options = (struct fwa_store_options){ .segment_max = segment_max,
						.total_max = total_max,
						.signer = signer,
						.version = "0.1.0" };
	w.now = (struct fwa_times){ 1700000000 * FWA_NS_PER_S, 1000 * FWA_NS_PER_S };
	w.id[0] = 1;
}

void end_world(void)
{
	fwa_store_free(w.store);
	w.store = NULL;
	fwa_testfs_clear(&w.t);
}

void time_goes(uint64_t ns)
{
	w.now.real += ns;
	w.now.boot += ns;
}

int open_store(void)
{
	return fwa_store_open(&w.fs, &w.options, w.now, &w.store);
}

int append(const struct fwa_append *a)
{
	uint64_t seq = 0;
	int r = fwa_store_append(w.store, a, w.now, &seq);

	if (r == 0) {
		assert_true(seq < RECORDS_MAX);
		w.told[seq].kind = a->kind;
		fwa_sha256(a->body, w.told[seq].body_sha256);
		w.appended = seq;
		if (a->counter)
			w.counter = a->counter;
	}
	return r;
}

int append_source(void)
{
	struct fwa_record_source r = { .kind = FWA_SOURCE_WORKER, .pid = 42, .name = "nvme0" };
	struct fwa_open_source before;
	struct fwa_append a = { .kind = FWA_RECORD_SOURCE };
	uint8_t body[512];
	struct fwa_writer out = fwa_writer(body, sizeof(body));
	int ret;

	memcpy(r.id, w.id, sizeof(r.id));
	if (fwa_store_source(w.store, w.id, &before))
		r.resumed = before.counter;
	fwa_record_source_encode(&out, &r);
	a.body = fwa_span(body, out.len);
	ret = append(&a);
	if (ret == 0) {
		w.source = w.appended;
		w.counter = r.resumed;
	}
	return ret;
}

/* Of the one source, its next one. */
static int append_next(uint8_t kind, const void *body, size_t len)
{
	const struct fwa_append a = { .kind = kind,
				      .source = w.source,
				      .counter = w.counter + 1,
				      .body = fwa_span(body, len) };

	return append(&a);
}

int append_control(size_t len)
{
	struct fwa_record_control r = { .act = FWA_ACT_GRANT_CREATED, .uid = 7 };
	uint8_t body[2048];
	struct fwa_writer out = fwa_writer(body, sizeof(body));

	memset(r.text, 'a' + (int)(w.counter % 26), len);
	fwa_record_control_encode(&out, &r);
	return append_next(FWA_RECORD_CONTROL, body, out.len);
}

int append_decision(bool admitted)
{
	struct fwa_record_decision r = {
		.judged = w.now.boot,
		.decision = { .reason = admitted ? FWA_REASON_ADMIT : FWA_REASON_LEASE,
			      .required = FWA_SCOPE_CONFIGURATION,
			      .scope = FWA_SCOPE_CONFIGURATION,
			      .set = FWA_SET_CXL,
			      .opcode = 0x0001 },
		.cmd = { .set = FWA_SET_CXL, .scope = FWA_SCOPE_LEAST, .opcode = 0x0001 },
	};
	uint8_t body[1024];
	struct fwa_writer out = fwa_writer(body, sizeof(body));
	int ret;

	fwa_record_decision_encode(&out, &r);
	ret = append_next(FWA_RECORD_DECISION, body, out.len);
	if (ret == 0 && admitted)
		w.open = w.counter;
	return ret;
}

int append_outcome(uint64_t decision)
{
	struct fwa_record_outcome r = { .decision = decision, .status = FWA_OUTCOME_COMPLETED };
	uint8_t body[256];
	struct fwa_writer out = fwa_writer(body, sizeof(body));
	int ret;

	fwa_record_outcome_encode(&out, &r);
	ret = append_next(FWA_RECORD_OUTCOME, body, out.len);
	if (ret == 0)
		w.open = 0;
	return ret;
}

int sync_store(void)
{
	int r = fwa_store_sync(w.store);

	if (r == 0) {
		assert_int_equal(fwa_store_durable(w.store), fwa_store_last(w.store));
		assert_int_equal(fwa_store_unsynced(w.store), 0);
	}
	if (fwa_store_durable(w.store) > w.acknowledged)
		w.acknowledged = fwa_store_durable(w.store);
	return r;
}

void check_world(uint64_t until, struct fwa_testcheck *ret)
{
	struct fwa_testcheck c;

	if (!fwa_testcheck(&w.t, &c))
		fail_msg("%s", c.why);
	for (uint64_t seq = 1; seq <= until; seq++) {
		const struct fwa_testcheck_record *r = fwa_testcheck_find(&c, seq);

		if (!r && seq < c.first && seq <= c.retired)
			continue;
		if (!r)
			fail_msg("%llu is not there", (unsigned long long)seq);
		if (!w.told[seq].kind)
			continue;
		assert_int_equal(r->kind, w.told[seq].kind);
		assert_memory_equal(r->body_sha256, w.told[seq].body_sha256, FWA_HASH_LEN);
	}
	if (ret)
		*ret = c;
	else
		fwa_testcheck_clear(&c);
}

int step(unsigned int i)
{
	time_goes(FWA_NS_PER_MS * (1 + i % 7));
	switch (i % 12) {
	case 0:
	case 5:
		return w.open ? append_outcome(w.open) : append_decision(true);
	case 1:
		return append_decision(false);
	case 4:
	case 9:
		return fwa_store_write(w.store);
	case 6:
	case 11:
		return sync_store();
	case 7:
		return fwa_store_checkpoint(w.store, FWA_CHECKPOINT_PERIODIC, w.now);
	case 8:
		return i % 24 == 8 ? fwa_store_rotate(w.store, w.now) : 0;
	case 10:
		w.now.real += i % 36 == 10 ? 2 * FWA_NS_PER_S : 0;
		return append_control(10);
	default:
		return append_control(100 + 97 * i % 900);
	}
}

int begin_life(void)
{
	int r = open_store();

	if (r == 0)
		r = append_source();
	if (r == 0)
		r = sync_store();
	return r;
}

int life(unsigned int steps)
{
	int r = begin_life();

	for (unsigned int i = 0; i < steps && r == 0; i++)
		r = step(i);
	return r == 0 ? sync_store() : r;
}

void live_again(void)
{
	fwa_store_free(w.store);
	w.store = NULL;
	w.open = 0;
	time_goes(FWA_NS_PER_S);
	/* What was not acknowledged may be gone; then its numbers are given again. */
	memset(&w.told[w.acknowledged + 1], 0,
	       (RECORDS_MAX - w.acknowledged - 1) * sizeof(*w.told));
	assert_int_equal(begin_life(), 0);
	for (unsigned int i = 2; i < 7; i++)
		assert_int_equal(step(i), 0);
}

struct fwa_testfs_file *last_file(void)
{
	struct fwa_testfs_file *last = NULL;

	for (size_t i = 0; i < w.t.n_files; i++)
		if (w.t.files[i]->named && (!last || strcmp(w.t.files[i]->name, last->name) > 0))
			last = w.t.files[i];
	return last;
}

size_t end_of(const struct fwa_testfs_file *f)
{
	size_t end = f->len;

	while (end && f->data[end - 1] == 0)
		end--;
	return (end + 7) & ~(size_t)7;
}

void close_store(void)
{
	fwa_store_free(w.store);
	w.store = NULL;
	memset(w.told, 0, sizeof(w.told));
}

int make_signer(void **state)
{
	int r = set_up(state);

	if (r == 0)
		r = fwa_signer_open(dirfd_, "key", &signer);
	return tear_down(state) == 0 ? r : -1;
}

int free_signer(void **state)
{
	fwa_signer_free(signer);
	return 0;
}
