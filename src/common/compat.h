/*
 * common/compat.h - what the compiler offers beyond C11, and nothing else.
 *
 * Every GNU extension that sluice uses is named here, so that a port
 * has one file to look at.
 */
/* SPDX-License-Identifier: ISC */
#ifndef COMMON_COMPAT_H
#define COMMON_COMPAT_H

#define MUST_CHECK	   __attribute__((warn_unused_result))
#define NORETURN	   __attribute__((noreturn))
#define PRINTF_LIKE(f, a)  __attribute__((format(printf, f, a)))
#define UNUSED		   __attribute__((unused))
#define CACHE_ALIGNED	   __attribute__((aligned(CACHE_LINE)))
#define LIKELY(cond)	   __builtin_expect(!!(cond), 1)
#define UNLIKELY(cond)	   __builtin_expect(!!(cond), 0)

#define CACHE_LINE 64

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The object of the given type whose member ptr points to. */
#define CONTAINER_OF(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
