/*
 * conf/shape.c - the grammar of the file, made from the rows.
 */
/* SPDX-License-Identifier: ISC */
#include "conf/shape.h"

#include "common/log.h"
#include "conf/rows.h"

static const cfg_opt_t end_of_options = CFG_END();

/* The one that stands in another; libconfuse does not say in which. */
static const char nested_section[] = "registration.token";

/* Makes an option for the array; libconfuse copies the name. */
static cfg_opt_t
make_option(const char *key, bool is_list, cfg_callback_t callback)
{
	cfg_opt_t scalar = CFG_STR_CB(key, 0, CFGF_NODEFAULT, callback);
	cfg_opt_t list = CFG_STR_LIST_CB(key, 0, CFGF_NODEFAULT, callback);

	return is_list ? list : scalar;
}

/* The options of a section, which is made when it is new. */
static uint32_t
section_of(struct shape *shape, struct bytes name)
{
	uint32_t i;

	for (i = 0; i < shape->section_count; i++)
		if (bytes_is(name, shape->section_names[i]))
			return i;
	invariant(i < SHAPE_SECTIONS_MAX &&
	    name.len < sizeof(shape->section_names[i]));
	memcpy(shape->section_names[i], name.data, name.len);
	shape->section_count++;
	return i;
}

/* section "" is the top. */
static void
add_option(struct shape *shape, struct bytes section, const char *key,
    bool is_list, cfg_callback_t callback)
{
	uint32_t i;

	if (section.len == 0) {
		invariant(shape->root_count <
		    SHAPE_OPTIONS_MAX - SHAPE_SECTIONS_MAX - 3);
		shape->root[shape->root_count++] =
		    make_option(key, is_list, callback);
		return;
	}
	i = section_of(shape, section);
	invariant(shape->option_counts[i] < SHAPE_OPTIONS_MAX - 1);
	shape->sections[i][shape->option_counts[i]++] =
	    make_option(key, is_list, callback);
}

static void
add_unknown_options(struct shape *shape, const struct shape_plan *plan)
{
	for (uint32_t i = 0; i < plan->unknown_count; i++) {
		const struct unknown_name *unknown = &plan->unknown[i];

		add_option(shape, bytes_of(unknown->section), unknown->name,
		    true, plan->on_unknown);
	}
}

static bool
has_title(const char *section)
{
	size_t count;
	const struct titled_setting *rows = titled_setting_rows(&count);

	for (size_t i = 0; i < count; i++)
		if (bytes_is(titled_setting_section(&rows[i]), section))
			return true;
	return false;
}

/* What the file calls a section: "token" of "registration.token". */
static char *
last_part(char *section)
{
	char *dot = strrchr(section, '.');

	return dot == NULL ? section : dot + 1;
}

const char *
shape_section_name(const char *part)
{
	const char *dot = strrchr(nested_section, '.');

	return strcmp(dot + 1, part) == 0 ? nested_section : part;
}

static void
add_settings(struct shape *shape, const struct shape_plan *plan)
{
	size_t count;
	const struct setting *rows = setting_rows(&count);
	const struct titled_setting *titled;

	for (size_t i = 0; i < count; i++)
		if (rows[i].type != SETTING_LISTENS)
			add_option(shape,
			    bytes_slice(rows[i].name,
				setting_section_len(&rows[i])),
			    setting_key(&rows[i]),
			    rows[i].type == SETTING_LIST, plan->on_value);
	titled = titled_setting_rows(&count);
	for (size_t i = 0; i < count; i++)
		add_option(shape, titled_setting_section(&titled[i]),
		    strrchr(titled[i].name, '.') + 1, titled[i].is_list,
		    plan->on_value);
}

/* Ends a section, for its parent. */
static cfg_opt_t
close_section(struct shape *shape, uint32_t i)
{
	char *name = shape->section_names[i];
	const cfg_opt_t plain = CFG_SEC(name, shape->sections[i], CFGF_NONE);
	const cfg_opt_t titled_section = CFG_SEC(last_part(name),
	    shape->sections[i],
	    CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);

	shape->sections[i][shape->option_counts[i]] = end_of_options;
	return has_title(name) ? titled_section : plain;
}

/* Sections inside others first: a parent is copied when it is closed. */
static void
add_sections(struct shape *shape)
{
	for (uint32_t i = 0; i < shape->section_count; i++) {
		const char *name = shape->section_names[i];
		const char *dot = strrchr(name, '.');
		uint32_t parent;

		if (dot == NULL)
			continue;
		parent = section_of(shape,
		    bytes_slice(name, (size_t)(dot - name)));
		invariant(shape->option_counts[parent] <
		    SHAPE_OPTIONS_MAX - 1);
		shape->sections[parent][shape->option_counts[parent]++] =
		    close_section(shape, i);
	}
	for (uint32_t i = 0; i < shape->section_count; i++)
		if (strchr(shape->section_names[i], '.') == NULL)
			shape->root[shape->root_count++] =
			    close_section(shape, i);
}

void
shape_make(struct shape *shape, const struct shape_plan *plan)
{
	const cfg_opt_t include = CFG_FUNC("include", plan->on_include);
	const cfg_opt_t end = CFG_FUNC(SHAPE_END_CALL, plan->on_end);

	memset(shape, 0, sizeof(*shape));
	add_settings(shape, plan);
	add_unknown_options(shape, plan);
	add_sections(shape);
	shape->root[shape->root_count++] = end;
	if (plan->on_include != NULL)
		shape->root[shape->root_count++] = include;
	shape->root[shape->root_count] = end_of_options;
}
