/*
 * daemon/tls.c - TLS by OpenSSL: contexts.
 */
/* SPDX-License-Identifier: ISC */
#include "daemon/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Of TLS 1.2: what keeps past traffic secret, and has no known weakness. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

/* In the first line of any key in PEM. */
#define KEY_LINE "PRIVATE KEY-----"

struct tls_context {
	SSL_CTX *ctx;
	struct tls_certificate certificate;
};

static int blame(struct tls_fault *, enum tls_part, const char *format, ...)
    PRINTF_LIKE(3, 4);

static int
blame(struct tls_fault *fault, enum tls_part part, const char *format, ...)
{
	va_list args;

	fault->part = part;
	va_start(args, format);
	vsnprintf(fault->text, sizeof(fault->text), format, args);
	va_end(args);
	return -1;
}

/* The sentence of OpenSSL's latest error. */
static const char *
reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	return text == NULL ? "refused by OpenSSL" : text;
}

static BIO *
open_text(const struct buf *text)
{
	return BIO_new_mem_buf(text->len == 0 ? "" : text->data,
	    (int)text->len);
}

/* The next certificate; NULL at the end, or with a fault. */
static X509 *
read_certificate(BIO *bio, enum tls_part part, struct tls_fault *fault)
{
	X509 *certificate;

	ERR_clear_error();
	fault->text[0] = '\0';
	certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	if (certificate == NULL &&
	    ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		blame(fault, part, "holds a certificate that is damaged: %s",
		    reason());
	return certificate;
}

/* The certificate ------------------------------------------------------- */

static int64_t
wall_ms(const ASN1_TIME *time)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm) != 1)
		return 0;
	return (int64_t)timegm(&tm) * 1000;
}

static void
describe(X509 *certificate, struct tls_certificate *facts)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	BIO *bio = BIO_new(BIO_s_mem());
	int got = -1;

	if (bio != NULL && X509_NAME_print_ex(bio,
		X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) >= 0)
		got = BIO_read(bio, facts->subject,
		    (int)sizeof(facts->subject) - 1);
	facts->subject[got > 0 ? got : 0] = '\0';
	BIO_free(bio);
	if (X509_digest(certificate, EVP_sha256(), digest, &len) != 1)
		len = 0;
	for (unsigned int i = 0; i < len && i < 32; i++)
		snprintf(facts->fingerprint + 2 * i, 3, "%02x", digest[i]);
	facts->not_before_wall_ms = wall_ms(X509_get0_notBefore(certificate));
	facts->not_after_wall_ms = wall_ms(X509_get0_notAfter(certificate));
}

/* Those that signed it, for clients that know only the root. */
static int
use_chain(SSL_CTX *ctx, BIO *bio, struct tls_fault *fault)
{
	X509 *signer;

	while ((signer = read_certificate(bio, TLS_CERTIFICATE, fault)) !=
	    NULL) {
		if (SSL_CTX_add0_chain_cert(ctx, signer) != 1) {
			X509_free(signer);
			return blame(fault, TLS_CERTIFICATE, "%s", reason());
		}
	}
	return fault->text[0] == '\0' ? 0 : -1;
}

static int
use_certificate(struct tls_context *context, const struct buf *text,
    struct tls_fault *fault)
{
	BIO *bio = open_text(text);
	X509 *certificate = NULL;
	int result = -1;

	if (bio == NULL)
		return blame(fault, TLS_CERTIFICATE, "out of memory");
	certificate = read_certificate(bio, TLS_CERTIFICATE, fault);
	if (certificate == NULL && fault->text[0] == '\0')
		blame(fault, TLS_CERTIFICATE,
		    "holds no certificate; give one in PEM");
	if (certificate == NULL)
		goto done;
	describe(certificate, &context->certificate);
	if (SSL_CTX_use_certificate(context->ctx, certificate) != 1)
		blame(fault, TLS_CERTIFICATE, "cannot be used: %s", reason());
	else
		result = use_chain(context->ctx, bio, fault);
done:
	X509_free(certificate);
	BIO_free(bio);
	return result;
}

/* The key ---------------------------------------------------------------- */

/* A daemon has nobody to ask. */
static int
refuse_passphrase(char *text, int size, int is_writing, void *was_asked)
{
	(void)text;
	(void)size;
	(void)is_writing;
	*(bool *)was_asked = true;
	return -1;
}

static int
use_key(struct tls_context *context, const struct buf *text,
    struct tls_fault *fault)
{
	BIO *bio = open_text(text);
	bool was_asked = false;
	EVP_PKEY *key;
	int result = 0;

	ERR_clear_error();
	if (bio == NULL)
		return blame(fault, TLS_KEY, "out of memory");
	key = PEM_read_bio_PrivateKey(bio, NULL, refuse_passphrase,
	    &was_asked);
	BIO_free(bio);
	if (key == NULL && was_asked)
		return blame(fault, TLS_KEY, "is encrypted, and there is "
		    "nobody to ask for the passphrase; decrypt it with "
		    "openssl pkey");
	if (key == NULL && (text->len == 0 || memmem(text->data, text->len,
		KEY_LINE, sizeof(KEY_LINE) - 1) == NULL))
		return blame(fault, TLS_KEY,
		    "holds no private key; give one in PEM");
	if (key == NULL)
		return blame(fault, TLS_KEY, "holds a key that is damaged: %s",
		    reason());
	if (X509_check_private_key(SSL_CTX_get0_certificate(context->ctx),
		key) != 1)
		result = blame(fault, TLS_KEY,
		    "is not the key of the first certificate");
	else if (SSL_CTX_use_PrivateKey(context->ctx, key) != 1)
		result = blame(fault, TLS_KEY, "cannot be used: %s", reason());
	EVP_PKEY_free(key);
	return result;
}

/* Clients ---------------------------------------------------------------- */

static int
add_authority(SSL_CTX *ctx, X509 *authority, struct tls_fault *fault)
{
	if (X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), authority) == 1 &&
	    SSL_CTX_add_client_CA(ctx, authority) == 1)
		return 0;
	return blame(fault, TLS_CLIENT_CA, "%s", reason());
}

static int
use_client_ca(SSL_CTX *ctx, const struct buf *text, struct tls_fault *fault)
{
	BIO *bio = open_text(text);
	uint32_t count = 0;
	int result = 0;
	X509 *authority;

	if (bio == NULL)
		return blame(fault, TLS_CLIENT_CA, "out of memory");
	while (result == 0 && (authority = read_certificate(bio,
		TLS_CLIENT_CA, fault)) != NULL) {
		result = add_authority(ctx, authority, fault);
		X509_free(authority);
		count++;
	}
	BIO_free(bio);
	if (result == 0 && fault->text[0] != '\0')
		result = -1;
	if (result == 0 && count == 0)
		result = blame(fault, TLS_CLIENT_CA,
		    "holds no certificate; give some in PEM");
	SSL_CTX_set_verify(ctx,
	    SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return result;
}

/* Contexts --------------------------------------------------------------- */

static int
set_policy(SSL_CTX *ctx, const struct tls_setting *setting,
    struct tls_fault *fault)
{
	const char *ciphers = *setting->ciphers == '\0' ? CIPHERS :
							  setting->ciphers;
	int least = setting->min_version == TLS_1_3 ? TLS1_3_VERSION :
						      TLS1_2_VERSION;

	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION |
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
	    SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (SSL_CTX_set_num_tickets(ctx, 0) != 1 ||
	    SSL_CTX_set_min_proto_version(ctx, least) != 1)
		return blame(fault, TLS_CERTIFICATE, "%s", reason());
	if (SSL_CTX_set_cipher_list(ctx, ciphers) != 1)
		return blame(fault, TLS_CIPHERS,
		    "is no list of ciphers; see ciphers(1)");
	return 0;
}

static int
fill(struct tls_context *context, const struct tls_material *material,
    const struct tls_setting *setting, struct tls_fault *fault)
{
	const struct buf *key = material->key.len > 0 ?
	    &material->key :
	    &material->certificate;

	if (set_policy(context->ctx, setting, fault) == -1 ||
	    use_certificate(context, &material->certificate, fault) == -1 ||
	    use_key(context, key, fault) == -1)
		return -1;
	if (material->client_ca.len == 0)
		return 0;
	return use_client_ca(context->ctx, &material->client_ca, fault);
}

int
tls_context_new(const struct tls_material *material,
    const struct tls_setting *setting, struct tls_context **context_r,
    struct tls_fault *fault)
{
	struct tls_context *context = calloc(1, sizeof(*context));

	*context_r = NULL;
	if (context == NULL)
		return blame(fault, TLS_CERTIFICATE, "out of memory");
	context->ctx = SSL_CTX_new(TLS_server_method());
	if (context->ctx == NULL)
		blame(fault, TLS_CERTIFICATE, "%s", reason());
	else if (fill(context, material, setting, fault) == 0)
		*context_r = context;
	ERR_clear_error();
	if (*context_r != NULL)
		return 0;
	tls_context_free(&context);
	return -1;
}

void
tls_context_free(struct tls_context **p)
{
	struct tls_context *context = *p;

	*p = NULL;
	if (context == NULL)
		return;
	SSL_CTX_free(context->ctx);
	free(context);
}

const struct tls_certificate *
tls_context_certificate(const struct tls_context *context)
{
	return &context->certificate;
}

struct ssl_st *
tls_context_make(const struct tls_context *context)
{
	return SSL_new(context->ctx);
}
