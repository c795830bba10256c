/*
 * registryd/protocol/static_tokens.c - tokens of the configuration.
 *
 * They stand in one list with those of the store, and are known by their
 * id: "static:NAME".
 */
/* SPDX-License-Identifier: ISC */
#include "common/log.h"
#include "registryd/protocol/protocol.h"
#include "registryd/registry.h"

static void
drop_static(struct protocol *protocol)
{
	struct token *token, *next;

	for (token = TAILQ_FIRST(&protocol->tokens); token != NULL;
	    token = next) {
		next = TAILQ_NEXT(token, of_all);
		if (!token->is_static)
			continue;
		TAILQ_REMOVE(&protocol->tokens, token, of_all);
		token_free(&token);
	}
}

void
protocol_take_static_tokens(struct protocol *protocol)
{
	const struct settings *settings =
	    protocol->registry->daemon->settings;

	drop_static(protocol);
	for (uint32_t i = settings->token_count; i > 0; i--) {
		struct token *token = token_of_setting(
		    &settings->tokens[i - 1]);

		if (token == NULL)
			log_warn("token \"%s\": out of memory: left out",
			    settings->tokens[i - 1].name);
		else
			TAILQ_INSERT_HEAD(&protocol->tokens, token, of_all);
	}
}
