/*
 * tests/unit/healthd/test_monitor.c - backends probed, judged and watched.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "world.h"

#define ANSWER_200 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static const struct probe_spec connect_probe = { .kind = PROBE_CONNECT };

static struct backend_spec
at_port(uint16_t port)
{
	return (struct backend_spec){
		.host = BYTES_LITERAL("127.0.0.1"),
		.port = port,
	};
}

static uint32_t
add_one(struct world *world, const struct probe_spec *probe,
    struct backend_spec backend)
{
	uint32_t slot;

	world_add_service(world, probe, &backend, 1, &slot);
	roster_take_slots(world->roster, &slot, 1);
	return slot;
}

static struct probe_spec
http_probe(const char *path)
{
	return (struct probe_spec){
		.kind = PROBE_HTTP,
		.path = bytes_of(path),
	};
}

static void
note_failure(struct world *world, uint32_t slot, uint32_t generation,
    enum failure_kind kind)
{
	const struct failure failure = {
		.backend = slot,
		.generation = generation,
		.kind = kind,
		.at_ns = clock_now().ns,
	};

	monitor_note_failure(world->monitor, &failure);
}

static void
one_that_listens_is_up_at_once(void **state)
{
	struct world world;
	struct fake fake;
	uint32_t slot;

	(void)state;
	world_open(&world);
	fake_open(&fake, world.loop, "");
	slot = add_one(&world, &connect_probe, at_port(fake.port));
	world_wait_flags(&world, slot, HEALTH_UP);
	assert_int_equal(world.changed_count, 1);
	assert_int_equal(world.changed.backend_id, 1);
	assert_int_equal(world.changed.flags_before, 0);
	assert_int_equal(world.changed.flags_after, HEALTH_UP);
	assert_int_equal(atomic_load(
	    &health_detail(world.health, slot)->probe_count), 1);
	assert_int_equal(atomic_load(
	    &health_detail(world.health, slot)->backend_id), 1);
	fake_close(&fake);
	world_close(&world);
}

static void
one_that_refuses_is_down_at_once(void **state)
{
	struct world world;
	struct fake fake;
	uint32_t slot;

	(void)state;
	world_open(&world);
	fake_open(&fake, world.loop, "");
	fake_close(&fake);
	slot = add_one(&world, &connect_probe, at_port(fake.port));
	world_wait_flags(&world, slot, HEALTH_DOWN);
	assert_string_equal(world.changed.reason,
	    "connect: Connection refused");
	world_close(&world);
}

static const struct {
	const char *sentence, *answer;
	uint32_t flags;
	const char *reason;
} answers[] = {
	{ "200 is good", ANSWER_200, HEALTH_UP, "" },
	{ "a redirect is good", "HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n",
	  HEALTH_UP, "" },
	{ "an answer behind a 1xx is the answer",
	  "HTTP/1.1 103 Early Hints\r\n\r\n" ANSWER_200, HEALTH_UP, "" },
	{ "an answer without reason and fields is good",
	  "HTTP/1.0 204 \r\n\r\n", HEALTH_UP, "" },
	{ "404 is bad", "HTTP/1.1 404 Not Found\r\n\r\n", HEALTH_DOWN,
	  "status 404" },
	{ "503 is bad", "HTTP/1.1 503 Service Unavailable\r\n\r\n",
	  HEALTH_DOWN, "status 503" },
	{ "no answer is bad", "", HEALTH_DOWN, "closed before an answer" },
	{ "half an answer is bad", "HTTP/1.1 200 OK\r\nA: b", HEALTH_DOWN,
	  "closed before an answer" },
};

static void
answers_decide(void **state)
{
	const struct probe_spec probe = http_probe("/healthz");

	(void)state;
	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		struct world world;
		struct fake fake;
		uint32_t slot;

		world_open(&world);
		fake_open(&fake, world.loop, answers[i].answer);
		slot = add_one(&world, &probe, at_port(fake.port));
		world_wait_flags(&world, slot, answers[i].flags);
		if (strcmp(world.changed.reason, answers[i].reason) != 0)
			fail_msg("%s: %s", answers[i].sentence,
			    world.changed.reason);
		fake_close(&fake);
		world_close(&world);
	}
}

static void
no_http_is_bad(void **state)
{
	const struct probe_spec probe = http_probe("/");
	struct world world;
	struct fake fake;
	uint32_t slot;

	(void)state;
	world_open(&world);
	fake_open(&fake, world.loop, "SSH-2.0-OpenSSH_9.2p1\r\n\r\n");
	slot = add_one(&world, &probe, at_port(fake.port));
	world_wait_flags(&world, slot, HEALTH_DOWN);
	assert_int_equal(atomic_load(
	    &health_detail(world.health, slot)->probe_failed_count), 1);
	fake_close(&fake);
	world_close(&world);
}

static void
the_request_names_path_and_host(void **state)
{
	struct probe_spec probe = http_probe("/healthz?x=1");
	struct backend_spec backend;
	struct world world;
	struct fake fake;
	char want[256];
	uint32_t slot;

	(void)state;
	world_open(&world);
	fake_open(&fake, world.loop, ANSWER_200);
	backend = at_port(fake.port);
	backend.base_path = bytes_of("/api");
	slot = add_one(&world, &probe, backend);
	world_wait_flags(&world, slot, HEALTH_UP);
	snprintf(want, sizeof(want),
	    "GET /api/healthz?x=1 HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
	    "User-Agent: sluice-healthd\r\nAccept: */*\r\n"
	    "Connection: close\r\n\r\n", fake.port);
	assert_string_equal(fake.request, want);

	probe.host = bytes_of("app.example");
	slot = add_one(&world, &probe, backend);
	world_wait_flags(&world, slot, HEALTH_UP);
	assert_non_null(strstr(fake.request, "\r\nHost: app.example\r\n"));
	fake_close(&fake);
	world_close(&world);
}

static void
the_expected_status_is_the_services(void **state)
{
	struct probe_spec probe = http_probe("/");
	struct world world;
	struct fake fake;
	uint32_t slot;

	(void)state;
	probe.status_min = 401;
	probe.status_max = 401;
	world_open(&world);
	fake_open(&fake, world.loop, "HTTP/1.1 401 Unauthorized\r\n\r\n");
	slot = add_one(&world, &probe, at_port(fake.port));
	world_wait_flags(&world, slot, HEALTH_UP);
	assert_int_equal(atomic_load(
	    &health_detail(world.health, slot)->probe_status), 401);
	fake_close(&fake);
	world_close(&world);
}

static void
silence_is_bad_after_the_timeout(void **state)
{
	struct probe_spec probe = http_probe("/");
	struct world world;
	struct fake fake;
	uint32_t slot;

	(void)state;
	probe.timeout_ms = 20;
	world_open(&world);
	fake_open(&fake, world.loop, NULL);
	slot = add_one(&world, &probe, at_port(fake.port));
	world_wait_flags(&world, slot, HEALTH_DOWN);
	assert_string_equal(world.changed.reason, "answer: timed out");
	fake_close(&fake);
	world_close(&world);
}

static void
unix_sockets_and_names_are_probed(void **state)
{
	const struct probe_spec probe = http_probe("/");
	struct backend_spec backend = { .kind = BACKEND_UNIX };
	struct world world;
	struct fake local, named;
	char path[128];
	uint32_t slot;

	(void)state;
	world_open(&world);
	snprintf(path, sizeof(path), "%s/backend", world.root);
	fake_open_unix(&local, world.loop, path, ANSWER_200);
	backend.host = bytes_of(path);
	slot = add_one(&world, &probe, backend);
	world_wait_flags(&world, slot, HEALTH_UP);
	assert_non_null(strstr(local.request, "\r\nHost: localhost\r\n"));
	fake_close(&local);
	unlink(path);

	fake_open(&named, world.loop, ANSWER_200);
	backend = at_port(named.port);
	backend.host = bytes_of("localhost");
	slot = add_one(&world, &connect_probe, backend);
	/* localhost may be ::1 as well, where nobody listens. */
	world_wait_flags(&world, slot, HEALTH_UP);
	fake_close(&named);
	world_close(&world);
}

static bool
localhost_has_both(void)
{
	struct addrinfo hints = { .ai_family = AF_INET6 }, *answer = NULL;
	bool has_v6 = getaddrinfo("localhost", NULL, &hints, &answer) == 0;

	if (answer != NULL)
		freeaddrinfo(answer);
	return has_v6;
}

static void
each_address_of_a_name_is_tried(void **state)
{
	struct backend_spec backend;
	struct world world;
	struct fake fake;
	uint32_t slot;

	(void)state;
	world_open(&world);
	if (!localhost_has_both() || !fake_open_v6(&fake, world.loop, "")) {
		world_close(&world);
		skip();
	}
	backend = at_port(fake.port);
	backend.host = bytes_of("localhost");
	slot = add_one(&world, &connect_probe, backend);
	world_wait_flags(&world, slot, HEALTH_UP);
	assert_int_equal(atomic_load(
	    &health_detail(world.health, slot)->probe_count), 1);
	fake_close(&fake);
	world_close(&world);
}

static void
a_failure_seen_by_a_worker_is_probed_at_once(void **state)
{
	struct world world;
	struct fake fake;
	uint32_t slot, generation;

	(void)state;
	world_open(&world);		/* the interval is an hour, fall is 3 */
	fake_open(&fake, world.loop, "");
	slot = add_one(&world, &connect_probe, at_port(fake.port));
	world_wait_flags(&world, slot, HEALTH_UP);
	generation = world_generation(&world, slot);

	fake_close(&fake);
	note_failure(&world, slot, generation + 1, FAILURE_CONNECT);
	note_failure(&world, slot, generation, FAILURE_STATUS);
	assert_int_equal(world_flags(&world, slot), HEALTH_UP);
	for (int i = 0; i < 100; i++)
		note_failure(&world, slot, generation, FAILURE_CONNECT);
	world_wait_flags(&world, slot, HEALTH_DOWN);
	assert_int_equal(atomic_load(
	    &health_detail(world.health, slot)->passive_count), 101);
	assert_int_equal(atomic_load(
	    &health_detail(world.health, slot)->probe_count), 2);
	world_close(&world);
}

static bool
was_probed_again(struct world *world, void *context)
{
	const uint32_t *slot = context;

	return atomic_load(&health_detail(world->health, *slot)->probe_count) >=
	    3;
}

static void
a_failure_that_no_probe_confirms_changes_nothing(void **state)
{
	struct world world;
	struct fake fake;
	uint32_t slot;

	(void)state;
	world_open(&world);
	fake_open(&fake, world.loop, "");
	slot = add_one(&world, &connect_probe, at_port(fake.port));
	world_wait_flags(&world, slot, HEALTH_UP);
	for (int i = 0; i < 2; i++)
		note_failure(&world, slot, world_generation(&world, slot),
		    FAILURE_CONNECT);
	ev_run(world.loop, EVRUN_ONCE);
	/* The first is under way: another comes, and waits its time. */
	while (!was_probed_again(&world, &slot)) {
		note_failure(&world, slot, world_generation(&world, slot),
		    FAILURE_CONNECT);
		ev_run(world.loop, EVRUN_ONCE);
	}
	assert_int_equal(world_flags(&world, slot), HEALTH_UP);
	assert_int_equal(world.changed_count, 1);
	fake_close(&fake);
	world_close(&world);
}

static void
one_that_comes_back_is_up_after_rise_probes(void **state)
{
	struct probe_spec probe = { .kind = PROBE_CONNECT, .interval_ms = 20,
		.rise = 3 };
	struct world world;
	struct fake fake;
	uint32_t slot;
	char path[128];
	struct backend_spec backend = { .kind = BACKEND_UNIX };

	(void)state;
	world_open(&world);
	snprintf(path, sizeof(path), "%s/backend", world.root);
	backend.host = bytes_of(path);
	slot = add_one(&world, &probe, backend);
	world_wait_flags(&world, slot, HEALTH_DOWN);
	fake_open_unix(&fake, world.loop, path, "");
	world_wait_flags(&world, slot, HEALTH_UP);
	assert_in_range(fake.accepted_count, 2, 3); /* the last one is on its
						     * way to us */
	fake_close(&fake);
	unlink(path);
	world_close(&world);
}

static void
verdicts_outlive_healthd(void **state)
{
	struct world world;
	struct fake fake;
	uint32_t slots[2];
	struct backend_spec backends[2];

	(void)state;
	world_open(&world);
	fake_open(&fake, world.loop, "");
	backends[0] = at_port(fake.port);
	backends[1] = at_port(1);	/* nobody listens there */
	world_add_service(&world, &connect_probe, backends, 2, slots);
	roster_take_changes(world.roster);
	world_wait_flags(&world, slots[0], HEALTH_UP);
	world_wait_flags(&world, slots[1], HEALTH_DOWN);

	world_restart_monitor(&world);
	roster_take_changes(world.roster);
	assert_int_equal(monitor_count(world.monitor), 2);
	assert_int_equal(world_flags(&world, slots[0]), HEALTH_UP);
	assert_int_equal(world_flags(&world, slots[1]), HEALTH_DOWN);
	assert_int_equal(world.changed_count, 2);

	/* Failures are still known for what they are. */
	fake_close(&fake);
	note_failure(&world, slots[0], world_generation(&world, slots[0]),
	    FAILURE_CONNECT);
	world_wait_flags(&world, slots[0], HEALTH_DOWN);
	world_close(&world);
}

static void
a_new_tenant_inherits_no_verdict(void **state)
{
	struct world world;
	struct fake fake;
	struct backend_spec backend;
	uint32_t slot;

	(void)state;
	world_open(&world);
	fake_open(&fake, world.loop, "");
	slot = add_one(&world, &connect_probe, at_port(1));
	world_wait_flags(&world, slot, HEALTH_DOWN);

	backend = at_port(fake.port);
	backend.id = 1;
	backend.service = 0;
	table_writer_begin(world.writer);
	assert_int_equal(table_writer_put_backend(world.writer, &slot,
	    &backend), 0);
	table_writer_commit(world.writer, ++world.generation);
	assert_int_equal(world_flags(&world, slot), 0);
	roster_take_slots(world.roster, &slot, 1);
	world_wait_flags(&world, slot, HEALTH_UP);
	fake_close(&fake);
	world_close(&world);
}

static void
what_leaves_the_table_is_not_probed(void **state)
{
	struct world world;
	struct service_spec empty = { .name = BYTES_LITERAL("s") };
	struct backend_spec backends[2] = { at_port(1), at_port(2) };
	uint32_t slots[2], service;

	(void)state;
	world_open(&world);
	service = world_add_service(&world, &connect_probe, backends, 2, slots);
	roster_take_changes(world.roster);
	assert_int_equal(monitor_count(world.monitor), 2);
	empty.probe = connect_probe;
	empty.backends = &slots[0];
	empty.backend_count = 1;
	table_writer_begin(world.writer);
	assert_int_equal(table_writer_put_service(world.writer, &service,
	    &empty), 0);
	assert_int_equal(table_writer_remove_backend(world.writer, slots[1]),
	    0);
	table_writer_commit(world.writer, ++world.generation);
	roster_take_slots(world.roster, &slots[1], 1);
	assert_int_equal(monitor_count(world.monitor), 1);

	empty.backend_count = 0;
	table_writer_begin(world.writer);
	assert_int_equal(table_writer_put_service(world.writer, &service,
	    &empty), 0);
	assert_int_equal(table_writer_remove_backend(world.writer, slots[0]),
	    0);
	table_writer_commit(world.writer, ++world.generation);
	world_restart_monitor(&world);
	roster_take_changes(world.roster);
	assert_int_equal(monitor_count(world.monitor), 0);
	world_close(&world);
}

static void
without_probes_a_failure_makes_suspect_for_a_time(void **state)
{
	const struct probe_spec off = { .kind = PROBE_OFF };
	struct world world;
	uint32_t slot;

	(void)state;
	world_open(&world);
	world.settings->http.suspect_ms = 20;
	slot = add_one(&world, &off, at_port(1));
	assert_int_equal(world_flags(&world, slot), 0);
	note_failure(&world, slot, world_generation(&world, slot),
		    FAILURE_CONNECT);
	assert_int_equal(world_flags(&world, slot), HEALTH_DOWN);
	world_wait_flags(&world, slot, 0);
	assert_int_equal(world.changed_count, 2);
	world_close(&world);
}

static void
a_service_may_change_its_probe(void **state)
{
	struct service_spec service = { .name = BYTES_LITERAL("s") };
	struct backend_spec backend;
	struct world world;
	struct fake fake;
	uint32_t slot, service_slot;

	(void)state;
	world_open(&world);
	fake_open(&fake, world.loop, "HTTP/1.1 500 No\r\n\r\n");
	backend = at_port(fake.port);
	service_slot = world_add_service(&world, &connect_probe, &backend, 1,
	    &slot);
	roster_take_changes(world.roster);
	world_wait_flags(&world, slot, HEALTH_UP);

	service.probe = http_probe("/");
	service.probe.fall = 1;
	service.backends = &slot;
	service.backend_count = 1;
	table_writer_begin(world.writer);
	assert_int_equal(table_writer_put_service(world.writer, &service_slot,
	    &service), 0);
	table_writer_commit(world.writer, ++world.generation);
	roster_take_slots(world.roster, &slot, 1);
	world_wait_flags(&world, slot, HEALTH_DOWN);
	assert_string_equal(world.changed.reason, "status 500");

	service.probe.kind = PROBE_OFF;
	table_writer_begin(world.writer);
	assert_int_equal(table_writer_put_service(world.writer, &service_slot,
	    &service), 0);
	table_writer_commit(world.writer, ++world.generation);
	roster_take_slots(world.roster, &slot, 1);
	assert_int_equal(world_flags(&world, slot), 0);
	fake_close(&fake);
	world_close(&world);
}

#define MANY 2000

static bool
all_are_judged(struct world *world, void *context)
{
	(void)context;
	return world->changed_count >= MANY;
}

static void
thousands_are_probed(void **state)
{
	const struct probe_spec probe = http_probe("/");
	static struct backend_spec backends[MANY];
	static uint32_t slots[MANY];
	struct world world;
	struct fake fake;

	(void)state;
	world_open(&world);
	fake_open(&fake, world.loop, ANSWER_200);
	for (uint32_t i = 0; i < MANY; i++)
		backends[i] = at_port(i % 2 == 0 ? fake.port : 1);
	world_add_service(&world, &probe, backends, MANY, slots);
	roster_take_changes(world.roster);
	assert_int_equal(monitor_count(world.monitor), MANY);
	world_run_until(&world, all_are_judged, NULL);
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(world_flags(&world, slots[i]),
		    i % 2 == 0 ? HEALTH_UP : HEALTH_DOWN);
	fake_close(&fake);
	world_close(&world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_listens_is_up_at_once),
		cmocka_unit_test(one_that_refuses_is_down_at_once),
		cmocka_unit_test(answers_decide),
		cmocka_unit_test(no_http_is_bad),
		cmocka_unit_test(the_request_names_path_and_host),
		cmocka_unit_test(the_expected_status_is_the_services),
		cmocka_unit_test(silence_is_bad_after_the_timeout),
		cmocka_unit_test(unix_sockets_and_names_are_probed),
		cmocka_unit_test(each_address_of_a_name_is_tried),
		cmocka_unit_test(a_failure_seen_by_a_worker_is_probed_at_once),
		cmocka_unit_test(
		    a_failure_that_no_probe_confirms_changes_nothing),
		cmocka_unit_test(one_that_comes_back_is_up_after_rise_probes),
		cmocka_unit_test(verdicts_outlive_healthd),
		cmocka_unit_test(a_new_tenant_inherits_no_verdict),
		cmocka_unit_test(what_leaves_the_table_is_not_probed),
		cmocka_unit_test(
		    without_probes_a_failure_makes_suspect_for_a_time),
		cmocka_unit_test(a_service_may_change_its_probe),
		cmocka_unit_test(thousands_are_probed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
