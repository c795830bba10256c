/*
 * master/main.c - sluice(8): what the command line asks for.
 */
/* SPDX-License-Identifier: ISC */
#include <ev.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "master/options.h"
#include "master/pidfile.h"
#include "master/start.h"
#include "master/trial.h"

#ifdef HAVE_POSTGRESQL
#define STORES "memory, sqlite, postgres"
#else
#define STORES "memory, sqlite"
#endif
#ifdef HAVE_SYSTEMD
#define SYSTEMD "yes"
#else
#define SYSTEMD "no"
#endif

static int
print_version(void)
{
	printf("sluice %s\n", PACKAGE_VERSION);
	return 0;
}

static int
print_build(void)
{
	print_version();
	printf("configure options: %s\n", CONFIGURE_OPTIONS);
	printf("compiler: %s\n", __VERSION__);
	printf("stores: %s\n", STORES);
	printf("systemd: %s\n", SYSTEMD);
	printf("libraries: libev %d.%d%s\n", ev_version_major(),
	    ev_version_minor(), LIBRARY_VERSIONS);
	printf("configuration: %s\n", SYSCONFDIR "/sluice/sluice.conf");
	printf("programs: %s\n", PROGRAMDIR);
	return 0;
}

static int
print_help(void)
{
	options_print_help(stdout);
	return 0;
}

/* -s ---------------------------------------------------------------------- */

static const struct {
	const char *name;
	int number;
} signals[] = {
	{ "reload", SIGHUP }, { "reopen", SIGUSR1 }, { "stop", SIGTERM },
	{ "quit", SIGQUIT },
};

static int
find_signal(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(signals); i++)
		if (strcmp(signals[i].name, name) == 0)
			return signals[i].number;
	return 0;
}

static int
send_to_owner(const struct settings *settings, int number)
{
	char path[PIDFILE_PATH_SIZE];
	pid_t pid;

	pidfile_path(settings, path);
	if ((pid = pidfile_owner(path)) == -1) {
		fprintf(stderr, "sluice: %s: %s\n", path,
		    errno == ESRCH ? "sluice does not run" : strerror(errno));
		return errno == EACCES ? EX_NOPERM : EX_UNAVAILABLE;
	}
	if (kill(pid, number) == -1) {
		fprintf(stderr, "sluice: signal to pid %d: %s\n", (int)pid,
		    strerror(errno));
		return errno == EPERM ? EX_NOPERM : EX_UNAVAILABLE;
	}
	return 0;
}

static int
send_signal(const struct options *options)
{
	int number = find_signal(options->signal_name), status;
	struct settings *settings;

	if (strcmp(options->signal_name, "upgrade") == 0) {
		fprintf(stderr, "sluice: upgrade: not supported yet; stop and "
				"start sluice\n");
		return EX_UNAVAILABLE;
	}
	if (number == 0) {
		fprintf(stderr, "sluice: -s %s: say reload, reopen, stop, quit "
				"or upgrade\n", options->signal_name);
		return EX_USAGE;
	}
	if ((status = start_read_settings(options, &settings)) != 0)
		return status;
	status = send_to_owner(settings, number);
	settings_free(&settings);
	return status;
}

/* -t and -T ---------------------------------------------------------------- */

static int
test(const struct options *options)
{
	struct settings *settings;
	struct buf text = { 0 };
	int status = start_read_settings(options, &settings);

	if (status != 0)
		return status;
	if (options->action == OPTION_TEST) {
		status = trial_run(settings, options->conf_path);
		if (status == 0)
			fprintf(stderr, "sluice: %s: good\n",
			    options->conf_path);
	} else {
		settings_print(settings, false, &text);
		printf("%.*s", (int)text.len, text.data);
	}
	buf_free(&text);
	settings_free(&settings);
	return status;
}

/* -------------------------------------------------------------------------- */

static int
run(struct options *options)
{
	/* in the background the working directory is another */
	char *absolute = realpath(options->conf_path, NULL);
	struct settings *settings;
	int status;

	if (absolute != NULL)		/* else reading it says why */
		options->conf_path = absolute;
	status = start_read_settings(options, &settings);
	if (status == 0)
		status = start_run(options, settings);
	free(absolute);
	return status;
}

int
main(int argc, char **argv)
{
	struct options options;

	if (options_parse(argc, argv, &options, stderr) == -1)
		return EX_USAGE;
	switch (options.action) {
	case OPTION_RUN:
		return run(&options);
	case OPTION_TEST:
	case OPTION_DUMP:
		return test(&options);
	case OPTION_SIGNAL:
		return send_signal(&options);
	case OPTION_VERSION:
		return print_version();
	case OPTION_BUILD:
		return print_build();
	case OPTION_HELP:
		return print_help();
	}
	return EX_USAGE;
}
