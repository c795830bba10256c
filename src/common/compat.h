/*
 * common/compat.h - what the compiler offers beyond C11, and nothing else.
 *
 * Every GNU extension that sluice uses is named here, so that a port
 * has one file to look at.
 */
/* SPDX-License-Identifier: ISC */
#ifndef COMMON_COMPAT_H
#define COMMON_COMPAT_H

#include <stdbool.h>
#include <stddef.h>

#define NEVER_INLINE	   __attribute__((noinline))
#define MUST_CHECK	   __attribute__((warn_unused_result))
#define NORETURN	   __attribute__((noreturn))
#define PRINTF_LIKE(f, a)  __attribute__((format(printf, f, a)))
#define UNUSED		   __attribute__((unused))
#define ALWAYS_INLINE	   static inline __attribute__((always_inline))
#define CACHE_ALIGNED	   __attribute__((aligned(CACHE_LINE)))
#define LIKELY(cond)	   __builtin_expect(!!(cond), 1)
#define UNLIKELY(cond)	   __builtin_expect(!!(cond), 0)

#define CACHE_LINE 64

/* Where AddressSanitizer watches, what is over is freed and not reused, so
 * that it sees who still looks. */
#if defined(__SANITIZE_ADDRESS__)
#define HAS_ADDRESS_SANITIZER true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ADDRESS_SANITIZER true
#endif
#endif
#ifndef HAS_ADDRESS_SANITIZER
#define HAS_ADDRESS_SANITIZER false
#endif

/*
 * Asks for memory that will be needed soon, before something that takes a
 * while: a system call, or the parsing of a head.  With many connections
 * the caches hold no object until its turn.  NULL is allowed.
 */
static inline void
cache_prefetch(const void *memory, size_t len)
{
	if (memory == NULL)
		return;
	for (size_t at = 0; at < len; at += CACHE_LINE)
		__builtin_prefetch((const char *)memory + at, 1);
}

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The object of the given type whose member ptr points to. */
#define CONTAINER_OF(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
