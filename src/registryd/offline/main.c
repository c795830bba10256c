/*
 * registryd/offline/main.c - sluice-store: a store without its sluice.
 *
 *	sluice-store [-c file] [-j] migrate|copy argument ...
 *
 * Run by sluicectl(8).  Reads the configuration as sluice does, and becomes
 * the user that sluice's roles run as, so that a file which it makes is
 * theirs.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "registryd/offline/offline.h"

enum offline_exit
offline_usage(const char *text)
{
	fprintf(stderr, "sluicectl: %s; see sluicectl -h\n", text);
	return OFFLINE_USAGE;
}

struct sql_place
offline_place(const struct offline *offline, enum store_driver driver)
{
	return (struct sql_place){ .driver = driver,
		.text = driver == STORE_SQLITE ? offline->sqlite_path
					       : offline->settings->store.url };
}

static int
become_user(const struct settings *settings)
{
	const struct passwd *user;
	const struct group *group = NULL;

	if (geteuid() != 0 || settings->user[0] == '\0')
		return 0;
	errno = ENOENT;
	if ((user = getpwnam(settings->user)) == NULL ||
	    (settings->group[0] != '\0' &&
		(group = getgrnam(settings->group)) == NULL) ||
	    initgroups(settings->user, user->pw_gid) == -1 ||
	    setgid(group == NULL ? user->pw_gid : group->gr_gid) == -1 ||
	    setuid(user->pw_uid) == -1) {
		fprintf(stderr, "sluicectl: user \"%s\", group \"%s\": %s\n",
		    settings->user, settings->group, strerror(errno));
		return -1;
	}
	return 0;
}

static int
read_settings(const char *path, struct settings **settings_r)
{
	struct buf errors = { 0 };
	int result = settings_read(path, NULL, 0, settings_r, &errors);

	if (errors.len > 0)
		fprintf(stderr, "%.*s", BYTES_ARGS(buf_bytes(&errors)));
	buf_free(&errors);
	return result;
}

static int
find_sqlite_path(struct offline *offline)
{
	const struct settings *settings = offline->settings;

	if (settings->store.path[0] != '\0')
		offline->sqlite_path = strdup(settings->store.path);
	else if (asprintf(&offline->sqlite_path, "%s/sluice.db",
		settings->state_dir) == -1)
		offline->sqlite_path = NULL;
	return offline->sqlite_path == NULL ? -1 : 0;
}

static enum offline_exit
run(struct offline *offline, int argc, char **argv)
{
	if (become_user(offline->settings) == -1 ||
	    find_sqlite_path(offline) == -1)
		return OFFLINE_NO;
	if (argc > 0 && strcmp(argv[0], "migrate") == 0)
		return offline_migrate(offline, argc, argv);
	if (argc > 0 && strcmp(argv[0], "copy") == 0)
		return offline_copy(offline, argc, argv);
	return offline_usage("migrate or copy");
}

int
main(int argc, char **argv)
{
	const char *path = SYSCONFDIR "/sluice/sluice.conf";
	struct offline offline = { 0 };
	struct settings *settings;
	enum offline_exit result;
	int option;

	while ((option = getopt(argc, argv, "+c:j")) != -1) {
		if (option == 'c')
			path = optarg;
		else if (option == 'j')
			offline.wants_json = true;
		else
			return OFFLINE_USAGE;
	}
	if (read_settings(path, &settings) == -1)
		return OFFLINE_USAGE;
	offline.settings = settings;
	result = run(&offline, argc - optind, argv + optind);
	free(offline.sqlite_path);
	settings_free(&settings);
	return (int)result;
}
