/*
 * conf/print.c - settings as text: the file that reads back to them.
 *
 * Texts go into double quotes where these leave them alone; libconfuse
 * expands ${NAME} and backslashes there, so anything else goes into
 * single quotes, where only \\ and \' mean something.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "common/quantity.h"
#include "conf/value.h"

static const void *
member(const struct settings *settings, const struct setting *row)
{
	return (const char *)settings + row->offset;
}

static void
print_quoted(struct bytes text, struct buf *buf)
{
	bool is_plain = true;

	for (size_t i = 0; i < text.len; i++)
		if (strchr("\"\\$\n", text.data[i]) != NULL)
			is_plain = false;
	buf_append_char(buf, is_plain ? '"' : '\'');
	for (size_t i = 0; i < text.len; i++) {
		if (!is_plain &&
		    (text.data[i] == '\'' || text.data[i] == '\\'))
			buf_append_char(buf, '\\');
		buf_append_char(buf, text.data[i]);
	}
	buf_append_char(buf, is_plain ? '"' : '\'');
}

/* Where a "password=" begins that is a word of its own, or NULL. */
static const char *
find_password_key(const char *text)
{
	static const char key[] = "password";
	const char *at = text;

	while ((at = strcasestr(at, key)) != NULL) {
		const char *behind = at + sizeof(key) - 1;

		behind += strspn(behind, " \t");
		if ((at == text || strchr(" \t?&", at[-1]) != NULL) &&
		    *behind == '=')
			return behind + 1 + strspn(behind + 1, " \t");
		at += sizeof(key) - 1;
	}
	return NULL;
}

/* How long the value of a "password=" is: quoted, or up to a separator. */
static size_t
password_value_len(const char *value)
{
	size_t len = 1;

	if (*value != '\'')
		return strcspn(value, " \t&");
	while (value[len] != '\0' && value[len] != '\'')
		len += value[len] == '\\' && value[len + 1] != '\0' ? 2 : 1;
	return value[len] == '\0' ? len : len + 1;
}

/* Appends text with its passwords as "***": scheme://user:HERE@host, and
 * what follows "password=" in a query or a list of keywords. */
static void
append_masked(const char *text, struct buf *buf)
{
	const char *authority = strstr(text, "://"), *at, *colon, *value;

	if (authority != NULL) {
		size_t len = strcspn(authority + 3, "/?#");

		authority += 3;
		at = memrchr(authority, '@', len);
		/* A password may hold an unescaped '/', '?' or '#'. */
		if (at == NULL)
			at = strrchr(authority, '@');
		colon = at == NULL ? NULL :
		    memchr(authority, ':', (size_t)(at - authority));
		if (colon != NULL) {
			buf_append(buf, bytes_slice(text,
			    (size_t)(colon + 1 - text)));
			buf_append_text(buf, "***");
			text = at;
		}
	}
	while ((value = find_password_key(text)) != NULL) {
		buf_append(buf, bytes_slice(text, (size_t)(value - text)));
		buf_append_text(buf, "***");
		text = value + password_value_len(value);
	}
	buf_append_text(buf, text);
}

void
value_print_text(const char *text, bool with_secrets, struct buf *buf)
{
	struct buf masked = { 0 };

	if (with_secrets) {
		print_quoted(bytes_of(text), buf);
		return;
	}
	append_masked(text, &masked);
	print_quoted(buf_bytes(&masked), buf);
	buf_free(&masked);
}

static void
print_list(const struct address_list *list, bool with_secrets,
    struct buf *buf)
{
	buf_append_char(buf, '{');
	for (uint32_t i = 0; i < list->count; i++) {
		buf_append_text(buf, i == 0 ? " " : ", ");
		value_print_text(list->list[i], with_secrets, buf);
	}
	buf_append_text(buf, " }");
}

static void
print_listens(const struct settings *settings, struct buf *buf)
{
	buf_append_char(buf, '{');
	for (uint32_t i = 0; i < settings->listen_count; i++)
		buf_printf(buf, "%s \"%s\" %" PRIu32, i == 0 ? "" : ",",
		    settings->listens[i].address,
		    settings->listens[i].backlog);
	buf_append_text(buf, " }");
}

static void
print_word(const struct settings *settings, const struct setting *row,
    struct buf *buf)
{
	int value;

	memcpy(&value, member(settings, row), sizeof(value));
	for (const struct setting_word *word = row->words; word->word != NULL;
	    word++) {
		if (word->value == value) {
			buf_printf(buf, "\"%s\"", word->word);
			return;
		}
	}
}

void
value_print(const struct settings *settings, const struct setting *row,
    bool with_secrets, struct buf *buf)
{
	const void *place = member(settings, row);
	char text[QUANTITY_TEXT_SIZE];

	switch (row->type) {
	case SETTING_SPAN:
		buf_printf(buf, "\"%s\"",
		    quantity_format_span(*(const int64_t *)place, text));
		break;
	case SETTING_SIZE:
		buf_printf(buf, "\"%s\"",
		    quantity_format_size(*(const uint64_t *)place, text));
		break;
	case SETTING_RATE:
		buf_printf(buf, "\"%s\"",
		    quantity_format_size(*(const uint32_t *)place, text));
		break;
	case SETTING_COUNT:
		buf_printf(buf, "%" PRIu32, *(const uint32_t *)place);
		break;
	case SETTING_STRING:
		value_print_text(*(char *const *)place,
		    with_secrets || !row->has_secret, buf);
		break;
	case SETTING_BOOL:
		buf_append_text(buf, *(const bool *)place ? "true" : "false");
		break;
	case SETTING_ENUM:
		print_word(settings, row, buf);
		break;
	case SETTING_FORMAT:
		if (settings->log.format == ACCESS_CUSTOM)
			value_print_text(settings->log.custom, true, buf);
		else
			buf_printf(buf, "\"%s\"",
			    settings->log.format == ACCESS_JSON ? "json" :
								  "combined");
		break;
	case SETTING_LIST:
		print_list(place, true, buf);
		break;
	case SETTING_LISTENS:
		print_listens(settings, buf);
		break;
	}
}

static void
print_listen_sections(const struct settings *settings, struct buf *buf)
{
	for (uint32_t i = 0; i < settings->listen_count; i++) {
		buf_append_text(buf, "listen ");
		value_print_text(settings->listens[i].address, true, buf);
		buf_printf(buf, " {\n\tbacklog = %" PRIu32 "\n}\n",
		    settings->listens[i].backlog);
	}
}

static void
print_services(const struct settings *settings, bool with_secrets,
    struct buf *buf)
{
	for (uint32_t i = 0; i < settings->service_count; i++) {
		const struct static_service *service = &settings->services[i];

		buf_append_text(buf, "service ");
		value_print_text(service->name, true, buf);
		buf_append_text(buf, " {\n\tbackends = ");
		print_list(&service->backends, with_secrets, buf);
		buf_append_text(buf, "\n\tpolicy = ");
		value_print_text(service->policy, true, buf);
		buf_append_text(buf, "\n\thash_header = ");
		value_print_text(service->hash_header, true, buf);
		buf_append_text(buf, "\n\thealth_path = ");
		value_print_text(service->health_path, true, buf);
		buf_append_text(buf, "\n}\n");
	}
}

static void
print_routes(const struct settings *settings, struct buf *buf)
{
	for (uint32_t i = 0; i < settings->route_count; i++) {
		const struct static_route *route = &settings->routes[i];

		buf_append_text(buf, "route ");
		value_print_text(route->name, true, buf);
		buf_append_text(buf, " {\n\tdomains = ");
		print_list(&route->domains, true, buf);
		buf_append_text(buf, "\n\tprefixes = ");
		print_list(&route->prefixes, true, buf);
		buf_append_text(buf, "\n\tservice = ");
		value_print_text(route->service, true, buf);
		buf_printf(buf,
		    "\n\tpriority = %" PRId32 "\n\tstrip_prefix = %s\n}\n",
		    route->priority, route->strip_prefix ? "true" : "false");
	}
}

static void
print_secret(const char *key, const char *secret, bool with_secrets,
    struct buf *buf)
{
	if (*secret == '\0')
		return;
	buf_printf(buf, "\n\t\t%s = ", key);
	value_print_text(with_secrets ? secret : "***", true, buf);
}

/* The section goes on from where the settings of it were. */
static void
print_tokens(const struct settings *settings, bool with_secrets,
    struct buf *buf)
{
	for (uint32_t i = 0; i < settings->token_count; i++) {
		const struct static_token *token = &settings->tokens[i];

		buf_append_text(buf, "registration {\n\ttoken ");
		value_print_text(token->name, true, buf);
		buf_append_text(buf, " {");
		print_secret("secret", token->secret, with_secrets, buf);
		print_secret("hash", token->hash, with_secrets, buf);
		buf_append_text(buf, "\n\t\tservices = ");
		print_list(&token->services, true, buf);
		buf_append_text(buf, "\n\t\tdomains = ");
		print_list(&token->domains, true, buf);
		buf_append_text(buf, "\n\t\tprefixes = ");
		print_list(&token->prefixes, true, buf);
		buf_append_text(buf, "\n\t}\n}\n");
	}
}

void
settings_print(const struct settings *settings, bool with_secrets,
    struct buf *buf)
{
	size_t count, section_len = 0;
	const struct setting *rows = setting_rows(&count);

	for (size_t i = 0; i < count; i++) {
		const struct setting *row = &rows[i];
		size_t len = setting_section_len(row);

		if (row->type == SETTING_LISTENS)
			continue;
		if (i > 0 && len > 0 && (len != section_len ||
		    strncmp(row->name, rows[i - 1].name, len) != 0)) {
			buf_append_text(buf, section_len > 0 ? "}\n" : "");
			buf_printf(buf, "%.*s {\n", (int)len, row->name);
		}
		section_len = len;
		buf_printf(buf, "%s%s = ", len > 0 ? "\t" : "",
		    setting_key(row));
		value_print(settings, row, with_secrets, buf);
		buf_append_char(buf, '\n');
	}
	buf_append_text(buf, section_len > 0 ? "}\n" : "");
	print_listen_sections(settings, buf);
	print_services(settings, with_secrets, buf);
	print_routes(settings, buf);
	print_tokens(settings, with_secrets, buf);
}
