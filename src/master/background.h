/*
 * master/background.h - leaving the shell, which hears how it went.
 */
/* SPDX-License-Identifier: ISC */
#ifndef MASTER_BACKGROUND_H
#define MASTER_BACKGROUND_H

struct master;

/*
 * Forks twice into the background.  The caller's process waits until
 * background_report(), exit() or the death of master, and exits with the
 * status that it was told; only master returns from here.
 */
void background_enter(struct master *);

/* Gives the terminal back, once the log is open; a log that is to go to
 * stderr goes on doing so. */
void background_leave_terminal(const struct master *);

/* Tells the waiting shell, once; without one, nothing happens. */
void background_report(struct master *, int status);

#endif
