/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A reply is believed as far as it answers the request that was sent: its id, its length and its
 * descriptor must fit; the device's bytes in it are as hostile as the device.
 */
#include "proto/client.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "base/fd.h"
#include "base/util.h"

#define DEFAULT_TIMEOUT_MS 60000u

struct fwa_client {
	int sock;
	uint64_t next_id;
	bool receipts;
	uint8_t *data; /* of a reply that came in a memfd */
	uint8_t message[FWA_GATE_REPLY_LEN + FWA_GATE_INLINE_MAX];
};

int fwa_client_from_fd(int fd, struct fwa_client **ret)
{
	struct fwa_client *c = malloc(sizeof(*c));

	if (!c) {
		close(fd);
		return -ENOMEM;
	}
	c->sock = fd;
	c->next_id = 1;
	c->data = NULL;
	c->receipts = false;
	fwa_client_set_timeout(c, DEFAULT_TIMEOUT_MS);
	*ret = c;
	return 0;
}

int fwa_client_connect(const char *path, struct fwa_client **ret)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	fwa_auto_close int fd = -1;
	size_t len = strlen(path);

	if (len >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, len);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	return fwa_client_from_fd(fwa_steal_fd(&fd), ret);
}

struct fwa_client *fwa_client_free(struct fwa_client *c)
{
	if (c) {
		close(c->sock);
		free(c->data);
		free(c);
	}
	return NULL;
}

void fwa_client_set_timeout(struct fwa_client *c, unsigned int ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	setsockopt(c->sock, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

void fwa_client_ask_receipts(struct fwa_client *c)
{
	c->receipts = true;
}

static int send_request(struct fwa_client *c, struct fwa_request *r)
{
	uint8_t header[FWA_GATE_REQUEST_LEN];
	struct fwa_writer w = fwa_writer(header, sizeof(header));
	struct fwa_span payload = r->cmd.payload;
	struct iovec parts[] = { { header, sizeof(header) },
				 { (void *)payload.data, payload.len } };
	fwa_auto_close int fd = -1;

	r->id = c->next_id++;
	r->in_len = (uint32_t)payload.len;
	r->in_memfd = payload.len > FWA_GATE_INLINE_MAX;
	if (r->in_memfd) {
		fd = fwa_memfd_sealed("fwadmit-payload", payload);
		if (fd < 0)
			return fd;
	}
	r->cmd.payload = fwa_span(NULL, 0);
	fwa_request_encode(&w, r);
	return fwa_send_message(c->sock, parts, r->in_memfd ? 1 : 2, fd);
}

/* What a gate says to all its clients when its device is unplugged: it answers any request. */
static bool is_farewell(const struct fwa_gate_reply *reply)
{
	return reply->id == 0 && reply->error == FWA_GATE_E_GONE;
}

/* The reply to request @id; @ret_data lives in the client until the next call. */
static int recv_reply(struct fwa_client *c, uint64_t id, struct fwa_gate_reply *ret,
		      struct fwa_span *ret_data)
{
	fwa_auto_close int fd = -1;
	ssize_t n = fwa_recv_message(c->sock, c->message, sizeof(c->message), &fd);
	int r;

	free(c->data);
	c->data = NULL;
	if (n == 0)
		return -ECONNRESET;
	if (n < 0)
		return n == -EAGAIN ? -ETIMEDOUT : (int)n;
	if (fwa_reply_decode(fwa_span(c->message, (size_t)n), ret, ret_data) < 0 ||
	    (ret->id != id && !is_farewell(ret)) || ret->out_memfd != (fd >= 0) ||
	    ret->out_len > FWA_GATE_DESCRIBE_MAX)
		return -EPROTO;
	if (!ret->out_memfd)
		return 0;
	r = fwa_memfd_copy(fd, ret->out_len, &c->data);
	*ret_data = fwa_span(c->data, ret->out_len);
	return r;
}

/* Sends @request; the reply, which may have come before: a gate that has ended says why. */
static int call(struct fwa_client *c, struct fwa_request *request, struct fwa_gate_reply *ret,
		struct fwa_span *ret_data)
{
	int sent = send_request(c, request), r;

	if (sent < 0 && sent != -EPIPE && sent != -ECONNRESET)
		return sent;
	r = recv_reply(c, request->id, ret, ret_data);
	if (r == -ECONNRESET) /* tells of what was not read, before what was said */
		r = recv_reply(c, request->id, ret, ret_data);
	return r < 0 && sent < 0 ? sent : r;
}

int fwa_client_describe(struct fwa_client *c, struct fwa_description *ret)
{
	struct fwa_request request = { .kind = FWA_GATE_DESCRIBE };
	struct fwa_gate_reply reply;
	struct fwa_span data;
	int r = call(c, &request, &reply, &data);

	if (r < 0)
		return r;
	if (reply.error == FWA_GATE_E_GONE)
		return -ENODEV;
	if (reply.error || fwa_description_decode(data, ret) < 0)
		return -EPROTO;
	return 0;
}

int fwa_client_submit(struct fwa_client *c, const struct fwa_command *cmd, unsigned int timeout_ms,
		      struct fwa_gate_reply *ret, struct fwa_span *ret_data)
{
	struct fwa_request request = {
		.kind = FWA_GATE_SUBMIT,
		.timeout_ms = timeout_ms,
		.receipt = c->receipts,
		.cmd = *cmd,
	};

	return call(c, &request, ret, ret_data);
}
