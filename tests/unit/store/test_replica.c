/*
 * tests/unit/store/test_replica.c - the local file that follows a database.
 */
/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/buf.h"
#include "common/log.h"
#include "fixture.h"
#include "registryd/store/object_changes.h"
#include "registryd/store/replica.h"
#include "sqlite_file.h"

#define HERE	  "postgres://sluice@db.example/sluice"
#define ELSEWHERE "postgres://sluice@other.example/sluice"

static char dir[] = "/tmp/sluice-replica-XXXXXX";
static char path[sizeof(dir) + 16];

/* A replica that was opened, and what it said last. */
struct file {
	struct ev_loop *loop;
	struct settings settings;
	struct store *store;
	bool is_done;
	struct store_outcome outcome;	/* message: see below */
	char message[256];
};

static bool
is_there(const char *ending)
{
	char name[sizeof(path) + 16];

	snprintf(name, sizeof(name), "%s%s", path, ending);
	return access(name, F_OK) == 0;
}

static void
open_of(struct file *file, const char *url)
{
	const char *error = NULL;

	*file = (struct file){ .loop = ev_loop_new(EVFLAG_AUTO) };
	assert_non_null(file->loop);
	file->settings.store.path = path;
	file->settings.store.url = strdup(url);
	if (store_replica_new(file->loop, &file->settings, &file->store,
		&error) == -1)
		fail_msg("%s", error);
}

static void
close_file(struct file *file)
{
	store_free(&file->store);
	ev_loop_destroy(file->loop);
	free(file->settings.store.url);
}

static void
open_file(struct file *file)
{
	open_of(file, HERE);
}

static void
open_empty(struct file *file)
{
	sqlite_file_remove(path);
	open_file(file);
}

/* Asking ------------------------------------------------------------------ */

static void
on_done(void *context, const struct store_outcome *outcome)
{
	struct file *file = context;

	file->is_done = true;
	file->outcome = *outcome;
	snprintf(file->message, sizeof(file->message), "%s",
	    outcome->message == NULL ? "" : outcome->message);
	ev_break(file->loop, EVBREAK_ONE);
}

static enum store_result
await(struct file *file, int result)
{
	assert_int_equal(result, 0);
	file->is_done = false;
	while (!file->is_done)
		ev_run(file->loop, EVRUN_ONCE);
	return file->outcome.result;
}

static enum store_result
put(struct file *file, const struct replica_batch *batch)
{
	return await(file,
	    store_replicate(file->store, batch, on_done, file));
}

static void
assert_put(struct file *file, const struct replica_batch *batch)
{
	if (put(file, batch) != STORE_OK)
		fail_msg("%s", file->message);
}

/* All that is in the file, a line each. */
struct text {
	struct file *file;
	struct buf lines;
};

static void
on_service(void *context, struct service *service)
{
	struct text *text = context;

	buf_printf(&text->lines, "service %s %" PRIu64 "\n", service->name,
	    service->times.version);
	service_clear(service);
}

static void
on_backend(void *context, struct backend *backend)
{
	struct text *text = context;

	buf_printf(&text->lines, "backend %" PRIu64 " of %s\n", backend->id,
	    backend->service);
	backend_clear(backend);
}

static void
on_route(void *context, struct route *route)
{
	struct text *text = context;

	buf_printf(&text->lines, "route %" PRIu64 " to", route->id);
	for (uint32_t i = 0; i < route->target_count; i++)
		buf_printf(&text->lines, " %s", route->targets[i].service);
	buf_append_text(&text->lines, "\n");
	route_clear(route);
}

static void
on_note(void *context, const struct store_note *note)
{
	struct text *text = context;

	buf_printf(&text->lines, "%s %s %" PRIu32 " %s\n",
	    note_kind_name(note->kind), note->key, note->seq, note->body);
}

static void
on_spooled(void *context, const struct store_spooled *row)
{
	struct text *text = context;

	buf_printf(&text->lines, "spooled %" PRIu64 " %s %s %" PRIu64
	    " '%s' %" PRId64 " %s %s %s %s %s\n", row->seq, row->id,
	    spool_state_name(row->state), row->generation, row->reason,
	    row->at_wall_ms, row->who, row->from, row->channel,
	    row->request_id, row->body);
}

static void
on_loaded(void *context, const struct store_outcome *outcome)
{
	struct text *text = context;

	on_done(text->file, outcome);
}

static enum store_result
load(struct file *file, struct text *text_r)
{
	const struct store_loader loader = {
		.service = on_service,
		.backend = on_backend,
		.route = on_route,
		.note = on_note,
		.spooled = on_spooled,
		.done = on_loaded,
		.context = text_r,
	};

	*text_r = (struct text){ .file = file };
	return await(file, store_load(file->store, &loader));
}

static void
assert_holds(struct file *file, const char *want)
{
	struct text text;

	if (load(file, &text) != STORE_OK)
		fail_msg("%s", file->message);
	assert_string_equal(text.lines.len == 0 ? "" : text.lines.data, want);
	buf_free(&text.lines);
}

static uint64_t
set_aside_count(const struct file *file)
{
	struct store_figures figures;

	store_figures(file->store, &figures);
	return figures.set_aside_count;
}

/* What is put ------------------------------------------------------------- */

static void
add_service(struct object_changes *changes, const char *name,
    uint64_t version)
{
	struct service service = make_service(name);

	service.times.version = version;
	assert_int_equal(object_changes_put_service(changes, &service), 0);
	service_clear(&service);
}

static void
add_backend(struct object_changes *changes, uint64_t id, const char *service)
{
	struct backend backend = make_backend(service, "http://127.0.0.1:1");

	backend.id = id;
	backend.times.version = 1;
	assert_int_equal(object_changes_put_backend(changes, &backend), 0);
	backend_clear(&backend);
}

static void
add_route(struct object_changes *changes, uint64_t id, const char *service)
{
	struct route route = make_route(service, "/p");

	route.id = id;
	route.times.version = 1;
	assert_int_equal(object_changes_put_route(changes, &route), 0);
	route_clear(&route);
}

/* Services of one letter each, at a generation. */
static void
put_services(struct file *file, const char *letters, uint64_t generation)
{
	struct object_changes changes = { 0 };

	for (; *letters != '\0'; letters++)
		add_service(&changes, (const char[]){ *letters, '\0' }, 1);
	assert_put(file, &(struct replica_batch){ .changes = &changes,
	    .has_generation = true, .generation = generation });
	object_changes_clear(&changes);
}

static struct store_spooled
spooled(uint64_t seq, const char *id)
{
	return (struct store_spooled){ .seq = seq, .id = id, .reason = "",
		.at_wall_ms = 1700000000000, .who = "uid 7", .from = "unix",
		.channel = "api", .request_id = "r", .body = "{\"a\":1}" };
}

static void
put_spooled(struct file *file, struct store_spooled row)
{
	assert_put(file, &(struct replica_batch){ .spooled = &row,
	    .spooled_count = 1 });
}

#define TAIL " '' 1700000000000 uid 7 unix api r {\"a\":1}\n"

/* Sentences --------------------------------------------------------------- */

static void
a_new_file_is_of_no_generation(void **state)
{
	struct file file;

	(void)state;
	open_empty(&file);
	assert_holds(&file, "");
	assert_int_equal(file.outcome.generation, 0);
	assert_int_equal(file.outcome.at_wall_ms, 0);
	assert_false(file.outcome.is_elsewhere);
	close_file(&file);
}

static void
what_was_put_is_there_after_a_restart(void **state)
{
	static const char want[] =
	    "service a 3\n"
	    "backend 7 of a\n"
	    "route 9 to a\n"
	    "session k 0 its body\n"
	    "spooled 1 one waiting 0" TAIL;
	struct object_changes changes = { 0 };
	struct note_changes notes = { 0 };
	struct store_spooled row = spooled(1, "one");
	struct file file;

	(void)state;
	open_empty(&file);
	add_service(&changes, "a", 3);
	add_backend(&changes, 7, "a");
	add_route(&changes, 9, "a");
	assert_int_equal(note_changes_add(&notes, NOTE_PUT, NOTE_SESSION, "k",
	    0, "its body"), 0);
	assert_put(&file, &(struct replica_batch){ .changes = &changes,
	    .notes = &notes, .spooled = &row, .spooled_count = 1,
	    .identity = "system 1", .has_generation = true, .generation = 42,
	    .confirmed_wall_ms = 1700000000123 });
	assert_holds(&file, want);
	close_file(&file);

	open_file(&file);
	assert_holds(&file, want);
	assert_int_equal(file.outcome.generation, 42);
	assert_string_equal(file.outcome.identity, "system 1");
	assert_int_equal(file.outcome.at_wall_ms, 1700000000123);
	/* What a batch does not speak of stays. */
	assert_put(&file, &(struct replica_batch){ 0 });
	assert_holds(&file, want);
	assert_int_equal(file.outcome.generation, 42);
	assert_string_equal(file.outcome.identity, "system 1");
	assert_int_equal(file.outcome.at_wall_ms, 1700000000123);
	close_file(&file);
	object_changes_clear(&changes);
	note_changes_clear(&notes);
}

static void
the_last_change_of_an_object_is_the_one(void **state)
{
	struct object_changes changes = { 0 };
	struct file file;

	(void)state;
	open_empty(&file);
	put_services(&file, "ab", 1);
	add_service(&changes, "a", 5);
	assert_int_equal(object_changes_remove_service(&changes, "a"), 0);
	add_service(&changes, "a", 6);
	add_route(&changes, 1, "a");
	add_route(&changes, 1, "b");
	add_backend(&changes, 1, "a");
	assert_int_equal(object_changes_remove_id(&changes, OBJECT_BACKEND, 1),
	    0);
	assert_int_equal(object_changes_remove_service(&changes, "b"), 0);
	/* What it leads to may come back in a later batch. */
	assert_put(&file, &(struct replica_batch){ .changes = &changes });
	assert_holds(&file, "service a 6\nroute 1 to b\n");
	close_file(&file);
	object_changes_clear(&changes);
}

static void
a_range_holds_what_it_brings_and_no_more(void **state)
{
	struct object_changes changes = { 0 };
	struct file file;

	(void)state;
	open_empty(&file);
	put_services(&file, "abcde", 1);
	add_service(&changes, "bb", 2);
	assert_put(&file, &(struct replica_batch){ .changes = &changes,
	    .range = &(struct replica_range){ .kind = OBJECT_SERVICE,
		.after_name = "a", .upto_name = "c" } });
	assert_holds(&file, "service a 1\nservice bb 2\nservice d 1\n"
			    "service e 1\n");
	object_changes_clear(&changes);
	assert_put(&file, &(struct replica_batch){ .changes = &changes,
	    .range = &(struct replica_range){ .kind = OBJECT_SERVICE,
		.after_name = "d" } });
	assert_holds(&file, "service a 1\nservice bb 2\nservice d 1\n");
	close_file(&file);
}

static void
a_range_of_ids_ends_where_it_says(void **state)
{
	struct object_changes changes = { 0 };
	struct file file;

	(void)state;
	open_empty(&file);
	add_service(&changes, "a", 1);
	for (uint64_t id = 1; id <= 4; id++) {
		add_backend(&changes, id, "a");
		add_route(&changes, id, "a");
	}
	assert_put(&file, &(struct replica_batch){ .changes = &changes });
	object_changes_clear(&changes);
	assert_put(&file, &(struct replica_batch){ .changes = &changes,
	    .range = &(struct replica_range){ .kind = OBJECT_BACKEND,
		.after_id = 1, .upto_id = 3 } });
	assert_put(&file, &(struct replica_batch){ .changes = &changes,
	    .range = &(struct replica_range){ .kind = OBJECT_ROUTE,
		.after_id = 2 } });
	assert_holds(&file, "service a 1\nbackend 1 of a\nbackend 4 of a\n"
			    "route 1 to a\nroute 2 to a\n");
	/* No target of a route that went comes back with its id. */
	add_route(&changes, 3, "b");
	assert_put(&file, &(struct replica_batch){ .changes = &changes,
	    .range = &(struct replica_range){ .kind = OBJECT_ROUTE,
		.after_id = 2 } });
	assert_holds(&file, "service a 1\nbackend 1 of a\nbackend 4 of a\n"
			    "route 1 to a\nroute 2 to a\nroute 3 to b\n");
	close_file(&file);
	object_changes_clear(&changes);
}

static void
all_notes_replace_those_that_were_there(void **state)
{
	struct note_changes notes = { 0 };
	struct file file;

	(void)state;
	open_empty(&file);
	assert_int_equal(note_changes_add(&notes, NOTE_PUT, NOTE_TOKEN, "old",
	    0, "x"), 0);
	assert_put(&file, &(struct replica_batch){ .notes = &notes });
	note_changes_clear(&notes);
	assert_int_equal(note_changes_add(&notes, NOTE_PUT, NOTE_SESSION, "s",
	    0, "y"), 0);
	assert_put(&file, &(struct replica_batch){ .notes = &notes });
	assert_holds(&file, "session s 0 y\ntoken old 0 x\n");
	assert_put(&file, &(struct replica_batch){ .notes = &notes,
	    .replaces_notes = true });
	assert_holds(&file, "session s 0 y\n");
	close_file(&file);
	note_changes_clear(&notes);
}

static void
the_spool_is_read_in_its_order(void **state)
{
	struct store_spooled rows[] = { spooled(11, "late"),
		spooled(2, "early"), spooled(9, "between") };
	struct file file;

	(void)state;
	open_empty(&file);
	assert_put(&file, &(struct replica_batch){ .spooled = rows,
	    .spooled_count = 3 });
	assert_holds(&file, "spooled 2 early waiting 0" TAIL
			    "spooled 9 between waiting 0" TAIL
			    "spooled 11 late waiting 0" TAIL);
	close_file(&file);
}

static void
what_was_decided_stays_until_it_is_forgotten(void **state)
{
	struct store_spooled row = spooled(1, "one");
	struct file file;

	(void)state;
	open_empty(&file);
	for (uint64_t seq = 1; seq <= 4; seq++)
		put_spooled(&file, spooled(seq, (const char[]){
		    (char)('0' + seq), '\0' }));
	row = spooled(1, "1");
	row.state = SPOOL_PLAYED;
	row.generation = 8;
	put_spooled(&file, row);
	row = spooled(2, "2");
	row.state = SPOOL_DROPPED;
	row.reason = "it was changed";
	put_spooled(&file, row);
	row = spooled(4, "4");
	row.state = SPOOL_PLAYED;
	row.generation = 9;
	put_spooled(&file, row);
	assert_put(&file, &(struct replica_batch){ .forget_played = 3 });
	assert_holds(&file,
	    "spooled 2 2 dropped 0 'it was changed' 1700000000000 uid 7 unix "
	    "api r {\"a\":1}\n"
	    "spooled 3 3 waiting 0" TAIL
	    "spooled 4 4 played 9" TAIL);
	/* What waits is never forgotten. */
	assert_put(&file, &(struct replica_batch){ .forget_played = 4,
	    .forget_dropped = 4 });
	assert_holds(&file, "spooled 3 3 waiting 0" TAIL);
	close_file(&file);
}

static void
a_batch_of_which_a_part_is_refused_changes_nothing(void **state)
{
	struct store_spooled rows[] = { spooled(2, "two"), spooled(3, "one") };
	struct object_changes changes = { 0 };
	struct file file;

	(void)state;
	open_empty(&file);
	put_services(&file, "a", 1);
	put_spooled(&file, spooled(1, "one"));
	add_service(&changes, "b", 1);
	assert_int_equal(put(&file, &(struct replica_batch){
	    .changes = &changes, .spooled = rows, .spooled_count = 2,
	    .has_generation = true, .generation = 2 }), STORE_CONFLICT);
	assert_holds(&file, "service a 1\nspooled 1 one waiting 0" TAIL);
	assert_int_equal(file.outcome.generation, 1);
	assert_int_equal(set_aside_count(&file), 0);
	/* And the next one is taken. */
	assert_put(&file, &(struct replica_batch){ .changes = &changes,
	    .spooled = rows, .spooled_count = 1 });
	assert_holds(&file, "service a 1\nservice b 1\n"
			    "spooled 1 one waiting 0" TAIL
			    "spooled 2 two waiting 0" TAIL);
	close_file(&file);
	object_changes_clear(&changes);
}

static void
a_file_of_another_server_says_so(void **state)
{
	struct file file;

	(void)state;
	open_empty(&file);
	put_services(&file, "a", 7);
	close_file(&file);
	open_of(&file, ELSEWHERE);
	assert_holds(&file, "service a 1\n");
	assert_true(file.outcome.is_elsewhere);
	/* Until it is followed there. */
	assert_put(&file, &(struct replica_batch){
	    .confirmed_wall_ms = 1700000000000 });
	assert_holds(&file, "service a 1\n");
	assert_false(file.outcome.is_elsewhere);
	close_file(&file);
}

static void
the_store_of_a_sluice_is_left_alone(void **state)
{
	struct fixture fixture;
	struct service service = make_service("own");
	struct store_change change = put_service(&service);
	struct loaded loaded;
	struct text text;
	struct file file;

	(void)state;
	sqlite_file_remove(path);
	fixture_new(&fixture, STORE_SQLITE, path, "");
	assert_int_equal(fixture_commit(&fixture, &change, 1), STORE_OK);
	fixture_free(&fixture);
	service_clear(&service);

	open_file(&file);
	assert_int_equal(load(&file, &text), STORE_UNAVAILABLE);
	buf_free(&text.lines);
	assert_non_null(strstr(file.message, "store of its own"));
	assert_int_equal(put(&file, &(struct replica_batch){
	    .has_generation = true }), STORE_UNAVAILABLE);
	assert_int_equal(set_aside_count(&file), 0);
	close_file(&file);

	fixture_new(&fixture, STORE_SQLITE, path, "");
	assert_int_equal(fixture_load(&fixture, &loaded), STORE_OK);
	assert_int_equal(loaded.service_count, 1);
	assert_int_equal(fixture.outcome.generation, 1);
	loaded_clear(&loaded);
	fixture_free(&fixture);
}

/* Damage ------------------------------------------------------------------ */

/* The file is of no use; a new one is, and the old one is still there. */
static void
assert_begun_anew(void)
{
	struct text text;
	struct file file;

	open_file(&file);
	assert_int_not_equal(load(&file, &text), STORE_OK);
	buf_free(&text.lines);
	assert_int_equal(set_aside_count(&file), 1);
	assert_true(is_there(".broken"));
	assert_holds(&file, "");
	assert_int_equal(file.outcome.generation, 0);
	put_services(&file, "n", 3);
	close_file(&file);
	open_file(&file);
	assert_holds(&file, "service n 1\n");
	close_file(&file);
}

static void
make_file(void)
{
	struct file file;

	open_empty(&file);
	put_services(&file, "abcdefghijklmnopqrstuvwxyz", 5);
	close_file(&file);
}

static void
overwrite(off_t from, size_t count)
{
	int fd = open(path, O_WRONLY);

	assert_true(fd != -1);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(pwrite(fd, "\xa5", 1, from + (off_t)i), 1);
	close(fd);
}

static off_t
size_of(const char *name)
{
	struct stat st;

	assert_int_equal(stat(name, &st), 0);
	return st.st_size;
}

static void
a_torn_file_is_set_aside(void **state)
{
	(void)state;
	make_file();
	assert_int_equal(truncate(path, size_of(path) / 2), 0);
	assert_begun_anew();
}

static void
a_file_with_pages_overwritten_is_set_aside(void **state)
{
	(void)state;
	make_file();
	overwrite(4096, (size_t)size_of(path) - 4096);
	assert_begun_anew();
}

static void
a_file_that_is_no_database_is_set_aside(void **state)
{
	(void)state;
	make_file();
	overwrite(0, 100);
	assert_begun_anew();
}

static void
change_by_hand(const char *sql)
{
	sqlite3 *handle;

	assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
	if (sqlite3_exec(handle, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(handle));
	assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

static void
a_file_of_a_newer_program_is_set_aside(void **state)
{
	(void)state;
	make_file();
	change_by_hand("INSERT INTO schema_version (version, name, applied_at)"
		       " VALUES (999, 'of_the_future', 0)");
	assert_begun_anew();
}

static void
a_file_with_a_row_that_none_can_read_is_set_aside(void **state)
{
	(void)state;
	make_file();
	change_by_hand("PRAGMA ignore_check_constraints = ON;"
		       "UPDATE service SET policy = 'odd' WHERE name = 'c'");
	assert_begun_anew();
}

static void
copy_file(const char *from, const char *to, off_t len)
{
	char byte;
	int in = open(from, O_RDONLY);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(in != -1 && out != -1);
	for (off_t i = 0; i < len; i++) {
		assert_int_equal(pread(in, &byte, 1, i), 1);
		assert_int_equal(write(out, &byte, 1), 1);
	}
	close(in);
	close(out);
}

/* As of a machine that lost power in the middle of the second batch. */
static void
a_torn_log_has_the_batches_before(void **state)
{
	char log[sizeof(path) + 8], to[sizeof(path) + 8];
	struct file file;
	off_t first;

	(void)state;
	open_empty(&file);
	put_services(&file, "ab", 1);
	snprintf(log, sizeof(log), "%s-wal", path);
	first = size_of(log);
	put_services(&file, "cd", 2);
	assert_true(size_of(log) > first);
	snprintf(to, sizeof(to), "%s/saved", dir);
	copy_file(path, to, size_of(path));
	snprintf(to, sizeof(to), "%s/saved-wal", dir);
	copy_file(log, to, size_of(log) - 100);
	close_file(&file);

	sqlite_file_remove(path);
	assert_int_equal(rename(to, log), 0);
	snprintf(to, sizeof(to), "%s/saved", dir);
	assert_int_equal(rename(to, path), 0);
	open_file(&file);
	assert_holds(&file, "service a 1\nservice b 1\n");
	assert_int_equal(file.outcome.generation, 1);
	assert_int_equal(set_aside_count(&file), 0);
	close_file(&file);
}

/* Room -------------------------------------------------------------------- */

#define FULL_ROUTES 2000

static void
a_full_disk_refuses_and_recovers(void **state)
{
	struct object_changes changes = { 0 };
	struct store_spooled row = spooled(1, "one");
	const struct replica_batch batch = { .changes = &changes,
		.spooled = &row, .spooled_count = 1, .has_generation = true,
		.generation = 2 };
	struct store_figures figures;
	char filler[sizeof(path) + 8];
	struct file file;

	(void)state;
	sqlite_file_remove(path);
	if (mount("tmpfs", dir, "tmpfs", 0, "size=8m") == -1)
		skip();
	snprintf(filler, sizeof(filler), "%s/filler", dir);
	open_file(&file);
	put_services(&file, "a", 1);
	sqlite_file_fill_disk(filler);
	for (uint64_t id = 1; id <= FULL_ROUTES; id++)
		add_route(&changes, id, "a");
	assert_int_equal(put(&file, &batch), STORE_FULL);
	assert_non_null(strstr(file.message, "make room"));
	assert_holds(&file, "service a 1\n");
	assert_int_equal(file.outcome.generation, 1);
	store_figures(file.store, &figures);
	assert_true(figures.is_up);
	assert_int_equal(figures.set_aside_count, 0);

	assert_int_equal(unlink(filler), 0);
	assert_put(&file, &batch);
	close_file(&file);
	object_changes_clear(&changes);
	for (uint64_t id = 1; id <= FULL_ROUTES; id++)
		assert_int_equal(object_changes_remove_id(&changes,
		    OBJECT_ROUTE, id), 0);
	open_file(&file);
	assert_put(&file, &(struct replica_batch){ .changes = &changes });
	assert_holds(&file, "service a 1\nspooled 1 one waiting 0" TAIL);
	assert_int_equal(file.outcome.generation, 2);
	close_file(&file);
	object_changes_clear(&changes);
	assert_int_equal(umount(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_file_is_of_no_generation),
		cmocka_unit_test(what_was_put_is_there_after_a_restart),
		cmocka_unit_test(the_last_change_of_an_object_is_the_one),
		cmocka_unit_test(a_range_holds_what_it_brings_and_no_more),
		cmocka_unit_test(a_range_of_ids_ends_where_it_says),
		cmocka_unit_test(all_notes_replace_those_that_were_there),
		cmocka_unit_test(the_spool_is_read_in_its_order),
		cmocka_unit_test(what_was_decided_stays_until_it_is_forgotten),
		cmocka_unit_test(
		    a_batch_of_which_a_part_is_refused_changes_nothing),
		cmocka_unit_test(a_file_of_another_server_says_so),
		cmocka_unit_test(the_store_of_a_sluice_is_left_alone),
		cmocka_unit_test(a_torn_file_is_set_aside),
		cmocka_unit_test(a_file_with_pages_overwritten_is_set_aside),
		cmocka_unit_test(a_file_that_is_no_database_is_set_aside),
		cmocka_unit_test(a_file_of_a_newer_program_is_set_aside),
		cmocka_unit_test(
		    a_file_with_a_row_that_none_can_read_is_set_aside),
		cmocka_unit_test(a_torn_log_has_the_batches_before),
		cmocka_unit_test(a_full_disk_refuses_and_recovers),
	};
	int failed_count;

	if (!sqlite_file_make_dir(dir, "replica.db", path, sizeof(path)) ||
	    log_open("test", "/dev/null") == -1)
		return 1;
	failed_count = cmocka_run_group_tests(tests, NULL, NULL);
	sqlite_file_remove_dir(dir, path);
	return failed_count;
}
