/*
 * registryd/store/pg_pool_parts.h - shared by pg_pool.c and
 * pg_pool_connect.c only: jobs there, connections here.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_PG_POOL_PARTS_H
#define REGISTRYD_STORE_PG_POOL_PARTS_H

#include "registryd/store/pg_job.h"

/* pg_pool.c */
/* Begins whatever can be begun. */
void pg_pool_dispatch(struct pg_pool *);
/* The job is over; its connection, if any, is dealt with. */
void pg_pool_finish_job(struct pg_pool *, struct pg_job *);
/* All that wait, with the pool's error. */
void pg_pool_refuse_all(struct pg_pool *);
void pg_pool_finish_opening(struct pg_pool *, enum store_result);
/* Looks after refused jobs and dead connections when the loop turns. */
void pg_pool_turn_later(struct pg_pool *);

/* pg_pool_connect.c */
MUST_CHECK int pg_pool_connect_init(struct pg_pool *,
    const struct settings *);
void pg_pool_connect_clear(struct pg_pool *);
void pg_pool_connect_start(struct pg_pool *);
/* One more, unless that is under way, or due after a pause. */
void pg_pool_connect(struct pg_pool *);
/* Connections that can be used, or are. */
uint32_t pg_pool_standing_count(const struct pg_pool *);
void pg_pool_move(struct pg_pool *, struct pg_connection *, enum pg_place);
/* Its job is over: idle, or away. */
void pg_pool_give_back(struct pg_pool *, struct pg_connection *);
void pg_pool_free_dead(struct pg_pool *);

#endif
