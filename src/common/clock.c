/*
 * common/clock.c - the two clocks of the machine.
 */
/* SPDX-License-Identifier: ISC */
#include "common/clock.h"

#include <stdio.h>
#include <time.h>

struct instant
clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (struct instant){ now.tv_sec * NS_PER_S + now.tv_nsec };
}

int64_t
clock_wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / NS_PER_MS;
}

void
clock_format_rfc3339(int64_t wall_ms, char text[CLOCK_RFC3339_SIZE])
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm utc;

	gmtime_r(&seconds, &utc);
	/* The masks tell the compiler what the calendar ensures. */
	snprintf(text, CLOCK_RFC3339_SIZE,
	    "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
	    (unsigned int)(utc.tm_year + 1900) % 10000,
	    (unsigned int)(utc.tm_mon + 1) % 100,
	    (unsigned int)utc.tm_mday % 100,
	    (unsigned int)utc.tm_hour % 100, (unsigned int)utc.tm_min % 100,
	    (unsigned int)utc.tm_sec % 100, (unsigned int)(wall_ms % 1000));
}
