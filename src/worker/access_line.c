/*
 * worker/access_line.c - one request as a line of the access log.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/access_line.h"

#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "worker/access_text.h"

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
	access_text_digits(text, (unsigned int)tm.tm_mday, 2);
	memcpy(text + 3, months + 3 * tm.tm_mon, 3);
	access_text_digits(text + 7, (unsigned int)(tm.tm_year + 1900), 4);
	access_text_digits(text + 12, (unsigned int)tm.tm_hour, 2);
	access_text_digits(text + 15, (unsigned int)tm.tm_min, 2);
	access_text_digits(text + 18, (unsigned int)tm.tm_sec, 2);
	if (offset_min < 0) {
		text[21] = '-';
		offset_min = -offset_min;
	}
	access_text_digits(text + 22, (unsigned int)(offset_min / 60), 2);
	access_text_digits(text + 24, (unsigned int)(offset_min % 60), 2);
}

static void
put_time_local(struct access_text *line, struct access_clock *clock,
    int64_t wall_ms)
{
	int64_t second = floor_second(wall_ms);

	if (clock->local[0] == '\0' || clock->local_s != second) {
		format_local(second, clock->local);
		clock->local_s = second;
	}
	access_text_put(line, clock->local, 26);
}

static void
put_time(struct access_text *line, struct access_clock *clock, int64_t wall_ms)
{
	int64_t second = floor_second(wall_ms);

	if (clock->utc[0] == '\0' || clock->utc_s != second) {
		clock_format_rfc3339(second * 1000, clock->utc);
		clock->utc_s = second;
	}
	access_text_digits(clock->utc + 20,
	    (unsigned int)(wall_ms - second * 1000), 3);
	access_text_put(line, clock->utc, CLOCK_RFC3339_SIZE - 1);
}

/* Combined --------------------------------------------------------------- */

static void
put_protocol(struct access_text *line, const struct access_record *record)
{
	ACCESS_TEXT_LITERAL(line, "HTTP/1.");
	access_text_char(line, (char)('0' + record->minor_version));
}

static void
put_request(struct access_text *line, const struct access_record *record)
{
	if (record->method.len == 0) {	/* none could be read */
		access_text_char(line, '-');
		return;
	}
	access_text_escaped(line, record->method);
	access_text_char(line, ' ');
	access_text_escaped(line, record->target);
	access_text_char(line, ' ');
	put_protocol(line, record);
}

/* Ends a line; there is room for that always. */
static size_t
end_line(struct access_text *line, const char *out)
{
	*line->next++ = '\n';
	return (size_t)(line->next - out);
}

static struct access_text
begin_line(char *out)
{
	return (struct access_text){ out, out + ACCESS_LINE_MAX - 1 };
}

size_t
access_line_combined(struct access_clock *clock,
    const struct access_record *record, char *out)
{
	struct access_text line = begin_line(out);

	access_text_escaped(&line, record->client);
	ACCESS_TEXT_LITERAL(&line, " - - [");
	put_time_local(&line, clock, record->started_wall_ms);
	ACCESS_TEXT_LITERAL(&line, "] \"");
	put_request(&line, record);
	ACCESS_TEXT_LITERAL(&line, "\" ");
	access_text_status(&line, record->status);
	access_text_char(&line, ' ');
	access_text_number(&line, record->bytes_out);
	ACCESS_TEXT_LITERAL(&line, " \"");
	access_text_escaped(&line, record->referer);
	ACCESS_TEXT_LITERAL(&line, "\" \"");
	access_text_escaped(&line, record->user_agent);
	access_text_char(&line, '"');
	return end_line(&line, out);
}

/* JSON ------------------------------------------------------------------- */

static void
put_json_text(struct access_text *line, struct bytes value)
{
	if (value.len == 0)
		ACCESS_TEXT_LITERAL(line, "null");
	else
		access_text_json(line, value);
}

static void
put_json_seconds(struct access_text *line, int64_t us)
{
	if (us < 0)
		ACCESS_TEXT_LITERAL(line, "null");
	else
		access_text_seconds(line, us);
}

/* Seconds, and what else a request took. */
static void
put_json_course(struct access_text *line, const struct access_record *record)
{
	ACCESS_TEXT_LITERAL(line, ",\"route\":");
	put_json_text(line, record->route);
	ACCESS_TEXT_LITERAL(line, ",\"backend\":");
	if (record->backend_id == 0)
		ACCESS_TEXT_LITERAL(line, "null");
	else
		access_text_number(line, record->backend_id);
	ACCESS_TEXT_LITERAL(line, ",\"tries\":");
	access_text_number(line, record->tries);
	ACCESS_TEXT_LITERAL(line, ",\"total\":");
	put_json_seconds(line, record->total_us);
	ACCESS_TEXT_LITERAL(line, ",\"connect\":");
	put_json_seconds(line, record->connect_us);
	ACCESS_TEXT_LITERAL(line, ",\"first_byte\":");
	put_json_seconds(line, record->first_byte_us);
	ACCESS_TEXT_LITERAL(line, ",\"reason\":");
	put_json_text(line, bytes_of(record->reason));
}

size_t
access_line_json(struct access_clock *clock, const struct access_record *record,
    char *out)
{
	struct access_text line = begin_line(out);

	ACCESS_TEXT_LITERAL(&line, "{\"time\":\"");
	put_time(&line, clock, record->started_wall_ms);
	ACCESS_TEXT_LITERAL(&line, "\",\"request_id\":");
	put_json_text(&line, record->request_id);
	ACCESS_TEXT_LITERAL(&line, ",\"client\":");
	put_json_text(&line, record->client);
	ACCESS_TEXT_LITERAL(&line, ",\"method\":");
	put_json_text(&line, record->method);
	ACCESS_TEXT_LITERAL(&line, ",\"target\":");
	put_json_text(&line, record->target);
	ACCESS_TEXT_LITERAL(&line, ",\"status\":");
	access_text_number(&line, record->status);
	ACCESS_TEXT_LITERAL(&line, ",\"bytes_in\":");
	access_text_number(&line, record->bytes_in);
	ACCESS_TEXT_LITERAL(&line, ",\"bytes_out\":");
	access_text_number(&line, record->bytes_out);
	put_json_course(&line, record);
	access_text_char(&line, '}');
	return end_line(&line, out);
}

/* Custom ----------------------------------------------------------------- */

static void
put_seconds_text(struct access_text *line, int64_t us)
{
	if (us < 0)
		access_text_char(line, '-');
	else
		access_text_seconds(line, us);
}

static void
put_backend(struct access_text *line, uint64_t backend_id)
{
	if (backend_id == 0)
		access_text_char(line, '-');
	else
		access_text_number(line, backend_id);
}

static void
put_piece(struct access_text *line, struct access_clock *clock,
    const struct access_record *record, const struct access_piece *piece)
{
	switch (piece->variable) {
	case ACCESS_TEXT:
		access_text_put(line, piece->text.data, piece->text.len);
		break;
	case ACCESS_CLIENT:
		access_text_escaped(line, record->client);
		break;
	case ACCESS_TIME:
		put_time(line, clock, record->started_wall_ms);
		break;
	case ACCESS_TIME_LOCAL:
		put_time_local(line, clock, record->started_wall_ms);
		break;
	case ACCESS_REQUEST_ID:
		access_text_escaped(line, record->request_id);
		break;
	case ACCESS_REQUEST:
		put_request(line, record);
		break;
	case ACCESS_METHOD:
		access_text_escaped(line, record->method);
		break;
	case ACCESS_TARGET:
		access_text_escaped(line, record->target);
		break;
	case ACCESS_PROTOCOL:
		put_protocol(line, record);
		break;
	case ACCESS_STATUS:
		access_text_number(line, record->status);
		break;
	case ACCESS_BYTES_IN:
		access_text_number(line, record->bytes_in);
		break;
	case ACCESS_BYTES_OUT:
		access_text_number(line, record->bytes_out);
		break;
	case ACCESS_ROUTE:
		access_text_escaped(line, record->route);
		break;
	case ACCESS_SERVICE:
		access_text_escaped(line, record->service);
		break;
	case ACCESS_BACKEND:
		put_backend(line, record->backend_id);
		break;
	case ACCESS_TRIES:
		access_text_number(line, record->tries);
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
		access_text_escaped(line, bytes_of(record->reason));
		break;
	case ACCESS_HOST:
		access_text_escaped(line, record->host);
		break;
	case ACCESS_REFERER:
		access_text_escaped(line, record->referer);
		break;
	case ACCESS_USER_AGENT:
		access_text_escaped(line, record->user_agent);
		break;
	}
}

size_t
access_line_custom(struct access_clock *clock,
    const struct access_record *record, const struct access_piece *pieces,
    uint32_t piece_count, char *out)
{
	struct access_text line = begin_line(out);

	for (uint32_t i = 0; i < piece_count; i++)
		put_piece(&line, clock, record, &pieces[i]);
	return end_line(&line, out);
}
