/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the proofs are written with. A proof is a function
 *
 *	 proof: SOURCES; without FUNCTIONS; FLAGS     <- in a comment of its own line
 *	void prove_NAME(void)
 *
 * that tests/proofs/run links with SOURCES (of src/), less the bodies of FUNCTIONS, for which the harness
 * has its own, and gives to CBMC. What is not initialised has any value.
 *
 * prove() must hold for every value. witness() must *not* be provably false: it shows that the
 * interesting case is reached, so that no proof holds because its assumptions contradict each other.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef COMPILER_ONLY
/* So that a compiler can check the harnesses, too. */
void __CPROVER_assume(_Bool condition);
void __CPROVER_assert(_Bool condition, const char *description);
_Bool __CPROVER_same_object(const void *a, const void *b);
size_t __CPROVER_POINTER_OFFSET(const void *p);
#endif

#define assume(condition) __CPROVER_assume(condition)
#define prove(condition) __CPROVER_assert(condition, #condition)
#define witness(condition) __CPROVER_assert(!(condition), "witness: " #condition)
#define implies(a, b) (!(a) || (b))

/* Gives @object any value. */
#define forget(object)                         \
	((object) = ({                         \
		 __typeof__(object) any_value; \
		 any_value;                    \
	 }))

/* The largest row of the model that the proofs take: prove_model_rows. */
#define ANY_RULES 3    /* no row has more */
#define ANY_VARIANTS 4 /* no selector value chooses more; tables by UUID go up to 13 */

/*
 * A profile up to its field @field, zeroed. CBMC cannot work with the tables of 65,536 opcodes that
 * come last; that nothing touches what is missing is part of what is proved.
 */
#define profile_before(field) ((struct fwa_profile *)part(offsetof(struct fwa_profile, field)))

/* @len bytes of any content, and an object of that length, so that a read past the end is seen. */
static inline uint8_t *bytes_of(size_t len)
{
	uint8_t *p = malloc(len);

	assume(p != NULL);
	return p;
}

static inline void *part(size_t size)
{
	void *p = calloc(1, size);

	assume(p != NULL);
	return p;
}

bool nondet_bool(void);
uint8_t nondet_u8(void);
uint16_t nondet_u16(void);
uint32_t nondet_u32(void);
uint64_t nondet_u64(void);
size_t nondet_size(void);
