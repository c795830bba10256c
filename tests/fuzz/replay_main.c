/*
 * fuzz/replay_main.c - runs a fuzz target over its seeds, as a test.
 *
 * The seeds of fuzz_X are the files of $srcdir/tests/fuzz/seeds/X, or
 * those that are named as arguments.  Each is run whole, and then once
 * for each place where it may be cut off.
 */
/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <stdio.h>

#include "fuzz/fuzz.h"

#include "common/buf.h"

#define CUT_SEED_MAX 2048		/* longer ones are run whole only */
#define PATH_SIZE    4096

static int
read_file(const char *path, struct buf *text)
{
	FILE *file = fopen(path, "rb");
	char block[4096];
	size_t len;

	if (file == NULL)
		return -1;
	while ((len = fread(block, 1, sizeof(block), file)) > 0)
		buf_append(text, bytes_slice(block, len));
	fclose(file);
	return text->is_failed ? -1 : 0;
}

static void
run_one(struct bytes input)
{
	struct bytes copy = fuzz_exact_copy(input);

	LLVMFuzzerTestOneInput((const uint8_t *)copy.data, copy.len);
	fuzz_release(copy);
}

static int
replay_file(const char *path)
{
	struct buf text = { 0 };

	if (read_file(path, &text) == -1) {
		fprintf(stderr, "%s: cannot be read\n", path);
		buf_free(&text);
		return -1;
	}
	run_one(buf_bytes(&text));
	if (text.len <= CUT_SEED_MAX)
		for (size_t len = 0; len < text.len; len++)
			run_one(bytes_slice(text.data, len));
	buf_free(&text);
	return 0;
}

static int
replay_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int replayed = 0, result = 0;

	if (dir == NULL) {
		fprintf(stderr, "%s: no such folder\n", folder);
		return -1;
	}
	while ((entry = readdir(dir)) != NULL) {
		char path[PATH_SIZE];

		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", folder,
			entry->d_name) >= PATH_SIZE ||
		    replay_file(path) == -1)
			result = -1;
		replayed++;
	}
	closedir(dir);
	printf("%s: %d seeds\n", folder, replayed);
	return replayed > 0 ? result : -1;
}

/* "fuzz_request" of ".../tests/fuzz/fuzz_request" is "request". */
static const char *
target_name(const char *program)
{
	const char *name = strrchr(program, '/');

	name = name == NULL ? program : name + 1;
	return strncmp(name, "fuzz_", 5) == 0 ? name + 5 : name;
}

int
main(int argc, char **argv)
{
	const char *srcdir = getenv("srcdir");
	char folder[PATH_SIZE];

	for (int i = 1; i < argc; i++)
		if (replay_file(argv[i]) == -1)
			return EXIT_FAILURE;
	if (argc > 1)
		return EXIT_SUCCESS;
	snprintf(folder, sizeof(folder), "%s/tests/fuzz/seeds/%s",
	    srcdir == NULL ? "." : srcdir, target_name(argv[0]));
	return replay_folder(folder) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
