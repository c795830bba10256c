/*
 * http/request_target.h - the middle word of a request line.
 *
 * Internal to src/http.
 */
/* SPDX-License-Identifier: ISC */
#ifndef HTTP_REQUEST_TARGET_H
#define HTTP_REQUEST_TARGET_H

#include "http/head.h"

/*
 * Reads the target at pos: sets target, path and query of the request,
 * and authority where the target has one (data NULL otherwise).  pos is
 * moved behind it; a byte of no class must stand before the head ends.
 */
enum http_fault http_target_parse(const char **pos_r,
    struct http_request *request);

#endif
