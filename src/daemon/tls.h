/*
 * daemon/tls.h - TLS by OpenSSL: contexts, and streams made of them.
 *
 * A context is what a listener accepts with: certificate, key, policy.  A
 * renewed certificate is a new context; the streams of the old one go on
 * with it, so the old one may be freed at once.
 *
 * Sessions are not resumed: connections of services live long, and who
 * may connect is asked each time.
 */
/* SPDX-License-Identifier: ISC */
#ifndef DAEMON_TLS_H
#define DAEMON_TLS_H

#include <stdint.h>

#include "common/compat.h"
#include "conf/settings.h"
#include "daemon/stream.h"
#include "daemon/tls_material.h"

struct tls_context;

/* What is wrong with the material, and with which part. */
struct tls_fault {
	enum tls_part {
		TLS_CERTIFICATE,
		TLS_KEY,
		TLS_CLIENT_CA,
		TLS_CIPHERS,
	} part;
	char text[200];			/* to stand behind a name */
};

#define TLS_FINGERPRINT_SIZE 65

struct tls_certificate {
	char subject[256];		/* RFC 2253 */
	char fingerprint[TLS_FINGERPRINT_SIZE]; /* SHA-256, hex */
	int64_t not_before_wall_ms, not_after_wall_ms;
};

/* 0, or -1 with *fault. */
MUST_CHECK int tls_context_new(const struct tls_material *,
    const struct tls_setting *, struct tls_context **context_r,
    struct tls_fault *fault);
void tls_context_free(struct tls_context **);

/* What it shows to clients. */
const struct tls_certificate *tls_context_certificate(
    const struct tls_context *);

/* stream_tls.c: the side that accepts.  fd, which must not block, becomes
 * the stream's own; SIGPIPE must be ignored.  0, or -1 when out of memory,
 * with fd the caller's. */
MUST_CHECK int stream_tls_accept(const struct tls_context *, int fd,
    struct stream *stream_r);

/* For stream_tls.c. */
struct ssl_st *tls_context_make(const struct tls_context *);

#endif
