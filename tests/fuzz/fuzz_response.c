/*
 * fuzz/fuzz_response.c - response heads, and what the client gets of them.
 */
/* SPDX-License-Identifier: ISC */
#include "fuzz/fuzz.h"

#include "http/forward.h"
#include "http/head.h"

static void
check_scan(struct bytes input)
{
	struct random_stream cuts = fuzz_cuts(input);
	struct http_head_scan whole = { 0 }, pieces = { 0 };
	enum http_fault whole_fault = HTTP_FAULT_NONE;
	enum http_fault fault = HTTP_FAULT_NONE;
	size_t whole_end = 0, end = 0, len = 0;
	enum http_scan_result want, got;

	want = http_head_scan(&whole, input.data, input.len, false, &whole_end,
	    &whole_fault);
	do {
		len += 1 + random_below(&cuts, 40);
		if (len > input.len)
			len = input.len;
		got = http_head_scan(&pieces, input.data, len, false, &end,
		    &fault);
	} while (got == HTTP_SCAN_MORE && len < input.len);
	invariant(want == got && whole_end == end && whole_fault == fault);
}

static void
forward_and_parse_again(const struct http_response *response,
    enum http_method method)
{
	static struct http_response again;
	static char data[2 * HTTP_HEAD_MAX];
	struct http_out out = { .data = data, .size = sizeof(data) };
	const struct forward_response forward = {
		.response = response,
		.client_minor = 1,
		.keeps_alive = response->keeps_alive,
		.is_chunked = response->body == HTTP_BODY_CHUNKED,
		.is_tunnel = response->status == 101,
		.request_id = BYTES_LITERAL("1"),
		.date = BYTES_LITERAL("Sun, 06 Nov 1994 08:49:37 GMT"),
	};
	enum http_fault fault;

	http_forward_response(&forward, &out);
	invariant(!out.is_full);
	fault = http_response_parse(bytes_slice(data, out.len), method, &again);
	if (fault == HTTP_FAULT_FIELDS_MANY)	/* ours came on top */
		return;
	invariant(fault == HTTP_FAULT_NONE);
	invariant(again.status == response->status);
	invariant(again.body == response->body);
	if (response->body == HTTP_BODY_LENGTH)
		invariant(again.content_length == response->content_length);
}

static void
parse(struct bytes input, enum http_method method)
{
	/* Not zeroed, so that memcheck sees what the parser left out. */
	struct http_response *response = malloc(sizeof(*response));
	struct bytes head = fuzz_exact_copy(input);

	invariant(response != NULL);
	if (http_response_parse(head, method, response) == HTTP_FAULT_NONE)
		forward_and_parse_again(response, method);
	fuzz_release(head);
	free(response);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = { (const char *)data, size };

	check_scan(input);
	parse(input, HTTP_METHOD_GET);
	parse(input, HTTP_METHOD_HEAD);
	return 0;
}
