/*
 * registryd/registry_news.h - what registryd itself has to tell.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_REGISTRY_NEWS_H
#define REGISTRYD_REGISTRY_NEWS_H

#include "ipc/health_msg.h"
#include "registryd/registry.h"

struct tls_certificate;

/* A backend's flags changed: NEWS_BACKEND_HEALTH, NEWS_CIRCUIT or both. */
void registry_tell_health(struct registry *, const struct health_changed *);
/* The configuration was read again. */
void registry_tell_config(struct registry *);
/* A drain is over: is_clean says that nothing had to be cut. */
void registry_tell_drain(struct registry *, uint64_t backend_id,
    bool is_clean);
/* The registration protocol shows another certificate. */
void registry_tell_certificate(struct registry *,
    const struct tls_certificate *before,
    const struct tls_certificate *after);

#endif
