/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What data may carry that looks for a reader: numbers that programmers like, words out of the titles of
 * commands, and commands as they would be sent, with a payload that is well-formed.
 */
#include <string.h>

#include "verify/generate-internal.h"

static const uint64_t numbers[] = {
	0xdeadbeef, 0xcafebabe,         0xfeedface,         0xbaadf00d,         0xfeedc0de,
	0x0badc0de, 0xa5a5a5a5,         0x5a5a5a5a,         0xaa55aa55,         0x55aa55aa,
	0x5aa5f00f, 0x12345678,         0x87654321,         0xffffffff,         0x00000001,
	0x80000000, 0xdeadbeefcafebabe, 0x0123456789abcdef, 0xa5a5a5a55a5a5a5a, 0xffffffffffffffff,
};
static const char *const words[] = { "DEBUG",   "UNLOCK", "ENABLE",   "DISABLE",  "MAGIC",
				     "SECRET",  "ADMIN",  "ROOT",     "TEST",     "FACTORY",
				     "SERVICE", "VENDOR", "ENGINEER", "BACKDOOR", "RESET",
				     "ERASE",   "FORMAT", "WIPE",     "FLASH",    "UPDATE",
				     "COMMIT",  "EXECUTE" };

#define NUMBERS (sizeof(numbers) / sizeof(numbers[0]))
#define WORDS (sizeof(words) / sizeof(words[0]))
#define WORD_MIN 4u

/* --- words of titles ------------------------------------------------------------------------------ */

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* The next run of letters, in capitals; its length, at most @cap - 1. 0: there is none. */
static size_t next_word(const char **text, char *to, size_t cap)
{
	size_t n = 0;

	while (**text && !is_letter(**text))
		++*text;
	for (; is_letter(**text); ++*text)
		if (n < cap - 1)
			to[n++] = (char)(**text & ~0x20);
	to[n] = '\0';
	return n;
}

static bool has_word(const struct vfy_generator *g, const char *word)
{
	for (size_t i = 0; i < WORDS; i++)
		if (strcmp(words[i], word) == 0)
			return true;
	for (uint32_t i = 0; i < g->n_words; i++)
		if (strcmp(g->word[i], word) == 0)
			return true;
	return false;
}

static void add_words(struct vfy_generator *g, enum fwa_set set)
{
	const struct fwa_model_command *row;
	char word[VFY_WORD];

	for (size_t i = 0; (row = fwa_model_row(set, i)); i++) {
		const char *text = row->title;
		size_t n;

		while ((n = next_word(&text, word, sizeof(word))))
			if (n >= WORD_MIN && g->n_words < VFY_WORDS && !has_word(g, word))
				memcpy(g->word[g->n_words++], word, sizeof(word));
	}
}

void vfy_content_plan(struct vfy_generator *g)
{
	if (g->n_words)
		return;
	if (!g->nvme) {
		add_words(g, FWA_SET_CXL);
		return;
	}
	add_words(g, FWA_SET_NVME_ADMIN);
	add_words(g, FWA_SET_NVME_IO);
}

/* --- one content ---------------------------------------------------------------------------------- */

static size_t put_number(uint64_t v, bool swapped, uint8_t *to)
{
	size_t len = v >> 32 ? 8 : 4;

	for (size_t i = 0; i < len; i++)
		to[swapped ? len - 1 - i : i] = (uint8_t)(v >> 8 * i);
	return len;
}

static size_t put_word(const char *word, uint8_t *to)
{
	size_t len = strlen(word);

	memcpy(to, word, len);
	return len;
}

/* The payload of a form of the command; a few zeroes for a vendor's. */
static size_t put_payload(const struct vfy_generator *g, const struct vfy_gen_command *c,
			  uint8_t *to)
{
	const struct vfy_step *s = c->n_forms ? &g->form[c->first_form].step : NULL;
	size_t len = s ? vfy_least(s->payload_len, VFY_CONTENT - 8) : 8;

	memset(to, 0, len);
	if (s && len)
		memcpy(to, s->payload, len);
	return len;
}

/* Opcode in either order, or opcode and length as they stand in the mailbox's command register. */
static size_t put_mailbox(const struct vfy_generator *g, const struct vfy_gen_command *c,
			  unsigned int how, uint8_t *to)
{
	size_t at = how == 2 ? 8 : 2, len = put_payload(g, c, to + at);

	if (how == 2) {
		fwa_put_le64(to, c->opcode | (uint64_t)len << 16);
	} else {
		to[how] = (uint8_t)c->opcode;
		to[1 - how] = (uint8_t)(c->opcode >> 8);
	}
	return at + len;
}

/* Opcode as a byte, as a dword, or as a whole submission queue entry. */
static size_t put_queue_entry(const struct vfy_generator *g, const struct vfy_gen_command *c,
			      unsigned int how, uint8_t *to)
{
	const struct vfy_step *s = c->n_forms ? &g->form[c->first_form].step : NULL;

	if (how < 2) {
		fwa_put_le32(to, c->opcode);
		return how ? 4 : 1;
	}
	memset(to, 0, 64);
	to[0] = (uint8_t)c->opcode;
	for (unsigned int i = 0; s && i < 6; i++)
		fwa_put_le32(to + 40 + 4 * i, s->cdw[i]);
	fwa_put_le32(to + 4, s ? s->nsid : 1);
	return 64;
}

#define WAYS 3u /* to write a command */

uint32_t vfy_contents(const struct vfy_generator *g)
{
	return (uint32_t)(2 * NUMBERS + WORDS) + g->n_words + WAYS * g->n_commands;
}

size_t vfy_content(const struct vfy_generator *g, uint32_t i, uint8_t to[VFY_CONTENT])
{
	const struct vfy_gen_command *c;

	if (i < 2 * NUMBERS)
		return put_number(numbers[i / 2], i & 1, to);
	i -= (uint32_t)(2 * NUMBERS);
	if (i < WORDS)
		return put_word(words[i], to);
	i -= (uint32_t)WORDS;
	if (i < g->n_words)
		return put_word(g->word[i], to);
	i -= g->n_words;
	if (i >= WAYS * g->n_commands)
		return 0;
	c = &g->command[i / WAYS];
	return g->nvme ? put_queue_entry(g, c, i % WAYS, to) : put_mailbox(g, c, i % WAYS, to);
}
