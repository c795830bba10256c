/*
 * worker/pages.c - maintenance pages that stand elsewhere.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/pages.h"

#include <stdlib.h>

#include "common/log.h"
#include "worker/page_fetch.h"
#include "worker/refusals.h"

#define PAGE_FRESH_MS  1000
#define PAGE_UNUSED_MS 60000

struct pages {
	struct worker *worker;
	LIST_HEAD(, page) list;
};

struct pages *
pages_new(struct worker *worker)
{
	struct pages *pages = calloc(1, sizeof(*pages));

	if (pages != NULL)
		pages->worker = worker;
	return pages;
}

static void
give(struct page *page, struct exchange *exchange)
{
	if (page->is_good)
		exchange_answer_page(exchange, &page->text.answer);
	else
		exchange_refuse(exchange,
		    refusal_of_route(REFUSED_MAINTENANCE));
}

void
page_conclude(struct page *page, const char *fault)
{
	struct exchange *exchange;

	page_fetch_stop(page);
	page->is_good = fault == NULL;
	page->state = page->is_good ? PAGE_FULL : PAGE_EMPTY;
	page->fetched = page->worker->now;
	if (fault != NULL)
		log_notice("maintenance page %s: %s: the built-in page "
		    "serves", page->url, fault);
	while ((exchange = TAILQ_FIRST(&page->waiting)) != NULL) {
		pages_leave(exchange);
		give(page, exchange);
	}
}

/* Those who ask ---------------------------------------------------------- */

static struct page *
find_page(struct pages *pages, struct bytes url)
{
	struct page *page;

	LIST_FOREACH(page, &pages->list, entry)
		if (bytes_is(url, page->url))
			return page;
	if ((page = calloc(1, sizeof(*page))) == NULL)
		return NULL;
	if ((page->url = bytes_duplicate(url)) == NULL) {
		free(page);
		return NULL;
	}
	page->worker = pages->worker;
	TAILQ_INIT(&page->waiting);
	page_fetch_init(page);
	LIST_INSERT_HEAD(&pages->list, page, entry);
	return page;
}

static bool
is_under_way(const struct page *page)
{
	return page->state != PAGE_EMPTY && page->state != PAGE_FULL;
}

bool
pages_answer(struct pages *pages, struct exchange *exchange,
    struct bytes url)
{
	struct page *page = find_page(pages, url);
	struct instant now = pages->worker->now;

	if (page == NULL)
		return false;
	page->used = now;
	if (!is_under_way(page) && page->fetched.ns != 0 &&
	    instant_diff_ms(now, page->fetched) < PAGE_FRESH_MS) {
		give(page, exchange);
		return true;
	}
	exchange->page = page;
	TAILQ_INSERT_TAIL(&page->waiting, exchange, page_entry);
	if (!is_under_way(page))
		page_fetch(page);
	return true;
}

void
pages_leave(struct exchange *exchange)
{
	if (exchange->page == NULL)
		return;
	TAILQ_REMOVE(&exchange->page->waiting, exchange, page_entry);
	exchange->page = NULL;
}

static void
free_page(struct page *page)
{
	page_fetch_stop(page);
	LIST_REMOVE(page, entry);
	if (page->name != NULL)
		resolver_release(page->worker->resolver, &page->name);
	buf_free(&page->text.body);
	buf_free(&page->text.fields);
	buf_free(&page->text.content_type);
	free(page->url);
	free(page);
}

void
pages_sweep(struct pages *pages, struct instant now)
{
	struct page *page, *next;

	for (page = LIST_FIRST(&pages->list); page != NULL; page = next) {
		next = LIST_NEXT(page, entry);
		if (TAILQ_EMPTY(&page->waiting) && !is_under_way(page) &&
		    instant_diff_ms(now, page->used) > PAGE_UNUSED_MS)
			free_page(page);
	}
}
