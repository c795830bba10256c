/*
 * ctl/offline.c - `sluicectl migrate` and `sluicectl store copy`.
 *
 * Both work on the database itself, whether a sluice runs or not.
 * sluicectl links no SQL library: it becomes sluice-store, which stands
 * beside the roles' programs.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"

/* Returns only if it could not be. */
static enum ctl_exit
become(const char *path, char **argv)
{
	execv(path, argv);
	fprintf(stderr, "sluicectl: %s: %s; is sluice installed there? "
			"SLUICE_PROGRAM_DIR says where else\n", path,
	    strerror(errno));
	return CTL_UNREACHABLE;
}

static enum ctl_exit
run_offline(const struct ctl *ctl, int argc, char **argv)
{
	const char *dir = getenv("SLUICE_PROGRAM_DIR");
	static char name[] = "sluice-store", option_c[] = "-c";
	static char option_j[] = "-j";
	char *path, **words, **word;
	enum ctl_exit result;

	words = word = calloc((size_t)argc + 5, sizeof(*words));
	if (words == NULL || asprintf(&path, "%s/sluice-store",
		dir == NULL ? PROGRAMDIR : dir) == -1) {
		free(words);
		return CTL_UNREACHABLE;
	}
	*word++ = name;
	if (ctl->conf_path != NULL) {
		*word++ = option_c;
		*word++ = (char *)(uintptr_t)ctl->conf_path;
	}
	if (ctl->wants_json)
		*word++ = option_j;
	memcpy(word, argv, (size_t)argc * sizeof(*argv));
	result = become(path, words);
	free(path);
	free(words);
	return result;
}

enum ctl_exit
ctl_migrate(const struct ctl *ctl, int argc, char **argv)
{
	return run_offline(ctl, argc, argv);
}

/* argv[0] is "copy". */
enum ctl_exit
ctl_store_copy(const struct ctl *ctl, int argc, char **argv)
{
	return run_offline(ctl, argc, argv);
}
