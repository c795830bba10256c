/*
 * worker/tunnel.h - raw bytes both ways, behind a 101.
 *
 * Each direction ends by itself: the end of one side is passed on as a
 * half-close, and the tunnel is over when both have ended, when one
 * breaks, or when nothing came for tunnel_timeout.
 */
/* SPDX-License-Identifier: ISC */
#ifndef WORKER_TUNNEL_H
#define WORKER_TUNNEL_H

#include "common/clock.h"

struct exchange;
struct link;
struct tunnel;

/* Takes the two links over; what waits in their buffers goes first.
 * Ends by the exchange's cut(), also when out of memory. */
void tunnel_begin(struct exchange *, struct link *client,
    struct link *backend);

/*
 * The drain of where it leads is complete at end; ns 0: it drains no
 * more.  A while behind it, not for all tunnels at once, a WebSocket is
 * told 1001 (going away) on both sides, between two frames, and has a
 * moment to say goodbye; another tunnel is cut.
 */
void tunnel_set_end(struct tunnel *, struct instant end);

/* Lets go of the links; *p becomes NULL. */
void tunnel_end(struct tunnel **p);

#endif
