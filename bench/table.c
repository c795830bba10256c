/*
 * bench/table.c - what the route table costs, from 10 to 1,000,000 routes.
 *
 *	bench/table [routes ...]
 *
 * Each route is a host and a prefix of its own: 1,000 hosts, prefixes of
 * one depth of about 20 bytes, 100 services.  For each size it prints
 *
 *	lookup		nanoseconds of processor time for a lookup of a
 *			random route; the same while another process
 *			publishes 1,000 changes a second; each the best of
 *			rounds that alternate; and how many of all those
 *			reads had to be done again
 *	publish		microseconds for a batch of one route and its path
 *	load		seconds to put all routes in one batch
 *	bytes		of memory that the file takes, for each route, of
 *			both copies
 *
 * Requests are made up before they are timed, and walked in an order
 * that a cache cannot foresee.
 */
/* SPDX-License-Identifier: ISC */
#include <err.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/random.h"
#include "shm/route_table.h"
#include "shm/segment.h"
#include "shm/table_writer.h"

#define HOSTS	     1000
#define SERVICES     100
#define REQUESTS     200000
#define ROUNDS	     11
#define CHANGES	     1000
#define CHANGE_NS    (NS_PER_S / 1000)
#define MOMENT_CHANGES 20
#define TEXT_SIZE    32

struct request {
	char host[TEXT_SIZE], path[TEXT_SIZE];
	uint32_t host_len, path_len;
};

struct bench {
	char dir[SEGMENT_DIR_SIZE];
	uint32_t route_count;
	uint32_t services[SERVICES];
	uint32_t changing_route;	/* the one that is published anew */
	struct table_writer *writer;
	struct route_table *table;
	struct request *requests;
	struct random_stream stream;
};

static void
name_route(uint32_t i, struct request *request)
{
	request->host_len = (uint32_t)snprintf(request->host, TEXT_SIZE,
	    "host-%u.example.com", i % HOSTS);
	request->path_len = (uint32_t)snprintf(request->path, TEXT_SIZE,
	    "/service-path-%07u", i);
}

static void
put_route(struct bench *bench, uint32_t i, uint32_t *slot)
{
	struct route_spec route = { .id = i + 1, .target_count = 1 };
	struct request name;
	char label[TEXT_SIZE];
	struct path_key key;
	struct path_spec path = { 0, slot, 1 };

	name_route(i, &name);
	(void)snprintf(label, sizeof(label), "route-%u", i);
	route.label = bytes_of(label);
	route.targets[0] = (struct route_target){
		bench->services[i % SERVICES], 1 };
	key = (struct path_key){ 0, { name.host, name.host_len },
		{ name.path, name.path_len } };
	if (table_writer_put_route(bench->writer, slot, &route) == -1 ||
	    table_writer_put_path(bench->writer, &key, &path) == -1)
		err(1, "put route %u", i);
}

static double
load_routes(struct bench *bench)
{
	struct instant start = clock_now();

	table_writer_begin(bench->writer);
	for (uint32_t i = 0; i < SERVICES; i++) {
		const struct service_spec spec = { .name = bytes_of("s") };

		bench->services[i] = TABLE_NONE;
		if (table_writer_put_service(bench->writer,
			&bench->services[i], &spec) == -1)
			err(1, "put service");
	}
	for (uint32_t i = 0; i < bench->route_count; i++) {
		uint32_t slot = TABLE_NONE;

		put_route(bench, i, &slot);
		bench->changing_route = slot;
	}
	table_writer_commit(bench->writer, 1);
	return (double)(clock_now().ns - start.ns) / NS_PER_S;
}

static void
make_requests(struct bench *bench)
{
	for (uint32_t i = 0; i < REQUESTS; i++)
		name_route(random_below(&bench->stream, bench->route_count),
		    &bench->requests[i]);
}

/* What this process has used of a processor. */
static int64_t
processor_ns(void)
{
	struct timespec used;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == -1)
		err(1, "clock_gettime");
	return (int64_t)used.tv_sec * NS_PER_S + used.tv_nsec;
}

/* Nanoseconds of a lookup. */
static double
time_lookups(struct bench *bench)
{
	int64_t start_ns = processor_ns();

	for (uint32_t i = 0; i < REQUESTS; i++) {
		const struct request *request = &bench->requests[i];
		struct path_match match;

		if (route_table_lookup(bench->table, 0,
			bytes_slice(request->host, request->host_len),
			bytes_slice(request->path, request->path_len),
			&match) != TABLE_FOUND)
			errx(1, "%s%s is not there", request->host,
			    request->path);
	}
	return (double)(processor_ns() - start_ns) / REQUESTS;
}

static void
publish_one(struct bench *bench, uint64_t generation)
{
	table_writer_begin(bench->writer);
	put_route(bench, bench->route_count - 1, &bench->changing_route);
	table_writer_commit(bench->writer, generation);
}

/* Microseconds of a publication. */
static double
time_publications(struct bench *bench)
{
	struct instant start = clock_now();

	for (uint32_t i = 0; i < CHANGES; i++)
		publish_one(bench, 2 + i);
	return (double)(clock_now().ns - start.ns) / CHANGES / 1000;
}

static void
pin_to_core(int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	/* Where there is but one, they share it. */
	(void)sched_setaffinity(0, sizeof(set), &set);
}

/* Publishes at its pace until it is killed; a moment later it tells. */
static void
publish_for_ever(struct bench *bench, int told_fd)
{
	int64_t next_ns = clock_now().ns;

	pin_to_core(1);
	for (uint64_t generation = CHANGES;; generation++) {
		if (generation == CHANGES + MOMENT_CHANGES)
			(void)!write(told_fd, "", 1);
		struct timespec until;

		publish_one(bench, generation);
		next_ns += CHANGE_NS;
		until = (struct timespec){ next_ns / NS_PER_S,
			next_ns % NS_PER_S };
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until,
		    NULL);
	}
}

static double
time_lookups_beside_writer(struct bench *bench)
{
	double ns;
	int told[2];
	char told_byte;
	pid_t pid;

	if (pipe(told) == -1 || (pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0)
		publish_for_ever(bench, told[1]);
	(void)!read(told[0], &told_byte, 1);
	ns = time_lookups(bench);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	(void)close(told[0]);
	(void)close(told[1]);
	return ns;
}

/* The best of both, of rounds that alternate. */
static void
time_all_lookups(struct bench *bench, double *alone_ns_r, double *beside_ns_r)
{
	*alone_ns_r = *beside_ns_r = INFINITY;
	for (int round = 0; round < ROUNDS; round++) {
		*alone_ns_r = fmin(*alone_ns_r, time_lookups(bench));
		*beside_ns_r = fmin(*beside_ns_r,
		    time_lookups_beside_writer(bench));
	}
}

static uint64_t
memory_bytes(const struct bench *bench)
{
	char path[SEGMENT_DIR_SIZE + 16];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/routes", bench->dir);
	if (stat(path, &st) == -1)
		err(1, "%s", path);
	return (uint64_t)st.st_blocks * 512;
}

static void
open_table(struct bench *bench)
{
	const struct segment_capacity capacity = {
		.routes = bench->route_count < 1000000 ? 1000000
						       : bench->route_count,
		.services = SERVICES, .backends = 16, .limit_cells = 16 };
	char name[2 * 8 + 1], instance[SEGMENT_NAME_MAX];
	bool adopted;
	int fd;

	random_hex(name, 8);
	(void)snprintf(instance, sizeof(instance), "bench-%s", name);
	if (segment_dir(instance, bench->dir) == -1 ||
	    segment_create(bench->dir, &capacity, (uid_t)-1, (gid_t)-1,
		&adopted) == -1 ||
	    (fd = segment_open_writable(bench->dir, SEGMENT_ROUTES, 0)) == -1 ||
	    table_writer_open(fd, &bench->writer) == -1 ||
	    route_table_open(bench->dir, &bench->table) == -1)
		err(1, "%s", bench->dir);
}

static void
measure(uint32_t route_count)
{
	struct bench bench = { .route_count = route_count };
	double load_s, lookup_ns, beside_ns, publish_us;
	uint64_t bytes;

	bench.requests = calloc(REQUESTS, sizeof(*bench.requests));
	if (bench.requests == NULL)
		err(1, "calloc");
	open_table(&bench);
	load_s = load_routes(&bench);
	bytes = memory_bytes(&bench);
	make_requests(&bench);
	publish_us = time_publications(&bench);
	time_all_lookups(&bench, &lookup_ns, &beside_ns);
	printf("%8u %8.1f %8.2f %8.1f %8.3f %8llu %9.2f %8.3f %9llu %9.1f\n",
	    route_count, lookup_ns, 1000 / lookup_ns, beside_ns,
	    beside_ns / lookup_ns,
	    (unsigned long long)route_table_retry_count(bench.table),
	    publish_us, load_s, (unsigned long long)bytes / 1024,
	    (double)bytes / route_count);
	route_table_close(&bench.table);
	table_writer_close(&bench.writer);
	segment_remove(bench.dir);
	free(bench.requests);
}

int
main(int argc, char **argv)
{
	static const uint32_t sizes[] = { 10, 1000, 100000, 1000000 };

	pin_to_core(0);
	printf("%8s %8s %8s %8s %8s %8s %9s %8s %9s %9s\n", "routes", "lookup",
	    "lookups", "beside a", "ratio", "reads", "publish", "load",
	    "memory", "a route");
	printf("%8s %8s %8s %8s %8s %8s %9s %8s %9s %9s\n", "", "ns", "M/s",
	    "writer", "", "again", "us", "s", "KiB", "bytes");
	if (argc > 1)
		for (int i = 1; i < argc; i++)
			measure((uint32_t)strtoul(argv[i], NULL, 10));
	else
		for (size_t i = 0; i < COUNT_OF(sizes); i++)
			measure(sizes[i]);
	return 0;
}
