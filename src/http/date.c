/*
 * http/date.c - the time as HTTP writes it.
 *
 * Source: RFC 9110, section 5.6.7 (IMF-fixdate).
 */
/* SPDX-License-Identifier: ISC */
#include "http/forward.h"

#include <stdio.h>
#include <time.h>

void
http_format_date(int64_t unix_s, char date[HTTP_DATE_SIZE])
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t seconds = (time_t)unix_s;
	struct tm utc = { 0 };

	gmtime_r(&seconds, &utc);
	/* The divisors tell the compiler what the calendar ensures. */
	snprintf(date, HTTP_DATE_SIZE,
	    "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT",
	    days + 3 * (utc.tm_wday % 7), (unsigned int)utc.tm_mday % 100,
	    months + 3 * (utc.tm_mon % 12),
	    (unsigned int)(utc.tm_year + 1900) % 10000,
	    (unsigned int)utc.tm_hour % 100, (unsigned int)utc.tm_min % 100,
	    (unsigned int)utc.tm_sec % 100);
}
