/*
 * daemon/tls_material.c - what a TLS listener shows and holds, as texts.
 *
 * In the memfd: the lengths of the three texts, then the texts.
 */
/* SPDX-License-Identifier: ISC */
#include "daemon/tls_material.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "daemon/sealed.h"

#define TEXTS 3

static void
wipe(struct buf *text)
{
	if (text->data != NULL)
		explicit_bzero(text->data, text->size);
	buf_free(text);
}

void
tls_material_clear(struct tls_material *material)
{
	wipe(&material->certificate);
	wipe(&material->key);
	wipe(&material->client_ca);
}

bool
tls_material_is_equal(const struct tls_material *a,
    const struct tls_material *b)
{
	return bytes_equal(buf_bytes(&a->certificate),
		   buf_bytes(&b->certificate)) &&
	    bytes_equal(buf_bytes(&a->key), buf_bytes(&b->key)) &&
	    bytes_equal(buf_bytes(&a->client_ca), buf_bytes(&b->client_ca));
}

int
tls_material_seal(const struct tls_material *material)
{
	const struct buf *texts[TEXTS] = { &material->certificate,
		&material->key, &material->client_ca };
	uint64_t lens[TEXTS];
	struct buf whole = { 0 };
	size_t size = sizeof(lens) + 1;
	int fd = -1;

	for (int i = 0; i < TEXTS; i++) {
		lens[i] = texts[i]->len;
		size += texts[i]->len;
	}
	/* room for all at once: nothing of it is left behind by growing */
	if (buf_reserve(&whole, size) == -1)
		return -1;
	buf_append(&whole, bytes_slice((const char *)lens, sizeof(lens)));
	for (int i = 0; i < TEXTS; i++)
		buf_append(&whole, buf_bytes(texts[i]));
	fd = sealed_new("sluice.tls", buf_bytes(&whole));
	wipe(&whole);
	return fd;
}

/* Takes len bytes off the front of *rest.  0 or -1. */
static int
take_text(struct bytes *rest, uint64_t len, struct buf *text)
{
	if (len > rest->len) {
		errno = EPROTO;
		return -1;
	}
	buf_append(text, bytes_slice(rest->data, (size_t)len));
	*rest = bytes_slice(rest->data + len, rest->len - (size_t)len);
	if (!text->is_failed)
		return 0;
	errno = ENOMEM;
	return -1;
}

static int
take_texts(struct bytes rest, struct tls_material *material)
{
	uint64_t lens[TEXTS];

	if (rest.len < sizeof(lens)) {
		errno = EPROTO;
		return -1;
	}
	memcpy(lens, rest.data, sizeof(lens));
	rest = bytes_slice(rest.data + sizeof(lens), rest.len - sizeof(lens));
	if (take_text(&rest, lens[0], &material->certificate) == -1 ||
	    take_text(&rest, lens[1], &material->key) == -1)
		return -1;
	return take_text(&rest, lens[2], &material->client_ca);
}

int
tls_material_read(int fd, struct tls_material *material_r)
{
	struct buf whole = { 0 };
	int result = -1;

	*material_r = (struct tls_material){ 0 };
	if (sealed_read(fd, &whole) == 0)
		result = take_texts(buf_bytes(&whole), material_r);
	wipe(&whole);
	if (result == -1)
		tls_material_clear(material_r);
	return result;
}
