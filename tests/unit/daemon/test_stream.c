/*
 * unit/daemon/test_stream.c - streams, plain and encrypted.
 *
 * One end of a socket pair is the stream, the other a client that OpenSSL
 * plays.  Both stand in one thread, so that each step is a call.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/sealed.h"
#include "daemon/tls.h"

static char none[] = "";
static const struct tls_setting policy = { .ciphers = none };

static void
take_text(BIO *from, struct buf *text)
{
	char *data;
	long len = BIO_get_mem_data(from, &data);

	buf_append(text, bytes_slice(data, (size_t)len));
	(void)BIO_reset(from);
}

/* A key and its certificate, for an hour. */
static void
make_material(struct tls_material *material)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	BIO *text = BIO_new(BIO_s_mem());
	X509_NAME *name;

	assert_true(key != NULL && certificate != NULL && text != NULL);
	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	name = X509_get_subject_name(certificate);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
	    (const unsigned char *)"stream.test", -1, -1, 0);
	X509_set_issuer_name(certificate, name);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	*material = (struct tls_material){ 0 };
	assert_int_equal(PEM_write_bio_X509(text, certificate), 1);
	take_text(text, &material->certificate);
	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(text, key, NULL, NULL,
	    0, NULL, NULL), 1);
	take_text(text, &material->key);
	BIO_free(text);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

struct pair {
	struct tls_context *context;
	struct stream stream;
	SSL_CTX *client_ctx;
	SSL *client;
	int fd;				/* the client's */
};

static void
make_sockets(int fds[2])
{
	assert_int_equal(socketpair(AF_UNIX,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
}

static int
open_pair(void **state)
{
	static struct pair pair;
	struct tls_material material;
	struct tls_fault fault;
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	make_material(&material);
	assert_int_equal(tls_context_new(&material, &policy, &pair.context,
	    &fault), 0);
	tls_material_clear(&material);
	make_sockets(fds);
	pair.fd = fds[1];
	assert_int_equal(stream_tls_accept(pair.context, fds[0],
	    &pair.stream), 0);
	pair.client_ctx = SSL_CTX_new(TLS_client_method());
	pair.client = SSL_new(pair.client_ctx);
	SSL_set_fd(pair.client, pair.fd);
	SSL_set_connect_state(pair.client);
	*state = &pair;
	return 0;
}

static int
close_pair(void **state)
{
	struct pair *pair = *state;

	stream_close(&pair->stream);
	assert_int_equal(pair->stream.fd, -1);
	SSL_free(pair->client);
	SSL_CTX_free(pair->client_ctx);
	tls_context_free(&pair->context);
	if (pair->fd != -1)
		close(pair->fd);
	return 0;
}

static void
assert_waits(ssize_t result, int wants, int event)
{
	assert_int_equal(result, -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(wants, event);
}

static void
shake_hands(struct pair *pair)
{
	char byte;

	for (int i = 0; i < 10 && !pair->stream.is_open; i++) {
		(void)SSL_do_handshake(pair->client);
		assert_waits(stream_read(&pair->stream, &byte, 1),
		    pair->stream.read_wants, EV_READ);
	}
	assert_true(pair->stream.is_open);
	assert_int_equal(SSL_do_handshake(pair->client), 1);
}

static ssize_t
write_text(struct stream *stream, const char *text)
{
	struct iovec piece = { (void *)(uintptr_t)text, strlen(text) };

	return stream_writev(stream, &piece, 1);
}

/* Plain ------------------------------------------------------------------ */

static void
a_bare_socket_is_a_stream(void **state)
{
	struct stream streams[2];
	char text[8] = "";
	int fds[2];

	(void)state;
	make_sockets(fds);
	for (int i = 0; i < 2; i++)
		streams[i] = stream_plain(fds[i]);
	assert_true(streams[0].is_open);
	assert_waits(stream_read(&streams[0], text, 8),
	    streams[0].read_wants, EV_READ);
	assert_int_equal(write_text(&streams[1], "abc"), 3);
	assert_false(stream_has_more(&streams[0]));
	assert_int_equal(stream_read(&streams[0], text, 8), 3);
	assert_string_equal(text, "abc");
	while (write_text(&streams[1], "fill it up") > 0)
		;
	assert_waits(-1, streams[1].write_wants, EV_WRITE);
	assert_int_equal(stream_shutdown(&streams[0]), 0);
	assert_int_equal(stream_read(&streams[1], text, 8), 0);
	stream_close(&streams[0]);
	assert_int_equal(write_text(&streams[1], "x"), -1);
	assert_int_equal(errno, EPIPE);
	stream_close(&streams[1]);
}

/* Encrypted -------------------------------------------------------------- */

static void
a_write_waits_for_the_client_to_speak(void **state)
{
	struct pair *pair = *state;

	assert_false(pair->stream.is_open);
	assert_waits(write_text(&pair->stream, "too soon"),
	    pair->stream.write_wants, EV_READ);
}

static void
hands_are_shaken_by_reading(void **state)
{
	struct pair *pair = *state;
	char text[16] = "";

	shake_hands(pair);
	assert_int_equal(SSL_write(pair->client, "ping", 4), 4);
	assert_int_equal(stream_read(&pair->stream, text, 16), 4);
	assert_string_equal(text, "ping");
	assert_int_equal(write_text(&pair->stream, "pong!"), 5);
	assert_int_equal(SSL_read(pair->client, text, 16), 5);
	assert_memory_equal(text, "pong!", 5);
}

static void
pieces_leave_in_one_record(void **state)
{
	struct pair *pair = *state;
	char a[] = "one ", b[] = "two ", c[] = "three", text[32] = "";
	const struct iovec pieces[] = { { a, 4 }, { NULL, 0 }, { b, 4 },
		{ c, 5 } };

	shake_hands(pair);
	assert_int_equal(stream_writev(&pair->stream, pieces, 4), 13);
	assert_int_equal(SSL_read(pair->client, text, 32), 13);
	assert_string_equal(text, "one two three");
}

static void
what_no_event_announces_is_told(void **state)
{
	struct pair *pair = *state;
	char text[8];

	shake_hands(pair);
	assert_int_equal(SSL_write(pair->client, "0123456789", 10), 10);
	assert_int_equal(stream_read(&pair->stream, text, 4), 4);
	assert_true(stream_has_more(&pair->stream));
	assert_int_equal(stream_read(&pair->stream, text, 8), 6);
	assert_false(stream_has_more(&pair->stream));
}

#define FLOOD (1 << 20)

/* Each byte says where it stands. */
static char *
make_flood(void)
{
	char *flood = malloc(FLOOD);

	assert_non_null(flood);
	for (size_t i = 0; i < FLOOD; i++)
		flood[i] = (char)(i * 7 + i / 251);
	return flood;
}

static size_t
drain_client(struct pair *pair, const char *flood, size_t at)
{
	char text[4096];
	int got;

	while ((got = SSL_read(pair->client, text, sizeof(text))) > 0) {
		assert_memory_equal(text, flood + at, (size_t)got);
		at += (size_t)got;
	}
	return at;
}

/* What waits is given again from elsewhere, in other pieces. */
static void
a_full_socket_loses_nothing(void **state)
{
	struct pair *pair = *state;
	char *flood = make_flood(), *moved;
	size_t put = 0, got = 0;
	int waits = 0;

	shake_hands(pair);
	while (put < FLOOD) {
		size_t rest = FLOOD - put, half = rest > 4 ? rest / 4 : rest;
		struct iovec pieces[2];
		ssize_t n;

		moved = malloc(rest);
		assert_non_null(moved);
		memcpy(moved, flood + put, rest);
		pieces[0] = (struct iovec){ moved, half };
		pieces[1] = (struct iovec){ moved + half, rest - half };
		n = stream_writev(&pair->stream, pieces, 2);
		if (n == -1) {
			assert_waits(n, pair->stream.write_wants, EV_WRITE);
			got = drain_client(pair, flood, got);
			waits++;
		} else {
			put += (size_t)n;
		}
		free(moved);
	}
	assert_true(waits > 0);
	assert_int_equal(drain_client(pair, flood, got), FLOOD);
	free(flood);
}

/* Ends ------------------------------------------------------------------- */

static void
an_orderly_end_is_told(void **state)
{
	struct pair *pair = *state;
	char byte;

	shake_hands(pair);
	assert_int_equal(SSL_shutdown(pair->client), 0);
	assert_int_equal(stream_read(&pair->stream, &byte, 1), 0);
	assert_int_equal(write_text(&pair->stream, "still"), 5);
	assert_int_equal(stream_shutdown(&pair->stream), 0);
	assert_int_equal(SSL_read(pair->client, &byte, 1), 1);
	assert_int_equal(byte, 's');
}

static void
our_end_is_told(void **state)
{
	struct pair *pair = *state;
	char byte;
	int got;

	shake_hands(pair);
	assert_int_equal(write_text(&pair->stream, "x"), 1);
	assert_int_equal(stream_shutdown(&pair->stream), 0);
	assert_int_equal(SSL_read(pair->client, &byte, 1), 1);
	got = SSL_read(pair->client, &byte, 1);
	assert_int_equal(SSL_get_error(pair->client, got),
	    SSL_ERROR_ZERO_RETURN);
	/* theirs may come later */
	assert_int_equal(SSL_write(pair->client, "y", 1), 1);
	assert_int_equal(stream_read(&pair->stream, &byte, 1), 1);
}

static void
an_end_that_does_not_fit_is_said_later(void **state)
{
	struct pair *pair = *state;
	char record[1000] = "", text[sizeof(record)];
	struct iovec piece = { record, sizeof(record) };
	int got;

	shake_hands(pair);
	while (stream_writev(&pair->stream, &piece, 1) > 0)
		;
	/* room for the one that waits, and for nothing behind it */
	assert_int_equal(SSL_read(pair->client, text, sizeof(text)),
	    sizeof(text));
	assert_int_equal(stream_writev(&pair->stream, &piece, 1),
	    sizeof(record));
	assert_waits(stream_shutdown(&pair->stream),
	    pair->stream.write_wants, EV_WRITE);
	while (SSL_read(pair->client, text, sizeof(text)) > 0)
		;
	assert_int_equal(stream_shutdown(&pair->stream), 0);
	got = SSL_read(pair->client, text, sizeof(text));
	assert_int_equal(SSL_get_error(pair->client, got),
	    SSL_ERROR_ZERO_RETURN);
}

static void
an_end_that_is_cut_off_is_a_failure(void **state)
{
	struct pair *pair = *state;
	char byte;

	shake_hands(pair);
	close(pair->fd);
	pair->fd = -1;
	assert_int_equal(stream_read(&pair->stream, &byte, 1), -1);
	assert_int_equal(errno, ECONNRESET);
	assert_false(pair->stream.is_open);
	assert_int_equal(stream_shutdown(&pair->stream), 0);
}

static void
an_end_before_hands_are_shaken_is_the_sockets(void **state)
{
	struct pair *pair = *state;
	char byte;

	assert_int_equal(stream_shutdown(&pair->stream), 0);
	assert_int_equal(recv(pair->fd, &byte, 1, 0), 0);
}

static void
garbage_is_a_failure_with_a_reason(void **state)
{
	struct pair *pair = *state;
	char byte;

	assert_int_equal(send(pair->fd, "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);
	assert_int_equal(stream_read(&pair->stream, &byte, 1), -1);
	assert_int_equal(errno, EPROTO);
	assert_string_equal(pair->stream.fault, "http request");
}

/* Contexts --------------------------------------------------------------- */

static void
a_stream_outlives_its_context(void **state)
{
	struct pair *pair = *state;
	char byte;

	shake_hands(pair);
	tls_context_free(&pair->context);
	assert_int_equal(SSL_write(pair->client, "x", 1), 1);
	assert_int_equal(stream_read(&pair->stream, &byte, 1), 1);
}

static void
a_certificate_says_what_it_is(void **state)
{
	struct pair *pair = *state;
	const struct tls_certificate *certificate =
	    tls_context_certificate(pair->context);

	assert_string_equal(certificate->subject, "CN=stream.test");
	assert_int_equal(strlen(certificate->fingerprint), 64);
	assert_int_equal(certificate->not_after_wall_ms -
	    certificate->not_before_wall_ms, 3600 * 1000);
}

static void
material_is_the_same_behind_a_seal(void **state)
{
	struct tls_material before, after;
	int fd;

	(void)state;
	make_material(&before);
	fd = tls_material_seal(&before);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, "x", 1), -1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(tls_material_read(fd, &after), 0);
		assert_true(tls_material_is_equal(&before, &after));
		assert_int_equal(after.client_ca.len, 0);
		tls_material_clear(&after);
	}
	close(fd);
	tls_material_clear(&before);
}

static void
a_seal_that_holds_less_than_it_says_is_refused(void **state)
{
	static const char short_text[24] = { 1, 0, 0, 0, 0, 0, 0, 0, 9 };
	struct tls_material material;
	int fd = sealed_new("test", bytes_slice(short_text, 24));

	(void)state;
	assert_int_equal(tls_material_read(fd, &material), -1);
	assert_int_equal(errno, EPROTO);
	close(fd);
	fd = sealed_new("test", bytes_slice(short_text, 5));
	assert_int_equal(tls_material_read(fd, &material), -1);
	close(fd);
}

#define ON_PAIR(test) cmocka_unit_test_setup_teardown(test, open_pair,        \
    close_pair)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bare_socket_is_a_stream),
		ON_PAIR(a_write_waits_for_the_client_to_speak),
		ON_PAIR(hands_are_shaken_by_reading),
		ON_PAIR(pieces_leave_in_one_record),
		ON_PAIR(what_no_event_announces_is_told),
		ON_PAIR(a_full_socket_loses_nothing),
		ON_PAIR(an_orderly_end_is_told),
		ON_PAIR(our_end_is_told),
		ON_PAIR(an_end_that_does_not_fit_is_said_later),
		ON_PAIR(an_end_that_is_cut_off_is_a_failure),
		ON_PAIR(an_end_before_hands_are_shaken_is_the_sockets),
		ON_PAIR(garbage_is_a_failure_with_a_reason),
		ON_PAIR(a_stream_outlives_its_context),
		ON_PAIR(a_certificate_says_what_it_is),
		cmocka_unit_test(material_is_the_same_behind_a_seal),
		cmocka_unit_test(
		    a_seal_that_holds_less_than_it_says_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
