/*
 * common/quantity.c - spans of time and sizes as people write them.
 */
/* SPDX-License-Identifier: ISC */
#include "common/quantity.h"

#include <inttypes.h>
#include <stdio.h>

#define SPAN_MAX_MS (INT64_C(10) * 366 * 24 * 3600 * 1000)

struct unit {
	const char *name;
	uint64_t factor;
};

/* Largest first: a span must name its units in this order. */
static const struct unit span_units[] = {
	{ "d", 24 * 3600 * 1000 },
	{ "h", 3600 * 1000 },
	{ "m", 60 * 1000 },
	{ "s", 1000 },
	{ "ms", 1 },
};

static const struct unit size_units[] = {
	{ "GiB", UINT64_C(1) << 30 },
	{ "G", UINT64_C(1) << 30 },
	{ "MiB", UINT64_C(1) << 20 },
	{ "M", UINT64_C(1) << 20 },
	{ "KiB", UINT64_C(1) << 10 },
	{ "K", UINT64_C(1) << 10 },
	{ "B", 1 },
};

/* Takes the leading bytes of *rest_r that are digits (or are not). */
static struct bytes
take_run(struct bytes *rest_r, bool digits)
{
	struct bytes run = { rest_r->data, 0 };

	while (run.len < rest_r->len &&
	    (run.data[run.len] >= '0' && run.data[run.len] <= '9') == digits)
		run.len++;
	rest_r->data += run.len;
	rest_r->len -= run.len;
	return run;
}

int
quantity_parse_span(struct bytes text, bool bare_is_seconds,
    int64_t *span_ms_r)
{
	size_t first_unit = 0;
	uint64_t total = 0;

	if (text.len == 0)
		return -1;
	while (text.len > 0) {
		unsigned long long number;
		struct bytes unit;
		size_t i;

		if (bytes_to_number(take_run(&text, true), SPAN_MAX_MS,
			&number) == -1)
			return -1;
		unit = take_run(&text, false);
		if (unit.len == 0 && first_unit == 0 &&
		    (bare_is_seconds || number == 0))
			unit = bytes_of("s");
		for (i = first_unit; i < COUNT_OF(span_units); i++)
			if (bytes_is(unit, span_units[i].name))
				break;
		if (i == COUNT_OF(span_units) ||
		    number > SPAN_MAX_MS / span_units[i].factor)
			return -1;
		total += number * span_units[i].factor;
		first_unit = i + 1;
	}
	if (total > SPAN_MAX_MS)
		return -1;
	*span_ms_r = (int64_t)total;
	return 0;
}

int
quantity_parse_size(struct bytes text, uint64_t *bytes_r)
{
	unsigned long long number;

	if (bytes_to_number(take_run(&text, true), UINT64_MAX, &number) == -1)
		return -1;
	if (text.len == 0 && number == 0) {
		*bytes_r = 0;
		return 0;
	}
	for (size_t i = 0; i < COUNT_OF(size_units); i++) {
		if (!bytes_is(text, size_units[i].name))
			continue;
		if (number > UINT64_MAX / size_units[i].factor)
			return -1;
		*bytes_r = number * size_units[i].factor;
		return 0;
	}
	return -1;
}

const char *
quantity_format_span(int64_t span_ms, char text[QUANTITY_TEXT_SIZE])
{
	uint64_t rest = span_ms < 0 ? 0 : (uint64_t)span_ms;
	size_t len = 0;

	snprintf(text, QUANTITY_TEXT_SIZE, "0s");
	for (size_t i = 0; i < COUNT_OF(span_units); i++) {
		uint64_t number = rest / span_units[i].factor;

		if (number == 0)
			continue;
		rest %= span_units[i].factor;
		len += (size_t)snprintf(text + len, QUANTITY_TEXT_SIZE - len,
		    "%" PRIu64 "%s", number, span_units[i].name);
	}
	return text;
}

const char *
quantity_format_size(uint64_t size, char text[QUANTITY_TEXT_SIZE])
{
	for (size_t i = 0; i < COUNT_OF(size_units); i += 2) {
		if (size == 0 || size % size_units[i].factor != 0)
			continue;
		snprintf(text, QUANTITY_TEXT_SIZE, "%" PRIu64 "%s",
		    size / size_units[i].factor, size_units[i].name);
		return text;
	}
	snprintf(text, QUANTITY_TEXT_SIZE, "0");
	return text;
}
