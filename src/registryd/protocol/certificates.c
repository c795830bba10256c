/*
 * registryd/protocol/certificates.c - what the listeners with TLS show.
 *
 * master hands the files' texts on at start and behind each reload.
 * Connections that are open go on with what they were accepted with.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>

#include "common/log.h"
#include "daemon/tls.h"
#include "registryd/protocol/protocol.h"
#include "registryd/registry.h"
#include "registryd/registry_news.h"

static int
make_context(struct protocol *protocol, int fd, struct tls_context **context_r)
{
	const struct settings *settings =
	    protocol->registry->daemon->settings;
	struct tls_material material;
	struct tls_fault fault;
	int result;

	if (tls_material_read(fd, &material) == -1) {
		log_error("registration: certificates of master: %m");
		return -1;
	}
	result = tls_context_new(&material, &settings->registration.tls,
	    context_r, &fault);
	tls_material_clear(&material);
	if (result == -1)
		log_error("registration: TLS: what master read %s",
		    fault.text);
	return result;
}

static void
log_certificate(const char *what, const struct tls_certificate *certificate)
{
	char date[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(certificate->not_after_wall_ms, date);
	log_notice("registration: certificate %s: %s, valid until %s", what,
	    certificate->subject, date);
}

int
protocol_take_certificates(struct protocol *protocol, int fd)
{
	const struct tls_certificate *before = NULL, *after;
	struct tls_context *context, *old = protocol->tls;

	if (make_context(protocol, fd, &context) == -1)
		return -1;
	protocol->tls = context;
	after = tls_context_certificate(context);
	if (old != NULL)
		before = tls_context_certificate(old);
	if (before == NULL)
		log_certificate("in use", after);
	else if (strcmp(before->fingerprint, after->fingerprint) != 0) {
		log_certificate("renewed", after);
		registry_tell_certificate(protocol->registry, before, after);
	}
	tls_context_free(&old);
	return 0;
}
