/*
 * registryd/registry_news.c - what registryd itself has to tell.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/registry_news.h"

#include "common/json.h"
#include "daemon/tls.h"
#include "shm/health.h"

#define HEALTH_STATES	(HEALTH_UP | HEALTH_DOWN)
#define BREAKER_STATES	(HEALTH_BREAKER | HEALTH_HALF_OPEN)

static const char *
health_word(uint32_t flags)
{
	if ((flags & HEALTH_DOWN) != 0)
		return "down";
	return (flags & HEALTH_UP) != 0 ? "up" : "unproven";
}

static const char *
breaker_word(uint32_t flags)
{
	if ((flags & HEALTH_BREAKER) != 0)
		return "open";
	return (flags & HEALTH_HALF_OPEN) != 0 ? "half-open" : "closed";
}

static void
begin(struct json_writer *writer, const struct registry *registry,
    uint64_t backend_id)
{
	const struct model_backend *backend = registry->model == NULL ?
	    NULL :
	    model_find_backend(registry->model, backend_id);

	json_write_begin(writer, '{');
	json_write_key(writer, "backend_id");
	json_write_integer(writer, (int64_t)backend_id);
	json_write_key(writer, "service");
	json_write_text(writer,
	    backend == NULL ? "" : backend->object.service);
	json_write_key(writer, "backend");
	json_write_text(writer, backend == NULL ? "" : backend->object.url);
}

static void
end(struct json_writer *writer, int64_t at_wall_ms)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(at_wall_ms, text);
	json_write_key(writer, "at");
	json_write_text(writer, text);
	json_write_end(writer, '}');
}

static void
tell(struct registry *registry, enum news_type type, uint64_t backend_id,
    struct buf *json)
{
	const struct news news = { type, backend_id, buf_bytes(json) };

	if (!json->is_failed)
		news_tell(&registry->news, &news);
	buf_free(json);
}

static struct json_writer
line_writer(struct buf *buf)
{
	struct json_writer writer = json_writer(buf);

	writer.escapes_pipe = true;
	return writer;
}

static void
tell_change(struct registry *registry, enum news_type type,
    const struct health_changed *changed,
    const char *(*word)(uint32_t flags))
{
	struct buf json = { 0 };
	struct json_writer writer = line_writer(&json);
	size_t reason_len = strnlen(changed->reason,
	    sizeof(changed->reason));

	begin(&writer, registry, changed->backend_id);
	json_write_key(&writer, "before");
	json_write_text(&writer, word(changed->flags_before));
	json_write_key(&writer, "after");
	json_write_text(&writer, word(changed->flags_after));
	json_write_key(&writer, "reason");
	json_write_string(&writer, bytes_slice(changed->reason, reason_len));
	end(&writer, changed->at_wall_ms);
	tell(registry, type, changed->backend_id, &json);
}

void
registry_tell_health(struct registry *registry,
    const struct health_changed *changed)
{
	uint32_t difference = changed->flags_before ^ changed->flags_after;

	if ((difference & HEALTH_STATES) != 0)
		tell_change(registry, NEWS_BACKEND_HEALTH, changed,
		    health_word);
	if ((difference & BREAKER_STATES) != 0)
		tell_change(registry, NEWS_CIRCUIT, changed, breaker_word);
}

void
registry_tell_config(struct registry *registry)
{
	struct buf json = { 0 };
	struct json_writer writer = line_writer(&json);

	json_write_begin(&writer, '{');
	json_write_key(&writer, "generation");
	json_write_integer(&writer, registry->model == NULL ?
		0 :
		(int64_t)registry->model->generation);
	end(&writer, clock_wall_ms());
	tell(registry, NEWS_CONFIG, 0, &json);
}

void
registry_tell_drain(struct registry *registry, uint64_t backend_id,
    bool is_clean)
{
	struct buf json = { 0 };
	struct json_writer writer = line_writer(&json);

	begin(&writer, registry, backend_id);
	json_write_key(&writer, "outcome");
	json_write_text(&writer, is_clean ? "clean" : "forced");
	end(&writer, clock_wall_ms());
	tell(registry, NEWS_DRAIN, backend_id, &json);
}

static void
write_time(struct json_writer *writer, const char *key, int64_t wall_ms)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(wall_ms, text);
	json_write_key(writer, key);
	json_write_text(writer, text);
}

static void
write_certificate(struct json_writer *writer,
    const struct tls_certificate *certificate)
{
	json_write_begin(writer, '{');
	json_write_key(writer, "listener");
	json_write_text(writer, "registration");
	json_write_key(writer, "subject");
	json_write_text(writer, certificate->subject);
	json_write_key(writer, "fingerprint");
	json_write_text(writer, certificate->fingerprint);
	write_time(writer, "not_before", certificate->not_before_wall_ms);
	write_time(writer, "not_after", certificate->not_after_wall_ms);
}

static void
certificate_text(const struct tls_certificate *certificate, struct buf *json)
{
	struct json_writer writer = json_writer(json);

	write_certificate(&writer, certificate);
	json_write_end(&writer, '}');
}

static void
tell_history(struct registry *registry, const struct tls_certificate *before,
    const struct tls_certificate *after)
{
	struct buf old = { 0 }, new = { 0 };

	certificate_text(before, &old);
	certificate_text(after, &new);
	if (!old.is_failed && !new.is_failed)
		audit_tell(registry, &(struct store_history){
			.channel = "file",
			.kind = "certificate",
			.key = "registration",
			.action = "renew",
			.before_json = old.data,
			.after_json = new.data,
		    });
	buf_free(&old);
	buf_free(&new);
}

void
registry_tell_certificate(struct registry *registry,
    const struct tls_certificate *before, const struct tls_certificate *after)
{
	struct buf json = { 0 };
	struct json_writer writer = line_writer(&json);

	write_certificate(&writer, after);
	end(&writer, clock_wall_ms());
	tell(registry, NEWS_CERT, 0, &json);
	tell_history(registry, before, after);
}
