/*
 * registryd/protocol/client.c - one client of the registration
 * protocol.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/protocol/client.h"

#include <stdarg.h>

#include "common/log.h"
#include "registryd/protocol/protocol.h"

#define IN_MAX	 (4 * LINE_MAX_BYTES)	/* then it is not read from */
#define OUT_MAX	 (1u << 20)		/* then nothing more is begun */
#define OUT_LOST (16u << 20)		/* then it is given up */
#define WORD_MAX 100			/* of a word that is echoed */

/* Answering -------------------------------------------------------------- */

void
client_send(struct client *client, struct bytes line)
{
	if (!client_is_connected(client) || client->is_shut)
		return;
	buf_append(&client->out, line);
	buf_append_char(&client->out, '\n');
	if (client->out.is_failed || client->out.len > OUT_LOST) {
		log_warn("registration: %s: does not read: closed",
		    client->from);
		client_close(client);
		return;
	}
	if (!client->is_advancing)
		client_flush(client);
}

static void
answered(struct client *client)
{
	client->is_busy = false;
	if (!client_is_connected(client))
		ev_timer_start(client->protocol->loop,
		    &client->protocol->sweep);
	else if (!client->is_advancing)
		client_advance(client);
}

void
client_answer(struct client *client, const char *format, ...)
{
	struct buf line = { 0 };
	va_list args;

	va_start(args, format);
	buf_vprintf(&line, format, args);
	va_end(args);
	if (line.is_failed)
		client_close(client);
	else
		client_send(client, buf_bytes(&line));
	buf_free(&line);
	answered(client);
}

void
client_refuse(struct client *client, const char *fault)
{
	client_answer(client, "ERROR|%s", fault);
}

void
client_answer_json(struct client *client, const char *word,
    struct buf *json)
{
	if (json->is_failed)
		client_refuse(client, "store unavailable");
	else
		client_answer(client, "%s|%s", word, json->data);
	buf_free(json);
}

void
client_finish(struct client *client)
{
	client->is_closing = true;
	client_read(client, false);
	if (!client->is_advancing)
		client_flush(client);
}

/* Lines ------------------------------------------------------------------ */

static void
take_line(struct client *client, struct bytes line, size_t used)
{
	buf_clear(&client->text);
	buf_append(&client->text, line);
	buf_consume(&client->in, used);
	if (client->text.is_failed) {
		client_close(client);
		return;
	}
	client_restart_idle(client);
	switch (line_parse(buf_bytes(&client->text), &client->line)) {
	case LINE_EMPTY:
		break;
	case LINE_UNKNOWN:
		client_answer(client,
		    "ERROR|unknown command: %.*s",
		    (int)(client->line.word.len > WORD_MAX ?
			    WORD_MAX :
			    client->line.word.len),
		    client->line.word.data);
		break;
	case LINE_FORMAT:
		if (client->session == NULL &&
		    client->line.command != COMMAND_REGISTER &&
		    client->line.command != COMMAND_RECONNECT)
			client_refuse(client, "no session");
		else
			client_refuse(client, "invalid format");
		break;
	case LINE_GOOD:
		client->is_busy = true;
		command_run(client);
		break;
	}
}

/* false: nothing more can be done now. */
static bool
next_line(struct client *client)
{
	struct bytes line;
	size_t used;

	switch (line_frame(buf_bytes(&client->in), &client->scanned,
	    &line, &used)) {
	case FRAME_MORE:
		return false;
	case FRAME_TOO_LONG:
		client_refuse(client, "line too long");
		client_finish(client);
		return false;
	case FRAME_LINE:
		take_line(client, line, used);
		return true;
	}
	return false;
}

void
client_advance(struct client *client)
{
	bool goes_on = true;

	if (client->is_advancing || client->is_shut ||
	    !client_is_connected(client))
		return;
	client->is_advancing = true;
	if (client->is_waiting) {
		client->is_waiting = false;
		command_run(client);
	}
	while (goes_on && client_is_connected(client) && !client->is_busy &&
	    !client->is_closing && client->out.len < OUT_MAX)
		goes_on = next_line(client);
	client->is_advancing = false;
	if (!client_is_connected(client))
		return;
	client_read(client, client->in.len < IN_MAX && !client->is_closing &&
	    !client->is_ended);
	client_flush(client);
}
