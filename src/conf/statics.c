/*
 * conf/statics.c - sections with a title: listen, service, route.
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
	free(settings->services);
	free(settings->routes);
	settings->services = NULL;
	settings->routes = NULL;
	settings->service_count = settings->route_count = 0;
}
