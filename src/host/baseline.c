/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Baselines as files: NAME below the folder of the administrator's, of the accepted ones, and of
 * those that were seen first.
 */
#include "host/baseline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/number.h"
#include "base/util.h"
#include "core/drift.h"
#include "host/state.h"
#include "proto/control.h"

#define LINES 6
#define KEY_TEXTS 4

static const char *const source_names[FWA_BASELINE_SOURCE_COUNT] = {
	"none", "seen", "accepted", "pinned", "required",
};

const char *fwa_baseline_source_name(unsigned int source)
{
	return source < FWA_BASELINE_SOURCE_COUNT ? source_names[source] : NULL;
}

const char *fwa_pinned_dir(void)
{
	const char *override = secure_getenv("FWADMIT_PINNED_DIR");

	return override && *override ? override : FWA_BASELINE_PINNED_DIR;
}

/* --- who ------------------------------------------------------------------------------------ */

/* Takes one line of @text into @line, cleaned; what follows it, or NULL when it is too long. */
static const char *take_line(const char *text, char line[FWA_TEXT_MAX])
{
	size_t len = strcspn(text, "\n");

	if (len >= FWA_TEXT_MAX)
		return NULL;
	fwa_text_clean(line, text, len);
	return text + len + (text[len] == '\n');
}

int fwa_identified_parse(const char *text, struct fwa_identified *ret)
{
	struct fwa_identified who = { 0 };
	char commands[FWA_TEXT_MAX];
	char *const lines[LINES] = { who.family,    who.id.vendor,   who.id.model,
				     who.id.serial, who.id.firmware, commands };
	uint64_t n;

	for (int i = 0; i < LINES; i++) {
		text = take_line(text, lines[i]);
		if (!text)
			return -EPROTO;
	}
	if (*text || !who.family[0] || !fwa_parse_number(commands, UINT32_MAX, &n))
		return -EPROTO;
	who.commands = (uint32_t)n;
	*ret = who;
	return 0;
}

/* Of @texts, each ended with its NUL. */
static void digest(const char *const texts[KEY_TEXTS], char name[FWA_DIGEST_TEXT])
{
	uint8_t all[KEY_TEXTS * FWA_TEXT_MAX];
	struct fwa_writer w = fwa_writer(all, sizeof(all));

	for (size_t i = 0; i < KEY_TEXTS; i++)
		fwa_write_bytes(&w, texts[i], strlen(texts[i]) + 1);
	fwa_sha256_text(fwa_span(all, w.len), name);
}

void fwa_baseline_name(const struct fwa_identified *who, char name[FWA_DIGEST_TEXT])
{
	const char *const texts[KEY_TEXTS] = { who->family, who->id.vendor, who->id.model,
					       who->id.firmware };

	digest(texts, name);
}

void fwa_device_digest(const struct fwa_identified *who, char name[FWA_DIGEST_TEXT])
{
	const char *const texts[KEY_TEXTS] = { who->family, who->id.vendor, who->id.model,
					       who->id.serial };

	digest(texts, name);
}

bool fwa_same_baseline(const struct fwa_identified *a, const struct fwa_identified *b)
{
	char x[FWA_DIGEST_TEXT], y[FWA_DIGEST_TEXT];

	fwa_baseline_name(a, x);
	fwa_baseline_name(b, y);
	return strcmp(x, y) == 0;
}

bool fwa_same_device(const struct fwa_identified *a, const struct fwa_identified *b)
{
	char x[FWA_DIGEST_TEXT], y[FWA_DIGEST_TEXT];

	fwa_device_digest(a, x);
	fwa_device_digest(b, y);
	return strcmp(x, y) == 0;
}

/* --- finding -------------------------------------------------------------------------------- */

/* The folder of @source; fresh memory, NULL when there is none or no memory. */
static char *folder(const struct fwa_baselines *b, enum fwa_baseline_source source)
{
	char *path = NULL;

	if (source == FWA_BASELINE_FROM_PINNED)
		return b->pinned_dir ? strdup(b->pinned_dir) : NULL;
	if (b->state_dir &&
	    asprintf(&path, "%s/baselines/%s", b->state_dir, source_names[source]) < 0)
		return NULL;
	return path;
}

/* The baseline @name of @source in a sealed memfd; -ENOENT when there is none; other negative errno. */
static int open_one(const struct fwa_baselines *b, enum fwa_baseline_source source,
		    const char *name)
{
	fwa_auto_free char *dir = folder(b, source), *path = NULL;
	fwa_auto_free uint8_t *data = NULL;
	size_t len;
	int r;

	if (!dir)
		return -ENOENT;
	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return -ENOMEM;
	r = fwa_read_file(path, FWA_DECLARATIONS_MAX, &data, &len);
	if (r < 0)
		return r;
	return fwa_memfd_sealed("fwadmit-baseline", fwa_span(data, len));
}

/*= spec/SECURITY-MODEL.md#C23 */
int fwa_baselines_find(const struct fwa_baselines *b, const struct fwa_identified *who,
		       enum fwa_baseline_source *ret_source, int *ret_fd)
{
	static const enum fwa_baseline_source order[] = { FWA_BASELINE_FROM_PINNED,
							  FWA_BASELINE_FROM_ACCEPTED,
							  FWA_BASELINE_FROM_SEEN };
	size_t n = b->require_pinned ? 1 : FWA_ARRAY_SIZE(order);
	char name[FWA_DIGEST_TEXT];

	*ret_fd = -1;
	*ret_source = FWA_BASELINE_FROM_REQUIRED;
	fwa_baseline_name(who, name);
	for (size_t i = 0; i < n; i++) {
		int fd = open_one(b, order[i], name);

		if (fd < 0 && fd != -ENOENT)
			return fd;
		if (fd >= 0) {
			*ret_source = order[i];
			*ret_fd = fd;
			return 0;
		}
	}
	if (!b->require_pinned)
		*ret_source = FWA_BASELINE_FROM_NOWHERE;
	return 0;
}

int fwa_baselines_answer(const struct fwa_baselines *b, const struct fwa_identified *who,
			 int control, enum fwa_baseline_source *ret_source, int *ret_fd,
			 int *ret_error)
{
	fwa_auto_close int fd = -1;
	int r;

	*ret_error = fwa_baselines_find(b, who, ret_source, &fd);
	r = fwa_control_send(control, FWA_CONTROL_BASELINE, source_names[*ret_source], fd);
	if (r == 0)
		*ret_fd = fwa_steal_fd(&fd);
	return r;
}

/* --- saving --------------------------------------------------------------------------------- */

int fwa_baselines_save(const struct fwa_baselines *b, enum fwa_baseline_source source,
		       const struct fwa_identified *who, int fd)
{
	fwa_auto_free char *dir = folder(b, source);
	fwa_auto_free uint8_t *data = NULL;
	char name[FWA_DIGEST_TEXT];
	ssize_t len;
	int r;

	if (!dir)
		return -ENOENT;
	len = fwa_memfd_size(fd, FWA_DECLARATIONS_MAX);
	r = len < 0 ? (int)len : fwa_memfd_copy(fd, (size_t)len, &data);
	if (r == 0)
		r = fwa_make_dirs(dir);
	if (r < 0)
		return r;
	fwa_baseline_name(who, name);
	return fwa_write_durably(dir, name, data, (size_t)len);
}

void fwa_baselines_sweep(const struct fwa_baselines *b)
{
	static const enum fwa_baseline_source written[] = { FWA_BASELINE_FROM_ACCEPTED,
							    FWA_BASELINE_FROM_SEEN };

	for (size_t i = 0; i < FWA_ARRAY_SIZE(written); i++) {
		fwa_auto_free char *dir = folder(b, written[i]);

		if (dir)
			fwa_remove_leftovers(dir);
	}
}
