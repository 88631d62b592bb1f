/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tally: what the simulated device itself says that it was given, in a file of whoever wants to know
 * (option count=FILE). It is what the journal of a gate is held against, so it does not depend on the
 * gate, and a worker that is killed leaves it as it was.
 *
 * The file is there before, and as long as it is to be: le64 how many commands there were, zeroes up to
 * 64 bytes, and then for each that fits le16 opcode, le16 0, le32 length of the payload and its first
 * 56 bytes. Each is noted before it is executed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "transport/sim/sim.h"

#define HEADER_LEN 64u
#define ENTRY_LEN 64u
#define SHOWN (ENTRY_LEN - 8)

int sim_tally_open(struct sim_tally *t, const char *path, char error[FWA_ERROR_LEN])
{
	fwa_auto_close int fd = -1;
	struct stat st;
	void *map;

	*t = (struct sim_tally){ 0 };
	if (!path[0])
		return 0;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fwa_fail(error, -errno, "count: %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)HEADER_LEN)
		return fwa_fail(error, -EINVAL, "count: %s is no file of %u bytes or more", path,
				HEADER_LEN);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return fwa_fail(error, -errno, "count: %s: %s", path, strerror(errno));
	*t = (struct sim_tally){ .map = map, .len = (size_t)st.st_size };
	return 0;
}

void sim_tally_close(struct sim_tally *t)
{
	if (t->map)
		munmap(t->map, t->len);
	t->map = NULL;
}

void sim_tally_note(struct sim_tally *t, const struct fwa_command *cmd)
{
	uint64_t n, room;
	uint8_t *entry;

	if (!t->map)
		return;
	n = fwa_le64(t->map);
	room = (t->len - HEADER_LEN) / ENTRY_LEN;
	if (n < room) {
		entry = t->map + HEADER_LEN + n * ENTRY_LEN;
		fwa_put_le16(entry, cmd->opcode);
		fwa_put_le32(entry + 4, (uint32_t)cmd->payload.len);
		if (cmd->payload.len)
			memcpy(entry + 8, cmd->payload.data,
			       cmd->payload.len < SHOWN ? cmd->payload.len : SHOWN);
	}
	/* What is noted is there before it counts, whenever the process ends. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	fwa_put_le64(t->map, n + 1);
}
