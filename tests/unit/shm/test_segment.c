/*
 * tests/unit/shm/test_segment.c - making, adopting, refusing, running out.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shm/fixture.h"
#include "shm/health.h"
#include "shm/master_status.h"

static struct fixture fixture;

static int
set_up(void **state)
{
	(void)state;
	fixture_make(&fixture, 1000);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	fixture_remove(&fixture);
	return 0;
}

static bool
create(const struct segment_capacity *capacity)
{
	bool adopted;

	assert_int_equal(segment_create(fixture.dir, capacity, (uid_t)-1,
	    (gid_t)-1, &adopted), 0);
	return adopted;
}

/* One route at host "h", so that the table can be told from a new one. */
static void
publish_one(void)
{
	struct table_writer *writer = fixture_writer(&fixture);

	table_writer_begin(writer);
	fixture_put_path(writer, "h", "/", 0,
	    fixture_put_route(writer, 5, fixture_put_service(writer, "s")));
	table_writer_commit(writer, 1);
	table_writer_close(&writer);
}

static uint64_t
published_route(void)
{
	struct route_table *table = fixture_table(&fixture);
	uint64_t id = fixture_route_id(table, "h", "/");

	route_table_close(&table);
	return id;
}

static void
names_of_instances_are_checked(void **state)
{
	char dir[SEGMENT_DIR_SIZE];

	(void)state;
	assert_int_equal(segment_dir("", dir), -1);
	assert_int_equal(segment_dir("a/b", dir), -1);
	assert_int_equal(segment_dir("..", dir), -1);
	assert_int_equal(segment_dir("Main_1-x", dir), 0);
}

static void
what_stands_and_fits_is_adopted(void **state)
{
	(void)state;
	publish_one();
	assert_true(create(&fixture.capacity));
	assert_int_equal(published_route(), 5);
}

static void
another_capacity_is_made_anew(void **state)
{
	struct segment_capacity capacity = fixture.capacity;

	(void)state;
	publish_one();
	capacity.backends++;
	assert_false(create(&capacity));
	assert_int_equal(published_route(), 0);
}

static void
another_layout_version_is_refused_and_made_anew(void **state)
{
	uint32_t version = SEGMENT_LAYOUT_VERSION + 1;
	struct route_table *table;
	struct table_writer *writer;
	int fd = fixture_region_fd(&fixture, SEGMENT_ROUTES, 0);

	(void)state;
	publish_one();
	assert_int_equal(pwrite(fd, &version, sizeof(version),
	    offsetof(struct region_header, layout_version)),
	    sizeof(version));
	assert_int_equal(route_table_open(fixture.dir, &table), -1);
	assert_int_equal(errno, EPROTO);
	assert_int_equal(table_writer_open(fd, &writer), -1);
	assert_int_equal(errno, EPROTO);
	assert_false(create(&fixture.capacity));
	assert_int_equal(published_route(), 0);
}

static void
a_file_that_is_no_region_is_refused(void **state)
{
	struct route_table *table;
	struct health_map *map;

	(void)state;
	assert_int_equal(health_open_writable(
	    fixture_region_fd(&fixture, SEGMENT_ROUTES, 0), &map), -1);
	assert_int_equal(errno, EINVAL);
	segment_remove(fixture.dir);
	assert_int_equal(route_table_open(fixture.dir, &table), -1);
	assert_int_equal(errno, ENOENT);
}

static void
files_are_for_their_owner_to_write_and_its_group_to_read(void **state)
{
	char path[SEGMENT_DIR_SIZE + 16];
	struct stat st;

	(void)state;
	assert_int_equal(stat(fixture.dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	(void)snprintf(path, sizeof(path), "%s/routes", fixture.dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void
the_master_is_read_by_others(void **state)
{
	const struct master_status *reader;
	struct master_status *writer;
	const struct master_status *closing;

	(void)state;
	assert_int_equal(master_status_open_writable(
	    fixture_region_fd(&fixture, SEGMENT_MASTER, 0), &writer), 0);
	assert_int_equal(master_status_open(fixture.dir, &reader), 0);
	writer->roles[MASTER_ROLES_MAX - 1].pid = 77;
	assert_int_equal(reader->roles[MASTER_ROLES_MAX - 1].pid, 77);
	closing = writer;
	master_status_close(&closing);
	master_status_close(&reader);
	assert_null(reader);
}

/* Puts routes until there is no room; returns how many there were. */
static uint64_t
fill_up(struct table_writer *writer, uint32_t service)
{
	static const char label[] = "a label that takes some of the heap, too";
	struct route_spec spec = { .label = BYTES_LITERAL(label),
		.target_count = 1, .targets = { { service, 1 } } };
	uint64_t count = 0;
	uint32_t slot = TABLE_NONE;

	while (table_writer_put_route(writer, &slot, &spec) == 0) {
		slot = TABLE_NONE;
		count++;
	}
	assert_int_equal(errno, ENOSPC);
	return count;
}

static void
a_table_at_its_capacity_refuses_more_and_stands(void **state)
{
	struct table_writer *writer;
	uint32_t service;

	(void)state;
	publish_one();
	writer = fixture_writer(&fixture);
	table_writer_begin(writer);
	service = fixture_put_service(writer, "t");
	assert_int_equal(fill_up(writer, service), fixture.capacity.routes - 1);
	table_writer_abort(writer);
	assert_int_equal(published_route(), 5);
	table_writer_begin(writer);
	fixture_put_path(writer, "h2", "/", 0,
	    fixture_put_route(writer, 6, fixture_put_service(writer, "t")));
	table_writer_commit(writer, 2);
	table_writer_close(&writer);
	assert_int_equal(published_route(), 5);
}

static void
a_full_file_system_is_an_error_and_no_signal(void **state)
{
	char mount_point[] = "/tmp/sluice-test-XXXXXX";
	const char *old = getenv("SLUICE_SHM_DIR");
	struct fixture own = fixture;
	struct table_writer *writer;
	uint64_t count;

	(void)state;
	assert_non_null(mkdtemp(mount_point));
	if (mount("tmpfs", mount_point, "tmpfs", 0, "size=2m") == -1) {
		(void)rmdir(mount_point);
		skip();
	}
	assert_int_equal(setenv("SLUICE_SHM_DIR", mount_point, 1), 0);
	fixture_make(&fixture, 1000000);
	publish_one();
	writer = fixture_writer(&fixture);
	table_writer_begin(writer);
	count = fill_up(writer, fixture_put_service(writer, "t"));
	table_writer_abort(writer);
	table_writer_close(&writer);
	assert_int_equal(published_route(), 5);
	fixture_remove(&fixture);
	assert_int_equal(umount(mount_point), 0);
	assert_int_equal(rmdir(mount_point), 0);
	fixture = own;
	if (old == NULL)
		assert_int_equal(unsetenv("SLUICE_SHM_DIR"), 0);
	else
		assert_int_equal(setenv("SLUICE_SHM_DIR", old, 1), 0);
	assert_in_range(count, 1000, 20000);
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(names_of_instances_are_checked),
		CASE(what_stands_and_fits_is_adopted),
		CASE(another_capacity_is_made_anew),
		CASE(another_layout_version_is_refused_and_made_anew),
		CASE(a_file_that_is_no_region_is_refused),
		CASE(files_are_for_their_owner_to_write_and_its_group_to_read),
		CASE(the_master_is_read_by_others),
		CASE(a_table_at_its_capacity_refuses_more_and_stands),
		CASE(a_full_file_system_is_an_error_and_no_signal),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
