/*
 * bench/wrap.c - stands in for a role's program and runs it in a tool.
 *
 * master executes what it finds in program_dir by descriptor, which rules
 * a script out.  bench/hotpath puts this there under the role's name.
 *
 * Environment: BENCH_TOOL, words between single blanks, such as
 * "/usr/bin/valgrind --tool=callgrind"; BENCH_PROGRAM, the real one.
 */
/* SPDX-License-Identifier: ISC */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX 64

int
main(int argc, char **argv)
{
	char *words[WORDS_MAX + 1], *tool = getenv("BENCH_TOOL");
	int count = 0;

	if (tool == NULL || getenv("BENCH_PROGRAM") == NULL)
		errx(64, "run by bench/hotpath, not by hand");
	for (char *word = strtok(tool, " "); word != NULL;
	     word = strtok(NULL, " "))
		if (count < WORDS_MAX)
			words[count++] = word;
	if (count + argc > WORDS_MAX || count == 0)
		errx(64, "BENCH_TOOL: too many words, or none");
	words[count++] = getenv("BENCH_PROGRAM");
	for (int i = 1; i < argc; i++)
		words[count++] = argv[i];
	words[count] = NULL;
	execv(words[0], words);
	err(71, "%s", words[0]);
}
