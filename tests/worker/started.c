/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "started.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "host/launch.h"
#include "host/policy-file.h"

static const char policy[] = "[grant all]\nuser = *\ndevice = *\nscope = debug-write-full\n"
			     "effects = config-cold-reset, config, data, policy, log, security, "
			     "background, config-conv-reset, config-cxl-reset, exclusive, "
			     "namespace-capability, namespace-inventory, controller-capability\n"
			     "[grant old]\nuser = *\ndevice = *\nscope = configuration\n"
			     "firmware = 1.0.0\nticket = old\n";

/* A socket that listens under a name of the kernel's own choice, as the daemon's do under a path. */
static int listening(struct sockaddr_un *address, socklen_t *len)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	*len = sizeof(*address);
	assert_int_equal(bind(fd, (struct sockaddr *)address, sizeof(sa_family_t)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, len), 0);
	return fd;
}

/* A client that the kernel says to be @uid. */
static int connected(const struct sockaddr_un *address, socklen_t len, uid_t uid)
{
	bool other = geteuid() == 0 && uid;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (other)
		assert_int_equal(seteuid(uid), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)address, len), 0);
	if (other)
		assert_int_equal(seteuid(0), 0);
	return fd;
}

static int policy_fd(const char *spec)
{
	struct fwa_policy_files *files = NULL;
	int fd;

	assert_int_equal(fwa_policy_files_parse_memory("policy",
						       fwa_span(policy, sizeof(policy) - 1), NULL,
						       NULL, &files),
			 0);
	fd = fwa_policy_files_compile(files, "dev", spec);
	fwa_policy_files_free(files);
	assert_true(fd >= 0);
	return fd;
}

struct started start_as(const char *spec, unsigned int limit_ms, uid_t uid)
{
	struct started s = { .control = -1, .profile_fd = -1, .declarations_fd = -1 };
	fwa_auto_close int fd = policy_fd(spec);
	struct fwa_launch l = { .name = "dev",
				.spec = spec,
				.device_fd = -1,
				.client_fd = -1,
				.policy_fd = fd,
				.device_timeout_ms = limit_ms };
	struct sockaddr_un address;
	socklen_t len;

	l.listen_fd = listening(&address, &len);
	assert_int_equal(fwa_launch_worker(&l, &s.pid, &s.control), 0);
	assert_int_equal(fwa_client_from_fd(connected(&address, len, uid), &s.client), 0);
	close(l.listen_fd);
	fwa_client_set_timeout(s.client, PATIENCE_MS);
	return s;
}

struct started start(const char *spec)
{
	return start_as(spec, 0, NOBODY);
}

void stop(struct started *s)
{
	int status;

	fwa_client_free(s->client);
	fwa_close(s->control);
	fwa_close(s->profile_fd);
	fwa_close(s->declarations_fd);
	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

bool says_something(struct started *s, int ms)
{
	struct pollfd p = { .fd = s->control, .events = POLLIN };
	uint8_t kind[2];
	uint16_t got;
	int fd;

	while (poll(&p, 1, ms) == 1) {
		if (recv(s->control, kind, sizeof(kind), MSG_PEEK) != sizeof(kind) ||
		    fwa_le16(kind) != FWA_CONTROL_STATE)
			return true;
		assert_int_equal(fwa_control_recv(s->control, &got, s->text, &fd), 0);
	}
	return false;
}

void expect(struct started *s, uint16_t kind, int *ret_fd)
{
	uint16_t got = 0;
	int fd = -1;

	assert_true(says_something(s, PATIENCE_MS));
	assert_int_equal(fwa_control_recv(s->control, &got, s->text, &fd), 0);
	assert_int_equal(got, kind);
	assert_int_equal(fd >= 0, ret_fd != NULL);
	if (ret_fd) {
		fwa_close(*ret_fd);
		*ret_fd = fd;
	}
}

void expect_profile(struct started *s)
{
	expect(s, FWA_CONTROL_IDENTITY, &s->profile_fd);
	assert_int_equal(fwa_identified_parse(s->text, &s->who), 0);
	expect(s, FWA_CONTROL_DECLARATIONS, &s->declarations_fd);
}

void say(const struct started *s, enum fwa_control_kind kind, const char *text, int fd)
{
	assert_int_equal(fwa_control_send(s->control, kind, text, fd), 0);
}

struct started start_with(const char *spec, const char *source, int fd)
{
	struct started s = start(spec);

	expect_profile(&s);
	say(&s, FWA_CONTROL_BASELINE, source, fd);
	expect(&s, FWA_CONTROL_READY, NULL);
	return s;
}

/* --- commands ------------------------------------------------------------------------------- */

struct fwa_gate_reply submit_for(struct started *s, uint16_t opcode, struct fwa_span payload,
				 unsigned int timeout_ms)
{
	struct fwa_command cmd = { .set = FWA_SET_CXL,
				   .opcode = opcode,
				   .scope = FWA_SCOPE_LEAST,
				   .payload = payload,
				   .out_len = 4096 };
	struct fwa_gate_reply reply;
	struct fwa_span data;

	assert_int_equal(fwa_client_submit(s->client, &cmd, timeout_ms, &reply, &data), 0);
	return reply;
}

struct fwa_gate_reply submit(struct started *s, uint16_t opcode)
{
	uint8_t payload[16] = { 0 };
	bool writes = opcode == SET_LSA;

	return submit_for(s, opcode, fwa_span(payload, writes ? sizeof(payload) : 0), 0);
}

void expect_reason(struct started *s, uint16_t opcode, enum fwa_reason reason,
		   enum fwa_detail detail)
{
	struct fwa_gate_reply r = submit(s, opcode);

	assert_int_equal(r.decision.reason, reason);
	assert_int_equal(r.decision.detail, detail);
}

void load_firmware(struct started *s, uint32_t flags, uint16_t opcode, uint16_t effects,
		   const char *revision)
{
	uint8_t payload[128 + 32] = { 0, 2 }, *head = payload + 128;
	struct fwa_gate_reply r;

	memcpy(head, "SIMFWPKG", 8);
	fwa_put_le32(head + 8, flags);
	fwa_put_le16(head + 12, opcode);
	fwa_put_le16(head + 14, effects);
	memcpy(head + 16, revision, strlen(revision));
	r = submit_for(s, CXL_OP_TRANSFER_FW, fwa_span(payload, sizeof(payload)), 0);
	assert_int_equal(r.status, FWA_OUTCOME_COMPLETED);
}

void activate(struct started *s)
{
	uint8_t payload[2] = { 0, 2 };
	struct fwa_gate_reply r;

	r = submit_for(s, CXL_OP_ACTIVATE_FW, fwa_span(payload, sizeof(payload)), 0);
	assert_int_equal(r.status, FWA_OUTCOME_COMPLETED);
}
