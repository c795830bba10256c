/*
 * ctl/main.c - sluicectl: the operator's hand.
 *
 * A verb is a row.  Those about services, routes and backends ask
 * registryd over the admin socket; those about workers read the segment,
 * so that they answer while registryd is down.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/quantity.h"
#include "ctl/ctl.h"

static const struct {
	const char *name;
	ctl_verb_fn *run;
	const char *arguments;
	const char *help;
} verbs[] = {
	{ "status", ctl_status, "", "is sluice ready, and what is behind it" },
	{ "services", ctl_services, "", "list services" },
	{ "routes", ctl_routes, "", "list routes" },
	{ "backends", ctl_backends, "[SERVICE]",
	    "list backends and their state" },
	{ "instances", ctl_instances, "",
	    "list the sluices that share the store" },
	{ "sessions", ctl_sessions, "", "list registration sessions" },
	{ "token", ctl_token, "create [--service S] ... | list | revoke ID",
	    "who may register what" },
	{ "monitor", ctl_monitor, "[-n COUNT] [TYPE ...]",
	    "events as they happen" },
	{ "workers", ctl_workers, "", "list processes and their counters" },
	{ "top", ctl_top, "[-n TIMES]", "rates, each second" },
	{ "explain", ctl_explain, "METHOD URL [-H 'K: v'] [--from IP]",
	    "why a request goes where it goes" },
	{ "history", ctl_history, "[--service X] [--since 1h] [-n COUNT]",
	    "what was changed, by whom" },
	{ "diff", ctl_diff, "A..B", "what changed between generations" },
	{ "rollback", ctl_rollback, "[--force] N",
	    "put back what there was at N" },
	{ "export", ctl_export, "", "all services and routes, as JSON" },
	{ "import", ctl_import, "[--replace] [--force] FILE",
	    "make and change what a document has" },
	{ "store", ctl_store, "accept", "let through what the guard holds" },
	{ "store", ctl_store, "spool",
	    "what is kept while the database is away, and what was dropped" },
	{ "store", ctl_store, "copy --from STORE --to STORE",
	    "move everything to another store" },
	{ "migrate", ctl_migrate, "up|down|status|--check",
	    "the store's schema, with sluice stopped or not" },
	{ "maintenance", ctl_maintenance, "all|KIND ID on|off|status",
	    "take a service, backend or route, or all, out for work" },
	{ "drain", ctl_drain, "KIND ID [off|status] --over SPAN [--wait]",
	    "take its share down on a straight line" },
	{ "breaker", ctl_breaker, "BACKEND trip|reset|status",
	    "open or close a circuit breaker" },
	{ "reload", ctl_reload, "", "read the configuration again" },
	{ "log", ctl_log, "level [LEVEL]", "show or set the log level" },
	{ "healthcheck", ctl_healthcheck, "", "exit 0 if sluice is ready" },
};

enum ctl_exit
ctl_usage(const char *text)
{
	fprintf(stderr, "sluicectl: %s; see sluicectl -h\n", text);
	return CTL_USAGE;
}

enum ctl_exit
ctl_cannot_read(const struct ctl *ctl)
{
	fprintf(stderr, "sluicectl: %s: %s; is sluice running, and -i right?\n",
	    ctl->segment_dir, strerror(errno));
	return CTL_UNREACHABLE;
}

static void
print_help(void)
{
	puts("usage: sluicectl [-s socket] [-i instance] [-c file] "
	     "[-o table|json]\n\t[-t timeout] [--wait] [--scope local|all] "
	     "verb ...\n");
	for (size_t i = 0; i < COUNT_OF(verbs); i++)
		printf("  %-11s %-36s %s\n", verbs[i].name, verbs[i].arguments,
		    verbs[i].help);
	puts("\nExit: 0 ok, 1 the answer is no, 2 usage, 3 cannot reach "
	     "sluice, 4 time-out.");
}

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "socket", required_argument, NULL, 's' },
	{ "instance", required_argument, NULL, 'i' },
	{ "output", required_argument, NULL, 'o' },
	{ "timeout", required_argument, NULL, 't' },
	{ "wait", no_argument, NULL, 'w' },
	{ "scope", required_argument, NULL, 'S' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

/* Obeys one option.  Returns NULL, or what is wrong with it. */
static const char *
take_option(struct ctl *ctl, int option, const char *value)
{
	switch (option) {
	case 'c':
		ctl->conf_path = value;
		return NULL;
	case 's':
		ctl->socket = value;
		return NULL;
	case 'i':
		return segment_dir(value, ctl->segment_dir) == -1
			   ? "-i: no name of an instance"
			   : NULL;
	case 'o':
		ctl->wants_json = strcmp(value, "json") == 0;
		return ctl->wants_json || strcmp(value, "table") == 0
			   ? NULL
			   : "-o: table or json";
	case 't':
		ctl->is_timeout_given = true;
		return quantity_parse_span(bytes_of(value), true,
			   &ctl->timeout_ms) == -1
			   ? "-t: a span of time like 5s"
			   : NULL;
	case 'w':
		return NULL;		/* for what happens here anyway */
	case 'S':
		ctl->waits_for_all = strcmp(value, "all") == 0;
		return ctl->waits_for_all || strcmp(value, "local") == 0
			   ? NULL
			   : "--scope: local or all";
	case 'h':
		print_help();
		exit(CTL_OK);
	case 'V':
		puts("sluicectl " PACKAGE_VERSION);
		exit(CTL_OK);
	default:
		return "unknown option";
	}
}

static enum ctl_exit
run_verb(const struct ctl *ctl, int argc, char **argv)
{
	for (size_t i = 0; i < COUNT_OF(verbs); i++)
		if (strcmp(argv[0], verbs[i].name) == 0)
			return verbs[i].run(ctl, argc, argv);
	fprintf(stderr, "sluicectl: %s: no such verb; see sluicectl -h\n",
	    argv[0]);
	return CTL_USAGE;
}

/* What the environment says where no option does. */
static const char *
take_environment(struct ctl *ctl)
{
	const char *socket = getenv("SLUICE_SOCKET");
	const char *instance = getenv("SLUICE_INSTANCE");

	ctl->socket = socket == NULL ? "unix:/run/sluice/admin.sock" : socket;
	return take_option(ctl, 'i', instance == NULL ? "default" : instance);
}

int
main(int argc, char **argv)
{
	struct ctl ctl = { .timeout_ms = 5000 };
	const char *why = take_environment(&ctl);
	int option;

	while (why == NULL && (option = getopt_long(argc, argv, "+c:s:i:o:t:hV",
				   long_options, NULL)) != -1)
		why = take_option(&ctl, option, optarg);
	if (why != NULL)
		return ctl_usage(why);
	if (optind == argc)
		return ctl_usage("a verb is missing");
	argc -= optind;
	argv += optind;
	optind = 0;		/* verbs have options of their own */
	return run_verb(&ctl, argc, argv);
}
