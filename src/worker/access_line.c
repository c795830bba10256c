/*
 * worker/access_line.c - one request as a line of the access log.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/access_line.h"

#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/utf8.h"
#include "http/chars.h"

/* Where a line is being written; what does not fit is left out. */
struct line {
	char *next, *end;
};

static const char hex_digits[] = "0123456789abcdef";

static inline void
put(struct line *line, const char *data, size_t len)
{
	if (len > (size_t)(line->end - line->next))
		len = (size_t)(line->end - line->next);
	if (len > 0)
		memcpy(line->next, data, len);
	line->next += len;
}

#define PUT_LITERAL(line, text) put((line), (text), sizeof(text) - 1)

static inline void
put_char(struct line *line, char c)
{
	if (line->next < line->end)
		*line->next++ = c;
}

static void
put_number(struct line *line, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
	} while ((number /= 10) > 0);
	put(line, digits + at, sizeof(digits) - at);
}

/* Writes number with so many digits, zeros in front. */
static void
write_digits(char *out, unsigned int number, int digits)
{
	while (digits-- > 0) {
		out[digits] = (char)('0' + number % 10);
		number /= 10;
	}
}

/* Three digits, where there is a status. */
static void
put_status(struct line *line, unsigned int status)
{
	char digits[3];

	if (status < 100 || status > 999) {
		put_number(line, status);
		return;
	}
	write_digits(digits, status, 3);
	put(line, digits, sizeof(digits));
}

/* Seconds with all six decimals. */
static void
put_seconds(struct line *line, int64_t us)
{
	char fraction[7] = ".";

	put_number(line, (uint64_t)us / 1000000);
	write_digits(fraction + 1, (unsigned int)(us % 1000000), 6);
	put(line, fraction, sizeof(fraction));
}

static struct bytes
cut(struct bytes value)
{
	if (value.len > ACCESS_VALUE_MAX)
		value.len = ACCESS_VALUE_MAX;
	return value;
}

/* Printable ASCII that needs no escape in either form. */
static inline bool
is_plain(char c)
{
	return c >= 0x20 && c <= 0x7e && c != '"' && c != '\\';
}

#define EACH_BYTE(byte) (UINT64_MAX / 255 * (byte))

/* Whether some byte of a word is zero. */
static inline bool
has_zero(uint64_t word)
{
	return ((word - EACH_BYTE(0x01)) & ~word & EACH_BYTE(0x80)) != 0;
}

/* is_plain() of eight bytes. */
static inline bool
are_plain(uint64_t word)
{
	return (word & EACH_BYTE(0x80)) == 0 &&
	    ((word - EACH_BYTE(0x20)) & EACH_BYTE(0x80)) == 0 &&
	    !has_zero(word ^ EACH_BYTE(0x7f)) &&
	    !has_zero(word ^ EACH_BYTE('"')) &&
	    !has_zero(word ^ EACH_BYTE('\\'));
}

/* Whether 4 to 16 bytes are plain all: two looks, that may overlap. */
static bool
is_short_plain(struct bytes rest)
{
	const char *end = rest.data + rest.len;
	uint64_t first, last;
	uint32_t halves[2];

	if (rest.len < 8) {
		memcpy(&halves[0], rest.data, 4);
		memcpy(&halves[1], end - 4, 4);
		memcpy(&first, halves, 8);
		return are_plain(first);
	}
	memcpy(&first, rest.data, 8);
	memcpy(&last, end - 8, 8);
	return are_plain(first) && are_plain(last);
}

/* As many bytes of rest as are plain; most are, and most are few. */
static size_t
plain_len(struct bytes rest)
{
	size_t len = 0;

	if (rest.len >= 4 && rest.len <= 16 && is_short_plain(rest))
		return rest.len;

#ifdef __SSE2__
	for (; rest.len - len >= HTTP_BLOCK; len += HTTP_BLOCK) {
		__m128i block = http_block_load(rest.data + len);
		__m128i marks = _mm_or_si128(
		    _mm_cmpeq_epi8(block, _mm_set1_epi8('"')),
		    _mm_cmpeq_epi8(block, _mm_set1_epi8('\\')));
		int plain = _mm_movemask_epi8(_mm_andnot_si128(marks,
		    http_block_in_range(block, 0x20, 0x7e - 0x20)));

		if (plain != 0xffff)
			return len +
			    (size_t)__builtin_ctz(~(unsigned int)plain);
	}
#endif
	while (len < rest.len && is_plain(rest.data[len]))
		len++;
	return len;
}

/* Takes plain bytes over; returns false when that was all. */
static inline bool
put_plain(struct line *line, struct bytes *rest)
{
	size_t len = plain_len(*rest);

	put(line, rest->data, len);
	rest->data += len;
	rest->len -= len;
	return rest->len > 0;
}

/* As nginx does: \xHH, digits in upper case; nothing is "-". */
static void
put_text(struct line *line, struct bytes value)
{
	struct bytes rest = cut(value);

	if (rest.len == 0)
		put_char(line, '-');
	while (rest.len > 0 && put_plain(line, &rest)) {
		static const char upper[] = "0123456789ABCDEF";
		unsigned char byte = (unsigned char)*rest.data;
		const char escape[4] = { '\\', 'x', upper[byte >> 4],
			upper[byte & 15] };

		put(line, escape, sizeof(escape));
		rest.data++;
		rest.len--;
	}
}

/* The first character of rest, which is no plain one, as JSON wants it;
 * returns how many bytes it took.  What is no UTF-8 becomes U+FFFD. */
static size_t
put_json_char(struct line *line, struct bytes rest)
{
	unsigned char byte = (unsigned char)*rest.data;
	char escape[6] = { '\\', 'u', '0', '0', hex_digits[byte >> 4],
		hex_digits[byte & 15] };
	size_t len;

	if (byte == '"' || byte == '\\') {
		put_char(line, '\\');
		put_char(line, (char)byte);
		return 1;
	}
	if (byte < 0x20 || byte == 0x7f) {
		put(line, escape, sizeof(escape));
		return 1;
	}
	if ((len = utf8_char_len(rest.data, rest.len)) > 0) {
		put(line, rest.data, len);
		return len;
	}
	PUT_LITERAL(line, "\\ufffd");
	return 1;
}

static void
put_json(struct line *line, struct bytes value)
{
	struct bytes rest = cut(value);

	put_char(line, '"');
	while (rest.len > 0 && put_plain(line, &rest)) {
		size_t len = put_json_char(line, rest);

		rest.data += len;
		rest.len -= len;
	}
	put_char(line, '"');
}

/* Time ------------------------------------------------------------------- */

static int64_t
floor_second(int64_t wall_ms)
{
	return wall_ms >= 0 ? wall_ms / 1000 : (wall_ms - 999) / 1000;
}

/* "31/Jan/2026:12:00:00 +0100", whatever the locale. */
static void
format_local(int64_t second, char *text)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t when = (time_t)second;
	struct tm tm;
	long offset_min;

	if (localtime_r(&when, &tm) == NULL)
		memset(&tm, 0, sizeof(tm));
	offset_min = tm.tm_gmtoff / 60;
	memcpy(text, "00/Jan/0000:00:00:00 +0000", 27);
	write_digits(text, (unsigned int)tm.tm_mday, 2);
	memcpy(text + 3, months + 3 * tm.tm_mon, 3);
	write_digits(text + 7, (unsigned int)(tm.tm_year + 1900), 4);
	write_digits(text + 12, (unsigned int)tm.tm_hour, 2);
	write_digits(text + 15, (unsigned int)tm.tm_min, 2);
	write_digits(text + 18, (unsigned int)tm.tm_sec, 2);
	if (offset_min < 0) {
		text[21] = '-';
		offset_min = -offset_min;
	}
	write_digits(text + 22, (unsigned int)(offset_min / 60), 2);
	write_digits(text + 24, (unsigned int)(offset_min % 60), 2);
}

static void
put_time_local(struct line *line, struct access_clock *clock, int64_t wall_ms)
{
	int64_t second = floor_second(wall_ms);

	if (clock->local[0] == '\0' || clock->local_s != second) {
		format_local(second, clock->local);
		clock->local_s = second;
	}
	put(line, clock->local, 26);
}

static void
put_time(struct line *line, struct access_clock *clock, int64_t wall_ms)
{
	int64_t second = floor_second(wall_ms);

	if (clock->utc[0] == '\0' || clock->utc_s != second) {
		clock_format_rfc3339(second * 1000, clock->utc);
		clock->utc_s = second;
	}
	write_digits(clock->utc + 20,
	    (unsigned int)(wall_ms - second * 1000), 3);
	put(line, clock->utc, CLOCK_RFC3339_SIZE - 1);
}

/* Combined --------------------------------------------------------------- */

static void
put_protocol(struct line *line, const struct access_record *record)
{
	PUT_LITERAL(line, "HTTP/1.");
	put_char(line, (char)('0' + record->minor_version));
}

static void
put_request(struct line *line, const struct access_record *record)
{
	if (record->method.len == 0) {	/* none could be read */
		put_char(line, '-');
		return;
	}
	put_text(line, record->method);
	put_char(line, ' ');
	put_text(line, record->target);
	put_char(line, ' ');
	put_protocol(line, record);
}

/* Ends a line; there is room for that always. */
static size_t
end_line(struct line *line, const char *out)
{
	*line->next++ = '\n';
	return (size_t)(line->next - out);
}

static struct line
begin_line(char *out)
{
	return (struct line){ out, out + ACCESS_LINE_MAX - 1 };
}

size_t
access_line_combined(struct access_clock *clock,
    const struct access_record *record, char *out)
{
	struct line line = begin_line(out);

	put_text(&line, record->client);
	PUT_LITERAL(&line, " - - [");
	put_time_local(&line, clock, record->started_wall_ms);
	PUT_LITERAL(&line, "] \"");
	put_request(&line, record);
	PUT_LITERAL(&line, "\" ");
	put_status(&line, record->status);
	put_char(&line, ' ');
	put_number(&line, record->bytes_out);
	PUT_LITERAL(&line, " \"");
	put_text(&line, record->referer);
	PUT_LITERAL(&line, "\" \"");
	put_text(&line, record->user_agent);
	put_char(&line, '"');
	return end_line(&line, out);
}

/* JSON ------------------------------------------------------------------- */

static void
put_json_text(struct line *line, struct bytes value)
{
	if (value.len == 0)
		PUT_LITERAL(line, "null");
	else
		put_json(line, value);
}

static void
put_json_seconds(struct line *line, int64_t us)
{
	if (us < 0)
		PUT_LITERAL(line, "null");
	else
		put_seconds(line, us);
}

/* Seconds, and what else a request took. */
static void
put_json_course(struct line *line, const struct access_record *record)
{
	PUT_LITERAL(line, ",\"route\":");
	put_json_text(line, record->route);
	PUT_LITERAL(line, ",\"backend\":");
	if (record->backend_id == 0)
		PUT_LITERAL(line, "null");
	else
		put_number(line, record->backend_id);
	PUT_LITERAL(line, ",\"tries\":");
	put_number(line, record->tries);
	PUT_LITERAL(line, ",\"total\":");
	put_json_seconds(line, record->total_us);
	PUT_LITERAL(line, ",\"connect\":");
	put_json_seconds(line, record->connect_us);
	PUT_LITERAL(line, ",\"first_byte\":");
	put_json_seconds(line, record->first_byte_us);
	PUT_LITERAL(line, ",\"reason\":");
	put_json_text(line, bytes_of(record->reason));
}

size_t
access_line_json(struct access_clock *clock, const struct access_record *record,
    char *out)
{
	struct line line = begin_line(out);

	PUT_LITERAL(&line, "{\"time\":\"");
	put_time(&line, clock, record->started_wall_ms);
	PUT_LITERAL(&line, "\",\"request_id\":");
	put_json_text(&line, record->request_id);
	PUT_LITERAL(&line, ",\"client\":");
	put_json_text(&line, record->client);
	PUT_LITERAL(&line, ",\"method\":");
	put_json_text(&line, record->method);
	PUT_LITERAL(&line, ",\"target\":");
	put_json_text(&line, record->target);
	PUT_LITERAL(&line, ",\"status\":");
	put_number(&line, record->status);
	PUT_LITERAL(&line, ",\"bytes_in\":");
	put_number(&line, record->bytes_in);
	PUT_LITERAL(&line, ",\"bytes_out\":");
	put_number(&line, record->bytes_out);
	put_json_course(&line, record);
	put_char(&line, '}');
	return end_line(&line, out);
}

/* Custom ----------------------------------------------------------------- */

static void
put_seconds_text(struct line *line, int64_t us)
{
	if (us < 0)
		put_char(line, '-');
	else
		put_seconds(line, us);
}

static void
put_backend(struct line *line, uint64_t backend_id)
{
	if (backend_id == 0)
		put_char(line, '-');
	else
		put_number(line, backend_id);
}

static void
put_piece(struct line *line, struct access_clock *clock,
    const struct access_record *record, const struct access_piece *piece)
{
	switch (piece->variable) {
	case ACCESS_TEXT:
		put(line, piece->text.data, piece->text.len);
		break;
	case ACCESS_CLIENT:
		put_text(line, record->client);
		break;
	case ACCESS_TIME:
		put_time(line, clock, record->started_wall_ms);
		break;
	case ACCESS_TIME_LOCAL:
		put_time_local(line, clock, record->started_wall_ms);
		break;
	case ACCESS_REQUEST_ID:
		put_text(line, record->request_id);
		break;
	case ACCESS_REQUEST:
		put_request(line, record);
		break;
	case ACCESS_METHOD:
		put_text(line, record->method);
		break;
	case ACCESS_TARGET:
		put_text(line, record->target);
		break;
	case ACCESS_PROTOCOL:
		put_protocol(line, record);
		break;
	case ACCESS_STATUS:
		put_number(line, record->status);
		break;
	case ACCESS_BYTES_IN:
		put_number(line, record->bytes_in);
		break;
	case ACCESS_BYTES_OUT:
		put_number(line, record->bytes_out);
		break;
	case ACCESS_ROUTE:
		put_text(line, record->route);
		break;
	case ACCESS_SERVICE:
		put_text(line, record->service);
		break;
	case ACCESS_BACKEND:
		put_backend(line, record->backend_id);
		break;
	case ACCESS_TRIES:
		put_number(line, record->tries);
		break;
	case ACCESS_TOTAL:
		put_seconds_text(line, record->total_us);
		break;
	case ACCESS_CONNECT:
		put_seconds_text(line, record->connect_us);
		break;
	case ACCESS_FIRST_BYTE:
		put_seconds_text(line, record->first_byte_us);
		break;
	case ACCESS_REASON:
		put_text(line, bytes_of(record->reason));
		break;
	case ACCESS_HOST:
		put_text(line, record->host);
		break;
	case ACCESS_REFERER:
		put_text(line, record->referer);
		break;
	case ACCESS_USER_AGENT:
		put_text(line, record->user_agent);
		break;
	}
}

size_t
access_line_custom(struct access_clock *clock,
    const struct access_record *record, const struct access_piece *pieces,
    uint32_t piece_count, char *out)
{
	struct line line = begin_line(out);

	for (uint32_t i = 0; i < piece_count; i++)
		put_piece(&line, clock, record, &pieces[i]);
	return end_line(&line, out);
}
