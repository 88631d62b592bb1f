/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the two sides of src/journal/ring.c wake each other: nobody sleeps while there is something for him
 * to do that the other one thinks he knows of. Each step here is one of theirs on a word of the shared
 * page, all sequentially consistent; data is not modelled, only how many records there are.
 *
 * The consumer sleeps on the doorbell, for good (SLEEPS) or for a while (DOZES): then only what is urgent, and
 * much, has to wake it. The producer sleeps on the ack when there is no room.
 *
 * Spin shows it for any order of the steps. That the order within each side matters is shown too: with
 * any one of these the proof fails.
 */
/* model: ring; broken: CONSUMER_LOOKS_FIRST PRODUCER_LOOKS_FIRST RELEASE_LOOKS_FIRST ROOM_LOOKS_FIRST */
#define RECORDS 6
#define ROOM 4 /* records that the ring holds */
#define HALF 2

#define AWAKE 0
#define DOZES 1
#define SLEEPS 2

/* The shared page. */
byte produced, consumed, sleep_word;
bool wants_room;
bool urgent[RECORDS];
/* The eventfds: whether they were written since they were last waited for. */
bool bell, ack;

/* What only the proof sees. */
byte taken;              /* the consumer's own position */
byte waits = AWAKE;      /* it waits, in this way */
bool putting, releasing; /* between a first step and what follows from it */
bool no_room;            /* the producer waits */

inline set_produced() {
	produced++
}

inline wake_consumer(how) {
	if
	:: how == AWAKE
	:: how == DOZES && !urgent[produced - 1] && produced - consumed < HALF
	:: else ->
		if
		:: atomic { sleep_word == how -> sleep_word = AWAKE }; bell = true
		:: atomic { sleep_word != how -> skip }
		fi
	fi
}

active proctype producer() {
	byte how;

	do
	:: produced == RECORDS -> break
	:: else ->
		do
		:: produced - consumed < ROOM -> break
		:: else ->
#ifdef ROOM_LOOKS_FIRST
			if
			:: produced - consumed < ROOM
			:: else -> wants_room = true; no_room = true; atomic { ack -> ack = false; no_room = false }
			fi
#else
			wants_room = true;
			if
			:: produced - consumed < ROOM -> wants_room = false
			:: else -> no_room = true; atomic { ack -> ack = false; no_room = false }
			fi
#endif
		od;
		if
		:: urgent[produced] = true
		:: skip
		fi;
		putting = true;
#ifdef PRODUCER_LOOKS_FIRST
		how = sleep_word;
		set_produced();
#else
		set_produced();
		how = sleep_word;
#endif
		wake_consumer(how);
		how = AWAKE;
		putting = false
	od
}

inline tell_producer() {
	bool wants;

	atomic { wants = wants_room; wants_room = false };
	if
	:: wants -> ack = true
	:: else
	fi;
	wants = false
}

/* Whether there is something for which it must not sleep as it says. */
inline look(how, found) {
	byte at = taken, until = produced;

	found = how == SLEEPS && until != at || how == DOZES && until - at >= HALF;
	do
	:: how == DOZES && at < until -> found = found || urgent[at]; at++
	:: else -> break
	od;
	at = 0;
	until = 0
}

active proctype consumer() {
	byte how;
	bool found;

end:	do
	:: 	do
		:: taken < produced -> taken++
		:: else -> break
		od;
		releasing = true;
#ifdef RELEASE_LOOKS_FIRST
		tell_producer();
		consumed = taken;
#else
		consumed = taken;
		tell_producer();
#endif
		releasing = false;
		if
		:: how = DOZES
		:: how = SLEEPS
		fi;
#ifdef CONSUMER_LOOKS_FIRST
		look(how, found);
		sleep_word = how;
#else
		sleep_word = how;
		look(how, found);
#endif
		if
		:: found
		:: else ->
			waits = how;
end_asleep:		if
			:: atomic { bell -> bell = false; waits = AWAKE }
			:: atomic { how == DOZES -> waits = AWAKE } /* it has dozed long enough */
			fi
		fi;
		sleep_word = AWAKE;
		how = AWAKE;
		found = false
	od
}

#define URGENT_AT(n) (n >= taken && n < produced && urgent[n])
#define ANY_URGENT (URGENT_AT(0) || URGENT_AT(1) || URGENT_AT(2) || URGENT_AT(3) || URGENT_AT(4) || URGENT_AT(5))

#define OVERSLEPT (!putting && !bell && (waits == SLEEPS && produced != taken || \
	waits == DOZES && (ANY_URGENT || produced - taken >= HALF)))
#define STUCK (no_room && !ack && !releasing && produced - consumed < ROOM)

ltl nobody_sleeps_in_vain { [] !(OVERSLEPT || STUCK) }
