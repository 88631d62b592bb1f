/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A message is a header of 4 bytes and text; what is shorter is nonsense.
 */
#include "proto/control.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "base/bury.h"
#include "base/fd.h"
#include "base/util.h"

#define HEADER_LEN 4

int fwa_control_send(int sock, enum fwa_control_kind kind, const char *text, int fd)
{
	uint8_t header[HEADER_LEN] = { 0 };
	size_t len = strnlen(text, FWA_CONTROL_TEXT_MAX);
	struct iovec parts[] = { { header, sizeof(header) }, { (void *)text, len } };

	fwa_put_le16(header, (uint16_t)kind);
	return fwa_send_message(sock, parts, 2, fd);
}

int fwa_control_recv(int sock, uint16_t *ret_kind, char text[FWA_CONTROL_TEXT_MAX + 1], int *ret_fd)
{
	uint8_t message[HEADER_LEN + FWA_CONTROL_TEXT_MAX];
	ssize_t n = fwa_recv_message(sock, message, sizeof(message), ret_fd);

	if (n < 0)
		return (int)n;
	if (n == 0)
		return -ECONNRESET;
	if (n < HEADER_LEN) {
		*ret_fd = fwa_bury(*ret_fd);
		return -EPROTO;
	}
	*ret_kind = fwa_le16(message);
	memcpy(text, message + HEADER_LEN, (size_t)n - HEADER_LEN);
	text[n - HEADER_LEN] = '\0';
	return 0;
}
