/*
 * master/notify.h - telling systemd (sd_notify), where it listens.
 */
/* SPDX-License-Identifier: ISC */
#ifndef MASTER_NOTIFY_H
#define MASTER_NOTIFY_H

void notify_ready(void);
void notify_reloading(void);		/* ends with notify_ready() */
void notify_stopping(void);

#endif
