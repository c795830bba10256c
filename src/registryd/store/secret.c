/*
 * registryd/store/secret.c - what is kept of a secret: its SHA-256.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/secret.h"

#include <openssl/sha.h>
#include <stdio.h>

void
secret_hash(struct bytes secret, char hash_r[SECRET_HASH_SIZE])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)secret.data, secret.len, digest);
	for (int i = 0; i < SHA256_DIGEST_LENGTH; i++)
		snprintf(hash_r + 2 * i, 3, "%02x", digest[i]);
}
