/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients: who of them may stay, and their requests.
 */
#include "worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/bury.h"
#include "base/fd.h"
#include "base/pattern.h"
#include "base/util.h"

/* --- beginning and end ------------------------------------------------------------------------ */

static bool has_place(const struct worker *w, uid_t uid)
{
	if (uid == 0)
		return w->n_sessions < SESSIONS_MAX;
	return w->n_sessions < SESSIONS_MAX - SESSIONS_FOR_ROOT &&
	       queue_sessions(&w->queue, uid) < SESSIONS_PER_UID;
}

/*
 * Requests are told for as long as there are any: one that is served at once costs no system call
 * more. Where a session waits for something else only its end is told, and that once: EPOLLHUP cannot
 * be turned off, and would be told for ever.
 */
static int arm(const struct worker *w, struct session *s, int op, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = s };

	s->listening = events & EPOLLIN;
	return epoll_ctl(w->epoll, op, s->sock, &e) < 0 ? -errno : 0;
}

void session_listen(struct worker *w, struct session *s)
{
	if (!s->listening && arm(w, s, EPOLL_CTL_MOD, EPOLLIN) < 0)
		session_end(w, s);
}

void session_watch_end(struct worker *w, struct session *s)
{
	if (s->listening && arm(w, s, EPOLL_CTL_MOD, EPOLLONESHOT) < 0)
		session_end(w, s);
}

static int enter(struct worker *w, struct session *s)
{
	int r = session_identify(w, s);

	if (r < 0)
		return r;
	if (!has_place(w, s->who.uid))
		return -EUSERS;
	s->turn.peer = queue_enter(&w->queue, s->who.uid);
	if (!s->turn.peer)
		return -ENOMEM;
	r = arm(w, s, EPOLL_CTL_ADD, EPOLLIN);
	if (r < 0)
		queue_leave(s->turn.peer);
	return r;
}

/* Anybody can be turned away as often as he likes: one line a second is enough. */
/*= spec/SECURITY-MODEL.md#C26 */
static void note_turned_away(struct worker *w, const struct session *s, int error)
{
	uint64_t now = fwa_clock_ns(CLOCK_MONOTONIC);
	char text[IDENTITY_TEXT_LEN];

	w->n_turned_away++;
	if (w->turned_away_logged && now - w->turned_away_logged < FWA_NS_PER_S)
		return;
	worker_log(w, "a client is turned away (%s): %s; %llu until now", identity_text(s, text),
		   error == -EUSERS ? "too many connections" : strerror(-error),
		   (unsigned long long)w->n_turned_away);
	w->turned_away_logged = now;
}

struct session *session_new(struct worker *w, int sock)
{
	struct session *s = calloc(1, sizeof(*s));
	int r;

	if (!s) {
		close(sock);
		return NULL;
	}
	s->sock = sock;
	r = enter(w, s);
	if (r < 0) {
		note_turned_away(w, s, r);
		session_free(w, s);
		return NULL;
	}
	fwa_list_init(&s->turn.link);
	fwa_list_append(&w->sessions, &s->link);
	w->n_sessions++;
	s->id = ++w->last_session;
	state_changed(w);
	return s;
}

void session_end(struct worker *w, struct session *s)
{
	if (s->dead)
		return;
	s->dead = true;
	fwa_list_remove(&s->link);
	fwa_list_append(&w->dead, &s->link);
	w->n_sessions--;
	queue_withdraw(&s->turn);
	if (s->job)
		job_abandon(w, s->job);
	queue_leave(s->turn.peer);
	lease_leave(w, s);
	s->held = holdings_free(s->held); /* its seats are free from now on */
}

void session_free(struct worker *w, struct session *s)
{
	if (fwa_hang_up(s->sock)) {
		close(s->sock);
	} else {
		epoll_ctl(w->epoll, EPOLL_CTL_DEL, s->sock, NULL);
		fwa_bury(s->sock);
	}
	free((void *)s->who.groups);
	free((void *)s->who.unit);
	free(s->label);
	free(s->rights);
	free(s);
}

/* --- rights ----------------------------------------------------------------------------------- */

static size_t rights_len(const struct fwa_rights *r)
{
	return offsetof(struct fwa_rights, right) + r->n * sizeof(r->right[0]);
}

bool session_fold(struct worker *w, struct session *s)
{
	static struct fwa_rights all; /* there is room for many more than a user has */

	if (s->rights)
		return true;
	fwa_policy_fold(&w->policy, &s->who, &w->profile, fwa_pattern_matches, &all);
	s->rights = malloc(rights_len(&all));
	if (!s->rights)
		return false;
	memcpy(s->rights, &all, rights_len(&all));
	if (!holdings_renew(&w->accounts, s->who.uid, &w->policy, s->rights, worker_now(),
			    &s->held)) {
		session_unfold(s);
		return false;
	}
	if (all.overflow)
		worker_log(w,
			   "uid %u has more than %d grants of which none contains another: the "
			   "rest is ignored",
			   s->who.uid, FWA_RIGHTS_MAX);
	return true;
}

void session_unfold(struct session *s)
{
	free(s->rights);
	s->rights = NULL;
}

void sessions_unfold(struct worker *w)
{
	fwa_list_each(at, following, &w->sessions)
	{
		session_unfold(fwa_list_entry(at, struct session, link));
	}
}

/* --- replies -------------------------------------------------------------------------------- */

/* Whether an earlier reply was not taken yet. */
static bool owes_reading(const struct session *s)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(info);

	return getsockopt(s->sock, SOL_SOCKET, SO_MEMINFO, info, &len) < 0 ||
	       info[SK_MEMINFO_WMEM_ALLOC];
}

/*
 * Never waits for a client that does not read: such a client is over. The socket bounds what waits
 * for it, but not what memfds hold: of these only one may wait.
 */
/*= spec/SECURITY-MODEL.md#C26 */
static bool send_reply(struct session *s, struct fwa_gate_reply *reply, struct fwa_span data)
{
	uint8_t header[FWA_GATE_REPLY_LEN];
	struct fwa_writer w = fwa_writer(header, sizeof(header));
	struct iovec parts[] = { { header, sizeof(header) }, { (void *)data.data, data.len } };
	fwa_auto_close int fd = -1;

	reply->out_len = (uint32_t)data.len;
	reply->out_memfd = data.len > FWA_GATE_INLINE_MAX;
	if (reply->out_memfd) {
		if (owes_reading(s))
			return false;
		fd = fwa_memfd_sealed("fwadmit-reply", data);
		if (fd < 0)
			return false;
	}
	fwa_reply_encode(&w, reply);
	return fwa_send_message(s->sock, parts, reply->out_memfd ? 1 : 2, fd) == 0;
}

static bool send_error(struct session *s, const struct fwa_request *r, enum fwa_gate_error error)
{
	struct fwa_gate_reply reply = { .kind = r->kind, .id = r->id, .error = (uint16_t)error };

	return send_reply(s, &reply, fwa_span(NULL, 0));
}

void session_farewell(struct worker *w, struct session *s)
{
	const struct job *j = s->job;
	struct fwa_gate_reply reply = { .kind = j ? j->reply.kind : FWA_GATE_SUBMIT,
					.id = j ? j->reply.id : 0,
					.error = FWA_GATE_E_GONE };

	if (j && j->stage == JOB_RUNNING && j->wait.class != JOB_READ)
		return;                /* under way: it has an outcome of its own (C27) */
	if (j && j->stage == JOB_HELD) /* it has one already */
		job_release(w, s->job);
	else
		send_reply(s, &reply, fwa_span(NULL, 0));
	session_end(w, s);
}

/* --- requests ------------------------------------------------------------------------------- */

static void name_grants(const struct worker *w, struct fwa_description *d)
{
	struct fwa_grant g;

	for (uint32_t i = 0; i < d->rights.n; i++) {
		if (!fwa_policy_grant(&w->policy, d->rights.right[i].grant, &g))
			continue;
		memcpy(d->grant_names[i], g.name, sizeof(g.name));
		strncpy(d->tickets[i], fwa_policy_text(&w->policy, g.ticket),
			sizeof(d->tickets[i]) - 1);
	}
}

static bool serve_describe(struct worker *w, struct session *s, const struct fwa_request *r)
{
	size_t cap = FWA_GATE_DESCRIBE_MAX;
	fwa_auto_free uint8_t *buf = malloc(cap), *advisories = NULL;
	struct fwa_writer out = fwa_writer(buf, buf ? cap : 0), table;
	struct fwa_gate_reply reply = { .kind = r->kind, .id = r->id };
	uint64_t now = worker_now();
	struct fwa_description d = {
		.contract = worker_contract(w, s, now),
		.now = now,
		.profile = w->profile.encoded,
		.baseline = w->profiling.state,
		.drift_binds = s->who.uid != 0,
		.accepted = fwa_span(w->profiling.accepted, w->profiling.accepted_len),
	};

	memcpy(&d.rights, s->rights, rights_len(s->rights));
	strncpy(d.name, w->name, sizeof(d.name) - 1);
	name_grants(w, &d);
	identity_tell(s, &d.caller);
	if (w->policy.digest)
		memcpy(d.policy_digest, w->policy.digest, sizeof(d.policy_digest));
	if (w->advising.advice.n) {
		advisories = malloc(FWA_GATE_ADVISORIES_MAX);
		table = fwa_writer(advisories, advisories ? FWA_GATE_ADVISORIES_MAX : 0);
		advice_write(w, &table);
		d.advisories = fwa_span(table.buf, table.len);
		out.full = table.full;
	}
	fwa_description_encode(&out, &d);
	if (out.full)
		return send_error(s, r, FWA_GATE_E_MEMORY);
	return send_reply(s, &reply, fwa_span(buf, out.len));
}

bool session_answer(struct worker *w, struct job *j, enum fwa_gate_error error)
{
	struct fwa_gate_reply *reply = &j->reply;

	if (!error)
		return send_reply(j->session, reply, fwa_span(j->answer.out, reply->out_len));
	*reply = (struct fwa_gate_reply){ .kind = reply->kind,
					  .id = reply->id,
					  .error = (uint16_t)error };
	return send_reply(j->session, reply, fwa_span(NULL, 0));
}

static bool serve_submit(struct worker *w, struct session *s, const struct fwa_request *r,
			 uint8_t **payload)
{
	struct job j = {
		.worker = w,
		.session = s,
		.owner = s->id,
		.uid = s->who.uid,
		.pid = s->pid,
		.cmd = r->cmd,
		.receipt = r->receipt,
		.payload = fwa_steal(*payload),
		.timeout_ms = r->timeout_ms,
		.reply = { .kind = r->kind, .id = r->id },
	};
	bool stays = job_take(w, &j);

	free(j.payload);
	return stays;
}

/* Fetches a payload that came in a memfd: copied once, into memory that only we hold. */
/*= spec/SECURITY-MODEL.md#C17 */
static enum fwa_gate_error fetch_payload(struct fwa_request *r, int fd, uint8_t **ret_copy)
{
	int e;

	if (!r->in_memfd)
		return fd >= 0 ? FWA_GATE_E_PAYLOAD : FWA_GATE_OK;
	if (fd < 0)
		return FWA_GATE_E_PAYLOAD;
	e = fwa_memfd_copy(fd, r->in_len, ret_copy);
	if (e < 0)
		return e == -ENOMEM ? FWA_GATE_E_MEMORY : FWA_GATE_E_PAYLOAD;
	r->cmd.payload = fwa_span(*ret_copy, r->in_len);
	return FWA_GATE_OK;
}

static bool serve_request(struct worker *w, struct session *s, struct fwa_request *r, int fd)
{
	fwa_auto_free uint8_t *copy = NULL;
	enum fwa_gate_error error = w->gone ? FWA_GATE_E_GONE : fetch_payload(r, fd, &copy);

	if (error)
		return send_error(s, r, error);
	if (r->kind == FWA_GATE_DESCRIBE)
		return serve_describe(w, s, r);
	return serve_submit(w, s, r, &copy);
}

/*
 * To close a descriptor can wait for whoever sent it (C26): from somebody without any grant none is
 * taken, and from nobody while there are many left to be closed. What such a one sends is looked at,
 * and the connection is over.
 */
/*= spec/SECURITY-MODEL.md#C26 */
static bool may_bring(const struct session *s)
{
	return s->rights->n_matched && fwa_buried() < FWA_BURIED_MAX / 2;
}

/* False when the message, of which that was said, is no more to be taken. */
static bool without_descriptors(struct session *s, uint8_t *message, size_t cap)
{
	struct fwa_request r = { 0 };
	bool brings;
	ssize_t n = fwa_peek(s->sock, message, cap, &brings);

	if (!brings)
		return true;
	if (fwa_request_decode(fwa_span(message, n > 0 ? (size_t)n : 0), &r) == FWA_GATE_OK)
		send_error(s, &r, FWA_GATE_E_PAYLOAD);
	return false;
}

bool session_serve(struct worker *w, struct session *s)
{
	/* One message at a time in one process: static, so that no client's request costs a page more. */
	static uint8_t message[FWA_GATE_REQUEST_LEN + FWA_GATE_INLINE_MAX];
	struct fwa_request r = { 0 };
	enum fwa_gate_error error;
	int fd = -1;
	bool stays;
	ssize_t n;

	if (!session_fold(w, s))
		return false;
	if (may_bring(s))
		n = fwa_recv_message(s->sock, message, sizeof(message), &fd);
	else if (without_descriptors(s, message, sizeof(message)))
		n = fwa_recv_message(s->sock, message, sizeof(message), NULL);
	else
		return false;
	if (n == -EAGAIN)
		return true;
	if (n == 0 || (n < 0 && n != -EMSGSIZE && n != -EPROTO)) {
		fwa_bury(fd);
		return false;
	}
	if (n < 0) {
		send_error(s, &r, FWA_GATE_E_MALFORMED);
		return false;
	}
	error = fwa_request_decode(fwa_span(message, (size_t)n), &r);
	if (error == FWA_GATE_OK)
		stays = serve_request(w, s, &r, fd);
	else /* after a message that is no request nothing says where the next one begins */
		stays = send_error(s, &r, error) && error != FWA_GATE_E_MALFORMED;
	fwa_bury(fd);
	return stays;
}
