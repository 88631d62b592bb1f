/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Closing what others have sent. Whoever closes a file last waits for what it is: a file system of
 * the sender's own (FUSE), a connection that lingers. That goes for descriptors which came with a
 * message, and for those in messages that nobody has read when their socket is closed. So it is left
 * to a thread which does nothing else, and nobody waits for that.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* With so many, no connections should be taken any more, nor descriptors with half of them. */
#define FWA_BURIED_MAX 512u

/* Starts the thread, once in a process. Without it all is closed at once. 0 or negative errno. */
int fwa_bury_start(void);
/* Takes @fd over, which came with a message, and closes it: a memfd at once. Returns -1. */
int fwa_bury(int fd);
/*
 * Ends the connection @sock. True when nothing in it has to be waited for: it can be closed. Else it
 * is for fwa_bury(), after whoever polls it has been told that it goes.
 */
bool fwa_hang_up(int sock);
/* fwa_hang_up(), and one or the other, for what nobody polls. Returns -1. */
int fwa_bury_socket(int sock);
/* How many were taken over and are not closed yet. */
unsigned int fwa_buried(void);

/*
 * Looks at what fwa_recv_message() or recv() with as much room would take next, which stays where it
 * is. Its length, 0 at the end, or negative errno; *ret_brings: descriptors come with it.
 */
ssize_t fwa_peek(int sock, void *buf, size_t cap, bool *ret_brings);
