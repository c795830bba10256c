/*
 * ctl/store.c - `sluicectl store`: accept, spool (ctl/lists.c), and copy
 * (ctl/offline.c).
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/ask.h"

enum ctl_exit
ctl_store(const struct ctl *ctl, int argc, char **argv)
{
	struct client_answer answer;
	struct json_doc *doc;
	enum ctl_exit result;
	int64_t removed = 0;

	if (argc > 1 && strcmp(argv[1], "copy") == 0)
		return ctl_store_copy(ctl, argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "spool") == 0)
		return ctl_store_spool(ctl, argc - 1, argv + 1);
	if (argc != 2 || strcmp(argv[1], "accept") != 0)
		return ctl_usage("store accept, spool or copy");
	result = ctl_ask(ctl, "POST", "/v1/store/accept",
	    bytes_slice(NULL, 0), &answer, &doc);
	if (doc != NULL && ctl->wants_json)
		printf("%.*s\n", BYTES_ARGS(buf_bytes(&answer.body)));
	else if (doc != NULL &&
	    json_integer(doc, json_member(doc, json_root(doc), "removed"), 0,
		INT64_MAX, &removed) == 0)
		printf("accepted: %" PRId64 " paths go\n", removed);
	ctl_answer_free(&answer, &doc);
	return result;
}
