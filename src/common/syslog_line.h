/*
 * common/syslog_line.h - lines for the syslog daemon, which may be stuck.
 *
 * syslog(3) waits for as long as the daemon does not read, and a worker
 * would wait with it, and all its requests.  A line that finds no room is
 * lost here instead.
 *
 * One connection a process, to the datagram socket /dev/log, made when it
 * is first needed, and again when the daemon was restarted.
 */
/* SPDX-License-Identifier: ISC */
#ifndef COMMON_SYSLOG_LINE_H
#define COMMON_SYSLOG_LINE_H

#include "common/bytes.h"
#include "common/compat.h"

/*
 * Sends one line, without its end, of the facility "daemon"; severity is
 * one of <syslog.h>.  Waits so long for room, but not while the line
 * before found none.  Returns 0, or -1 with errno: EAGAIN when the daemon
 * has no room, else there is none.
 */
MUST_CHECK int syslog_line_send(int severity, struct bytes line,
    int patience_ms);

#endif
