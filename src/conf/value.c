/*
 * conf/value.c - one setting's value: from text, to its place.
 */
/* SPDX-License-Identifier: ISC */
#include "conf/value.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/quantity.h"

static void *
member(struct settings *settings, const struct setting *row)
{
	return (char *)settings + row->offset;
}

int
address_list_copy(struct address_list *list, const char *const *texts,
    uint32_t count)
{
	*list = (struct address_list){ NULL, 0 };
	if (count == 0)
		return 0;
	if ((list->list = calloc(count, sizeof(*list->list))) == NULL)
		return -1;
	for (uint32_t i = 0; i < count; i++) {
		list->count = i + 1;
		if ((list->list[i] = strdup(texts[i])) == NULL) {
			address_list_free(list);
			return -1;
		}
	}
	return 0;
}

void
address_list_free(struct address_list *list)
{
	for (uint32_t i = 0; i < list->count; i++)
		free(list->list[i]);
	free(list->list);
	*list = (struct address_list){ NULL, 0 };
}

int
value_parse_bool(const char *text, bool *bool_r)
{
	static const char *const words[] = { "false", "true", "off", "on", "no",
		"yes" };

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (strcasecmp(text, words[i]) != 0)
			continue;
		*bool_r = i % 2 == 1;
		return 0;
	}
	return -1;
}

/* Puts a copy in place of an owned text. */
static int
put_copy(char **place, const char *text, struct buf *why)
{
	char *copy = strdup(text);

	if (copy == NULL) {
		buf_append_text(why, "out of memory");
		return -1;
	}
	free(*place);
	*place = copy;
	return 0;
}

static void
print_range(const struct setting *row, struct buf *why)
{
	char least[QUANTITY_TEXT_SIZE], most[QUANTITY_TEXT_SIZE];

	if (row->type == SETTING_SPAN)
		buf_printf(why, "%s to %s",
		    quantity_format_span((int64_t)row->min, least),
		    quantity_format_span((int64_t)row->max, most));
	else if (row->type == SETTING_COUNT)
		buf_printf(why, "%" PRIu64 " to %" PRIu64, row->min, row->max);
	else
		buf_printf(why, "%s to %s",
		    quantity_format_size(row->min, least),
		    quantity_format_size(row->max, most));
}

/* Reads SPAN, SIZE, RATE and COUNT.  0, or -1 with why. */
static int
parse_number(const struct setting *row, const char *text,
    bool bare_is_seconds, uint64_t *number_r, struct buf *why)
{
	const char *wrong = NULL;
	unsigned long long count = 0;
	uint64_t number = 0;
	int64_t span_ms = 0;

	if (row->type == SETTING_SPAN) {
		if (quantity_parse_span(bytes_of(text), bare_is_seconds,
		    &span_ms) == -1)
			wrong = "is no span of time; give a number and a unit "
				"(ms, s, m, h, d)";
		number = (uint64_t)span_ms;
	} else if (row->type == SETTING_COUNT) {
		if (bytes_to_number(bytes_of(text), UINT32_MAX, &count) == -1)
			wrong = "is no whole number";
		number = count;
	} else if (quantity_parse_size(bytes_of(text), &number) == -1) {
		wrong = "is no size; give a whole number and a unit (B, KiB, "
			"MiB, GiB)";
	}
	if (wrong == NULL && (number < row->min || number > row->max))
		wrong = "is out of range";
	if (wrong == NULL) {
		*number_r = number;
		return 0;
	}
	buf_printf(why, "'%s' %s; from ", text, wrong);
	print_range(row, why);
	return -1;
}

static int
put_number(struct settings *settings, const struct setting *row,
    const char *text, bool bare_is_seconds, struct buf *why)
{
	uint64_t number;

	if (parse_number(row, text, bare_is_seconds, &number, why) == -1)
		return -1;
	if (row->type == SETTING_SPAN)
		*(int64_t *)member(settings, row) = (int64_t)number;
	else if (row->type == SETTING_SIZE)
		*(uint64_t *)member(settings, row) = number;
	else
		*(uint32_t *)member(settings, row) = (uint32_t)number;
	return 0;
}

static int
put_word(struct settings *settings, const struct setting *row,
    const char *text, struct buf *why)
{
	const struct setting_word *word;

	for (word = row->words; word->word != NULL; word++) {
		if (strcmp(word->word, text) == 0) {
			memcpy(member(settings, row), &word->value,
			    sizeof(word->value));
			return 0;
		}
	}
	buf_printf(why, "'%s' is unknown; give one of", text);
	for (word = row->words; word->word != NULL; word++)
		buf_printf(why, "%s %s", word == row->words ? "" : ",",
		    word->word);
	return -1;
}

static int
put_bool(struct settings *settings, const struct setting *row,
    const char *text, struct buf *why)
{
	if (value_parse_bool(text, member(settings, row)) == 0)
		return 0;
	buf_printf(why, "'%s' is neither true nor false", text);
	return -1;
}

static int
put_format(struct settings *settings, const char *text, struct buf *why)
{
	enum access_format format = ACCESS_CUSTOM;

	if (strcmp(text, "combined") == 0)
		format = ACCESS_COMBINED;
	else if (strcmp(text, "json") == 0)
		format = ACCESS_JSON;
	if (put_copy(&settings->log.custom,
	    format == ACCESS_CUSTOM ? text : "", why) == -1)
		return -1;
	settings->log.format = format;
	return 0;
}

static int
put_list(struct settings *settings, const struct setting *row,
    const char *const *texts, uint32_t count, struct buf *why)
{
	struct address_list list, *place = member(settings, row);

	if (address_list_copy(&list, texts, count) == -1) {
		buf_append_text(why, "out of memory");
		return -1;
	}
	address_list_free(place);
	*place = list;
	return 0;
}

static void
free_listens(struct settings *settings)
{
	for (uint32_t i = 0; i < settings->listen_count; i++)
		free(settings->listens[i].address);
	memset(settings->listens, 0, sizeof(settings->listens));
	settings->listen_count = 0;
}

static int
put_listens(struct settings *settings, const char *const *texts,
    uint32_t count, struct buf *why)
{
	struct address_list copies;

	if (count > CONF_LISTENS_MAX) {
		buf_printf(why, "more than %d listeners", CONF_LISTENS_MAX);
		return -1;
	}
	if (address_list_copy(&copies, texts, count) == -1) {
		buf_append_text(why, "out of memory");
		return -1;
	}
	free_listens(settings);
	for (uint32_t i = 0; i < count; i++)
		settings->listens[i] = (struct listen_setting){
			.address = copies.list[i],
			.backlog = LISTEN_BACKLOG_DEFAULT,
		};
	settings->listen_count = count;
	free(copies.list);
	return 0;
}

int
value_put(struct settings *settings, const struct setting *row,
    const char *const *texts, uint32_t count, bool bare_is_seconds,
    struct buf *why)
{
	for (uint32_t i = 0; i < count && row->check != NULL; i++) {
		const char *wrong = row->check(bytes_of(texts[i]));

		if (wrong != NULL) {
			buf_printf(why, "'%s': %s", texts[i], wrong);
			return -1;
		}
	}
	switch (row->type) {
	case SETTING_SPAN:
	case SETTING_SIZE:
	case SETTING_RATE:
	case SETTING_COUNT:
		return put_number(settings, row, texts[0], bare_is_seconds,
		    why);
	case SETTING_STRING:
		return put_copy(member(settings, row), texts[0], why);
	case SETTING_BOOL:
		return put_bool(settings, row, texts[0], why);
	case SETTING_ENUM:
		return put_word(settings, row, texts[0], why);
	case SETTING_FORMAT:
		return put_format(settings, texts[0], why);
	case SETTING_LIST:
		return put_list(settings, row, texts, count, why);
	case SETTING_LISTENS:
		return put_listens(settings, texts, count, why);
	}
	return -1;
}

#define TEXT_LIST_MAX 256

int
value_put_text(struct settings *settings, const struct setting *row,
    const char *text, bool bare_is_seconds, struct buf *why)
{
	char *copy, *texts[TEXT_LIST_MAX], *rest, *field;
	uint32_t count = 0;
	int result = -1;

	if (row->type != SETTING_LIST && row->type != SETTING_LISTENS)
		return value_put(settings, row, &text, 1, bare_is_seconds, why);
	if ((rest = copy = strdup(text)) == NULL) {
		buf_append_text(why, "out of memory");
		return -1;
	}
	while ((field = strsep(&rest, ",")) != NULL) {
		field += strspn(field, " ");
		field[strcspn(field, " ")] = '\0';
		if (*field == '\0')
			continue;
		if (count == TEXT_LIST_MAX) {
			buf_printf(why, "more than %d members", TEXT_LIST_MAX);
			goto done;
		}
		texts[count++] = field;
	}
	result = value_put(settings, row, (const char *const *)texts, count,
	    bare_is_seconds, why);
done:
	free(copy);
	return result;
}

void
value_free(struct settings *settings, const struct setting *row)
{
	if (row->type == SETTING_STRING) {
		free(*(char **)member(settings, row));
		*(char **)member(settings, row) = NULL;
	} else if (row->type == SETTING_LIST) {
		address_list_free(member(settings, row));
	} else if (row->type == SETTING_FORMAT) {
		free(settings->log.custom);
		settings->log.custom = NULL;
	} else if (row->type == SETTING_LISTENS) {
		free_listens(settings);
	}
}
