/*
 * registryd/protocol/session.c - who is registered.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/protocol/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "registryd/protocol/client.h"
#include "registryd/protocol/poll.h"
#include "registryd/protocol/protocol.h"
#include "registryd/registry.h"
#include "registryd/store/secret.h"

const char *
session_name(const struct session *session, char name[SESSION_NAME_SIZE])
{
	snprintf(name, SESSION_NAME_SIZE, "%s/%s", session->service,
	    session->instance);
	return name;
}

int
session_key(struct bytes id, char key_r[SESSION_KEY_SIZE])
{
	const char *secret = memrchr(id.data, '-', id.len);
	int public_len = secret == NULL ? 0 : (int)(secret + 1 - id.data);

	if (public_len > SESSION_KEY_SIZE - SECRET_HASH_SIZE)
		return -1;
	memcpy(key_r, id.data, (size_t)public_len);
	secret_hash(id, key_r + public_len);
	return 0;
}

bool
session_has_id(const struct session *session, struct bytes id)
{
	char key[SESSION_KEY_SIZE];

	return session_key(id, key) == 0 && strcmp(key, session->key) == 0;
}

const char *
session_public_id(const struct session *session,
    char text[SESSION_PUBLIC_SIZE])
{
	const char *hash = strrchr(session->key, '-');

	snprintf(text, SESSION_PUBLIC_SIZE, "%.*s",
	    (int)(hash == NULL ? 0 : hash - session->key), session->key);
	return text;
}

static struct session *
session_of(const struct order_node *node)
{
	return node == NULL ?
	    NULL :
	    (struct session *)((uintptr_t)node -
		offsetof(struct session, by_key));
}

static int
compare(const void *key, const struct order_node *node)
{
	return strcmp(key, session_of(node)->key);
}

void
session_tree_init(struct order_tree *tree)
{
	order_init(tree, compare);
}

struct session *
session_find(const struct protocol *protocol, struct bytes id)
{
	char key[SESSION_KEY_SIZE];

	return session_key(id, key) == 0 ? session_find_key(protocol, key) :
					   NULL;
}

struct session *
session_find_key(const struct protocol *protocol, const char *key)
{
	return session_of(order_find(&protocol->by_key, key));
}

struct session *
session_find_owner(const struct protocol *protocol, const char *service,
    const char *instance)
{
	struct session *session;

	TAILQ_FOREACH(session, &protocol->sessions, of_all)
		if (strcmp(session->service, service) == 0 &&
		    strcmp(session->instance, instance) == 0)
			return session;
	return NULL;
}

bool
session_is_ours(const struct session *session)
{
	const struct registry *registry = session->protocol->registry;

	return !store_can_follow(registry->store) ||
	    strcmp(session->owner, registry->instances.name) == 0;
}

void
session_let_go(struct session *session)
{
	char name[SESSION_NAME_SIZE];

	log_notice("session %s: %s has it now", session_name(session, name),
	    session->owner);
	session_detach(session);
	if (!session->is_busy)
		session_forget_staged(session);
}

static void
session_free(struct session *session)
{
	config_clear(&session->active);
	config_clear(&session->staged);
	session_clear_lines(session);
	free(session->key);
	free(session->secret_id);
	free(session->service);
	free(session->instance);
	free(session->metadata);
	free(session);
}

struct session *
session_new(struct protocol *protocol, const char *key, const char *service,
    const char *instance)
{
	struct session *session = calloc(1, sizeof(*session));

	if (session == NULL)
		return NULL;
	STAILQ_INIT(&session->lines);
	LIST_INIT(&session->polls);
	config_init(&session->active);
	config_init(&session->staged);
	session->protocol = protocol;
	session->references = 1;
	session->key = strdup(key);
	session->service = strdup(service);
	session->instance = strdup(instance);
	session->metadata = strdup("{}");
	session->connected_wall_ms = session->active_wall_ms = clock_wall_ms();
	session->lost = session->kept = clock_now();
	if (session->key == NULL || session->service == NULL ||
	    session->instance == NULL || session->metadata == NULL) {
		session_free(session);
		return NULL;
	}
	order_insert(&protocol->by_key, session->key, &session->by_key);
	TAILQ_INSERT_TAIL(&protocol->sessions, session, of_all);
	protocol->session_count++;
	return session;
}

struct session *
session_hold(struct session *session)
{
	session->references++;
	return session;
}

void
session_release(struct session **p)
{
	struct session *session = *p;

	*p = NULL;
	if (session != NULL && --session->references == 0)
		session_free(session);
}

void
session_drop(struct session *session)
{
	struct protocol *protocol = session->protocol;

	if (session->is_gone)
		return;
	session->is_gone = true;
	session_detach(session);
	poll_drop_all(session);
	order_remove(&protocol->by_key, session->key);
	TAILQ_REMOVE(&protocol->sessions, session, of_all);
	protocol->session_count--;
	session_release(&session);
}

void
session_attach(struct session *session, struct client *client)
{
	if (session->client == client)
		return;
	session_detach(session);
	if (client->session != NULL)
		session_detach(client->session);
	session->client = client;
	client->session = session;
}

void
session_detach(struct session *session)
{
	if (session->client == NULL)
		return;
	session->client->session = NULL;
	session->client = NULL;
	session->lost = clock_now();
}
