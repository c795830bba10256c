/*
 * conf/grammar.c - the configuration file, by libconfuse.
 *
 * What is surprising: libconfuse stops at an unknown name.  To find more
 * than one fault in a go, the name is then made known as a list that is
 * always wrong, and the text is read once more.  Its callbacks have no
 * context, so that the reading under way is a variable of this file; it
 * is never entered twice.  Its own include leaks when an included file
 * has a fault; ours parses the file as a text of its own.
 */
/* SPDX-License-Identifier: ISC */
#include "conf/grammar.h"

#include <confuse.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "conf/comments.h"
#include "conf/file.h"
#include "conf/shape.h"
#include "conf/statics.h"

#define INCLUDE_DEPTH_MAX 8

static struct reading {
	struct draft *draft;
	const char *file;		/* the one being read */
	uint32_t depth;			/* of includes */
	uint32_t fault_count;		/* of this pass */
	bool is_end_seen;		/* of the file being read */
	struct unknown_name unknown[SHAPE_UNKNOWN_MAX];
	uint32_t unknown_count;
	struct buf errors;		/* of this pass */
} *current;

#define FILE_ENDS_TOO_SOON                                                     \
	"the file ends too soon; look for a missing quote, '}' or '*/'"

/* Adds "file:line: what" to the faults of this pass. */
static void
add_fault(const cfg_t *cfg, const char *format, ...) PRINTF_LIKE(2, 3);

static void
add_fault(const cfg_t *cfg, const char *format, ...)
{
	va_list args;

	current->fault_count++;
	buf_printf(&current->errors, "%s:%d: ", current->file, cfg->line);
	va_start(args, format);
	buf_vprintf(&current->errors, format, args);
	va_end(args);
	buf_append_char(&current->errors, '\n');
}

static const char *
section_prefix(const cfg_t *cfg)
{
	return strcmp(cfg->name, "root") == 0 ? "" :
						shape_section_name(cfg->name);
}

static void
add_no_such(const cfg_t *cfg, struct bytes name)
{
	const char *prefix = section_prefix(cfg);

	add_fault(cfg, "%s%s%.*s: no such setting; see sluice.conf(5)", prefix,
	    *prefix == '\0' ? "" : ".", BYTES_ARGS(name));
}

/* Remembers the name at which libconfuse stopped. */
static void
note_unknown(const cfg_t *cfg, struct bytes name)
{
	struct unknown_name *unknown;

	if (current->unknown_count == SHAPE_UNKNOWN_MAX || name.len == 0 ||
	    name.len >= sizeof(unknown->name))
		return;
	unknown = &current->unknown[current->unknown_count++];
	snprintf(unknown->section, sizeof(unknown->section), "%s",
	    section_prefix(cfg));
	snprintf(unknown->name, sizeof(unknown->name), "%.*s",
	    BYTES_ARGS(name));
}

static bool
is_noted_unknown(const cfg_t *cfg, struct bytes name)
{
	for (uint32_t i = 0; i < current->unknown_count; i++)
		if (strcmp(current->unknown[i].section,
		    section_prefix(cfg)) == 0 &&
		    bytes_is(name, current->unknown[i].name))
			return true;
	return false;
}

/* The name between the quotes that begin behind prefix; data NULL when
 * the text is another. */
static struct bytes
quoted_name(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);
	const char *end = strrchr(text, '\'');

	if (strncmp(text, prefix, len) != 0 || end == NULL || end < text + len)
		return bytes_slice(NULL, 0);
	return bytes_slice(text + len, (size_t)(end - text) - len);
}

static void on_error(cfg_t *, const char *format, va_list args)
    PRINTF_LIKE(2, 0);

/* libconfuse found something; its sentence is made one of ours. */
static void
on_error(cfg_t *cfg, const char *format, va_list args)
{
	char text[512];
	struct bytes name;

	vsnprintf(text, sizeof(text), format, args);
	if (strstr(text, SHAPE_END_CALL) != NULL ||
	    strcmp(text, "premature end of file") == 0 ||
	    strcmp(text, "unterminated string constant") == 0) {
		add_fault(cfg, FILE_ENDS_TOO_SOON);
		return;
	}
	name = quoted_name(text, "no such option '");
	if (name.data != NULL) {
		note_unknown(cfg, name);
		add_no_such(cfg, name);
		return;
	}
	name = quoted_name(text, "missing equal sign after option '");
	if (name.data != NULL && is_noted_unknown(cfg, name))
		add_no_such(cfg, name);
	else
		add_fault(cfg, "%s", text);
}

/* A value was read: its place is noted beside it. */
static int
on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	char where[512];

	snprintf(where, sizeof(where), "%s:%d", current->file, cfg->line);
	*(const char **)result = value;
	return cfg_opt_setcomment(opt, where) == CFG_SUCCESS ? 0 : -1;
}

/* A value of a name that is known to be wrong. */
static int
on_unknown(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	if (opt->comment == NULL || atoi(opt->comment) != cfg->line) {
		char line[16];

		add_no_such(cfg, bytes_of(opt->name));
		snprintf(line, sizeof(line), "%d", cfg->line);
		(void)cfg_opt_setcomment(opt, line);
	}
	*(const char **)result = value;
	return 0;
}

/* The path of an included file: beside the including one. */
static char *
included_path(const char *name)
{
	const char *slash = strrchr(current->file, '/');
	char *path;

	if (name[0] == '/' || slash == NULL)
		return strdup(name);
	if (asprintf(&path, "%.*s/%s", (int)(slash - current->file),
	    current->file, name) == -1)
		return NULL;
	return path;
}

static int
on_end(cfg_t *cfg, cfg_opt_t *opt, int argc, const char **argv)
{
	(void)cfg;
	(void)opt;
	(void)argc;
	(void)argv;
	current->is_end_seen = true;
	return 0;
}

/* Parses what is in the buffer.  0 or -1, with a fault. */
static int
parse_buffer(cfg_t *cfg, struct buf *text)
{
	uint32_t fault_count = current->fault_count;
	FILE *stream = fmemopen(text->data, text->len, "r");
	int result = -1;

	if (stream != NULL) {
		current->is_end_seen = false;
		if (cfg_parse_fp(cfg, stream) == CFG_SUCCESS)
			result = 0;
		fclose(stream);
	}
	if (result == 0 && !current->is_end_seen) {
		add_fault(cfg, FILE_ENDS_TOO_SOON);
		return -1;
	}
	if (result == -1 && current->fault_count == fault_count)
		add_fault(cfg, "cannot be understood");
	return result;
}

/* Readies a text for libconfuse.  0 or -1, with a fault. */
static int
prepare_text(cfg_t *cfg, struct buf *whole)
{
	size_t stray = comments_blank(whole->data, whole->len);

	if (stray == whole->len)
		return 0;
	cfg->line = 1;
	for (size_t i = 0; i < stray; i++)
		cfg->line += whole->data[i] == '\n';
	add_fault(cfg, "a '*' outside of quotes; put the text in quotes");
	return -1;
}

/* Parses a text as if it stood in place of the call.  0 or -1. */
static int
parse_text(cfg_t *cfg, struct bytes text, const char *name)
{
	const char *file = current->file;
	struct buf whole = { 0 };
	int line = cfg->line, result = -1;

	if (text.len > 0 && memchr(text.data, '\0', text.len) != NULL) {
		add_fault(cfg, "%s: a NUL byte; this is no text file", name);
		return -1;
	}
	buf_append(&whole, text);
	if (text.len > 0 && text.data[text.len - 1] != '\n')
		buf_append_char(&whole, '\n');
	buf_append_text(&whole, SHAPE_END_CALL "()");
	current->file = name;
	if (whole.is_failed)
		add_fault(cfg, "out of memory");
	else if (prepare_text(cfg, &whole) == 0)
		result = parse_buffer(cfg, &whole);
	current->file = file;
	cfg->line = line;
	buf_free(&whole);
	return result;
}

static int
on_include(cfg_t *cfg, cfg_opt_t *opt, int argc, const char **argv)
{
	struct buf text = { 0 };
	char *path = NULL;
	int result = -1;

	(void)opt;
	if (argc != 1) {
		add_fault(cfg, "include: give one file: include(\"file\")");
		return -1;
	}
	if (current->depth == INCLUDE_DEPTH_MAX) {
		add_fault(cfg, "include: %s: nested deeper than %d; does it "
			       "include itself?", argv[0], INCLUDE_DEPTH_MAX);
		return -1;
	}
	path = included_path(argv[0]);
	if (path == NULL || file_load(path, &text) == -1) {
		add_fault(cfg, "include: %s: %s", path == NULL ? argv[0] : path,
		    strerror(errno));
		goto done;
	}
	current->depth++;
	result = parse_text(cfg, buf_bytes(&text), path);
	current->depth--;
done:
	buf_free(&text);
	free(path);
	return result;
}

/* The option of a row in what was read; NULL if its section is absent. */
static cfg_opt_t *
option_of(cfg_t *cfg, const struct setting *row)
{
	size_t len = setting_section_len(row);
	char section[64];

	if (len == 0)
		return cfg_getopt(cfg, row->name);
	snprintf(section, sizeof(section), "%.*s", (int)len, row->name);
	cfg = cfg_getsec(cfg, section);
	return cfg == NULL ? NULL : cfg_getopt(cfg, setting_key(row));
}

/* Takes over what was read, row by row. */
static void
take_values(struct draft *draft, cfg_t *cfg)
{
	size_t count;
	const struct setting *rows = setting_rows(&count);

	for (size_t i = 0; i < count; i++) {
		const char **texts;
		cfg_opt_t *opt;
		uint32_t text_count;

		if (rows[i].type == SETTING_LISTENS)
			continue;
		opt = option_of(cfg, &rows[i]);
		if (opt == NULL || (opt->flags & CFGF_MODIFIED) == 0)
			continue;
		text_count = cfg_opt_size(opt);
		if (text_count == 0 && rows[i].type != SETTING_LIST)
			continue;
		texts = calloc(text_count + 1, sizeof(*texts));
		if (texts == NULL) {
			draft_fault(draft, "", "out of memory");
			return;
		}
		for (uint32_t j = 0; j < text_count; j++)
			texts[j] = cfg_opt_getnstr(opt, j);
		draft_put(draft, &rows[i], texts, text_count,
		    opt->comment == NULL ? current->file : opt->comment);
		free(texts);
	}
}

/* One pass over the text.  Returns true when it is worth another: a new
 * unknown name was met, and is known now. */
static bool
read_once(struct shape *shape, struct bytes text, bool allows_include)
{
	uint32_t unknown_count = current->unknown_count;
	const struct shape_plan plan = {
		.on_value = on_value,
		.on_unknown = on_unknown,
		.on_end = on_end,
		.on_include = allows_include ? on_include : NULL,
		.unknown = current->unknown,
		.unknown_count = unknown_count,
	};
	cfg_t *cfg;
	bool again;

	buf_clear(&current->errors);
	current->fault_count = 0;
	current->depth = 0;
	shape_make(shape, &plan);
	if ((cfg = cfg_init(shape->root, CFGF_NONE)) == NULL) {
		draft_fault(current->draft, "", "out of memory");
		return false;
	}
	cfg_set_error_function(cfg, on_error);
	cfg->line = 1;
	(void)parse_text(cfg, text, current->file);
	again = current->unknown_count > unknown_count;
	if (!again) {
		current->draft->fault_count += current->fault_count;
		buf_append(current->draft->errors, buf_bytes(&current->errors));
		take_values(current->draft, cfg);
		statics_take(current->draft, cfg, current->file);
	}
	cfg_free(cfg);
	return again;
}

void
grammar_read(struct draft *draft, struct bytes text, const char *name,
    bool allows_include)
{
	struct reading reading = { .draft = draft, .file = name };
	struct shape *shape = malloc(sizeof(*shape));

	if (shape == NULL) {
		draft_fault(draft, name, "out of memory");
		return;
	}
	current = &reading;
	while (read_once(shape, text, allows_include))
		;
	current = NULL;
	buf_free(&reading.errors);
	free(shape);
}
