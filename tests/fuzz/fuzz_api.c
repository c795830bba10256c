/*
 * tests/fuzz/fuzz_api.c - bodies that clients of the admin API send.
 *
 * Each body is read as a service, a backend, a route and a registration;
 * what is accepted must be writable and read back to the same.
 */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "fuzz/fuzz.h"
#include "registryd/object_json.h"
#include "registryd/registration.h"

static void
try_service(struct bytes body, bool is_merge)
{
	struct problem problem;
	struct service service;
	char *text;

	if (service_init(&service, &problem) == -1)
		return;
	if (service_read(body, is_merge, &service, &problem) == 0 &&
	    service_check(&service, &problem) == 0 &&
	    (text = service_text(&service)) != NULL) {
		invariant(service_read(bytes_of(text), false, &service,
			      &problem) == 0);
		free(text);
	}
	service_clear(&service);
}

static void
try_backend(struct bytes body, bool is_merge)
{
	struct problem problem;
	struct backend backend;
	char *text;

	if (backend_init(&backend, &problem) == -1)
		return;
	if (backend_read(body, is_merge, &backend, &problem) == 0 &&
	    backend_check(&backend, &problem) == 0 &&
	    (text = backend_text(&backend)) != NULL) {
		invariant(backend_read(bytes_of(text), false, &backend,
			      &problem) == 0);
		free(text);
	}
	backend_clear(&backend);
}

static void
try_route(struct bytes body, bool is_merge)
{
	struct problem problem;
	struct route route;
	char *text, *again;

	if (route_init(&route, &problem) == -1)
		return;
	if (route_read(body, is_merge, &route, &problem) == 0 &&
	    route_check(&route, &problem) == 0 &&
	    (text = route_text(&route)) != NULL) {
		invariant(route_read(bytes_of(text), false, &route,
			      &problem) == 0);
		invariant(route_check(&route, &problem) == 0);
		invariant((again = route_text(&route)) != NULL);
		invariant(strcmp(text, again) == 0);
		free(text);
		free(again);
	}
	route_clear(&route);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes body = bytes_slice((const char *)data, size);
	struct registration registration;

	for (int is_merge = 0; is_merge < 2; is_merge++) {
		try_service(body, is_merge != 0);
		try_backend(body, is_merge != 0);
		try_route(body, is_merge != 0);
	}
	if (registration_parse(body, &registration) == NULL)
		registration_clear(&registration);
	return 0;
}
