/*
 * worker/page_fetch.h - getting a maintenance page from where it stands.
 */
/* SPDX-License-Identifier: ISC */
#ifndef WORKER_PAGE_FETCH_H
#define WORKER_PAGE_FETCH_H

#include "worker/page_text.h"

enum page_state {
	PAGE_EMPTY,			/* never fetched, or no good */
	PAGE_RESOLVING,
	PAGE_CONNECTING,
	PAGE_SENDING,
	PAGE_READING,
	PAGE_FULL,
};

struct page {
	LIST_ENTRY(page) entry;
	struct worker *worker;
	char *url;
	enum page_state state;
	struct instant fetched, used;
	struct exchange_list waiting;
	bool is_good;			/* text.answer stands */

	/* fetching */
	uint16_t port;
	struct bytes authority, path;	/* of url */
	struct resolver_name *name;
	struct resolver_wait *wait;
	int fd;
	ev_io io;
	ev_timer timer;
	struct buf request;
	struct page_text text;
};

/* Of a new page: nothing is under way. */
void page_fetch_init(struct page *);
/* Begins; page_conclude() tells, maybe from within. */
void page_fetch(struct page *);
/* Ends what is under way, without a word. */
void page_fetch_stop(struct page *);

/* pages.c: it is fetched, or (fault not NULL) cannot be had. */
void page_conclude(struct page *, const char *fault);

#endif
