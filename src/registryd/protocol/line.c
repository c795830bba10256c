/*
 * registryd/protocol/line.c - one line of the registration protocol.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/protocol/line.h"

#include "common/utf8.h"

static const struct {
	const char *word;
	uint32_t least, most;
	bool takes_rest;
	enum config_scope scope;
} rows[COMMAND_COUNT] = {
#define X(id, word, least, most, rest, scope)                                  \
	[COMMAND_##id] = { word, least, most, rest, scope },
	PROTOCOL_COMMANDS(X)
#undef X
};

static const struct {
	const char *word;
	enum protocol_command command;
} aliases[] = {
	{ "CIRCUIT_SET", COMMAND_CIRCUIT_SET },
	{ "CIRCUIT_STATUS", COMMAND_CIRCUIT_STATUS },
	{ "CIRCUIT_RESET", COMMAND_CIRCUIT_RESET },
	{ "RATE_LIMIT_SET", COMMAND_RATELIMIT_SET },
};

static const char *const scope_words[SCOPE_COUNT] = {
	[SCOPE_ROUTES] = "routes",
	[SCOPE_HEADERS] = "headers",
	[SCOPE_OPTIONS] = "options",
	[SCOPE_HEALTH] = "health",
	[SCOPE_RATELIMIT] = "ratelimit",
	[SCOPE_CIRCUIT] = "circuit",
};

const char *
command_word(enum protocol_command command)
{
	return rows[command].word;
}

enum config_scope
command_scope(enum protocol_command command)
{
	return rows[command].scope;
}

int
scope_parse(struct bytes word, enum config_scope *scope_r)
{
	for (unsigned int i = 0; i < SCOPE_COUNT; i++) {
		if (!bytes_is(word, scope_words[i]))
			continue;
		*scope_r = (enum config_scope)i;
		return 0;
	}
	return -1;
}

static bool
find_command(struct bytes word, enum protocol_command *command_r)
{
	for (unsigned int i = 0; i < COMMAND_COUNT; i++) {
		if (bytes_is(word, rows[i].word)) {
			*command_r = (enum protocol_command)i;
			return true;
		}
	}
	for (size_t i = 0; i < COUNT_OF(aliases); i++) {
		if (bytes_is(word, aliases[i].word)) {
			*command_r = aliases[i].command;
			return true;
		}
	}
	return false;
}

/* What is reserved must not be there: it would be lost without a word.
 * Empty fields at the end are nothing. */
static bool
has_surplus(struct bytes rest)
{
	struct bytes field;

	while (bytes_next_field(&rest, '|', &field))
		if (field.len > 0)
			return true;
	return false;
}

static enum line_result
split_fields(struct protocol_line *line, struct bytes rest)
{
	uint32_t most = rows[line->command].most;

	while (line->field_count < most) {
		if (rest.data == NULL)
			break;
		if (rows[line->command].takes_rest &&
		    line->field_count == most - 1) {
			line->fields[line->field_count++] = rest;
			rest = bytes_slice(NULL, 0);
		} else if (bytes_next_field(&rest, '|',
			       &line->fields[line->field_count])) {
			line->field_count++;
		}
	}
	return line->field_count < rows[line->command].least ||
		    has_surplus(rest) ?
		LINE_FORMAT :
		LINE_GOOD;
}

/* UTF-8 without controls; a tab may stand in a value. */
static bool
is_text(struct bytes text)
{
	size_t len;

	for (size_t i = 0; i < text.len; i += len) {
		unsigned char byte = (unsigned char)text.data[i];

		if ((byte < ' ' && byte != '\t') || byte == 0x7f)
			return false;
		len = utf8_char_len(text.data + i, text.len - i);
		if (len == 0)
			return false;
	}
	return true;
}

enum line_result
line_parse(struct bytes text, struct protocol_line *line_r)
{
	bool is_good;

	*line_r = (struct protocol_line){ .command = COMMAND_COUNT };
	if (text.len > 0 && text.data[text.len - 1] == '\r')
		text.len--;
	if (text.len == 0)
		return LINE_EMPTY;
	is_good = is_text(text);
	(void)bytes_next_field(&text, '|', &line_r->word);
	if (!find_command(line_r->word, &line_r->command))
		return LINE_UNKNOWN;
	return is_good ? split_fields(line_r, text) : LINE_FORMAT;
}

/* Whether so many bytes without a "\n" can be no line any more. */
static bool
is_over(struct bytes data)
{
	return data.len > LINE_MAX_BYTES + 1 ||
	    (data.len == LINE_MAX_BYTES + 1 &&
		data.data[LINE_MAX_BYTES] != '\r');
}

enum frame_result
line_frame(struct bytes data, size_t *scanned, struct bytes *line_r,
    size_t *used_r)
{
	const char *end = NULL;

	if (data.len > *scanned)
		end = memchr(data.data + *scanned, '\n', data.len - *scanned);
	if (end == NULL) {
		*scanned = data.len;
		return is_over(data) ? FRAME_TOO_LONG : FRAME_MORE;
	}
	*line_r = bytes_slice(data.data, (size_t)(end - data.data));
	*used_r = line_r->len + 1;
	*scanned = 0;
	return is_over(*line_r) ? FRAME_TOO_LONG : FRAME_LINE;
}
