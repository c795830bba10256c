/*
 * worker/address_text.h - a client's address, as others are told of it.
 */
/* SPDX-License-Identifier: ISC */
#ifndef WORKER_ADDRESS_TEXT_H
#define WORKER_ADDRESS_TEXT_H

#include <netinet/in.h>

#include "common/bytes.h"

/*
 * Writes "192.0.2.7" of a mapped address, "2001:db8::1", or "unix" of an
 * unspecified one.  What it returns may be in text, without a NUL.
 */
struct bytes address_text_write(const struct in6_addr *,
    char text[INET6_ADDRSTRLEN]);

#endif
