/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two pipes: one for the document, one for what it says for people. The program read a device's bytes, so
 * neither reaches a terminal as it is.
 */
#include "cli/verifier.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/document.h"
#include "host/program.h"

#define OUT_FD FWA_PROGRAM_FIRST
#define PIECE 65536
#define SPEAKER "fwadmit-verify: " /* what begins a line of its own */

/* --- its arguments ---------------------------------------------------------------------------- */

static void append(struct cli_verifier *v, char *text)
{
	if (!text || v->n == CLI_VERIFIER_ARGS_MAX) {
		v->failed = true;
		free(text);
		return;
	}
	v->argv[v->n++] = text;
}

void cli_verifier_add(struct cli_verifier *v, const char *name, const char *value)
{
	char *option;

	append(v, asprintf(&option, "--%s", name) < 0 ? NULL : option);
	if (value)
		append(v, strdup(value));
}

void cli_verifier_addf(struct cli_verifier *v, const char *name, const char *format, ...)
{
	char text[64];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	cli_verifier_add(v, name, text);
}

void cli_verifier_free(struct cli_verifier *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->argv[i]);
	*v = (struct cli_verifier){ 0 };
}

/* --- what it writes --------------------------------------------------------------------------- */

struct reading {
	struct cli_verifier *v;
	int document, said; /* -1: it has ended */
	uint8_t *data;
	size_t len, room;
	char line[FWA_ERROR_LEN]; /* the one that it is saying */
	size_t line_len;
};

static int read_document(struct reading *r)
{
	ssize_t n;

	if (r->room - r->len < PIECE) {
		size_t room = r->room ? 2 * r->room : 4 * PIECE;
		uint8_t *data = realloc(r->data, room);

		if (!data)
			return -ENOMEM;
		r->data = data;
		r->room = room;
	}
	n = read(r->document, r->data + r->len, PIECE);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (n == 0)
		r->document = -1;
	r->len += (size_t)n;
	return r->len > CLI_DOCUMENT_MAX ? -EFBIG : 0;
}

/* What a terminal shows while it runs is one line, replaced by the next; what it says itself stays. */
static void show(const struct reading *r)
{
	struct winsize size;
	int width =
		ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col - 1 : 79;

	if (strncmp(r->line, SPEAKER, strlen(SPEAKER)) == 0)
		fprintf(stderr, "\r\033[Kfwadmit: %s\n", r->line + strlen(SPEAKER));
	else
		fprintf(stderr, "\r\033[K%.*s", width, r->line);
	fflush(stderr);
}

/* The last line that it said itself, and not of its progress, is kept. */
static void end_line(struct reading *r)
{
	r->line[r->line_len] = '\0';
	fwa_make_printable(r->line);
	if (r->line_len && r->v->progress)
		show(r);
	if (strncmp(r->line, SPEAKER, strlen(SPEAKER)) == 0)
		strcpy(r->v->said, r->line + strlen(SPEAKER));
	r->line_len = 0;
}

static void read_said(struct reading *r)
{
	char text[512];
	ssize_t n = read(r->said, text, sizeof(text));

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0)
		r->said = -1;
	for (ssize_t i = 0; i < n; i++) {
		if (text[i] == '\n')
			end_line(r);
		else if (r->line_len < sizeof(r->line) - 1)
			r->line[r->line_len++] = text[i];
	}
}

static int read_all(struct reading *r)
{
	int result = 0;

	while (result == 0 && (r->document >= 0 || r->said >= 0)) {
		struct pollfd p[] = { { .fd = r->document, .events = POLLIN },
				      { .fd = r->said, .events = POLLIN } };

		if (poll(p, FWA_ARRAY_SIZE(p), -1) < 0) {
			result = errno == EINTR ? 0 : -errno;
			continue;
		}
		if (p[1].revents)
			read_said(r);
		if (p[0].revents)
			result = read_document(r);
	}
	end_line(r);
	if (r->v->progress)
		fputs("\r\033[K", stderr);
	return result;
}

/* --- signals ---------------------------------------------------------------------------------- */

/* The one that runs, for the handler; 0: none. */
static volatile sig_atomic_t running;

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

/* Who ends this program ends the campaign, whose document still comes. */
static void on_end(int signal)
{
	if (running)
		kill((pid_t)running, SIGTERM);
}

/* A terminal's interrupt reaches it without us. */
static void take_signals(struct sigaction before[3])
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, end = { .sa_handler = on_end };

	for (size_t i = 0; i < FWA_ARRAY_SIZE(signals); i++)
		sigaction(signals[i], signals[i] == SIGINT ? &ignore : &end, &before[i]);
}

static void give_signals_back(const struct sigaction before[3])
{
	for (size_t i = 0; i < FWA_ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &before[i], NULL);
}

/* --- the program ------------------------------------------------------------------------------ */

static int start(struct cli_verifier *v, int document, int said, pid_t *ret,
		 char error[FWA_ERROR_LEN])
{
	char name[] = "fwadmit-verify", path[PATH_MAX];
	char *argv[CLI_VERIFIER_ARGS_MAX + 2] = { name };
	struct fwa_program p = {
		.path = path, .argv = argv, .fds = &document, .n_fds = 1, .err_fd = &said
	};
	int r = fwa_program_find("fwadmit-verify", "FWADMIT_VERIFY", path);

	memcpy(argv + 1, v->argv, sizeof(v->argv));
	if (r == 0)
		r = fwa_program_start(&p, ret);
	if (r < 0)
		return fwa_fail(error, r, "cannot start fwadmit-verify: %s", strerror(-r));
	return 0;
}

static int parse(const struct reading *r, struct json_object **ret, char error[FWA_ERROR_LEN])
{
	char why[FWA_ERROR_LEN] = "";

	if (!r->len)
		return 0;
	*ret = cli_document_parse(fwa_span(r->data, r->len), why);
	if (*ret)
		return 0;
	return fwa_fail(error, -EPROTO, "fwadmit-verify wrote what is no document: %.160s", why);
}

static int see_off(struct cli_verifier *v, pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	v->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return 0;
}

static int run(struct cli_verifier *v, struct reading *r, int document, int said,
	       char error[FWA_ERROR_LEN])
{
	pid_t pid;
	int result;

	result = start(v, document, said, &pid, error);
	/* or the ends of the pipes are never seen */
	fwa_close(document);
	fwa_close(said);
	if (result < 0)
		return result;
	running = pid;
	result = read_all(r);
	if (result < 0)
		kill(pid, SIGKILL);
	see_off(v, pid);
	running = 0;
	if (result == -EFBIG)
		return fwa_fail(error, result, "fwadmit-verify wrote more than %u bytes",
				CLI_DOCUMENT_MAX);
	if (result < 0)
		return fwa_fail(error, result, "fwadmit-verify: %s", strerror(-result));
	return 0;
}

int cli_verifier_run(struct cli_verifier *v, struct json_object **ret, char error[FWA_ERROR_LEN])
{
	fwa_auto_close int document = -1, said = -1;
	struct reading r = { .v = v };
	struct sigaction before[3];
	int out[2], err[2], result;

	*ret = NULL;
	cli_verifier_addf(v, "out-fd", "%d", OUT_FD);
	if (v->failed)
		return fwa_fail(error, -ENOMEM, "out of memory");
	if (pipe2(out, O_CLOEXEC) < 0)
		return fwa_fail(error, -errno, "cannot make a pipe: %s", strerror(errno));
	document = r.document = out[0];
	if (pipe2(err, O_CLOEXEC) < 0) {
		fwa_close(out[1]);
		return fwa_fail(error, -errno, "cannot make a pipe: %s", strerror(errno));
	}
	said = r.said = err[0];
	take_signals(before);
	result = run(v, &r, out[1], err[1], error);
	give_signals_back(before);
	if (result == 0)
		result = parse(&r, ret, error);
	free(r.data);
	return result;
}
