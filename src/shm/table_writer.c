/*
 * shm/table_writer.c - batches: what registryd calls.
 */
/* SPDX-License-Identifier: ISC */
#include "shm/table_writer.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "shm/table_change.h"

struct table_writer {
	struct table_store store;
	struct packer packer;
	bool in_batch;
	bool has_failed;		/* the batch can only be aborted */
};

int
table_writer_open(int fd, struct table_writer **writer_r)
{
	struct table_writer *writer;
	int saved_errno;

	if ((writer = calloc(1, sizeof(*writer))) == NULL) {
		close(fd);
		errno = ENOMEM;
		return -1;
	}
	if (table_store_open(&writer->store, fd) == -1) {
		saved_errno = errno;
		free(writer);
		errno = saved_errno;
		return -1;
	}
	*writer_r = writer;
	return 0;
}

void
table_writer_close(struct table_writer **p)
{
	struct table_writer *writer = *p;

	*p = NULL;
	if (writer == NULL)
		return;
	if (writer->in_batch)
		table_writer_abort(writer);
	store_close(&writer->store);
	pack_free(&writer->packer);
	free(writer);
}

void
table_writer_begin(struct table_writer *writer)
{
	invariant(!writer->in_batch);
	writer->in_batch = true;
	writer->has_failed = false;
	store_begin(&writer->store);
}

/* Takes down what became of a change; ENOENT leaves the batch good. */
static int
note(struct table_writer *writer, int result)
{
	if (result == -1 && errno != ENOENT)
		writer->has_failed = true;
	return result;
}

int
table_writer_put_backend(struct table_writer *writer, uint32_t *slot,
    const struct backend_spec *spec)
{
	invariant(writer->in_batch);
	return note(writer,
	    change_put_backend(&writer->store, &writer->packer, slot, spec));
}

int
table_writer_put_service(struct table_writer *writer, uint32_t *slot,
    const struct service_spec *spec)
{
	invariant(writer->in_batch);
	return note(writer,
	    change_put_service(&writer->store, &writer->packer, slot, spec));
}

int
table_writer_put_route(struct table_writer *writer, uint32_t *slot,
    const struct route_spec *spec)
{
	invariant(writer->in_batch);
	return note(writer,
	    change_put_route(&writer->store, &writer->packer, slot, spec));
}

int
table_writer_put_path(struct table_writer *writer, const struct path_key *key,
    const struct path_spec *spec)
{
	invariant(writer->in_batch);
	return note(writer, change_put_path(&writer->store, key, spec));
}

int
table_writer_remove_backend(struct table_writer *writer, uint32_t slot)
{
	invariant(writer->in_batch);
	return note(writer, change_remove_backend(&writer->store, slot));
}

int
table_writer_remove_service(struct table_writer *writer, uint32_t slot)
{
	invariant(writer->in_batch);
	return note(writer, change_remove_service(&writer->store, slot));
}

int
table_writer_remove_route(struct table_writer *writer, uint32_t slot)
{
	invariant(writer->in_batch);
	return note(writer, change_remove_route(&writer->store, slot));
}

int
table_writer_remove_path(struct table_writer *writer,
    const struct path_key *key)
{
	invariant(writer->in_batch);
	return note(writer, change_remove_path(&writer->store, key));
}

void
table_writer_commit(struct table_writer *writer, uint64_t generation)
{
	invariant(writer->in_batch && !writer->has_failed);
	store_publish(&writer->store, generation);
	writer->in_batch = false;
}

void
table_writer_abort(struct table_writer *writer)
{
	invariant(writer->in_batch);
	store_revert(&writer->store);
	writer->in_batch = false;
}
