/*
 * registryd/protocol/token.h - who may register what.
 *
 * While there is any token, REGISTER must carry one, and the token says
 * which services, domains and path prefixes its sessions may claim.  Of
 * the secret only the SHA-256 is kept.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_PROTOCOL_TOKEN_H
#define REGISTRYD_PROTOCOL_TOKEN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/json.h"
#include "conf/settings.h"
#include "registryd/problem.h"
#include "registryd/protocol/config.h"
#include "registryd/store/secret.h"

#define TOKEN_ID_SIZE	  32		/* hex; or "static:NAME" */
#define TOKEN_HASH_SIZE	  SECRET_HASH_SIZE
#define TOKEN_SECRET_SIZE 128

struct token {
	TAILQ_ENTRY(token) of_all;
	char id[TOKEN_ID_SIZE];
	char hash[TOKEN_HASH_SIZE];	/* of the secret, hex */
	char *label;
	/* Each NULL-terminated; an empty one allows all. */
	char **services;		/* "billing", "billing-*" */
	char **domains;			/* "shop.example", "*.shop.example" */
	char **prefixes;		/* "/api", on segment boundaries */
	int64_t created_wall_ms;
	bool is_static;			/* it stands in the configuration */
	bool is_there;			/* in the store, as it was read last */
};

TAILQ_HEAD(token_list, token);

void token_free(struct token **);

/* Reads {"label", "services", "domains", "prefixes"}, and makes an id and
 * a secret.  0, or -1 with *problem. */
MUST_CHECK int token_make(struct bytes json, struct token **token_r,
    char secret_r[TOKEN_SECRET_SIZE], struct problem *);

/* As it is stored; NULL when out of memory. */
char *token_text(const struct token *);
/* What token_text() wrote; NULL when it is not that. */
struct token *token_read(const char *id, const char *text);
/* Without the hash. */
void token_write(struct json_writer *, const struct token *);

/* Of a section of the configuration; NULL when out of memory. */
struct token *token_of_setting(const struct static_token *);

/* The token of that secret; NULL: there is none. */
const struct token *token_find(const struct token_list *, const char *secret);
const struct token *token_find_id(const struct token_list *, const char *id);

bool token_allows_service(const struct token *, const char *service);
/* Whether all domains and the path are within its bounds. */
bool token_allows_route(const struct token *, const struct session_route *);

#endif
