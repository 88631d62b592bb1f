/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of the store, and which edition of an advisory was seen: ID.seen, one line that outlives the
 * document, so that an edition that was replaced or removed does not come back.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/number.h"
#include "base/util.h"
#include "host/advisory-internal.h"
#include "host/state.h"

#define SEEN_MAX 256
#define SEEN_NAME (FWA_ADVISORY_ID_MAX + 8)

char *fwa_advisory_dir(const struct fwa_advisory_place *p)
{
	char *dir = NULL;

	return asprintf(&dir, "%s/advisories", p->state) < 0 ? NULL : dir;
}

int fwa_advisory_store_open(const char *dir)
{
	fwa_auto_close int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	return fwa_is_ours(&st) ? fwa_steal_fd(&fd) : -EPERM;
}

int fwa_advisory_read(int store, const char *name, size_t max, char **ret, size_t *ret_len)
{
	fwa_auto_close int fd =
		openat(store, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	fwa_auto_free char *buf = NULL;
	size_t len = 0;
	struct stat st;
	ssize_t n = 1;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || !fwa_is_ours(&st))
		return -EPERM;
	if (st.st_size < 0 || (size_t)st.st_size > max)
		return -EFBIG;
	buf = malloc((size_t)st.st_size + 1);
	if (!buf)
		return -ENOMEM;
	while (len < (size_t)st.st_size && n) {
		n = read(fd, buf + len, (size_t)st.st_size - len);
		if (n < 0 && errno != EINTR)
			return -errno;
		len += n > 0 ? (size_t)n : 0;
	}
	buf[len] = '\0';
	*ret_len = len;
	*ret = fwa_steal(buf);
	return 0;
}

static bool is_digest(const char *text)
{
	return text && strlen(text) == FWA_DIGEST_TEXT - 1 &&
	       !text[strspn(text, "0123456789abcdef")];
}

/* "3 SHA256 KEY present\n", exactly. */
static int parse(char *line, size_t len, struct fwa_advisory_seen *ret)
{
	struct fwa_advisory_seen seen = { 0 };
	char *save, *number, *digest, *key, *word;

	if (!len || line[len - 1] != '\n' || strlen(line) != len)
		return -EBADMSG;
	line[len - 1] = '\0';
	number = strtok_r(line, " ", &save);
	digest = strtok_r(NULL, " ", &save);
	key = strtok_r(NULL, " ", &save);
	word = strtok_r(NULL, " ", &save);
	if (!word || strtok_r(NULL, " ", &save) || !is_digest(digest) || !is_digest(key) ||
	    !fwa_parse_number(number, FWA_ADVISORY_SEQUENCE_MAX, &seen.sequence) || !seen.sequence)
		return -EBADMSG;
	seen.removed = strcmp(word, "removed") == 0;
	if (!seen.removed && strcmp(word, "present") != 0)
		return -EBADMSG;
	memcpy(seen.digest, digest, FWA_DIGEST_TEXT);
	memcpy(seen.key, key, FWA_DIGEST_TEXT);
	*ret = seen;
	return 0;
}

int fwa_advisory_seen_read(int store, const char *id, struct fwa_advisory_seen *ret)
{
	fwa_auto_free char *text = NULL;
	char name[SEEN_NAME];
	size_t len;
	int r;

	*ret = (struct fwa_advisory_seen){ 0 };
	snprintf(name, sizeof(name), "%s.seen", id);
	r = fwa_advisory_read(store, name, SEEN_MAX, &text, &len);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : parse(text, len, ret);
}

int fwa_advisory_seen_write(const char *dir, const char *id, const struct fwa_advisory_seen *seen)
{
	char name[SEEN_NAME], line[SEEN_MAX];
	int len =
		snprintf(line, sizeof(line), "%llu %s %s %s\n", (unsigned long long)seen->sequence,
			 seen->digest, seen->key, seen->removed ? "removed" : "present");

	snprintf(name, sizeof(name), "%s.seen", id);
	return fwa_write_durably(dir, name, line, (size_t)len);
}
