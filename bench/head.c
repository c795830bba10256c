/*
 * bench/head.c - what a head costs: found, parsed and forwarded.
 *
 * Prints nanoseconds of each step; to count instructions, run it with a
 * number of rounds under callgrind:
 *   valgrind --tool=callgrind --toggle-collect=run_request bench/head 1000
 */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "http/forward.h"
#include "http/head.h"

static const char request_head[] =
    "GET /app/orders/4711?sort=date&page=2 HTTP/1.1\r\n"
    "Host: shop.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 "
    "Firefox/132.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,"
    "image/avif,image/webp,*/*;q=0.8\r\n"
    "Accept-Language: en-US,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Connection: keep-alive\r\n"
    "Referer: https://shop.example.com/app/orders\r\n"
    "Cookie: session=5f2b7c9e1d3a4b6c8e0f; theme=dark; lang=en\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "Sec-Fetch-Dest: document\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
    "Priority: u=0, i\r\n\r\n";

static const char response_head[] =
    "HTTP/1.1 200 OK\r\n"
    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "Server: backend\r\n"
    "Content-Type: application/json; charset=utf-8\r\n"
    "Content-Length: 1234\r\n"
    "Cache-Control: private, max-age=0\r\n"
    "ETag: W/\"5f2b7c9e\"\r\n"
    "Vary: Accept-Encoding\r\n"
    "Connection: keep-alive\r\n\r\n";

static struct http_request request;
static struct http_response response;
static char written[HTTP_HEAD_MAX];

void run_request(void);
void run_response(void);

static struct bytes
scan(const char *data, size_t len, bool is_request)
{
	struct http_head_scan state = { 0 };
	enum http_fault fault;
	size_t head_end;

	if (http_head_scan(&state, data, len, is_request, &head_end, &fault) !=
	    HTTP_SCAN_DONE)
		fatal(EX_SOFTWARE, "head: %s", http_fault_text(fault));
	return bytes_slice(data, head_end);
}

void
run_request(void)
{
	static const struct forward_peer peer = {
		.address = BYTES_LITERAL("192.0.2.7"),
		.listen_port = BYTES_LITERAL("8080"),
	};
	static const struct forward_options options;
	struct http_out out = { .data = written, .size = sizeof(written) };
	struct bytes head = scan(request_head, sizeof(request_head) - 1, true);

	if (http_request_parse(head, &request) != HTTP_FAULT_NONE)
		fatal(EX_SOFTWARE, "head: the request was refused");
	http_forward_request(
	    &(struct forward_request){
		.request = &request,
		.peer = &peer,
		.options = &options,
		.host = request.authority,
		.request_id = bytes_of("0123456789abcdef0123456789abcdef"),
	    },
	    &out);
}

void
run_response(void)
{
	struct http_out out = { .data = written, .size = sizeof(written) };
	struct bytes head = scan(response_head, sizeof(response_head) - 1,
	    false);

	if (http_response_parse(head, HTTP_METHOD_GET, &response) !=
	    HTTP_FAULT_NONE)
		fatal(EX_SOFTWARE, "head: the response was refused");
	http_forward_response(
	    &(struct forward_response){
		.response = &response,
		.client_minor = 1,
		.keeps_alive = true,
		.request_id = bytes_of("0123456789abcdef0123456789abcdef"),
		.date = bytes_of("Sun, 06 Nov 1994 08:49:37 GMT"),
	    },
	    &out);
}

static void
measure(const char *what, void (*run)(void), long rounds)
{
	struct instant start = clock_now();

	for (long i = 0; i < rounds; i++)
		run();
	printf("%s: %.1f ns\n", what,
	    (double)(clock_now().ns - start.ns) / (double)rounds);
}

int
main(int argc, char **argv)
{
	long rounds = argc > 1 ? atol(argv[1]) : 1000000;

	if (rounds < 1)
		fatal(EX_USAGE, "usage: head [rounds]");
	measure("request", run_request, rounds);
	measure("response", run_response, rounds);
	return EXIT_SUCCESS;
}
