/*
 * registryd/protocol/token.c - who may register what.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/protocol/token.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/clock.h"
#include "common/random.h"
#include "registryd/store/object.h"

#define SCOPES_MAX 256			/* entries of one list */
#define LABEL_MAX  255
#define ID_BYTES   8			/* of random */

static void
texts_free(char **texts)
{
	for (uint32_t i = 0; texts != NULL && texts[i] != NULL; i++)
		free(texts[i]);
	free(texts);
}

void
token_free(struct token **p)
{
	struct token *token = *p;

	*p = NULL;
	if (token == NULL)
		return;
	texts_free(token->services);
	texts_free(token->domains);
	texts_free(token->prefixes);
	free(token->label);
	free(token);
}

/* Reading ---------------------------------------------------------------- */

/* An absent list is empty. */
static int
read_texts(const struct json_doc *doc, const char *name, char ***texts_r)
{
	int list = json_member(doc, json_root(doc), name);
	int element = JSON_NONE;
	size_t count = list == JSON_NONE ? 0 : json_count(doc, list);
	uint32_t n = 0;

	if ((list != JSON_NONE && json_type(doc, list) != JSON_ARRAY) ||
	    count > SCOPES_MAX ||
	    (*texts_r = calloc(count + 1, sizeof(char *))) == NULL)
		return -1;
	while (count > 0 && json_each(doc, list, &element, NULL))
		if (((*texts_r)[n++] = json_string(doc, element)) == NULL)
			return -1;
	return 0;
}

static struct token *
read_scopes(const struct json_doc *doc, const char **fault_r)
{
	struct token *token = calloc(1, sizeof(*token));
	int label = json_member(doc, json_root(doc), "label");

	*fault_r = "/label";
	if (token == NULL)
		return NULL;
	token->label = label == JSON_NONE ? strdup("") :
					    json_string(doc, label);
	if (token->label == NULL || strlen(token->label) > LABEL_MAX)
		goto fail;
	*fault_r = "/services";
	if (read_texts(doc, "services", &token->services) == -1)
		goto fail;
	*fault_r = "/domains";
	if (read_texts(doc, "domains", &token->domains) == -1)
		goto fail;
	*fault_r = "/prefixes";
	if (read_texts(doc, "prefixes", &token->prefixes) == -1)
		goto fail;
	return token;
fail:
	token_free(&token);
	return NULL;
}

static bool
is_known_member(struct bytes key)
{
	static const char *const names[] = { "label", "services", "domains",
		"prefixes" };

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (bytes_is(key, names[i]))
			return true;
	return false;
}

static int
check_members(const struct json_doc *doc, struct problem *problem)
{
	int value = JSON_NONE;
	struct bytes key;

	if (json_type(doc, json_root(doc)) != JSON_OBJECT)
		return problem_invalid(problem, "", "an object is expected");
	while (json_each(doc, json_root(doc), &value, &key))
		if (!is_known_member(key))
			return problem_set(problem, 422, "unknown_member", "",
			    "a token has label, services, domains and "
			    "prefixes");
	return 0;
}

int
token_make(struct bytes json, struct token **token_r,
    char secret_r[TOKEN_SECRET_SIZE], struct problem *problem)
{
	struct token *token = NULL;
	const char *fault = "";
	struct json_doc *doc;
	char random[65];
	size_t offset;

	*token_r = NULL;
	if (json_parse(json.len == 0 ? bytes_of("{}") : json, &doc,
		&offset) == -1)
		return problem_set(problem, 400, "bad_json", NULL,
		    "the body is not JSON: fault at byte %zu", offset);
	if (check_members(doc, problem) == 0 &&
	    (token = read_scopes(doc, &fault)) == NULL)
		problem_invalid(problem, fault, "%s: a text is expected for "
		    "label, else an array of at most %d texts", fault + 1,
		    SCOPES_MAX);
	json_doc_free(&doc);
	if (token == NULL)
		return -1;
	random_hex(token->id, ID_BYTES);
	random_hex(random, 32);
	snprintf(secret_r, TOKEN_SECRET_SIZE, "sluice-%s-%s", token->id,
	    random);
	secret_hash(bytes_of(secret_r), token->hash);
	token->created_wall_ms = clock_wall_ms();
	*token_r = token;
	return 0;
}

struct token *
token_read(const char *id, const char *text)
{
	struct token *token = NULL;
	const char *fault;
	struct json_doc *doc;
	size_t offset;
	char *hash = NULL;
	int created;

	if (json_parse(bytes_of(text), &doc, &offset) == -1)
		return NULL;
	created = json_member(doc, json_root(doc), "created");
	if (json_member(doc, json_root(doc), "hash") != JSON_NONE)
		hash = json_string(doc,
		    json_member(doc, json_root(doc), "hash"));
	if (hash != NULL && strlen(hash) == TOKEN_HASH_SIZE - 1 &&
	    strlen(id) < TOKEN_ID_SIZE &&
	    (token = read_scopes(doc, &fault)) != NULL) {
		snprintf(token->id, sizeof(token->id), "%s", id);
		snprintf(token->hash, sizeof(token->hash), "%s", hash);
		if (created == JSON_NONE || json_integer(doc, created, 0,
			INT64_MAX, &token->created_wall_ms) == -1)
			token->created_wall_ms = 0;
	}
	free(hash);
	json_doc_free(&doc);
	return token;
}

/* Of the configuration --------------------------------------------------- */

/* NULL-terminated; NULL when out of memory. */
static char **
copy_texts(const struct address_list *list)
{
	char **texts = calloc(list->count + 1, sizeof(char *));

	for (uint32_t i = 0; texts != NULL && i < list->count; i++) {
		if ((texts[i] = strdup(list->list[i])) == NULL) {
			texts_free(texts);
			return NULL;
		}
	}
	return texts;
}

struct token *
token_of_setting(const struct static_token *setting)
{
	struct token *token = calloc(1, sizeof(*token));

	if (token == NULL)
		return NULL;
	snprintf(token->id, sizeof(token->id), "static:%s", setting->name);
	if (*setting->secret != '\0')
		secret_hash(bytes_of(setting->secret), token->hash);
	else
		snprintf(token->hash, sizeof(token->hash), "%s",
		    setting->hash);
	token->is_static = true;
	token->label = strdup(setting->name);
	token->services = copy_texts(&setting->services);
	token->domains = copy_texts(&setting->domains);
	token->prefixes = copy_texts(&setting->prefixes);
	if (token->label == NULL || token->services == NULL ||
	    token->domains == NULL || token->prefixes == NULL)
		token_free(&token);
	return token;
}

/* Writing ---------------------------------------------------------------- */

static void
write_texts(struct json_writer *writer, const char *key, char *const *texts)
{
	json_write_key(writer, key);
	json_write_begin(writer, '[');
	for (; *texts != NULL; texts++)
		json_write_text(writer, *texts);
	json_write_end(writer, ']');
}

static void
write_scopes(struct json_writer *writer, const struct token *token)
{
	json_write_key(writer, "label");
	json_write_text(writer, token->label);
	write_texts(writer, "services", token->services);
	write_texts(writer, "domains", token->domains);
	write_texts(writer, "prefixes", token->prefixes);
}

char *
token_text(const struct token *token)
{
	struct buf buf = { 0 };
	struct json_writer writer = json_writer(&buf);

	json_write_begin(&writer, '{');
	write_scopes(&writer, token);
	json_write_key(&writer, "hash");
	json_write_text(&writer, token->hash);
	json_write_key(&writer, "created");
	json_write_integer(&writer, token->created_wall_ms);
	json_write_end(&writer, '}');
	if (!buf.is_failed)
		return buf.data;
	buf_free(&buf);
	return NULL;
}

void
token_write(struct json_writer *writer, const struct token *token)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(token->created_wall_ms, text);
	json_write_key(writer, "id");
	json_write_text(writer, token->id);
	write_scopes(writer, token);
	json_write_key(writer, "origin");
	json_write_text(writer, object_origin_name(token->is_static ?
		ORIGIN_FILE : ORIGIN_API));
	if (token->is_static)
		return;
	json_write_key(writer, "created_at");
	json_write_text(writer, text);
}

/* Asking ----------------------------------------------------------------- */

const struct token *
token_find(const struct token_list *tokens, const char *secret)
{
	const struct token *token;
	char hash[TOKEN_HASH_SIZE];

	secret_hash(bytes_of(secret), hash);
	TAILQ_FOREACH(token, tokens, of_all)
		if (CRYPTO_memcmp(token->hash, hash, TOKEN_HASH_SIZE) == 0)
			return token;
	return NULL;
}

const struct token *
token_find_id(const struct token_list *tokens, const char *id)
{
	const struct token *token;

	TAILQ_FOREACH(token, tokens, of_all)
		if (strcmp(token->id, id) == 0)
			return token;
	return NULL;
}

static bool
matches_service(const char *pattern, const char *service)
{
	size_t len = strlen(pattern);

	if (len > 0 && pattern[len - 1] == '*')
		return strncmp(pattern, service, len - 1) == 0;
	return strcmp(pattern, service) == 0;
}

/* "*.shop.example" is each name below it. */
static bool
matches_domain(const char *pattern, const char *domain)
{
	size_t len, suffix;

	if (strcmp(pattern, "*") == 0 || strcasecmp(pattern, domain) == 0)
		return true;
	if (pattern[0] != '*')
		return false;
	len = strlen(domain);
	suffix = strlen(pattern + 1);
	return len > suffix &&
	    strcasecmp(domain + len - suffix, pattern + 1) == 0;
}

static bool
matches_prefix(const char *pattern, const char *prefix)
{
	size_t len = strlen(pattern);

	while (len > 0 && pattern[len - 1] == '/')
		len--;
	return strncmp(pattern, prefix, len) == 0 &&
	    (prefix[len] == '\0' || prefix[len] == '/');
}

static bool
is_allowed(char *const *patterns, const char *text,
    bool (*matches)(const char *pattern, const char *text))
{
	if (*patterns == NULL)
		return true;
	for (; *patterns != NULL; patterns++)
		if (text != NULL && matches(*patterns, text))
			return true;
	return false;
}

bool
token_allows_service(const struct token *token, const char *service)
{
	return is_allowed(token->services, service, matches_service);
}

bool
token_allows_route(const struct token *token,
    const struct session_route *route)
{
	if (!is_allowed(token->prefixes, route->prefix, matches_prefix))
		return false;
	for (uint32_t i = 0; i < route->domain_count; i++)
		if (!is_allowed(token->domains, route->hosts[i],
			matches_domain))
			return false;
	return true;
}
