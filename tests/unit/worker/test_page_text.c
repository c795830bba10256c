/*
 * tests/unit/worker/test_page_text.c - a maintenance page out of bytes.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "worker/page_text.h"

#define OK "HTTP/1.1 200 OK\r\n"

/* '|' is where one read ends and the next begins; '$' the end of all. */
static const struct {
	const char *sentence, *input;
	unsigned int status;		/* 0: there is no page */
	const char *body, *type;	/* or the fault */
} cases[] = {
	{ "a body has its length",
	    OK "Content-Type: text/plain\r\nContent-Length: 4\r\n\r\npage",
	    200, "page", "text/plain" },
	{ "what is behind it is left out",
	    OK "Content-Length: 4\r\n\r\npage and more", 200, "page",
	    "text/html" },
	{ "a body may come in pieces",
	    OK "Content-|Length: 4\r\n|\r\npa|ge", 200, "page", "text/html" },
	{ "its status passes through",
	    "HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno", 503, "no",
	    "text/html" },
	{ "chunks are put together",
	    OK "Transfer-Encoding: chunked\r\n\r\n2\r\npa\r\n|2\r\nge\r\n"
	    "0\r\n\r\n", 200, "page", "text/html" },
	{ "without a length the end is the end",
	    OK "\r\npage|$", 200, "page", "text/html" },
	{ "no body is an empty line",
	    "HTTP/1.1 204 None\r\n\r\n", 204, "\n", "text/html" },
	{ "an end before the length is none",
	    OK "Content-Length: 5\r\n\r\npage$", 0,
	    "closed before its answer was complete", NULL },
	{ "an end inside the head is none",
	    "HTTP/1.1 200$", 0, "closed before its answer was complete",
	    NULL },
	{ "an informational answer is no page",
	    "HTTP/1.1 100 Go on\r\n\r\n", 0, NULL, NULL },
	{ "what is no answer is no page", "SSH-2.0-x\r\n\r\n", 0, NULL, NULL },
};

static struct http_response response;

/* The state when all was looked at, or before, when that was enough. */
static enum page_text_state
look_at(struct page_text *text, const char *input, const char **fault_r)
{
	enum page_text_state state = PAGE_TEXT_MORE;

	while (*input != '\0' && state == PAGE_TEXT_MORE) {
		size_t len = strcspn(input, "|$");
		bool is_end = input[len] == '$';

		buf_append(&text->input, bytes_slice(input, len));
		state = page_text_look(text, &response, is_end, fault_r);
		input += len + (input[len] != '\0');
	}
	return state;
}

static void
clear(struct page_text *text)
{
	buf_free(&text->input);
	buf_free(&text->body);
	buf_free(&text->fields);
	buf_free(&text->content_type);
}

static void
pages_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct page_text text = { 0 };
		const char *fault = NULL;
		enum page_text_state found = look_at(&text, cases[i].input,
		    &fault);

		print_message("%s\n", cases[i].sentence);
		if (cases[i].status == 0) {
			assert_int_equal(found, PAGE_TEXT_FAULT);
			assert_non_null(fault);
			if (cases[i].body != NULL)
				assert_string_equal(fault, cases[i].body);
		} else {
			assert_int_equal(found, PAGE_TEXT_WHOLE);
			assert_int_equal(text.answer.status, cases[i].status);
			assert_true(bytes_is(text.answer.body, cases[i].body));
			assert_true(bytes_is(text.answer.content_type,
			    cases[i].type));
		}
		clear(&text);
	}
}

static void
few_fields_are_kept(void **state)
{
	struct page_text text = { 0 };
	const char *fault = NULL;

	(void)state;
	assert_int_equal(look_at(&text, "HTTP/1.1 302 Away\r\n"
	    "Location: /soon\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n",
	    &fault), PAGE_TEXT_WHOLE);
	assert_true(bytes_is(text.answer.fields,
	    "X-Maintenance-Mode: true\r\nLocation: /soon\r\n"));
	clear(&text);
}

static void
a_page_has_a_bound(void **state)
{
	struct page_text text = { 0 };
	const char *fault = NULL;

	(void)state;
	buf_append_text(&text.input, OK "\r\n");
	while (text.input.len <= PAGE_BYTES_MAX) {
		assert_int_equal(page_text_look(&text, &response, false,
		    &fault), PAGE_TEXT_MORE);
		buf_append_text(&text.input, "a line of a page without end\n");
	}
	assert_int_equal(page_text_look(&text, &response, false, &fault),
	    PAGE_TEXT_FAULT);
	assert_string_equal(fault, "it is too large");
	clear(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_are_read),
		cmocka_unit_test(few_fields_are_kept),
		cmocka_unit_test(a_page_has_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
