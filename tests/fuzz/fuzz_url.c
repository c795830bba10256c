/*
 * fuzz/fuzz_url.c - paths, prefixes, domains and addresses: what is made
 * canonical twice is what was made canonical once.
 */
/* SPDX-License-Identifier: ISC */
#include "fuzz/fuzz.h"

#include "http/url.h"

static void
normalise_path_twice(struct bytes text)
{
	char *once = malloc(text.len + 1), *twice = malloc(text.len + 1);
	size_t once_len, twice_len;

	invariant(once != NULL && twice != NULL);
	if (url_normalise_path(text, once, &once_len)) {
		invariant(once_len <= text.len && once[0] == '/');
		invariant(url_normalise_path(bytes_slice(once, once_len), twice,
		    &twice_len));
		invariant(bytes_equal(bytes_slice(once, once_len),
		    bytes_slice(twice, twice_len)));
	}
	free(once);
	free(twice);
}

static void
normalise_prefix_twice(struct bytes text)
{
	char once[256], twice[256];

	if (url_normalise_prefix(text, once, sizeof(once)) != NULL)
		return;
	invariant(url_normalise_prefix(bytes_of(once), twice, sizeof(twice)) ==
	    NULL);
	invariant(strcmp(once, twice) == 0);
}

static void
normalise_domain_twice(struct bytes text)
{
	char once[256], twice[256];

	if (url_normalise_domain(text, once) != NULL)
		return;
	invariant(url_normalise_domain(bytes_of(once), twice) == NULL);
	invariant(strcmp(once, twice) == 0);
}

static void
read_addresses(struct bytes text)
{
	struct listen_address address;
	struct backend_url url;

	if (url_parse_backend(text, &url) == NULL)
		invariant(url.host.len > 0 && !url.is_tls &&
		    (url.is_unix || url.port > 0));
	if (url_parse_listen(text, &address) == NULL)
		invariant(!address.is_unix || address.host.len > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = { (const char *)data, size };

	normalise_path_twice(text);
	normalise_prefix_twice(text);
	normalise_domain_twice(text);
	read_addresses(text);
	return 0;
}
