/*
 * registryd/openapi.c - /openapi.json, made from the rows.
 *
 * Paths come from api_rows.c, the schemas of objects from their members;
 * the few others stand here.
 *
 * Source: OpenAPI Specification 3.1.0.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/openapi.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "registryd/api_parts.h"
#include "registryd/object_json.h"

#define TEXT	"{\"type\":\"string\"}"
#define NUMBER	"{\"type\":\"integer\"}"
#define TEXTS	"{\"type\":\"array\",\"items\":" TEXT "}"
#define LIST_OF(name)                                                          \
	"{\"type\":\"object\",\"properties\":{\"items\":{\"type\":\"array\","  \
	"\"items\":{\"$ref\":\"#/components/schemas/" name "\"}},"             \
	"\"next_cursor\":{\"type\":[\"string\",\"null\"]},"                    \
	"\"generation\":" NUMBER "}}"

static const struct {
	const char *name, *schema;
} schemas[] = {
	{ "Problem", "{\"type\":\"object\",\"properties\":{\"type\":" TEXT
		     ",\"title\":" TEXT ",\"status\":" NUMBER
		     ",\"reason\":" TEXT ",\"detail\":" TEXT
		     ",\"errors\":{\"type\":\"array\",\"items\":{\"type\":"
		     "\"object\",\"properties\":{\"pointer\":" TEXT
		     ",\"detail\":" TEXT "}}},\"owner\":{\"type\":\"object\","
		     "\"properties\":{\"service\":" TEXT ",\"route\":" NUMBER
		     "}}}}" },
	{ "ServiceList", LIST_OF("Service") },
	{ "BackendList", LIST_OF("Backend") },
	{ "RouteList", LIST_OF("Route") },
	{ "ChangeList", LIST_OF("Change") },
	{ "Change", "{\"type\":\"object\",\"properties\":{\"generation\":"
		    NUMBER ",\"at\":" TEXT ",\"who\":" TEXT ",\"from\":" TEXT
		    ",\"channel\":" TEXT ",\"request_id\":" TEXT ",\"kind\":"
		    TEXT ",\"key\":{\"type\":[\"string\",\"integer\"]},"
		    "\"action\":{\"enum\":[\"create\",\"update\",\"delete\","
		    "\"open\",\"close\",\"trip\",\"reset\",\"load\","
		    "\"unload\",\"accept\",\"renew\"]}"
		    ",\"before\":{\"type\":[\"object\",\"null\"]},\"after\":"
		    "{\"type\":[\"object\",\"null\"]},\"cause\":" TEXT "}}" },
	{ "InstanceList", LIST_OF("Instance") },
	{ "Instance", "{\"type\":\"object\",\"properties\":{\"name\":" TEXT
		      ",\"self\":{\"type\":\"boolean\"},\"generation\":"
		      NUMBER ",\"behind\":" NUMBER ",\"stale\":{\"type\":"
		      "\"boolean\"},\"seen_at\":" TEXT ",\"started_at\":"
		      TEXT ",\"version\":" TEXT ",\"host\":" TEXT
		      ",\"run\":" TEXT "}}" },
	{ "SpoolList", LIST_OF("Spooled") },
	{ "Spooled", "{\"type\":\"object\",\"properties\":{\"seq\":" NUMBER
		     ",\"state\":{\"enum\":[\"waiting\",\"dropped\"]},"
		     "\"reason\":{\"type\":[\"string\",\"null\"]},\"at\":"
		     TEXT ",\"who\":" TEXT ",\"from\":" TEXT
		     ",\"channel\":" TEXT ",\"request_id\":" TEXT
		     ",\"changes\":{\"type\":\"array\",\"items\":{"
		     "\"type\":\"object\"}},\"notes\":" NUMBER "}}" },
	{ "SessionList", LIST_OF("Session") },
	{ "Session", "{\"type\":\"object\"}" },
	{ "TokenList", LIST_OF("Token") },
	{ "Token", "{\"type\":\"object\",\"properties\":{\"label\":" TEXT
		   ",\"services\":" TEXTS ",\"domains\":" TEXTS
		   ",\"prefixes\":" TEXTS ",\"origin\":{\"enum\":["
		   "\"api\",\"file\"],\"readOnly\":true}}}" },
	{ "NewToken", "{\"type\":\"object\",\"properties\":{\"id\":" TEXT
		      ",\"token\":" TEXT "}}" },
	{ "Generation", "{\"type\":\"object\",\"required\":[\"to\"],"
			"\"properties\":{\"to\":" NUMBER "}}" },
	{ "RolledBack", "{\"type\":\"object\",\"properties\":{\"to\":" NUMBER
			",\"generation\":" NUMBER ",\"changes\":" NUMBER
			"}}" },
	{ "Document", "{\"type\":\"object\",\"properties\":{\"services\":{"
		      "\"type\":\"array\",\"items\":{\"type\":\"object\"}},"
		      "\"routes\":{\"type\":\"array\",\"items\":{\"$ref\":"
		      "\"#/components/schemas/Route\"}}}}" },
	{ "Imported", "{\"type\":\"object\",\"properties\":{\"generation\":"
		      NUMBER ",\"created\":" NUMBER ",\"updated\":" NUMBER
		      ",\"removed\":" NUMBER "}}" },
	{ "Explanation", "{\"type\":\"object\"}" },
	{ "Workers", "{\"type\":\"object\"}" },
	{ "Version", "{\"type\":\"object\"}" },
	{ "Status", "{\"type\":\"object\",\"properties\":{\"status\":" TEXT
		    "}}" },
	{ "LogLevel", "{\"type\":\"object\",\"required\":[\"level\"],"
		      "\"properties\":{\"level\":{\"enum\":[\"error\","
		      "\"warn\",\"notice\",\"info\",\"debug\"]}}}" },
	{ "Registration", "{\"type\":\"object\",\"required\":[\"name\","
			  "\"base_url\",\"routes\"],\"properties\":{\"name\":"
			  TEXT ",\"base_url\":" TEXT ",\"routes\":{\"type\":"
			  "\"array\",\"items\":" TEXT "},\"health_path\":"
			  TEXT "}}" },
	{ "Registered", "{\"type\":\"object\",\"properties\":{\"status\":"
			TEXT ",\"server\":" TEXT "}}" },
	{ "Maintenance", "{\"type\":[\"object\",\"null\"]}" },
	{ "MaintenanceOrder", "{\"type\":\"object\",\"properties\":{"
			      "\"page_url\":" TEXT ",\"until\":" TEXT
			      ",\"reason\":" TEXT ",\"allow\":{\"type\":"
			      "\"array\",\"items\":" TEXT "}}}" },
	{ "MaintenanceState", "{\"type\":\"object\",\"properties\":{"
			      "\"active\":{\"type\":\"boolean\"},"
			      "\"maintenance\":{\"$ref\":\"#/components/"
			      "schemas/Maintenance\"}}}" },
	{ "MaintenanceCount", "{\"type\":\"object\",\"properties\":{"
			      "\"active\":{\"type\":\"boolean\"},"
			      "\"services\":" NUMBER ",\"in_maintenance\":"
			      NUMBER "}}" },
	{ "Drain", "{\"type\":[\"object\",\"null\"]}" },
	{ "DrainOrder", "{\"type\":\"object\",\"properties\":{\"over\":" TEXT
			",\"span_ms\":{\"type\":\"integer\"},\"reason\":"
			TEXT "}}" },
	{ "DrainState", "{\"type\":\"object\",\"properties\":{\"active\":{"
			"\"type\":\"boolean\"},\"drain\":{\"$ref\":"
			"\"#/components/schemas/Drain\"}}}" },
	{ "BreakerOrder", "{\"type\":\"object\",\"required\":[\"action\"],"
			  "\"properties\":{\"action\":{\"enum\":[\"trip\","
			  "\"reset\"]}}}" },
	{ "BreakerState", "{\"type\":\"object\",\"properties\":{\"state\":{"
			  "\"enum\":[\"closed\",\"open\",\"half-open\"]}}}" },
	{ "Name", "{\"type\":\"object\",\"required\":[\"name\"],"
		  "\"properties\":{\"name\":" TEXT "}}" },
	{ "Registry", "{\"type\":\"array\",\"items\":{\"type\":\"object\","
		      "\"properties\":{\"name\":" TEXT ",\"base_url\":" TEXT
		      ",\"routes\":{\"type\":\"array\",\"items\":" TEXT
		      "},\"registered_at\":" TEXT "}}}" },
};

static void
write_reference(struct json_writer *writer, const char *type,
    const char *name)
{
	char reference[96];

	snprintf(reference, sizeof(reference), "#/components/schemas/%s",
	    name);
	json_write_key(writer, "content");
	json_write_begin(writer, '{');
	json_write_key(writer, type);
	json_write_begin(writer, '{');
	json_write_key(writer, "schema");
	json_write_begin(writer, '{');
	json_write_key(writer, "$ref");
	json_write_text(writer, reference);
	json_write_end(writer, '}');
	json_write_end(writer, '}');
	json_write_end(writer, '}');
}

static void
write_parameter(struct json_writer *writer, const char *in, struct bytes name)
{
	json_write_begin(writer, '{');
	json_write_key(writer, "name");
	json_write_string(writer, name);
	json_write_key(writer, "in");
	json_write_text(writer, in);
	json_write_key(writer, "required");
	json_write_bool(writer, strcmp(in, "path") == 0);
	json_write_key(writer, "schema");
	json_write_raw(writer, bytes_of(TEXT));
	json_write_end(writer, '}');
}

static void
write_parameters(struct json_writer *writer, const struct api_row *row)
{
	struct bytes rest = bytes_of(row->path), segment, name;

	json_write_key(writer, "parameters");
	json_write_begin(writer, '[');
	while (bytes_next_field(&rest, '/', &segment))
		if (segment.len > 2 && segment.data[0] == '{')
			write_parameter(writer, "path",
			    bytes_slice(segment.data + 1, segment.len - 2));
	rest = bytes_of(row->query);
	while (row->query != NULL && bytes_next_field(&rest, ' ', &name))
		write_parameter(writer, "query", name);
	if (row->is_write) {
		write_parameter(writer, "query", bytes_of("dry_run"));
		write_parameter(writer, "query", bytes_of("wait"));
		write_parameter(writer, "query", bytes_of("scope"));
		write_parameter(writer, "query", bytes_of("timeout"));
		write_parameter(writer, "header", bytes_of("If-Match"));
	}
	json_write_end(writer, ']');
}

static void
write_responses(struct json_writer *writer, const struct api_row *row)
{
	char status[16];

	snprintf(status, sizeof(status), "%u", row->status);
	json_write_key(writer, "responses");
	json_write_begin(writer, '{');
	json_write_key(writer, status);
	json_write_begin(writer, '{');
	json_write_key(writer, "description");
	json_write_text(writer, http_status_phrase(row->status));
	if (row->answer != NULL)
		write_reference(writer, "application/json", row->answer);
	json_write_end(writer, '}');
	json_write_key(writer, "default");
	json_write_begin(writer, '{');
	json_write_key(writer, "description");
	json_write_text(writer, "Why not.");
	write_reference(writer, "application/problem+json", "Problem");
	json_write_end(writer, '}');
	json_write_end(writer, '}');
}

static void
write_operation(struct json_writer *writer, const struct api_row *row)
{
	char method[16] = "";

	for (size_t i = 0; row->method[i] != '\0' && i < sizeof(method) - 1;
	    i++)
		method[i] = (char)tolower((unsigned char)row->method[i]);
	json_write_key(writer, method);
	json_write_begin(writer, '{');
	json_write_key(writer, "summary");
	json_write_text(writer, row->summary);
	write_parameters(writer, row);
	if (row->body != NULL) {
		json_write_key(writer, "requestBody");
		json_write_begin(writer, '{');
		write_reference(writer, "application/json", row->body);
		json_write_end(writer, '}');
	}
	write_responses(writer, row);
	json_write_end(writer, '}');
}

/* Rows of one path become one item; the first of them leads. */
static void
write_paths(struct json_writer *writer)
{
	size_t count;
	const struct api_row *rows = api_rows(&count);

	json_write_key(writer, "paths");
	json_write_begin(writer, '{');
	for (size_t i = 0; i < count; i++) {
		size_t first = 0;

		while (strcmp(rows[first].path, rows[i].path) != 0)
			first++;
		if (first != i)
			continue;
		json_write_key(writer, rows[i].path);
		json_write_begin(writer, '{');
		for (size_t j = i; j < count; j++)
			if (strcmp(rows[j].path, rows[i].path) == 0)
				write_operation(writer, &rows[j]);
		json_write_end(writer, '}');
	}
	json_write_end(writer, '}');
}

static void
write_schemas(struct json_writer *writer)
{
	json_write_key(writer, "components");
	json_write_begin(writer, '{');
	json_write_key(writer, "schemas");
	json_write_begin(writer, '{');
	json_write_key(writer, "Service");
	members_write_schema(members_of_service(), writer);
	json_write_key(writer, "Probe");
	members_write_schema(members_of_probe(), writer);
	json_write_key(writer, "Breaker");
	members_write_schema(members_of_breaker(), writer);
	json_write_key(writer, "RateLimit");
	members_write_schema(members_of_rate_limit(), writer);
	json_write_key(writer, "Backend");
	members_write_schema(members_of_backend(), writer);
	json_write_key(writer, "Route");
	members_write_schema(members_of_route(), writer);
	for (size_t i = 0; i < COUNT_OF(schemas); i++) {
		json_write_key(writer, schemas[i].name);
		json_write_raw(writer, bytes_of(schemas[i].schema));
	}
	json_write_end(writer, '}');
	json_write_end(writer, '}');
}

void
openapi_write(struct buf *buf)
{
	struct json_writer writer = json_writer(buf);

	json_write_begin(&writer, '{');
	json_write_key(&writer, "openapi");
	json_write_text(&writer, "3.1.0");
	json_write_key(&writer, "info");
	json_write_begin(&writer, '{');
	json_write_key(&writer, "title");
	json_write_text(&writer, "sluice admin API");
	json_write_key(&writer, "version");
	json_write_text(&writer, PACKAGE_VERSION);
	json_write_end(&writer, '}');
	write_paths(&writer);
	write_schemas(&writer);
	json_write_end(&writer, '}');
}

void
api_openapi(struct registry *registry, struct admin_request *request)
{
	struct buf json = { 0 };

	(void)registry;
	openapi_write(&json);
	admin_reply_json(request, 200, &json);
}
