/*
 * tests/unit/registryd/test_spool.c - commits that are kept while the
 * database is away, in a real file.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/log.h"
#include "fake_store.h"
#include "registryd/object_json.h"
#include "registryd/protocol/protocol.h"
#include "registryd/registry.h"
#include "registryd/spool_parts.h"
#include "registryd/write_parts.h"
#include "unit/store/sqlite_file.h"

#define BEFORE 5			/* the generation that was loaded */

static char dir[] = "/tmp/sluice-spool-XXXXXX";
static char path[sizeof(dir) + 24];
static char url[] = "postgres://sluice@db.example/sluice";

/* As much of a registryd as writes: its database is the fake. */
struct outage {
	struct settings settings;
	struct daemon daemon;
	struct fake_store fake;
	struct protocol protocol;
	struct registry registry;
	uint32_t load_count;		/* all was to be loaded again */
};

/* A write, and what became of it. */
struct wish {
	const char *name;		/* of a service */
	uint32_t retries;
	bool is_removal;
	bool is_over;
	unsigned int status;
	uint64_t generation, spooled_seq;
};

/* A registryd that starts, and ends --------------------------------------- */

static void
on_load_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct outage *outage = timer->data;

	(void)loop, (void)events;
	outage->load_count++;
	outage->registry.is_stale = false;
}

static void
start(struct outage *outage)
{
	struct registry *registry = &outage->registry;
	const struct write_backing backing = fake_store_backing(registry);

	ev_timer_init(&registry->load_again, on_load_again, 0.0, 0.0);
	registry->load_again.data = outage;
	registry->writes = write_queue_new(registry->loop, &backing);
	registry->model = model_new();
	registry->replica = replica_new(registry);
	registry->spool = spool_new(registry);
	assert_non_null(registry->writes);
	assert_non_null(registry->model);
	assert_non_null(registry->replica);
	assert_non_null(registry->spool);
	registry->model->generation = BEFORE;
}

static void
stop(struct outage *outage)
{
	struct registry *registry = &outage->registry;

	while (write_queue_is_busy(registry->writes))
		fake_store_answer(&outage->fake,
		    fake_store_take(&outage->fake), STORE_UNAVAILABLE);
	ev_timer_stop(registry->loop, &registry->load_again);
	replica_free(&registry->replica);
	spool_free(&registry->spool);
	write_queue_free(&registry->writes);
	model_free(&registry->model);
}

static void
open_outage(struct outage *outage)
{
	sqlite_file_remove(path);
	*outage = (struct outage){
		.settings.store = { .driver = STORE_POSTGRES, .path = path,
		    .url = url, .outage = OUTAGE_SPOOL },
		.daemon.settings = &outage->settings,
		.registry = { .daemon = &outage->daemon,
		    .loop = ev_loop_new(EVFLAG_AUTO),
		    .store = &outage->fake.store,
		    .protocol = &outage->protocol,
		    .identity = "system 1" },
	};
	assert_non_null(outage->registry.loop);
	fake_store_init(&outage->fake, outage->registry.loop);
	outage->fake.generation = BEFORE;
	start(outage);
}

static void
close_outage(struct outage *outage)
{
	stop(outage);
	fake_store_clear(&outage->fake);
	ev_loop_destroy(outage->registry.loop);
	sqlite_file_remove(path);
}

static void
go_away(struct outage *outage)
{
	outage->fake.store.figures.is_up = false;
}

static void
come_back(struct outage *outage)
{
	outage->fake.store.figures.is_up = true;
}

/* Writing ----------------------------------------------------------------- */

static int
plan(struct write *write, const struct model *model, void *context)
{
	const struct wish *wish = context;
	const struct model_service *there = model_find_service(model,
	    wish->name);
	struct problem problem;
	struct service service;
	int result;

	if (wish->is_removal)
		return write_remove_service(write, &there->object);
	assert_int_equal(service_init(&service, &problem), 0);
	assert_int_equal(text_set(&service.name, bytes_of(wish->name)), 0);
	service.retries = wish->retries;
	result = write_put_service(write, &service,
	    there == NULL ? NULL : &there->object);
	service_clear(&service);
	return result;
}

static void
on_over(struct write *write, void *context)
{
	struct wish *wish = context;

	wish->is_over = true;
	wish->status = write->problem.status;
	wish->generation = write->generation;
	wish->spooled_seq = write->spooled_seq;
}

static void
submit(struct outage *outage, struct wish *wish)
{
	struct write *write = write_new(plan, on_over, wish);

	assert_non_null(write);
	snprintf(write->who, sizeof(write->who), "uid 7");
	snprintf(write->from, sizeof(write->from), "unix");
	snprintf(write->request_id, sizeof(write->request_id), "r-%s",
	    wish->name);
	write->channel = "api";
	write_queue_submit(outage->registry.writes, write);
}

static void
await(struct outage *outage, const struct wish *wish)
{
	while (!wish->is_over)
		ev_run(outage->registry.loop, EVRUN_ONCE);
}

/* Of a service, so many retries: kept. */
static uint64_t
keep(struct outage *outage, const char *name, uint32_t retries)
{
	struct wish wish = { .name = name, .retries = retries };

	submit(outage, &wish);
	await(outage, &wish);
	assert_int_equal(wish.status, 0);
	return wish.spooled_seq;
}

/* The next commit that the database is asked for; what else it is asked is
 * answered with nothing. */
static struct store_request *
next_commit(struct outage *outage)
{
	struct store_request *request;

	while ((request = fake_store_take(&outage->fake))->type !=
	    REQUEST_COMMIT)
		fake_store_answer(&outage->fake, request, STORE_UNAVAILABLE);
	return request;
}

static uint64_t
next_follow(struct outage *outage)
{
	struct store_request *request = fake_store_take(&outage->fake);
	uint64_t since = request->ask.follow.since;

	assert_int_equal(request->type, REQUEST_FOLLOW);
	fake_store_answer(&outage->fake, request, STORE_UNAVAILABLE);
	return since;
}

static const struct store_change *
change_of(const struct store_request *request)
{
	assert_int_equal(request->ask.commit.change_count, 1);
	return &request->ask.commit.changes[0];
}

static void
assert_asked(const struct store_request *request, const char *name,
    uint32_t retries)
{
	const struct store_commit *commit = &request->ask.commit;
	char id[16];

	assert_string_equal(change_of(request)->object.service->name, name);
	assert_int_equal(change_of(request)->object.service->retries,
	    retries);
	assert_non_null(commit->spool_id);
	snprintf(id, sizeof(id), "r-%s", name);
	assert_string_equal(commit->actor.who, "uid 7");
	assert_string_equal(commit->actor.from, "unix");
	assert_string_equal(commit->actor.channel, "api");
	assert_string_equal(commit->actor.request_id, id);
}

static const struct service *
service_of(const struct outage *outage, const char *name)
{
	const struct model_service *service =
	    model_find_service(outage->registry.model, name);

	return service == NULL ? NULL : &service->object;
}

static struct spool_figures
figures_of(const struct outage *outage)
{
	struct spool_figures figures;

	spool_figures(outage->registry.spool, &figures);
	return figures;
}

static void
await_played(struct outage *outage)
{
	while (spool_is_playing(outage->registry.spool))
		ev_run(outage->registry.loop, EVRUN_ONCE);
}

/* The file ---------------------------------------------------------------- */

static int
add_row(void *context, int count, char **texts, char **names)
{
	struct buf *rows = context;

	(void)count, (void)names;
	buf_printf(rows, "%s %s %s\n", texts[0], texts[1], texts[2]);
	return 0;
}

static void
run_sql(const char *sql, struct buf *rows)
{
	sqlite3 *handle;

	assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
	sqlite3_busy_timeout(handle, 60000);
	if (sqlite3_exec(handle, sql, add_row, rows, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(handle));
	assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

static void
assert_file(struct outage *outage, const char *want)
{
	struct buf rows = { 0 };

	while (!replica_is_idle(outage->registry.replica))
		ev_run(outage->registry.loop, EVRUN_ONCE);
	if (access(path, F_OK) == 0)
		run_sql("SELECT seq, state, generation FROM spool "
			"ORDER BY seq", &rows);
	assert_string_equal(rows.len == 0 ? "" : rows.data, want);
	buf_free(&rows);
}

static void
drop_service(void *context, struct service *service)
{
	(void)context;
	service_clear(service);
}

static void
drop_backend(void *context, struct backend *backend)
{
	(void)context;
	backend_clear(backend);
}

static void
drop_route(void *context, struct route *route)
{
	(void)context;
	route_clear(route);
}

struct reading {
	struct spool *spool;
	bool is_over;
};

static void
on_spooled(void *context, const struct store_spooled *row)
{
	struct reading *reading = context;

	spool_load(reading->spool, row);
}

static void
on_read(void *context, const struct store_outcome *outcome)
{
	struct reading *reading = context;

	assert_int_equal(outcome->result, STORE_OK);
	reading->is_over = true;
}

static void
read_spool(struct outage *outage)
{
	struct registry *registry = &outage->registry;
	struct reading reading = { .spool = registry->spool };
	const struct store_loader loader = {
		.service = drop_service,
		.backend = drop_backend,
		.route = drop_route,
		.spooled = on_spooled,
		.done = on_read,
		.context = &reading,
	};

	spool_load_begin(registry->spool);
	assert_int_equal(store_load(replica_store(registry->replica),
	    &loader), 0);
	while (!reading.is_over)
		ev_run(registry->loop, EVRUN_ONCE);
}

/* As a registryd that was killed: of the database it has what was loaded
 * before. */
static void
restart(struct outage *outage)
{
	stop(outage);
	start(outage);
	read_spool(outage);
	spool_overlay(outage->registry.spool, outage->registry.model);
}

static struct store_spooled
row_of(uint64_t seq, enum spool_state state, const char *body)
{
	return (struct store_spooled){ .seq = seq, .id = "id", .state = state,
		.reason = "", .who = "w", .from = "f", .channel = "api",
		.request_id = "r", .body = body };
}

#define EMPTY_BODY "{\"cause\":null,\"changes\":[],\"notes\":[]}"

/* Sentences: keeping ------------------------------------------------------ */

static void
while_the_database_is_there_nothing_is_kept(void **state)
{
	struct wish wish = { .name = "a" };
	struct store_request *request;
	struct outage outage;

	(void)state;
	open_outage(&outage);
	submit(&outage, &wish);
	request = next_commit(&outage);
	assert_null(request->ask.commit.spool_id);
	fake_store_answer(&outage.fake, request, STORE_OK);
	await(&outage, &wish);
	assert_int_equal(wish.status, 0);
	assert_int_equal(wish.spooled_seq, 0);
	assert_int_equal(wish.generation, BEFORE + 1);
	assert_false(spool_is_waiting(outage.registry.spool));
	assert_int_equal(figures_of(&outage).spooled_count, 0);
	close_outage(&outage);
}

static void
while_it_is_away_what_is_asked_is_kept_and_takes_effect(void **state)
{
	struct outage outage;

	(void)state;
	open_outage(&outage);
	go_away(&outage);
	assert_int_equal(keep(&outage, "a", 1), 1);
	assert_int_equal(keep(&outage, "b", 2), 2);
	assert_file(&outage, "1 waiting 0\n2 waiting 0\n");
	assert_int_equal(service_of(&outage, "a")->retries, 1);
	assert_int_equal(service_of(&outage, "a")->times.version,
	    STORE_SPOOLED_FIRST + 1);
	assert_int_equal(service_of(&outage, "b")->times.version,
	    STORE_SPOOLED_FIRST + 2);
	assert_int_equal(outage.registry.model->generation, BEFORE);
	assert_int_equal(figures_of(&outage).waiting_count, 2);
	assert_int_equal(figures_of(&outage).spooled_count, 2);
	close_outage(&outage);
}

static void
where_it_is_not_wanted_it_is_refused(void **state)
{
	struct wish wish = { .name = "a" };
	struct outage outage;

	(void)state;
	open_outage(&outage);
	outage.settings.store.outage = OUTAGE_REFUSE;
	go_away(&outage);
	submit(&outage, &wish);
	fake_store_answer(&outage.fake, next_commit(&outage),
	    STORE_UNAVAILABLE);
	await(&outage, &wish);
	assert_int_equal(wish.status, 503);
	assert_null(service_of(&outage, "a"));
	assert_file(&outage, "");
	close_outage(&outage);
}

static void
what_is_lost_on_its_way_is_kept(void **state)
{
	struct wish wish = { .name = "a" };
	struct store_request *request;
	struct outage outage;

	(void)state;
	open_outage(&outage);
	submit(&outage, &wish);
	request = next_commit(&outage);
	go_away(&outage);
	fake_store_answer(&outage.fake, request, STORE_UNAVAILABLE);
	await(&outage, &wish);
	assert_int_equal(wish.status, 0);
	assert_int_equal(wish.spooled_seq, 1);
	assert_file(&outage, "1 waiting 0\n");
	close_outage(&outage);
}

static void
what_may_have_been_made_is_not_kept(void **state)
{
	struct wish wish = { .name = "a" };
	struct store_request *request;
	struct outage outage;

	(void)state;
	open_outage(&outage);
	submit(&outage, &wish);
	request = next_commit(&outage);
	go_away(&outage);
	request->outcome.is_unknown = true;
	fake_store_answer(&outage.fake, request, STORE_UNAVAILABLE);
	await(&outage, &wish);
	assert_int_equal(wish.status, 503);
	assert_false(spool_is_waiting(outage.registry.spool));
	assert_file(&outage, "");
	close_outage(&outage);
}

static void
on_committed(void *context, const struct store_outcome *outcome)
{
	bool *is_refused = context;

	assert_int_equal(outcome->result, STORE_UNAVAILABLE);
	*is_refused = true;
}

/* What the commit's objects were given is taken back. */
static void
assert_refused_as_it_was(struct outage *outage)
{
	char service[] = "a", address[] = "http://127.0.0.1:1";
	struct backend backend = { .service = service, .url = address };
	struct store_change change = { .kind = OBJECT_BACKEND,
		.object.backend = &backend };
	bool is_refused = false;
	const struct store_commit commit = {
		.changes = &change,
		.change_count = 1,
		.actor = { "w", "f", "api", "r", "" },
		.done = on_committed,
		.context = &is_refused,
	};

	assert_int_equal(spool_commit(&outage->registry, &commit), 0);
	assert_true(backend.id >= STORE_SPOOLED_FIRST);
	while (!is_refused)
		ev_run(outage->registry.loop, EVRUN_ONCE);
	assert_int_equal(backend.id, 0);
	assert_int_equal(backend.times.version, 0);
}

static void
without_a_file_it_is_refused_until_there_is_one(void **state)
{
	struct wish wish = { .name = "a" };
	char under[sizeof(path)];
	struct outage outage;

	(void)state;
	snprintf(under, sizeof(under), "%s/none/r.db", dir);
	open_outage(&outage);
	stop(&outage);
	outage.settings.store.path = under;
	start(&outage);
	go_away(&outage);
	submit(&outage, &wish);
	await(&outage, &wish);
	assert_int_equal(wish.status, 503);
	assert_null(service_of(&outage, "a"));
	assert_false(spool_is_waiting(outage.registry.spool));
	assert_refused_as_it_was(&outage);

	*strrchr(under, '/') = '\0';
	assert_int_equal(mkdir(under, 0700), 0);
	under[strlen(under)] = '/';
	/* Tried at once: somebody waits. */
	assert_int_equal(keep(&outage, "a", 0), 3);
	assert_non_null(service_of(&outage, "a"));
	stop(&outage);
	assert_int_equal(unlink(under), 0);
	*strrchr(under, '/') = '\0';
	assert_int_equal(rmdir(under), 0);
	outage.settings.store.path = path;
	start(&outage);
	close_outage(&outage);
}

static void
more_than_fits_is_refused(void **state)
{
	struct wish wish = { .name = "a" };
	struct store_spooled row;
	struct outage outage;

	(void)state;
	open_outage(&outage);
	go_away(&outage);
	spool_load_begin(outage.registry.spool);
	for (uint64_t seq = 1; seq < 100000; seq++) {
		row = row_of(seq, SPOOL_WAITING, EMPTY_BODY);
		spool_load(outage.registry.spool, &row);
	}
	assert_int_equal(keep(&outage, "last", 0), 100000);
	submit(&outage, &wish);
	await(&outage, &wish);
	assert_int_equal(wish.status, 503);
	assert_null(service_of(&outage, "a"));
	assert_int_equal(figures_of(&outage).waiting_count, 100000);
	assert_file(&outage, "100000 waiting 0\n");
	close_outage(&outage);
}

static void
what_was_kept_is_there_after_a_restart(void **state)
{
	struct wish removal = { .name = "b", .is_removal = true };
	struct outage outage;

	(void)state;
	open_outage(&outage);
	go_away(&outage);
	keep(&outage, "a", 1);
	keep(&outage, "b", 1);
	keep(&outage, "a", 2);
	submit(&outage, &removal);
	await(&outage, &removal);
	assert_int_equal(removal.spooled_seq, 4);
	restart(&outage);
	assert_int_equal(figures_of(&outage).waiting_count, 4);
	assert_int_equal(service_of(&outage, "a")->retries, 2);
	assert_int_equal(service_of(&outage, "a")->times.version,
	    STORE_SPOOLED_FIRST + 3);
	assert_null(service_of(&outage, "b"));
	/* The order goes on where it was. */
	assert_int_equal(keep(&outage, "c", 1), 5);
	assert_file(&outage, "1 waiting 0\n2 waiting 0\n3 waiting 0\n"
			     "4 waiting 0\n5 waiting 0\n");
	close_outage(&outage);
}

static void
a_row_that_cannot_be_read_stays_and_is_not_played(void **state)
{
	struct outage outage;

	(void)state;
	open_outage(&outage);
	go_away(&outage);
	keep(&outage, "a", 1);
	keep(&outage, "b", 1);
	assert_file(&outage, "1 waiting 0\n2 waiting 0\n");
	run_sql("UPDATE spool SET body = '{\"changes\": 7}' WHERE seq = 1",
	    NULL);
	restart(&outage);
	assert_int_equal(figures_of(&outage).waiting_count, 1);
	assert_null(service_of(&outage, "a"));
	come_back(&outage);
	spool_play(outage.registry.spool);
	fake_store_answer(&outage.fake, next_commit(&outage), STORE_OK);
	await_played(&outage);
	assert_file(&outage, "1 waiting 0\n");
	close_outage(&outage);
}

static void
what_the_file_lost_is_written_again(void **state)
{
	struct outage outage;

	(void)state;
	open_outage(&outage);
	go_away(&outage);
	keep(&outage, "a", 1);
	keep(&outage, "b", 1);
	assert_file(&outage, "1 waiting 0\n2 waiting 0\n");
	run_sql("DELETE FROM spool", NULL);
	spool_rewrite(outage.registry.spool);
	assert_file(&outage, "1 waiting 0\n2 waiting 0\n");
	restart(&outage);
	assert_non_null(service_of(&outage, "a"));
	assert_non_null(service_of(&outage, "b"));
	close_outage(&outage);
}

/* Sentences: playing ------------------------------------------------------ */

static void
all_is_played_in_its_order_and_nothing_overtakes_it(void **state)
{
	struct wish late = { .name = "late", .retries = 9 };
	struct store_request *request;
	struct outage outage;
	char id[64];

	(void)state;
	open_outage(&outage);
	go_away(&outage);
	keep(&outage, "b", 1);
	keep(&outage, "a", 2);
	come_back(&outage);
	/* It is back, but has not heard of those before. */
	submit(&outage, &late);
	await(&outage, &late);
	assert_int_equal(late.spooled_seq, 3);
	spool_play(outage.registry.spool);
	assert_asked(request = next_commit(&outage), "b", 1);
	snprintf(id, sizeof(id), "%s", request->ask.commit.spool_id);
	fake_store_answer(&outage.fake, request, STORE_OK);
	assert_asked(request = next_commit(&outage), "a", 2);
	assert_string_not_equal(request->ask.commit.spool_id, id);
	fake_store_answer(&outage.fake, request, STORE_OK);
	assert_asked(request = next_commit(&outage), "late", 9);
	fake_store_answer(&outage.fake, request, STORE_OK);
	/* What others did meanwhile is asked for. */
	assert_int_equal(next_follow(&outage), BEFORE);
	assert_int_equal(service_of(&outage, "b")->times.version, BEFORE + 1);
	assert_int_equal(service_of(&outage, "late")->times.version,
	    BEFORE + 3);
	assert_int_equal(figures_of(&outage).played_count, 3);
	assert_int_equal(outage.load_count, 0);
	assert_file(&outage, "");
	close_outage(&outage);
}

static void
what_leans_on_what_was_played_expects_the_new_version(void **state)
{
	struct store_request *request;
	struct outage outage;

	(void)state;
	open_outage(&outage);
	go_away(&outage);
	keep(&outage, "a", 1);
	keep(&outage, "other", 1);
	keep(&outage, "a", 2);
	come_back(&outage);
	spool_play(outage.registry.spool);
	request = next_commit(&outage);
	assert_int_equal(change_of(request)->expected_version, 0);
	assert_null(change_of(request)->before_json);
	fake_store_answer(&outage.fake, request, STORE_OK);
	/* What lies over it stays: it was answered. */
	request = next_commit(&outage);
	assert_int_equal(service_of(&outage, "a")->retries, 2);
	fake_store_answer(&outage.fake, request, STORE_OK);
	request = next_commit(&outage);
	assert_asked(request, "a", 2);
	assert_int_equal(change_of(request)->expected_version, BEFORE + 1);
	assert_non_null(change_of(request)->before_json);
	fake_store_answer(&outage.fake, request, STORE_OK);
	await_played(&outage);
	assert_int_equal(service_of(&outage, "a")->times.version, BEFORE + 3);
	close_outage(&outage);
}

static void
it_is_known_after_a_restart_what_was_played(void **state)
{
	struct store_request *request;
	char id[64];
	struct outage outage;

	(void)state;
	open_outage(&outage);
	go_away(&outage);
	keep(&outage, "a", 1);
	keep(&outage, "a", 2);
	come_back(&outage);
	spool_play(outage.registry.spool);
	fake_store_answer(&outage.fake, next_commit(&outage), STORE_OK);
	request = next_commit(&outage);
	snprintf(id, sizeof(id), "%s", request->ask.commit.spool_id);
	go_away(&outage);
	fake_store_answer(&outage.fake, request, STORE_UNAVAILABLE);
	assert_file(&outage, "1 played 6\n2 waiting 0\n");

	restart(&outage);
	/* The file may be read more than once. */
	read_spool(&outage);
	come_back(&outage);
	outage.registry.model->generation = BEFORE + 1;
	spool_play(outage.registry.spool);
	request = next_commit(&outage);
	assert_asked(request, "a", 2);
	assert_string_equal(request->ask.commit.spool_id, id);
	assert_int_equal(change_of(request)->expected_version, BEFORE + 1);
	fake_store_answer(&outage.fake, request, STORE_OK);
	await_played(&outage);
	assert_file(&outage, "");
	close_outage(&outage);
}

static void
when_it_is_away_again_nothing_is_dropped(void **state)
{
	struct store_request *request;
	struct outage outage;
	char id[64];

	(void)state;
	open_outage(&outage);
	go_away(&outage);
	keep(&outage, "a", 1);
	come_back(&outage);
	spool_play(outage.registry.spool);
	request = next_commit(&outage);
	snprintf(id, sizeof(id), "%s", request->ask.commit.spool_id);
	fake_store_answer(&outage.fake, request, STORE_FULL);
	assert_false(spool_is_playing(outage.registry.spool));
	assert_true(spool_is_waiting(outage.registry.spool));
	assert_int_equal(figures_of(&outage).dropped_count, 0);
	spool_play(outage.registry.spool);
	request = next_commit(&outage);
	assert_string_equal(request->ask.commit.spool_id, id);
	fake_store_answer(&outage.fake, request, STORE_OK);
	await_played(&outage);
	assert_int_equal(figures_of(&outage).played_count, 1);
	assert_file(&outage, "");
	close_outage(&outage);
}

static void
what_does_not_fit_any_more_is_dropped_and_said(void **state)
{
	const struct spool_entry *entry;
	struct store_request *request;
	struct outage outage;

	(void)state;
	open_outage(&outage);
	go_away(&outage);
	keep(&outage, "a", 1);
	keep(&outage, "b", 1);
	keep(&outage, "a", 2);
	come_back(&outage);
	spool_play(outage.registry.spool);
	/* Somebody else made one of that name. */
	fake_store_answer(&outage.fake, next_commit(&outage), STORE_CONFLICT);
	fake_store_answer(&outage.fake, next_commit(&outage), STORE_OK);
	/* It leans on what was dropped: of a version that there never is. */
	request = next_commit(&outage);
	assert_int_equal(change_of(request)->expected_version,
	    STORE_SPOOLED_FIRST + 1);
	fake_store_answer(&outage.fake, request, STORE_CONFLICT);
	await_played(&outage);
	assert_int_equal(figures_of(&outage).dropped_count, 2);
	assert_int_equal(figures_of(&outage).played_count, 1);
	assert_file(&outage, "1 dropped 0\n3 dropped 0\n");
	while (outage.load_count == 0)
		ev_run(outage.registry.loop, EVRUN_ONCE);

	/* Still listed by the next one. */
	restart(&outage);
	assert_false(spool_is_waiting(outage.registry.spool));
	entry = spool_next(outage.registry.spool, NULL);
	assert_int_equal(entry->row.seq, 1);
	assert_non_null(strstr(entry->row.reason, "changed elsewhere"));
	entry = spool_next(outage.registry.spool, entry);
	assert_int_equal(entry->row.seq, 3);
	assert_null(spool_next(outage.registry.spool, entry));
	go_away(&outage);
	assert_int_equal(keep(&outage, "c", 1), 4);
	close_outage(&outage);
}

static void
of_what_was_dropped_the_latest_thousand_are_listed(void **state)
{
	const struct spool_entry *entry = NULL;
	struct store_spooled row;
	struct outage outage;
	uint32_t count = 0;

	(void)state;
	open_outage(&outage);
	spool_load_begin(outage.registry.spool);
	for (uint64_t seq = 1; seq <= 1002; seq++) {
		row = row_of(seq, SPOOL_DROPPED, EMPTY_BODY);
		spool_load(outage.registry.spool, &row);
	}
	row = row_of(1003, SPOOL_WAITING, EMPTY_BODY);
	spool_load(outage.registry.spool, &row);
	entry = spool_next(outage.registry.spool, NULL);
	assert_int_equal(entry->row.seq, 3);
	for (; entry != NULL;
	    entry = spool_next(outage.registry.spool, entry))
		assert_int_equal(entry->row.seq, 3 + count++);
	assert_int_equal(count, 1001);
	close_outage(&outage);
}

static void
for_another_database_nothing_is_played(void **state)
{
	struct outage outage;

	(void)state;
	open_outage(&outage);
	go_away(&outage);
	keep(&outage, "a", 1);
	keep(&outage, "b", 1);
	spool_disown(outage.registry.spool);
	assert_false(spool_is_waiting(outage.registry.spool));
	assert_file(&outage, "1 dropped 0\n2 dropped 0\n");
	restart(&outage);
	assert_null(service_of(&outage, "a"));
	assert_non_null(strstr(spool_next(outage.registry.spool,
	    NULL)->row.reason, "another database"));
	close_outage(&outage);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(while_the_database_is_there_nothing_is_kept),
		cmocka_unit_test(
		    while_it_is_away_what_is_asked_is_kept_and_takes_effect),
		cmocka_unit_test(where_it_is_not_wanted_it_is_refused),
		cmocka_unit_test(what_is_lost_on_its_way_is_kept),
		cmocka_unit_test(what_may_have_been_made_is_not_kept),
		cmocka_unit_test(
		    without_a_file_it_is_refused_until_there_is_one),
		cmocka_unit_test(more_than_fits_is_refused),
		cmocka_unit_test(what_was_kept_is_there_after_a_restart),
		cmocka_unit_test(
		    a_row_that_cannot_be_read_stays_and_is_not_played),
		cmocka_unit_test(what_the_file_lost_is_written_again),
		cmocka_unit_test(
		    all_is_played_in_its_order_and_nothing_overtakes_it),
		cmocka_unit_test(
		    what_leans_on_what_was_played_expects_the_new_version),
		cmocka_unit_test(it_is_known_after_a_restart_what_was_played),
		cmocka_unit_test(when_it_is_away_again_nothing_is_dropped),
		cmocka_unit_test(
		    what_does_not_fit_any_more_is_dropped_and_said),
		cmocka_unit_test(
		    of_what_was_dropped_the_latest_thousand_are_listed),
		cmocka_unit_test(for_another_database_nothing_is_played),
	};
	int failed_count;

	if (!sqlite_file_make_dir(dir, "replica.db", path, sizeof(path)) ||
	    log_open("test", "/dev/null") == -1)
		return 1;
	failed_count = cmocka_run_group_tests(tests, NULL, NULL);
	sqlite_file_remove_dir(dir, path);
	return failed_count;
}
