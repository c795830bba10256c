/*
 * registryd/store/request.c - one call of the store on its way to an answer.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/request.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void
request_fail(struct store_request *request, enum store_result result,
    const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(request->message, sizeof(request->message), format, args);
	va_end(args);
	request->outcome.result = result;
}

void
request_finish(struct store_request **p)
{
	struct store_request *request = *p;

	if (request->outcome.result != STORE_OK) {
		request->outcome.message = request->message;
		request->outcome.generation = 0;
	}
	request->done(request->context, &request->outcome);
	request_drop(p);
}

void
request_drop(struct store_request **p)
{
	struct store_request *request = *p;

	*p = NULL;
	if (request->type == REQUEST_HISTORY)
		free((void *)(uintptr_t)request->ask.history.key);
	free(request);
}
