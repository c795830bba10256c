/*
 * registryd/openapi.h - the admin API as an OpenAPI 3.1 document.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_OPENAPI_H
#define REGISTRYD_OPENAPI_H

#include "common/buf.h"

/* Appends the document: every row of api_rows.c is in it. */
void openapi_write(struct buf *);

#endif
