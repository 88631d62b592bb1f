/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ring: shared memory through which one source's records reach the journal.
 *
 * 1. A sealed memfd of FWA_RING_LEN bytes: a page of words, a table of receipts, and the data. One
 *    producer (a worker, the daemon), one consumer (the journal), each with an eventfd that the other
 *    one writes. Neither waits for the other; neither believes the other one's words without bounds.
 * 2. A record in it: le32 length of the body, u8 kind, u8 flags (bit 0: urgent), le16 0, le64
 *    counter, the body, zeroes up to a multiple of 8. The counter is 1 for the source's first record
 *    and grows by one: nothing is left out unseen. Records wrap round the end of the data.
 * 3. The consumer copies before it looks (C31). What it has written to its file is taken out of the ring
 *    (consumed); what is on disk is durable. A consumer that dies leaves the ring as it is: the next
 *    one goes on at the counter after the last one that it finds in the file, and passes over what it
 *    has already.
 * 4. The doorbell is rung only for a consumer that sleeps: for anything when it sleeps for good
 *    (FWA_RING_SLEEPS), only for what is urgent or when the ring is half full while it looks again
 *    by itself soon (FWA_RING_DOZES). The producer publishes, then looks at the word; the consumer
 *    sets the word, then looks at what is published (both sequentially consistent): no wake-up is lost.
 * 5. What could not be put in the producer counts in the ring, and tells in a record once there is room. If it
 *    ends before, the consumer does so in its place, with the next counter.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "core/record.h"

#define FWA_RING_PAGE 4096u
#define FWA_RING_RECEIPTS 1024u
#define FWA_RING_DATA_LEN (256u * 1024)
#define FWA_RING_LEN (FWA_RING_PAGE + FWA_RING_RECEIPTS * 16 + FWA_RING_DATA_LEN)
#define FWA_RING_HEADER_LEN 16u

enum {
	FWA_RING_AWAKE = 0,
	FWA_RING_DOZES = 1,
	FWA_RING_SLEEPS = 2
};

struct fwa_ring_receipt {
	_Atomic uint64_t counter, seq; /* seq is written first, counter then */
};

/* The shared memory. Positions are bytes, free-running. */
struct fwa_ring {
	/* the producer's */
	_Alignas(64) _Atomic uint64_t produced;
	_Atomic uint32_t wants_room; /* write the ack eventfd when something was consumed */
	/* What found no room, and what no record tells yet (struct fwa_record_unrecorded). */
	_Atomic uint64_t lost_refused, lost_passed, lost_since, lost_until;
	/* the consumer's */
	_Alignas(64) _Atomic uint64_t consumed;
	_Atomic uint64_t durable;            /* counter of the last record on disk */
	_Atomic uint64_t head;               /* sequence number of the last record of all on disk */
	_Atomic uint32_t trouble;            /* errno why nothing can be written; 0: it can */
	_Alignas(64) _Atomic uint32_t sleep; /* set by the consumer, taken back by either */
	_Alignas(FWA_RING_PAGE) struct fwa_ring_receipt receipts[FWA_RING_RECEIPTS];
	uint8_t data[FWA_RING_DATA_LEN];
};
_Static_assert(sizeof(struct fwa_ring) == FWA_RING_LEN, "the layout is the interface");

/*
 * A new ring's descriptors, all close-on-exec: a memfd, sealed against another size, and two
 * eventfds. Owned by the caller. 0 or negative errno.
 */
struct fwa_ring_fds {
	int memory, doorbell, ack;
};
int fwa_ring_create(struct fwa_ring_fds *ret);
void fwa_ring_close(struct fwa_ring_fds *fds);
/*
 * Whether something is in the ring, or is said there to be lost, that is not in the journal's file yet: whoever launched a source that has
 * ended keeps its ring until this is 0, as a journald that dies needs it again. 1, 0 or negative errno.
 */
int fwa_ring_pending(const struct fwa_ring_fds *fds);

/* --- the producer's side ------------------------------------------------------------------------ */

struct fwa_ring_writer {
	struct fwa_ring *ring; /* NULL: not open */
	int doorbell, ack;     /* not owned */
	uint64_t produced;     /* its own: the shared word is only written */
	uint64_t counter;      /* of the last record */
};

/* Maps the ring of @fds, in which nothing was written yet. 0 or negative errno. */
int fwa_ring_writer_open(struct fwa_ring_writer *w, const struct fwa_ring_fds *fds);
void fwa_ring_writer_close(struct fwa_ring_writer *w);
/* How many bytes of the ring a record with a body of @len takes. */
size_t fwa_ring_need(size_t len);
/* How many are free. None for a consumer that says nonsense. */
size_t fwa_ring_room(const struct fwa_ring_writer *w);
/*
 * Puts a record in, and wakes the consumer when it has to. Its counter; 0 when there is no room.
 * @urgent: somebody waits until it is durable; its number will be in the receipts.
 */
uint64_t fwa_ring_put(struct fwa_ring_writer *w, enum fwa_record_kind kind, struct fwa_span body,
		      bool urgent);
/* The counter up to which records are on disk; 0 when the consumer says more than was put in. */
uint64_t fwa_ring_durable(const struct fwa_ring_writer *w);
/* The sequence number of the urgent record @counter that is durable; 0 when it is no more known. */
uint64_t fwa_ring_seq(const struct fwa_ring_writer *w, uint64_t counter);
/* Why the journal cannot write: an errno; 0 when it can. */
int fwa_ring_trouble(const struct fwa_ring_writer *w);
/* The sequence number of the journal's last durable record. */
uint64_t fwa_ring_head(const struct fwa_ring_writer *w);
/* Asks to be told on ack when there is more room. True when there is room for @need already. */
bool fwa_ring_ask_room(struct fwa_ring_writer *w, size_t need);
/* What could not be put in until now, and no record tells; all 0: nothing. */
void fwa_ring_set_lost(struct fwa_ring_writer *w, const struct fwa_record_unrecorded *lost);
/* Whether something is said to be; for anybody who has its first page. */
bool fwa_ring_lost(const struct fwa_ring *ring, struct fwa_record_unrecorded *ret);
/* Empties the ack eventfd; what has changed is in the words. */
void fwa_ring_acked(const struct fwa_ring_writer *w);

/* --- the consumer's side -------------------------------------------------------------------------- */

struct fwa_ring_reader {
	struct fwa_ring *ring;
	int doorbell, ack; /* owned */
	uint64_t consumed; /* its own */
	uint64_t
		counter; /* of the last record that was taken; before the first: that of the file */
	bool passing;    /* it resumes: records up to @counter are in the file already */
	uint64_t passed; /* the counter of the last one that was passed over; 0: none yet */
	bool slept, rung; /* it said so; the doorbell's count was not taken back yet */
};

/* Maps the ring; takes over doorbell and ack. @counter: the last one in the file. 0 or -errno. */
int fwa_ring_reader_open(struct fwa_ring_reader *r, const struct fwa_ring_fds *fds,
			 uint64_t counter);
void fwa_ring_reader_close(struct fwa_ring_reader *r);
/*
 * Takes the next record: copies it to @buf (FWA_RECORD_BODY_MAX bytes) and checks the copy's frame:
 * length, counter, zeroes. 1 with a record, 0 when there is none, -EPROTO when it is nonsense: the
 * source is done with. What was taken stays in the ring until fwa_ring_release().
 */
struct fwa_ring_record {
	uint8_t kind;
	bool urgent;
	uint64_t counter;
	struct fwa_span body; /* in @buf */
};
int fwa_ring_take(struct fwa_ring_reader *r, uint8_t *buf, struct fwa_ring_record *ret);
/* What was taken so far is in the file: its room is free. */
void fwa_ring_release(struct fwa_ring_reader *r);
/* What its producer, which has ended, had lost is in the file. */
void fwa_ring_lost_told(struct fwa_ring_reader *r);
/* Notes the number of an urgent record, for when it is durable. */
void fwa_ring_receipt(struct fwa_ring_reader *r, uint64_t counter, uint64_t seq);
/* All that was taken is on disk, the journal's last number is @head. Tells a producer that waits. */
void fwa_ring_publish(struct fwa_ring_reader *r, uint64_t head, bool wake);
/* Nothing can be written (an errno), or it can again (0). Tells the producer. */
void fwa_ring_set_trouble(struct fwa_ring_reader *r, int error);
/*
 * It is going to sleep, with all taken that there was; false when something came in between for which it
 * must not: anything when it is for good, else what is urgent, or much. And it is awake.
 */
bool fwa_ring_sleep(struct fwa_ring_reader *r, uint32_t how);
void fwa_ring_awake(struct fwa_ring_reader *r);
