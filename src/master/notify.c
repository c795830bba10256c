/*
 * master/notify.c - telling systemd (sd_notify), where it listens.
 *
 * Without libsystemd, and where nobody listens, nothing happens.
 */
/* SPDX-License-Identifier: ISC */
#include "master/notify.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/compat.h"

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>

static void PRINTF_LIKE(1, 2)
notify(const char *format, ...)
{
	va_list args;
	char text[128];

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	sd_notify(0, text);
}
#else
static void PRINTF_LIKE(1, 2)
notify(const char *format, ...)
{
	(void)format;
}
#endif

void
notify_ready(void)
{
	notify("READY=1\nMAINPID=%d", (int)getpid());
}

void
notify_reloading(void)
{
	notify("RELOADING=1\nMONOTONIC_USEC=%lld",
	    (long long)(clock_now().ns / 1000));
}

void
notify_stopping(void)
{
	notify("STOPPING=1");
}
