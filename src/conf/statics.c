/*
 * conf/statics.c - sections with a title: listen, service, route, token.
 *
 * A fault names file and line of the value, as the grammar noted them
 * beside each option; of a section without that option, of its end.
 */
/* SPDX-License-Identifier: ISC */
#include "conf/statics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "conf/checks.h"
#include "conf/value.h"

#define TOKEN_NAME_MAX	 24
#define TOKEN_SECRET_MIN 16
#define TOKEN_SECRET_MAX 127

static const char *const policies[] = { "round_robin", "least_connections",
	"two_choices", "hash_client", "hash_header" };

/* One section while it is taken over. */
struct section {
	struct draft *draft;
	cfg_t *cfg;
	const char *file;
};

/* Where an option, or else the section, stands. */
static const char *
where_is(const struct section *section, const char *key, char text[512])
{
	const cfg_opt_t *opt =
	    key == NULL ? NULL : cfg_getopt(section->cfg, key);

	if (opt != NULL && opt->comment != NULL)
		return opt->comment;
	for (opt = section->cfg->opts; opt->name != NULL; opt++)
		if (opt->comment != NULL)
			return opt->comment;
	snprintf(text, 512, "%s:%d", section->file, section->cfg->line);
	return text;
}

static void
fault(const struct section *section, const char *key, const char *value,
    const char *what)
{
	char text[512];

	draft_fault(section->draft, where_is(section, key, text),
	    "%s \"%s\"%s%s%s%s%s: %s", section->cfg->name, section->cfg->title,
	    key == NULL ? "" : ": ", key == NULL ? "" : key,
	    value == NULL ? "" : ": '", value == NULL ? "" : value,
	    value == NULL ? "" : "'", what);
}

static uint32_t
line_of(const struct section *section)
{
	char text[512];
	const char *colon = strrchr(where_is(section, NULL, text), ':');

	return colon == NULL ? 0 : (uint32_t)strtoul(colon + 1, NULL, 10);
}

/* A copy of an option's text, or of the preset when it is not there. */
static char *
take_text(const struct section *section, const char *key, const char *preset)
{
	const char *text = NULL;
	char *copy;

	if (cfg_size(section->cfg, key) > 0)
		text = cfg_getstr(section->cfg, key);
	copy = strdup(text == NULL ? preset : text);
	if (copy == NULL)
		fault(section, key, NULL, "out of memory");
	return copy;
}

/* Takes a list over, checking each member. */
static void
take_list(const struct section *section, const char *key,
    setting_check_fn *check, struct address_list *list)
{
	uint32_t count = cfg_size(section->cfg, key);
	const char **texts = calloc(count + 1, sizeof(*texts));

	*list = (struct address_list){ NULL, 0 };
	if (texts == NULL) {
		fault(section, key, NULL, "out of memory");
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		const char *wrong;

		texts[i] = cfg_getnstr(section->cfg, key, i);
		if ((wrong = check(bytes_of(texts[i]))) != NULL)
			fault(section, key, texts[i], wrong);
	}
	if (address_list_copy(list, texts, count) == -1)
		fault(section, key, NULL, "out of memory");
	free(texts);
}

/* One more zeroed element behind *array_r; NULL and a fault if not. */
static void *
grow(const struct section *section, void **array_r, uint32_t *count_r,
    size_t size)
{
	char *bigger = reallocarray(*array_r, *count_r + 1, size);

	if (bigger == NULL) {
		fault(section, NULL, NULL, "out of memory");
		return NULL;
	}
	*array_r = bigger;
	bigger += *count_r * size;
	memset(bigger, 0, size);
	++*count_r;
	return bigger;
}

static void
check_name(const struct section *section)
{
	const char *name = section->cfg->title;

	if (*name == '\0')
		fault(section, NULL, NULL, "an empty name; give one");
	else if (strlen(name) > 255)
		fault(section, NULL, NULL, "a name of more than 255 bytes");
}

static void
take_service(const struct section *section)
{
	struct settings *settings = section->draft->settings;
	void *array = settings->services;
	struct static_service *service = grow(section, &array,
	    &settings->service_count, sizeof(*service));
	bool is_known = false;

	settings->services = array;
	if (service == NULL)
		return;
	check_name(section);
	service->name = strdup(section->cfg->title);
	service->line = line_of(section);
	take_list(section, "backends", check_backend_url, &service->backends);
	service->policy = take_text(section, "policy", policies[0]);
	service->hash_header = take_text(section, "hash_header", "");
	service->health_path = take_text(section, "health_path", "");
	if (service->name == NULL || service->policy == NULL ||
	    service->hash_header == NULL || service->health_path == NULL)
		return;
	for (size_t i = 0; i < COUNT_OF(policies); i++)
		if (strcmp(service->policy, policies[i]) == 0)
			is_known = true;
	if (!is_known)
		fault(section, "policy", service->policy,
		    "is unknown; give round_robin, least_connections, "
		    "two_choices, hash_client or hash_header");
	if (strcmp(service->policy, "hash_header") == 0 &&
	    *service->hash_header == '\0')
		fault(section, "hash_header", NULL,
		    "missing; policy hash_header needs a field's name");
	if (*service->health_path != '\0' && *service->health_path != '/')
		fault(section, "health_path", service->health_path,
		    "is no path; begin it with '/'");
}

static void
take_priority(const struct section *section, int32_t *priority_r)
{
	char *text = take_text(section, "priority", "0"), *end;
	long number;

	if (text == NULL)
		return;
	number = strtol(text, &end, 10);
	if (*text == '\0' || *end != '\0' || number < -1000000 ||
	    number > 1000000)
		fault(section, "priority", text,
		    "is no whole number from -1000000 to 1000000");
	else
		*priority_r = (int32_t)number;
	free(text);
}

/* A route without prefixes serves every path. */
static void
take_prefixes(const struct section *section, struct address_list *prefixes)
{
	const char *const all = "/";

	take_list(section, "prefixes", check_prefix, prefixes);
	if (prefixes->count == 0 && address_list_copy(prefixes, &all, 1) == -1)
		fault(section, "prefixes", NULL, "out of memory");
}

static void
take_route(const struct section *section)
{
	struct settings *settings = section->draft->settings;
	void *array = settings->routes;
	struct static_route *route = grow(section, &array,
	    &settings->route_count, sizeof(*route));
	char *strip = take_text(section, "strip_prefix", "false");

	settings->routes = array;
	if (route == NULL || strip == NULL)
		goto done;
	check_name(section);
	route->name = strdup(section->cfg->title);
	route->line = line_of(section);
	take_list(section, "domains", check_domain, &route->domains);
	take_prefixes(section, &route->prefixes);
	route->service = take_text(section, "service", "");
	take_priority(section, &route->priority);
	if (route->service != NULL && *route->service == '\0')
		fault(section, "service", NULL,
		    "missing; name the service that the route leads to");
	if (value_parse_bool(strip, &route->strip_prefix) == -1)
		fault(section, "strip_prefix", strip,
		    "is neither true nor false");
done:
	free(strip);
}

/* Each listen section takes the place of the default. */
static void
take_listen(const struct section *section, uint32_t number)
{
	struct settings *settings = section->draft->settings;
	const char *wrong = check_listen(bytes_of(section->cfg->title));
	char *backlog = take_text(section, "backlog", "4096");
	struct listen_setting *taken;
	unsigned long long count = 0;
	char where[512];

	if (wrong != NULL)
		fault(section, NULL, NULL, wrong);
	if (number == CONF_LISTENS_MAX)
		fault(section, NULL, NULL, "more than 64 listeners");
	if (backlog == NULL || number >= CONF_LISTENS_MAX)
		goto done;
	if (bytes_to_number(bytes_of(backlog), 65535, &count) == -1 ||
	    count == 0)
		fault(section, "backlog", backlog,
		    "is no whole number from 1 to 65535");
	taken = &settings->listens[number];
	*taken = (struct listen_setting){
		.address = strdup(section->cfg->title),
		.backlog = (uint32_t)count,
	};
	snprintf(taken->where, sizeof(taken->where), "%.159s",
	    where_is(section, NULL, where));
	if (taken->address == NULL)
		fault(section, NULL, NULL, "out of memory");
	else
		settings->listen_count = number + 1;
done:
	free(backlog);
}

/* Tokens ----------------------------------------------------------------- */

/* Its id is made of it. */
static void
check_token_name(const struct section *section)
{
	const char *name = section->cfg->title;
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

	if (len == 0 || len > TOKEN_NAME_MAX || name[len] != '\0')
		fault(section, NULL, NULL, "is no name of a token; use 1 to "
		    "24 letters, digits, '_', '.' and '-'");
}

static void
check_token_secret(const struct section *section,
    const struct static_token *token)
{
	size_t len = strlen(token->secret);
	const char *hash = token->hash;

	if ((len == 0) == (*hash == '\0'))
		fault(section, NULL, NULL, "give a secret, or its hash");
	else if (len > 0 && (len < TOKEN_SECRET_MIN || len > TOKEN_SECRET_MAX))
		fault(section, "secret", NULL, "is not of 16 to 127 bytes; "
		    "try openssl rand -hex 32");
	else if (len == 0 && (strlen(hash) != 64 ||
	    strspn(hash, "0123456789abcdef") != 64))
		fault(section, "hash", NULL, "is no SHA-256; give 64 of 0-9 "
		    "and a-f");
}

static const char *
check_service_pattern(struct bytes value)
{
	return value.len == 0 ? "an empty name; give one" : NULL;
}

static const char *
check_domain_pattern(struct bytes value)
{
	return bytes_is(value, "*") ? NULL : check_domain(value);
}

static void
take_token(const struct section *section)
{
	struct settings *settings = section->draft->settings;
	void *array = settings->tokens;
	struct static_token *token = grow(section, &array,
	    &settings->token_count, sizeof(*token));

	settings->tokens = array;
	if (token == NULL)
		return;
	check_token_name(section);
	token->name = strdup(section->cfg->title);
	token->secret = take_text(section, "secret", "");
	token->hash = take_text(section, "hash", "");
	if (token->name == NULL || token->secret == NULL ||
	    token->hash == NULL)
		return;
	check_token_secret(section, token);
	take_list(section, "services", check_service_pattern,
	    &token->services);
	take_list(section, "domains", check_domain_pattern, &token->domains);
	take_list(section, "prefixes", check_prefix, &token->prefixes);
}

static void
take_tokens(const struct section *like, cfg_t *registration)
{
	struct section section = *like;

	for (uint32_t i = 0; i < cfg_size(registration, "token"); i++) {
		section.cfg = cfg_getnsec(registration, "token", i);
		take_token(&section);
	}
}

/* ------------------------------------------------------------------------ */

void
statics_take(struct draft *draft, cfg_t *cfg, const char *file)
{
	struct section section = { .draft = draft, .file = file };
	const struct setting *listen = setting_find("listen");
	char where[512];

	for (uint32_t i = 0; i < cfg_size(cfg, "listen"); i++) {
		section.cfg = cfg_getnsec(cfg, "listen", i);
		if (i == 0) {
			value_free(draft->settings, listen);
			draft_set_origin(draft, listen,
			    where_is(&section, NULL, where));
		}
		take_listen(&section, i);
	}
	for (uint32_t i = 0; i < cfg_size(cfg, "service"); i++) {
		section.cfg = cfg_getnsec(cfg, "service", i);
		take_service(&section);
	}
	for (uint32_t i = 0; i < cfg_size(cfg, "route"); i++) {
		section.cfg = cfg_getnsec(cfg, "route", i);
		take_route(&section);
	}
	take_tokens(&section, cfg_getsec(cfg, "registration"));
}

void
statics_free(struct settings *settings)
{
	for (uint32_t i = 0; i < settings->service_count; i++) {
		struct static_service *service = &settings->services[i];

		free(service->name);
		free(service->policy);
		free(service->hash_header);
		free(service->health_path);
		address_list_free(&service->backends);
	}
	for (uint32_t i = 0; i < settings->route_count; i++) {
		struct static_route *route = &settings->routes[i];

		free(route->name);
		free(route->service);
		address_list_free(&route->domains);
		address_list_free(&route->prefixes);
	}
	for (uint32_t i = 0; i < settings->token_count; i++) {
		struct static_token *token = &settings->tokens[i];

		free(token->name);
		free(token->secret);
		free(token->hash);
		address_list_free(&token->services);
		address_list_free(&token->domains);
		address_list_free(&token->prefixes);
	}
	free(settings->services);
	free(settings->routes);
	free(settings->tokens);
	settings->services = NULL;
	settings->routes = NULL;
	settings->tokens = NULL;
	settings->service_count = settings->route_count = 0;
	settings->token_count = 0;
}
