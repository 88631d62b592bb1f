/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Doubly linked rings: a link is part of what is listed. A head that points to itself is empty; a
 * link that points to itself is on no list.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct fwa_link {
	struct fwa_link *prev, *next;
};

static inline void fwa_list_init(struct fwa_link *l)
{
	l->prev = l->next = l;
}

static inline bool fwa_list_empty(const struct fwa_link *l)
{
	return l->next == l;
}

/* Adds @l, which is on no list, at the end. */
static inline void fwa_list_append(struct fwa_link *head, struct fwa_link *l)
{
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}

/* Takes @l off its list, if it is on one. */
static inline void fwa_list_remove(struct fwa_link *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	fwa_list_init(l);
}

/* What @link is part of, as its member @member. */
#define fwa_list_entry(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

/* Each link of @head, which may be taken off meanwhile. */
#define fwa_list_each(at, following, head)                                            \
	for (struct fwa_link *at = (head)->next, *following = at->next; at != (head); \
	     at = following, following = at->next)
