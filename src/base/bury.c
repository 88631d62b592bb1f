/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/bury.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/thread.h"

/* As many descriptors as a process of ours may have; one that finds no place stays open. */
#define PLACES 4096u
#define STACK_LEN (64u * 1024)
/* Unread messages of one connection that are looked at. */
#define UNREAD_MAX 1024

static struct {
	pthread_mutex_t lock;
	pthread_cond_t work;
	bool started;
	unsigned int first, n; /* the one at first is being closed, or is the next */
	int fd[PLACES];
} graves = { .lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER };

static void *run(void *arg)
{
	pthread_mutex_lock(&graves.lock);
	graves.started = true;
	pthread_cond_broadcast(&graves.work);
	for (;;) {
		int fd;

		while (!graves.n)
			pthread_cond_wait(&graves.work, &graves.lock);
		fd = graves.fd[graves.first];
		pthread_mutex_unlock(&graves.lock);
		close(fd);
		pthread_mutex_lock(&graves.lock);
		graves.first = (graves.first + 1) % PLACES;
		graves.n--;
	}
	return NULL;
}

int fwa_bury_start(void)
{
	int r = fwa_thread_start(STACK_LEN, run, NULL);

	if (r < 0)
		return r;
	/* A thread's own beginning makes system calls that a sandbox may not allow later. */
	pthread_mutex_lock(&graves.lock);
	while (!graves.started)
		pthread_cond_wait(&graves.work, &graves.lock);
	pthread_mutex_unlock(&graves.lock);
	return 0;
}

static void take(int fd)
{
	pthread_mutex_lock(&graves.lock);
	if (graves.n < PLACES) {
		graves.fd[(graves.first + graves.n++) % PLACES] = fd;
		pthread_cond_broadcast(&graves.work);
	}
	pthread_mutex_unlock(&graves.lock);
}

int fwa_bury(int fd)
{
	if (fd < 0)
		return -1;
	/* Memory has seals, and nobody who could be asked. */
	if (!graves.started || fcntl(fd, F_GET_SEALS) >= 0)
		close(fd);
	else
		take(fd);
	return -1;
}

unsigned int fwa_buried(void)
{
	unsigned int n;

	pthread_mutex_lock(&graves.lock);
	n = graves.n;
	pthread_mutex_unlock(&graves.lock);
	return n;
}

/* --- looking ------------------------------------------------------------------------------------ */

/* Descriptors that find no room are only told of: the kernel's copies of them are not the last. */
static ssize_t peek(int sock, struct msghdr *m)
{
	ssize_t n;

	do
		n = recvmsg(sock, m, MSG_PEEK | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

ssize_t fwa_peek(int sock, void *buf, size_t cap, bool *ret_brings)
{
	struct iovec part = { buf, cap };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t n = peek(sock, &m);

	*ret_brings = n >= 0 && m.msg_flags & MSG_CTRUNC;
	return n;
}

enum unread {
	UNREAD_NONE,
	UNREAD_DATA,
	UNREAD_DESCRIPTORS,
};

/* With SO_PASSCRED: who sent it says that there is a message, also where it may be @empty. */
static enum unread look(int sock, bool empty)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	char byte;
	struct iovec part = { &byte, 1 };
	struct msghdr m = { .msg_iov = &part,
			    .msg_iovlen = 1,
			    .msg_control = control.buf,
			    .msg_controllen = sizeof(control.buf) };
	ssize_t n;

	n = peek(sock, &m);
	if (n < 0 || !m.msg_controllen || (n == 0 && !empty))
		return UNREAD_NONE;
	return m.msg_flags & MSG_CTRUNC ? UNREAD_DESCRIPTORS : UNREAD_DATA;
}

/*= spec/SECURITY-MODEL.md#C26 */
bool fwa_hang_up(int sock)
{
	socklen_t len = sizeof(int);
	const int one = 1;
	int type;
	char byte;

	if (!graves.started)
		return true;
	/* Nothing comes after this: what is there is all that will be. */
	if (shutdown(sock, SHUT_RDWR) < 0 && errno != ENOTCONN)
		return false;
	if (getsockopt(sock, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
	    setsockopt(sock, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) < 0)
		return false;
	for (int i = 0; i < UNREAD_MAX; i++) {
		enum unread unread = look(sock, type != SOCK_STREAM);

		if (unread != UNREAD_DATA)
			return unread == UNREAD_NONE;
		if (recv(sock, &byte, 1, MSG_DONTWAIT) < 0)
			return false;
	}
	return false;
}

int fwa_bury_socket(int sock)
{
	if (sock < 0)
		return -1;
	if (!fwa_hang_up(sock))
		return fwa_bury(sock);
	close(sock);
	return -1;
}
