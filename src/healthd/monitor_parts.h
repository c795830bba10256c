/*
 * healthd/monitor_parts.h - what the files of the monitor share.
 *
 * A target's place says where it is: resting (its timer runs), queued,
 * or with a place among the probes (resolving, probed).  The functions
 * of monitor_places.c alone move it.
 */
/* SPDX-License-Identifier: ISC */
#ifndef HEALTHD_MONITOR_PARTS_H
#define HEALTHD_MONITOR_PARTS_H

#include "common/random.h"
#include "healthd/monitor.h"
#include "healthd/target.h"

struct monitor {
	struct monitor_config config;
	const struct settings *settings;
	struct target **targets;	/* by slot */
	uint32_t slot_count, target_count;
	struct target_queue urgent, regular;
	uint32_t probe_count;		/* places taken */
	uint32_t round;
	struct target_queue fresh;	/* put since monitor_begin() */
	uint32_t fresh_count;
	struct random_stream random;
	struct instant warned;		/* of probes that could not be made */
	bool is_filling;		/* fill_places() is at work below us */
};

/* monitor_places.c ------------------------------------------------------ */

/* Out of where it is, with its timer not set: to be followed by one of
 * the moves, or by its end. */
void places_leave(struct target *);

/* Its timer runs for so long. */
void places_rest(struct target *, int64_t span_ms);

/* It waits for a place among the probes, out of turn when urgent. */
void places_queue(struct target *, bool is_urgent);

/* Gives free places to those who wait. */
void places_fill(struct monitor *);

/* monitor_breakers.c ----------------------------------------------------- */

/* An open breaker's time is over, or a round of trials came to nothing. */
void breakers_on_timer(struct ev_loop *, ev_timer *, int events);

/* Takes over what the region says of this tenant. */
void breakers_restore(struct target *);
void breakers_respec(struct target *, const struct breaker_spec *);
void breakers_note(struct target *, const struct failure *);
/* Its probes took it down, or found it up. */
void breakers_note_probe(struct target *, bool is_up, const char *reason);

/* monitor_verdicts.c ---------------------------------------------------- */

/* A target's timer: to be probed now, or its time of suspicion is over. */
void verdicts_on_timer(struct ev_loop *, ev_timer *, int events);

/* Makes the word say what the target's state is, and tells of a change. */
void verdicts_publish(struct target *, const char *reason);

/* One without probes is unproven again. */
void verdicts_forgive(struct target *);

/* A probe is over, its place still taken. */
void verdicts_conclude(struct target *, const struct attempt_outcome *);

#endif
