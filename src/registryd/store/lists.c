/*
 * registryd/store/lists.c - a route's lists as the JSON that the columns hold.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/lists.h"

#include <stdlib.h>

#include "common/json.h"

int
texts_write(struct buf *buf, char *const *texts, uint32_t count)
{
	struct json_writer writer = json_writer(buf);

	buf_clear(buf);
	json_write_begin(&writer, '[');
	for (uint32_t i = 0; i < count; i++)
		json_write_text(&writer, texts[i]);
	json_write_end(&writer, ']');
	return buf->is_failed ? -1 : 0;
}

int
targets_write(struct buf *buf, const struct route_target_name *targets,
    uint32_t count)
{
	struct json_writer writer = json_writer(buf);

	buf_clear(buf);
	json_write_begin(&writer, '[');
	for (uint32_t i = 0; i < count; i++) {
		json_write_begin(&writer, '[');
		json_write_text(&writer, targets[i].service);
		json_write_integer(&writer, targets[i].weight);
		json_write_end(&writer, ']');
	}
	json_write_end(&writer, ']');
	return buf->is_failed ? -1 : 0;
}

static const char *const op_names[] = {
	[HEADER_SET] = "set",
	[HEADER_ADD] = "add",
	[HEADER_REMOVE] = "remove",
};

int
headers_write(struct buf *buf, const struct header_edit *headers,
    uint32_t count)
{
	struct json_writer writer = json_writer(buf);

	buf_clear(buf);
	json_write_begin(&writer, '[');
	for (uint32_t i = 0; i < count; i++) {
		json_write_begin(&writer, '{');
		json_write_key(&writer, "op");
		json_write_text(&writer, op_names[headers[i].op]);
		json_write_key(&writer, "of");
		json_write_text(&writer,
		    headers[i].of_request ? "request" : "response");
		json_write_key(&writer, "name");
		json_write_string(&writer, headers[i].name);
		json_write_key(&writer, "value");
		json_write_string(&writer, headers[i].value);
		json_write_end(&writer, '}');
	}
	json_write_end(&writer, ']');
	return buf->is_failed ? -1 : 0;
}

static int
parse_array(const char *json, struct json_doc **doc_r)
{
	size_t offset;

	*doc_r = NULL;
	if (json_parse(bytes_of(json), doc_r, &offset) == -1)
		return -1;
	return json_type(*doc_r, json_root(*doc_r)) == JSON_ARRAY ? 0 : -1;
}

int
texts_read(const char *json, char ***texts_r, uint32_t *count_r)
{
	struct json_doc *doc;
	int value = JSON_NONE, result = -1;
	char *text;

	if (parse_array(json, &doc) == -1)
		goto done;
	*texts_r = calloc(json_count(doc, json_root(doc)) + 1,
	    sizeof(**texts_r));
	if (*texts_r == NULL)
		goto done;
	while (json_each(doc, json_root(doc), &value, NULL)) {
		if ((text = json_string(doc, value)) == NULL)
			goto done;
		(*texts_r)[(*count_r)++] = text;
	}
	result = 0;
done:
	json_doc_free(&doc);
	return result;
}

static int
target_read(const struct json_doc *doc, int pair,
    struct route_target_name *target_r)
{
	int value = JSON_NONE;
	int64_t weight;

	if (json_type(doc, pair) != JSON_ARRAY || json_count(doc, pair) != 2 ||
	    !json_each(doc, pair, &value, NULL) ||
	    (target_r->service = json_string(doc, value)) == NULL)
		return -1;
	if (!json_each(doc, pair, &value, NULL) ||
	    json_integer(doc, value, 0, UINT32_MAX, &weight) == -1)
		return -1;
	target_r->weight = (uint32_t)weight;
	return 0;
}

int
targets_read(const char *json,
    struct route_target_name targets_r[TABLE_TARGETS_MAX], uint32_t *count_r)
{
	struct json_doc *doc;
	int value = JSON_NONE, result = -1;

	if (parse_array(json, &doc) == -1)
		goto done;
	while (json_each(doc, json_root(doc), &value, NULL)) {
		if (*count_r == TABLE_TARGETS_MAX ||
		    target_read(doc, value, &targets_r[(*count_r)++]) == -1)
			goto done;
	}
	result = 0;
done:
	json_doc_free(&doc);
	return result;
}

static int
read_op(const char *word, enum header_edit_op *op_r)
{
	for (size_t i = 0; i < COUNT_OF(op_names); i++) {
		if (strcmp(op_names[i], word) == 0) {
			*op_r = (enum header_edit_op)i;
			return 0;
		}
	}
	return -1;
}

static int
header_read(const struct json_doc *doc, int object,
    struct header_edit *header_r)
{
	char *op = json_string(doc, json_member(doc, object, "op"));
	char *of = json_string(doc, json_member(doc, object, "of"));
	char *name = json_string(doc, json_member(doc, object, "name"));
	char *value = json_string(doc, json_member(doc, object, "value"));
	int result = -1;

	header_r->name = bytes_of(name);
	header_r->value = bytes_of(value);
	if (op != NULL && of != NULL && name != NULL && value != NULL)
		result = read_op(op, &header_r->op);
	header_r->of_request = of != NULL && strcmp(of, "request") == 0;
	free(op);
	free(of);
	return result;
}

int
headers_read(const char *json, struct header_edit **headers_r,
    uint32_t *count_r)
{
	struct json_doc *doc;
	int value = JSON_NONE, result = -1;

	if (parse_array(json, &doc) == -1)
		goto done;
	if (json_count(doc, json_root(doc)) > 0) {
		*headers_r = calloc(json_count(doc, json_root(doc)),
		    sizeof(**headers_r));
		if (*headers_r == NULL)
			goto done;
	}
	while (json_each(doc, json_root(doc), &value, NULL)) {
		if (json_type(doc, value) != JSON_OBJECT ||
		    header_read(doc, value, &(*headers_r)[(*count_r)++]) == -1)
			goto done;
	}
	result = 0;
done:
	json_doc_free(&doc);
	return result;
}
