/*
 * fuzz/fuzz_request.c - request heads.
 *
 * However the bytes are cut, the same head is found.  What is parsed lies
 * inside the head, is in its normal form, and once forwarded is parsed as
 * the same request.
 */
/* SPDX-License-Identifier: ISC */
#include "fuzz/fuzz.h"

#include "http/forward.h"
#include "http/head.h"
#include "http/url.h"

struct found {
	enum http_scan_result result;
	enum http_fault fault;
	size_t head_end;
	uint32_t skipped;
};

static struct found
scan_whole(struct bytes input)
{
	struct http_head_scan scan = { 0 };
	struct found found = { 0 };

	found.result = http_head_scan(&scan, input.data, input.len, true,
	    &found.head_end, &found.fault);
	found.skipped = scan.skipped;
	return found;
}

static struct found
scan_in_pieces(struct bytes input)
{
	struct random_stream cuts = fuzz_cuts(input);
	struct http_head_scan scan = { 0 };
	struct found found = { .result = HTTP_SCAN_MORE };
	size_t len = 0;

	do {
		len += 1 + random_below(&cuts, 40);
		if (len > input.len)
			len = input.len;
		found.result = http_head_scan(&scan, input.data, len, true,
		    &found.head_end, &found.fault);
	} while (found.result == HTTP_SCAN_MORE && len < input.len);
	found.skipped = scan.skipped;
	return found;
}

static bool
lies_within(struct bytes inner, struct bytes outer)
{
	return inner.data >= outer.data &&
	    inner.data + inner.len <= outer.data + outer.len;
}

static void
check_parsed(const struct http_request *request, struct bytes head)
{
	char path[HTTP_TARGET_MAX], domain[256];
	size_t len;

	invariant(lies_within(request->method, head));
	invariant(lies_within(request->target, head));
	for (uint32_t i = 0; i < request->fields.count; i++) {
		invariant(lies_within(request->fields.list[i].name, head));
		invariant(lies_within(request->fields.list[i].value, head));
	}
	if (bytes_is(request->path, "*"))
		return;
	invariant(url_normalise_path(request->path, path, &len));
	invariant(bytes_equal(request->path, bytes_slice(path, len)));
	if (url_normalise_domain(request->host, domain) == NULL &&
	    domain[0] != '\0')
		invariant(bytes_is(request->host, domain) ||
		    request->host.data[0] == '[' ||
		    request->host.data[request->host.len - 1] == '.');
}

static void
forward_and_parse_again(const struct http_request *request)
{
	static struct http_request again;
	static char data[3 * HTTP_HEAD_MAX];
	const struct forward_peer peer = {
		.address = BYTES_LITERAL("192.0.2.7"),
		.listen_port = BYTES_LITERAL("8080"),
		.is_trusted = true,
	};
	const struct forward_options options = { .forwarded = true,
		.traceparent = true };
	const struct forward_request forward = {
		.request = request,
		.peer = &peer,
		.options = &options,
		.host = request->authority.len > 0 ? request->authority
						   : bytes_of("backend"),
		.request_id = bytes_of("1"),
		.is_upgrade = true,
		.continues = request->expects_continue,
	};
	struct http_out out = { .data = data, .size = sizeof(data) };
	enum http_fault fault;

	http_forward_request(&forward, &out);
	invariant(!out.is_full);
	fault = http_request_parse(bytes_slice(data, out.len), &again);
	if (fault == HTTP_FAULT_FIELDS_MANY)	/* ours came on top */
		return;
	invariant(fault == HTTP_FAULT_NONE);
	invariant(bytes_equal(request->method, again.method));
	invariant(bytes_equal(request->path, again.path));
	invariant(bytes_equal(request->query, again.query));
	invariant(request->host.len == 0 ||
	    bytes_equal(request->host, again.host));
	invariant(request->body == again.body);
	invariant(request->content_length == again.content_length);
	invariant(bytes_equal(request->upgrade, again.upgrade));
	invariant(http_forward_is_loop(&again));
}

static void
parse(struct bytes input)
{
	/* Not zeroed, so that memcheck sees what the parser left out. */
	struct http_request *request = malloc(sizeof(*request));
	struct bytes head = fuzz_exact_copy(input);
	enum http_fault fault;

	invariant(request != NULL);
	fault = http_request_parse(head, request);
	invariant(fault < HTTP_FAULT_COUNT && http_fault_text(fault) != NULL);
	if (fault == HTTP_FAULT_NONE) {
		check_parsed(request, head);
		(void)http_wants_json(&request->fields);
		forward_and_parse_again(request);
	}
	fuzz_release(head);
	free(request);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = { (const char *)data, size };
	struct found whole = scan_whole(input), pieces = scan_in_pieces(input);

	invariant(whole.result == pieces.result);
	invariant(whole.fault == pieces.fault);
	invariant(whole.head_end == pieces.head_end);
	if (whole.result == HTTP_SCAN_DONE)
		parse(bytes_slice(input.data + whole.skipped,
		    whole.head_end - whole.skipped));
	parse(input);
	return 0;
}
