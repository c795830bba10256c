/*
 * tests/unit/http/test_url.c - paths, prefixes, domains and addresses.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http/url.h"

static void
assert_text(struct bytes got, const char *want)
{
	if (!bytes_is(got, want))
		fail_msg("got \"%.*s\", want \"%s\"", BYTES_ARGS(got), want);
}

static void
gives_each_path_one_spelling(void **state)
{
	static const struct {
		const char *path, *normal;	/* NULL: refused */
	} cases[] = {
		{ "/", "/" },
		{ "/a/b", "/a/b" },
		{ "/a/b/", "/a/b/" },
		{ "//", "/" },
		{ "/a//b///", "/a/b/" },
		{ "/.", "/" },
		{ "/./a", "/a" },
		{ "/a/.", "/a/" },
		{ "/a/./b", "/a/b" },
		{ "/..", "/" },
		{ "/../../a", "/a" },
		{ "/a/..", "/" },
		{ "/a/../b", "/b" },
		{ "/a/b/../../c", "/c" },
		{ "/a/b/..", "/a/" },
		{ "/a//../b", "/b" },
		{ "/a/%2e%2E/b", "/b" },
		{ "/a/.%2e/b", "/b" },
		{ "/...", "/..." },
		{ "/.a", "/.a" },
		{ "/a.", "/a." },
		{ "/..a/b..", "/..a/b.." },
		{ "/%41%7e%2D", "/A~-" },
		{ "/%2f%2F", "/%2F%2F" },
		{ "/%c3%a4", "/%C3%A4" },
		{ "/%252e%252e/", "/%252e%252e/" },
		{ "/%5c%0d%0a", "/%5C%0D%0A" },
		{ "/a;b=c,d:@!$&'()*+|^\"<>", "/a;b=c,d:@!$&'()*+|^\"<>" },
		{ "/%00", NULL },
		{ "/a\\b", NULL },
		{ "/%", NULL },
		{ "/%4", NULL },
		{ "/%4g", NULL },
		{ "/a b", NULL },
		{ "/a\tb", NULL },
		{ "/\xc3\xa4", NULL },
		{ "/a?b", NULL },
		{ "a", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char out[64];
		size_t len;
		bool is_good = url_normalise_path(bytes_of(cases[i].path), out,
		    &len);

		if (is_good != (cases[i].normal != NULL))
			fail_msg("%s", cases[i].path);
		if (is_good)
			assert_text(bytes_slice(out, len), cases[i].normal);
	}
}

static void
normalises_prefixes(void **state)
{
	static const struct {
		const char *text, *prefix;	/* NULL: refused */
	} cases[] = {
		{ "", "/" },
		{ "/", "/" },
		{ "/s1/", "/s1" },
		{ "/S1/../s2//", "/s2" },
		{ "/a/b", "/a/b" },
		{ "s1", NULL },
		{ "/a?b", NULL },
		{ "/a#b", NULL },
		{ "/%00", NULL },
		{ "/0123456789abcdef", NULL },	/* too long */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char prefix[16];
		const char *wrong = url_normalise_prefix(
		    bytes_of(cases[i].text), prefix, sizeof(prefix));

		if ((wrong == NULL) != (cases[i].prefix != NULL))
			fail_msg("%s: %s", cases[i].text,
			    wrong == NULL ? "taken" : wrong);
		if (wrong == NULL)
			assert_string_equal(prefix, cases[i].prefix);
	}
}

static void
normalises_domains(void **state)
{
	static const struct {
		const char *text, *domain;	/* NULL: refused */
	} cases[] = {
		{ "", "" },
		{ "*", "" },
		{ "Example.COM", "example.com" },
		{ "example.com.", "example.com" },
		{ "*.Example.com", "*.example.com" },
		{ "a_b", "a_b" },
		{ "192.0.2.7", "192.0.2.7" },
		{ "[2001:DB8:0::1]", "[2001:db8::1]" },
		{ "a..b", NULL },
		{ ".a", NULL },
		{ "*a.b", NULL },
		{ "a.*.b", NULL },
		{ "*.", NULL },
		{ "a b", NULL },
		{ "a/b", NULL },
		{ "a:80", NULL },
		{ "[::1", NULL },
		{ "[a]", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char domain[256];
		const char *wrong =
		    url_normalise_domain(bytes_of(cases[i].text), domain);

		if ((wrong == NULL) != (cases[i].domain != NULL))
			fail_msg("%s: %s", cases[i].text,
			    wrong == NULL ? "taken" : wrong);
		if (wrong == NULL)
			assert_string_equal(domain, cases[i].domain);
	}
}

static void
reads_backends(void **state)
{
	static const struct {
		const char *text, *host, *base_path;
		uint16_t port;
		bool is_unix, is_address;
	} cases[] = {
		{ "http://a.example", "a.example", "", 80, false, false },
		{ "HTTP://a:8080/", "a", "", 8080, false, false },
		{ "http://127.0.0.1:9001/api/v1/", "127.0.0.1", "/api/v1", 9001,
		    false, true },
		{ "http://[::1]:65535/x", "::1", "/x", 65535, false, true },
		{ "http://[::1]", "::1", "", 80, false, true },
		{ "unix:/run/a.sock", "/run/a.sock", "", 0, true, false },
		{ "unix:/run/a.sock:/api/", "/run/a.sock", "/api", 0, true,
		    false },
		{ "unix:/run/a.sock:", "/run/a.sock", "", 0, true, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct backend_url url;
		const char *wrong =
		    url_parse_backend(bytes_of(cases[i].text), &url);

		if (wrong != NULL)
			fail_msg("%s: %s", cases[i].text, wrong);
		assert_text(url.host, cases[i].host);
		assert_text(url.base_path, cases[i].base_path);
		assert_int_equal(url.port, cases[i].port);
		assert_int_equal(url.is_unix, cases[i].is_unix);
		assert_int_equal(url.is_address, cases[i].is_address);
	}
}

static void
refuses_backends_with_a_reason(void **state)
{
	static const struct {
		const char *text, *reason;
	} cases[] = {
		{ "", "must start with http:// or unix:" },
		{ "a:80", "must start with http:// or unix:" },
		{ "https://a", "https is not supported towards backends" },
		{ "http://", "host is missing" },
		{ "http://:80", "host is missing" },
		{ "http://a b",
		    "host contains a character that is not allowed" },
		{ "http://a:", "port is missing" },
		{ "http://a:0", "port is out of range" },
		{ "http://a:65536", "port is out of range" },
		{ "http://a:99999999999999999999", "port is out of range" },
		{ "http://a:8o", "port is not a number" },
		{ "http://u:p@a", "a user name or password is not allowed" },
		{ "http://a?b", "a query is not allowed" },
		{ "http://a/b?c", "a query is not allowed" },
		{ "http://a#b", "a fragment is not allowed" },
		{ "http://a/b#c", "a fragment is not allowed" },
		{ "http://a/%00", "path is malformed" },
		{ "http://[::1", "']' is missing" },
		{ "http://[x]", "not an IPv6 address" },
		{ "unix:", "the socket's path must start with '/'" },
		{ "unix:a", "the socket's path must start with '/'" },
		{ "unix:/a:b", "path must start with '/'" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct backend_url url;
		const char *wrong =
		    url_parse_backend(bytes_of(cases[i].text), &url);

		if (wrong == NULL || strcmp(wrong, cases[i].reason) != 0)
			fail_msg("%s: %s", cases[i].text,
			    wrong == NULL ? "taken" : wrong);
	}
}

static void
reads_listeners(void **state)
{
	static const struct {
		const char *text, *host;	/* NULL: refused */
		uint16_t port;
		bool is_unix;
	} cases[] = {
		{ "127.0.0.1:8080", "127.0.0.1", 8080, false },
		{ "[::]:80", "::", 80, false },
		{ ":80", "", 80, false },
		{ "*:80", "*", 80, false },
		{ "127.0.0.1:0", "127.0.0.1", 0, false },
		{ "unix:admin.sock", "admin.sock", 0, true },
		{ "unix:", NULL, 0, false },
		{ "", NULL, 0, false },
		{ "80", NULL, 0, false },
		{ "127.0.0.1", NULL, 0, false },
		{ "127.0.0.1:65536", NULL, 0, false },
		{ "::1:80", NULL, 0, false },
		{ "example.com:80", NULL, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct listen_address address;
		const char *wrong =
		    url_parse_listen(bytes_of(cases[i].text), &address);

		if ((wrong == NULL) != (cases[i].host != NULL))
			fail_msg("%s: %s", cases[i].text,
			    wrong == NULL ? "taken" : wrong);
		if (wrong != NULL)
			continue;
		assert_text(address.host, cases[i].host);
		assert_int_equal(address.port, cases[i].port);
		assert_int_equal(address.is_unix, cases[i].is_unix);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_each_path_one_spelling),
		cmocka_unit_test(normalises_prefixes),
		cmocka_unit_test(normalises_domains),
		cmocka_unit_test(reads_backends),
		cmocka_unit_test(refuses_backends_with_a_reason),
		cmocka_unit_test(reads_listeners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
