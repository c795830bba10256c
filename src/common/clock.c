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

/* So many digits, zeros in front, and what follows them. */
static void
put_digits(char *text, unsigned int number, int count, char behind)
{
	text[count] = behind;
	while (count-- > 0) {
		text[count] = (char)('0' + number % 10);
		number /= 10;
	}
}

void
clock_format_rfc3339(int64_t wall_ms, char text[CLOCK_RFC3339_SIZE])
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm utc;

	gmtime_r(&seconds, &utc);
	put_digits(text, (unsigned int)(utc.tm_year + 1900), 4, '-');
	put_digits(text + 5, (unsigned int)(utc.tm_mon + 1), 2, '-');
	put_digits(text + 8, (unsigned int)utc.tm_mday, 2, 'T');
	put_digits(text + 11, (unsigned int)utc.tm_hour, 2, ':');
	put_digits(text + 14, (unsigned int)utc.tm_min, 2, ':');
	put_digits(text + 17, (unsigned int)utc.tm_sec, 2, '.');
	put_digits(text + 20, (unsigned int)(wall_ms % 1000), 3, 'Z');
	text[24] = '\0';
}
