/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both sides of the ring. Each has its own position in its own memory, and of the shared words only writes
 * that one; the other side's position is a claim, which is bounded wherever it is read.
 *
 * Positions only grow, and are multiples of 8: a record's header never wraps within one of its two words.
 */
#include "journal/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/util.h"

#define FLAG_URGENT 1u
#define HALF (FWA_RING_DATA_LEN / 2)
#define ERRNO_MAX 4095u
#define SEALS (F_SEAL_GROW | F_SEAL_SHRINK)

_Static_assert(FWA_RING_DATA_LEN % 8 == 0, "headers do not wrap within a word");
_Static_assert(FWA_RING_HEADER_LEN + FWA_RECORD_BODY_MAX <= HALF, "any record fits twice");

/* --- the descriptors ---------------------------------------------------------------------------- */

int fwa_ring_create(struct fwa_ring_fds *ret)
{
	struct fwa_ring_fds fds = { -1, -1, -1 };
	int r = 0;

	fds.memory = fwa_memfd("fwadmit-ring");
	if (fds.memory < 0)
		return fds.memory;
	if (ftruncate(fds.memory, FWA_RING_LEN) < 0 ||
	    fcntl(fds.memory, F_ADD_SEALS, SEALS | F_SEAL_SEAL) < 0)
		r = -errno;
	if (r == 0) {
		fds.doorbell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		fds.ack = fds.doorbell < 0 ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		r = fds.ack < 0 ? -errno : 0;
	}
	if (r < 0)
		fwa_ring_close(&fds);
	else
		*ret = fds;
	return r;
}

void fwa_ring_close(struct fwa_ring_fds *fds)
{
	fds->memory = fwa_close(fds->memory);
	fds->doorbell = fwa_close(fds->doorbell);
	fds->ack = fwa_close(fds->ack);
}

/* Of no other length than ours, for ever: nothing behind its end is ever touched. */
static int map(int memory, struct fwa_ring **ret)
{
	int seals = fcntl(memory, F_GET_SEALS);
	off_t len;
	void *ring;

	if (seals < 0 || (seals & SEALS) != SEALS)
		return -EPERM;
	len = lseek(memory, 0, SEEK_END);
	if (len != FWA_RING_LEN)
		return len < 0 ? -errno : -EMSGSIZE;
	ring = mmap(NULL, FWA_RING_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (ring == MAP_FAILED)
		return -errno;
	*ret = ring;
	return 0;
}

static void unmap(struct fwa_ring **ring)
{
	if (*ring)
		munmap(*ring, FWA_RING_LEN);
	*ring = NULL;
}

int fwa_ring_pending(const struct fwa_ring_fds *fds)
{
	struct fwa_ring *ring;
	int r = map(fds->memory, &ring);

	if (r < 0)
		return r;
	r = atomic_load(&ring->produced) != atomic_load(&ring->consumed) ||
	    fwa_ring_lost(ring, NULL);
	unmap(&ring);
	return r;
}

/* A full eventfd is as good as one that was written. */
static void ring_bell(int fd)
{
	uint64_t one = 1;
	ssize_t n;

	do
		n = write(fd, &one, sizeof(one));
	while (n < 0 && errno == EINTR);
}

/* False when it was not rung. */
static bool take_bell(int fd)
{
	uint64_t count;
	ssize_t n;

	do
		n = read(fd, &count, sizeof(count));
	while (n < 0 && errno == EINTR);
	return n == sizeof(count);
}

/* --- the producer's side ------------------------------------------------------------------------ */

int fwa_ring_writer_open(struct fwa_ring_writer *w, const struct fwa_ring_fds *fds)
{
	struct fwa_ring *ring;
	int r = map(fds->memory, &ring);

	if (r < 0)
		return r;
	*w = (struct fwa_ring_writer){ .ring = ring, .doorbell = fds->doorbell, .ack = fds->ack };
	return 0;
}

void fwa_ring_writer_close(struct fwa_ring_writer *w)
{
	unmap(&w->ring);
}

size_t fwa_ring_need(size_t len)
{
	return FWA_RING_HEADER_LEN + ((len + 7) & ~(size_t)7);
}

/*= spec/SECURITY-MODEL.md#C31 */
size_t fwa_ring_room(const struct fwa_ring_writer *w)
{
	uint64_t used = w->produced - atomic_load(&w->ring->consumed);

	return used > FWA_RING_DATA_LEN ? 0 : FWA_RING_DATA_LEN - (size_t)used;
}

/* Copies to position @at, round the end. */
static void put_bytes(struct fwa_ring *ring, uint64_t at, const void *data, size_t len)
{
	size_t first = (size_t)(at % FWA_RING_DATA_LEN), head = FWA_RING_DATA_LEN - first;

	if (head > len)
		head = len;
	if (len) {
		memcpy(ring->data + first, data, head);
		memcpy(ring->data, (const uint8_t *)data + head, len - head);
	}
}

/* Wakes the consumer if it sleeps so that it would not see this in time. */
static void wake(struct fwa_ring_writer *w, bool urgent)
{
	uint32_t how = atomic_load(&w->ring->sleep);

	if (how == FWA_RING_AWAKE)
		return;
	if (how == FWA_RING_DOZES && !urgent && fwa_ring_room(w) > HALF)
		return;
	/* Whoever takes the word back rings: once. */
	if (atomic_compare_exchange_strong(&w->ring->sleep, &how, FWA_RING_AWAKE))
		ring_bell(w->doorbell);
}

uint64_t fwa_ring_put(struct fwa_ring_writer *w, enum fwa_record_kind kind, struct fwa_span body,
		      bool urgent)
{
	static const uint8_t zeroes[8];
	uint8_t header[FWA_RING_HEADER_LEN] = { 0 };
	size_t need = fwa_ring_need(body.len), end = FWA_RING_HEADER_LEN + body.len;

	if (body.len > FWA_RECORD_BODY_MAX || need > fwa_ring_room(w))
		return 0;
	fwa_put_le32(header, (uint32_t)body.len);
	header[4] = (uint8_t)kind;
	header[5] = urgent ? FLAG_URGENT : 0;
	fwa_put_le64(header + 8, ++w->counter);
	put_bytes(w->ring, w->produced, header, sizeof(header));
	put_bytes(w->ring, w->produced + sizeof(header), body.data, body.len);
	put_bytes(w->ring, w->produced + end, zeroes, need - end);
	w->produced += need;
	/* First this, then a look at the word: sequentially consistent, as the consumer's other way round. */
	atomic_store(&w->ring->produced, w->produced);
	wake(w, urgent);
	return w->counter;
}

/*= spec/SECURITY-MODEL.md#C31 */
uint64_t fwa_ring_durable(const struct fwa_ring_writer *w)
{
	uint64_t durable = atomic_load(&w->ring->durable);

	return durable > w->counter ? 0 : durable;
}

uint64_t fwa_ring_seq(const struct fwa_ring_writer *w, uint64_t counter)
{
	struct fwa_ring_receipt *r = &w->ring->receipts[counter % FWA_RING_RECEIPTS];
	uint64_t seq;

	if (!counter || counter > fwa_ring_durable(w) || atomic_load(&r->counter) != counter)
		return 0;
	seq = atomic_load(&r->seq);
	/* Another's number may be there by now: then its counter is, or none. */
	return atomic_load(&r->counter) == counter ? seq : 0;
}

int fwa_ring_trouble(const struct fwa_ring_writer *w)
{
	uint32_t error = atomic_load(&w->ring->trouble);

	return error > ERRNO_MAX ? EIO : (int)error;
}

uint64_t fwa_ring_head(const struct fwa_ring_writer *w)
{
	return atomic_load(&w->ring->head);
}

bool fwa_ring_ask_room(struct fwa_ring_writer *w, size_t need)
{
	atomic_store(&w->ring->wants_room, 1);
	if (fwa_ring_room(w) < need)
		return false;
	atomic_store(&w->ring->wants_room, 0);
	return true;
}

/*= spec/SECURITY-MODEL.md#C31 */
void fwa_ring_set_lost(struct fwa_ring_writer *w, const struct fwa_record_unrecorded *lost)
{
	atomic_store(&w->ring->lost_since, lost->since);
	atomic_store(&w->ring->lost_until, lost->until);
	atomic_store(&w->ring->lost_refused, lost->refused);
	atomic_store(&w->ring->lost_passed, lost->passed);
}

bool fwa_ring_lost(const struct fwa_ring *ring, struct fwa_record_unrecorded *ret)
{
	struct fwa_record_unrecorded lost = { .refused = atomic_load(&ring->lost_refused),
					      .passed = atomic_load(&ring->lost_passed),
					      .since = atomic_load(&ring->lost_since),
					      .until = atomic_load(&ring->lost_until) };

	if (ret)
		*ret = lost;
	return lost.refused || lost.passed;
}

void fwa_ring_acked(const struct fwa_ring_writer *w)
{
	take_bell(w->ack);
}

/* --- the consumer's side ------------------------------------------------------------------------ */

static int set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

int fwa_ring_reader_open(struct fwa_ring_reader *r, const struct fwa_ring_fds *fds,
			 uint64_t counter)
{
	struct fwa_ring *ring;
	int error = set_nonblocking(fds->doorbell);

	if (error == 0)
		error = set_nonblocking(fds->ack);
	if (error == 0)
		error = map(fds->memory, &ring);
	if (error < 0)
		return error;
	*r = (struct fwa_ring_reader){ .ring = ring,
				       .doorbell = fds->doorbell,
				       .ack = fds->ack,
				       .consumed = atomic_load(&ring->consumed),
				       .counter = counter,
				       .passing = true };
	return 0;
}

void fwa_ring_reader_close(struct fwa_ring_reader *r)
{
	unmap(&r->ring);
	r->doorbell = fwa_close(r->doorbell);
	r->ack = fwa_close(r->ack);
}

/* A record's frame, from two words of the ring that were each read once. */
struct frame {
	uint32_t len;
	uint8_t kind, flags;
	uint64_t counter;
};

static uint64_t word(const struct fwa_ring *ring, uint64_t at)
{
	const volatile uint64_t *p = (const void *)(ring->data + at % FWA_RING_DATA_LEN);

	return *p;
}

/* False when there is no sound frame at @at, of @available bytes. */
static bool get_frame(const struct fwa_ring *ring, uint64_t at, uint64_t available,
		      struct frame *ret)
{
	uint8_t header[FWA_RING_HEADER_LEN];
	uint64_t words[2];

	if (available < sizeof(header))
		return false;
	words[0] = word(ring, at);
	words[1] = word(ring, at + 8);
	memcpy(header, words, sizeof(header));
	*ret = (struct frame){ .len = fwa_le32(header),
			       .kind = header[4],
			       .flags = header[5],
			       .counter = fwa_le64(header + 8) };
	return !(ret->flags & ~FLAG_URGENT) && !fwa_le16(header + 6) &&
	       ret->len <= FWA_RECORD_BODY_MAX && fwa_ring_need(ret->len) <= available;
}

/* Copies the body behind @at, and its padding; false when that is not zero. */
static bool get_body(const struct fwa_ring *ring, uint64_t at, size_t len, uint8_t *buf)
{
	size_t padded = (len + 7) & ~(size_t)7;
	size_t first = (size_t)(at % FWA_RING_DATA_LEN), head = FWA_RING_DATA_LEN - first;
	uint64_t last = len % 8 ? word(ring, at + padded - 8) : 0;
	uint8_t padding[8];

	if (head > len)
		head = len;
	memcpy(buf, ring->data + first, head);
	memcpy(buf + head, ring->data, len - head);
	/* What is looked at from here on is the copy, whatever becomes of the ring. */
	atomic_signal_fence(memory_order_seq_cst);
	memcpy(padding, &last, sizeof(padding));
	for (size_t i = len % 8; len % 8 && i < 8; i++)
		if (padding[i])
			return false;
	return true;
}

/* How many bytes there are behind what was taken; -EPROTO when that cannot be. */
static int64_t available(const struct fwa_ring_reader *r)
{
	uint64_t n = atomic_load(&r->ring->produced) - r->consumed;

	return n > FWA_RING_DATA_LEN || n % 8 || r->consumed % 8 ? -EPROTO : (int64_t)n;
}

/*
 * Whether @counter is the next one. A consumer that resumes meets what is in the file already, from any
 * counter on, but without a gap to what follows. *ret_pass: it has this one.
 */
static bool in_order(const struct fwa_ring_reader *r, uint64_t counter, bool *ret_pass)
{
	*ret_pass = false;
	if (!r->passing || counter > r->counter)
		return counter == r->counter + 1 && (!r->passed || r->passed == r->counter);
	*ret_pass = true;
	return counter && (!r->passed || counter == r->passed + 1);
}

/*= spec/SECURITY-MODEL.md#C31 */
int fwa_ring_take(struct fwa_ring_reader *r, uint8_t *buf, struct fwa_ring_record *ret)
{
	for (;;) {
		int64_t n = available(r);
		struct frame f;
		bool pass;

		if (n <= 0)
			return (int)n;
		if (!get_frame(r->ring, r->consumed, (uint64_t)n, &f) ||
		    !in_order(r, f.counter, &pass))
			return -EPROTO;
		if (!pass && !get_body(r->ring, r->consumed + FWA_RING_HEADER_LEN, f.len, buf))
			return -EPROTO;
		r->consumed += fwa_ring_need(f.len);
		if (pass) {
			r->passed = f.counter;
			continue;
		}
		r->passing = false;
		r->passed = 0;
		r->counter = f.counter;
		*ret = (struct fwa_ring_record){ .kind = f.kind,
						 .urgent = f.flags & FLAG_URGENT,
						 .counter = f.counter,
						 .body = fwa_span(buf, f.len) };
		return 1;
	}
}

void fwa_ring_release(struct fwa_ring_reader *r)
{
	if (atomic_load_explicit(&r->ring->consumed, memory_order_relaxed) == r->consumed)
		return;
	/* First this, then a look at the word, as the producer's other way round. */
	atomic_store(&r->ring->consumed, r->consumed);
	if (atomic_load(&r->ring->wants_room) && atomic_exchange(&r->ring->wants_room, 0))
		ring_bell(r->ack);
}

void fwa_ring_lost_told(struct fwa_ring_reader *r)
{
	atomic_store(&r->ring->lost_refused, 0);
	atomic_store(&r->ring->lost_passed, 0);
}

void fwa_ring_receipt(struct fwa_ring_reader *r, uint64_t counter, uint64_t seq)
{
	struct fwa_ring_receipt *receipt = &r->ring->receipts[counter % FWA_RING_RECEIPTS];

	/* Never a counter with another's number. */
	atomic_store(&receipt->counter, 0);
	atomic_store(&receipt->seq, seq);
	atomic_store(&receipt->counter, counter);
}

void fwa_ring_publish(struct fwa_ring_reader *r, uint64_t head, bool wake)
{
	atomic_store(&r->ring->head, head);
	atomic_store(&r->ring->durable, r->counter);
	if (wake)
		ring_bell(r->ack);
}

void fwa_ring_set_trouble(struct fwa_ring_reader *r, int error)
{
	atomic_store(&r->ring->trouble, (uint32_t)error);
	ring_bell(r->ack);
}

/* Whether the producer would have woken one that dozes for what is in the ring; so for nonsense. */
static bool must_look(const struct fwa_ring_reader *r)
{
	uint64_t at = r->consumed;
	int64_t n = available(r);
	struct frame f;

	if (n < 0 || n >= HALF)
		return true;
	for (; n > 0; n -= (int64_t)fwa_ring_need(f.len), at += fwa_ring_need(f.len))
		if (!get_frame(r->ring, at, (uint64_t)n, &f) || f.flags & FLAG_URGENT)
			return true;
	return false;
}

bool fwa_ring_sleep(struct fwa_ring_reader *r, uint32_t how)
{
	bool look;

	/* First this, then a look at the ring. */
	r->slept = true;
	atomic_store(&r->ring->sleep, how);
	if (how == FWA_RING_DOZES)
		look = must_look(r);
	else
		look = available(r) != 0;
	if (look)
		fwa_ring_awake(r);
	return !look;
}

void fwa_ring_awake(struct fwa_ring_reader *r)
{
	if (r->slept && atomic_exchange(&r->ring->sleep, FWA_RING_AWAKE) == FWA_RING_AWAKE)
		r->rung = true;
	r->slept = false;
	/* It may be only about to ring: then there is something to take back the next time. */
	if (r->rung && take_bell(r->doorbell))
		r->rung = false;
}
