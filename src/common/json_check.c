/*
 * common/json_check.c - whether a text is JSON, to the letter.
 */
/* SPDX-License-Identifier: ISC */
#include "common/json_check.h"

#include "common/json.h"
#include "common/utf8.h"

struct cursor {
	const char *text;
	size_t len, pos;		/* after a failure: where it is */
	size_t count;			/* values and names so far */
	unsigned int depth;
};

static bool check_value(struct cursor *);

/* The byte at the cursor, or -1 at the end. */
static int
peek(const struct cursor *cursor)
{
	if (cursor->pos == cursor->len)
		return -1;
	return (unsigned char)cursor->text[cursor->pos];
}

static bool
take(struct cursor *cursor, char expected)
{
	if (peek(cursor) != expected)
		return false;
	cursor->pos++;
	return true;
}

static void
skip_blanks(struct cursor *cursor)
{
	for (;;) {
		switch (peek(cursor)) {
		case ' ':
		case '\t':
		case '\r':
		case '\n':
			cursor->pos++;
			break;
		default:
			return;
		}
	}
}

static int
hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
check_hex4(struct cursor *cursor, unsigned int *unit_r)
{
	*unit_r = 0;
	for (int i = 0; i < 4; i++) {
		int digit = peek(cursor) < 0 ? -1 : hex_digit(peek(cursor));

		if (digit < 0)
			return false;
		*unit_r = *unit_r << 4 | (unsigned int)digit;
		cursor->pos++;
	}
	return true;
}

/* Behind "\u": four digits, and the other half of a surrogate pair. */
static bool
check_unicode_escape(struct cursor *cursor)
{
	size_t start = cursor->pos;
	unsigned int unit, low;

	if (!check_hex4(cursor, &unit))
		return false;
	if (unit < 0xd800 || unit > 0xdfff)
		return true;
	if (unit < 0xdc00) {
		if (!take(cursor, '\\') || !take(cursor, 'u') ||
		    !check_hex4(cursor, &low))
			return false;
		if (low >= 0xdc00 && low <= 0xdfff)
			return true;
	}
	cursor->pos = start;
	return false;
}

static bool
check_escape(struct cursor *cursor)
{
	switch (peek(cursor)) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		cursor->pos++;
		return true;
	case 'u':
		cursor->pos++;
		return check_unicode_escape(cursor);
	default:
		return false;
	}
}

static bool
check_string(struct cursor *cursor)
{
	cursor->count++;
	if (!take(cursor, '"'))
		return false;
	for (;;) {
		int c = peek(cursor);
		size_t len;

		if (c < ' ')		/* a control, or the end */
			return false;
		if (c == '\\') {
			cursor->pos++;
			if (!check_escape(cursor))
				return false;
			continue;
		}
		len = utf8_char_len(cursor->text + cursor->pos,
		    cursor->len - cursor->pos);
		if (len == 0)
			return false;
		cursor->pos += len;
		if (c == '"')
			return true;
	}
}

static bool
check_digits(struct cursor *cursor)
{
	size_t start = cursor->pos;

	while (peek(cursor) >= '0' && peek(cursor) <= '9')
		cursor->pos++;
	return cursor->pos > start;
}

static bool
check_number(struct cursor *cursor)
{
	cursor->count++;
	take(cursor, '-');
	if (!take(cursor, '0') && !check_digits(cursor))
		return false;
	if (take(cursor, '.') && !check_digits(cursor))
		return false;
	if (take(cursor, 'e') || take(cursor, 'E')) {
		if (!take(cursor, '+'))
			take(cursor, '-');
		return check_digits(cursor);
	}
	return true;
}

static bool
check_word(struct cursor *cursor, const char *word)
{
	cursor->count++;
	for (; *word != '\0'; word++)
		if (!take(cursor, *word))
			return false;
	return true;
}

static bool
check_member(struct cursor *cursor)
{
	skip_blanks(cursor);
	if (!check_string(cursor))
		return false;
	skip_blanks(cursor);
	return take(cursor, ':') && check_value(cursor);
}

static bool
check_container(struct cursor *cursor, char closing)
{
	if (cursor->depth == JSON_DEPTH_MAX)
		return false;
	cursor->count++;
	cursor->depth++;
	cursor->pos++;
	skip_blanks(cursor);
	if (!take(cursor, closing)) {
		do {
			if (closing == '}' ? !check_member(cursor)
					   : !check_value(cursor))
				return false;
		} while (take(cursor, ','));
		if (!take(cursor, closing))
			return false;
	}
	cursor->depth--;
	return true;
}

static bool
check_bare_value(struct cursor *cursor)
{
	switch (peek(cursor)) {
	case '{':
		return check_container(cursor, '}');
	case '[':
		return check_container(cursor, ']');
	case '"':
		return check_string(cursor);
	case 't':
		return check_word(cursor, "true");
	case 'f':
		return check_word(cursor, "false");
	case 'n':
		return check_word(cursor, "null");
	default:
		return check_number(cursor);
	}
}

/* A value and the blanks around it. */
static bool
check_value(struct cursor *cursor)
{
	skip_blanks(cursor);
	if (!check_bare_value(cursor))
		return false;
	skip_blanks(cursor);
	return true;
}

bool
json_check(struct bytes text, size_t *offset_r, size_t *count_r)
{
	struct cursor cursor = { .text = text.data, .len = text.len };
	bool is_good = check_value(&cursor) && cursor.pos == cursor.len;

	*offset_r = cursor.pos;
	*count_r = cursor.count;
	return is_good;
}

static unsigned int
read_hex4(const char *digits)
{
	unsigned int unit = 0;

	for (int i = 0; i < 4; i++)
		unit = unit << 4 | (unsigned int)hex_digit(digits[i]);
	return unit;
}

static size_t
unescape_unicode(const char *escape, uint32_t *code_point_r)
{
	unsigned int unit = read_hex4(escape + 2);

	if (unit < 0xd800 || unit > 0xdbff) {
		*code_point_r = unit;
		return 6;
	}
	*code_point_r = 0x10000 + ((unit - 0xd800) << 10) +
	    (read_hex4(escape + 8) - 0xdc00);
	return 12;
}

static uint32_t
decode_char(const char *text, size_t len)
{
	uint32_t code_point = (unsigned char)text[0];

	if (len > 1)
		code_point &= 0x7fu >> len;
	for (size_t i = 1; i < len; i++)
		code_point = code_point << 6 | ((unsigned char)text[i] & 0x3f);
	return code_point;
}

size_t
json_unescape(struct bytes inside, uint32_t *code_point_r)
{
	static const char letters[] = "bfnrt", controls[] = "\b\f\n\r\t";
	const char *letter;
	size_t len;

	if (inside.data[0] != '\\') {
		len = utf8_char_len(inside.data, inside.len);
		*code_point_r = decode_char(inside.data, len);
		return len;
	}
	if (inside.data[1] == 'u')
		return unescape_unicode(inside.data, code_point_r);
	letter = strchr(letters, inside.data[1]);
	*code_point_r = (unsigned char)(letter != NULL
		? controls[letter - letters] : inside.data[1]);
	return 2;
}
