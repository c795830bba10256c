# SPDX-License-Identifier: ISC
"""Clients that ask as fast as they can, and note what they got in which order."""

import itertools
import socket
import threading
from collections import Counter

from .wait import wait_until


class Hammer:
    """Threads with a keep-alive connection each.

    Every request draws a number as it begins and carries it as its query,
    so that it is known which began before and after a mark().  results
    has a list for each thread, of (number, status).
    """

    def __init__(self, address, port, path="/", threads=2, sources=None):
        self.target = (address, port)
        self.sources = sources or [None] * threads
        self.numbers = itertools.count()
        self.head = f"GET {path}?%d HTTP/1.1\r\nHost: test\r\n\r\n".encode()
        self.results = [[] for _ in self.sources]
        self.counts = [Counter() for _ in self.sources]
        self.errors = []
        self.is_over = False
        self.threads = [
            threading.Thread(target=self._run, args=(i,), daemon=True)
            for i in range(len(self.sources))]
        for thread in self.threads:
            thread.start()

    def _connect(self, source):
        # Each address of a test has its own port range.
        bind = (source, 0) if source else None
        connection = socket.create_connection(self.target, 10, bind)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _run(self, index):
        connection, buffer = None, b""
        while not self.is_over:
            try:
                if connection is None:
                    connection, buffer = self._connect(
                        self.sources[index]), b""
                number = next(self.numbers)
                connection.sendall(self.head % number)
                status, closes, buffer = read_answer(connection, buffer)
                self.results[index].append((number, status))
                self.counts[index][status] += 1
                if closes:
                    connection.close()
                    connection = None
            except OSError as error:
                if not self.is_over:
                    self.errors.append(repr(error))
                connection = None

    def mark(self):
        """A number between those of what began before and will begin."""
        return next(self.numbers)

    def count(self, *statuses):
        """How many answers there were, of all statuses or of these."""
        return sum(counter[status] for counter in self.counts
                   for status in statuses or list(counter))

    def wait_for_more(self, count=200):
        """Until each thread has begun anew and been answered, and there
        are so many answers more."""
        mark, enough = self.mark(), self.count() + count
        wait_until(lambda: self.count() >= enough and all(
            result and result[-1][0] > mark for result in self.results),
            what="answers to the hammer")

    def statuses(self, after, before):
        """Of the answered requests that began between two marks."""
        return [status for result in self.results
                for number, status in list(result)
                if after < number < before]

    def stop(self):
        self.is_over = True
        for thread in self.threads:
            thread.join(20)


def read_answer(connection, buffer=b""):
    while b"\r\n\r\n" not in buffer:
        data = connection.recv(65536)
        if not data:
            raise ConnectionError("closed before an answer")
        buffer += data
    head, _, rest = buffer.partition(b"\r\n\r\n")
    lower = head.lower()
    start = lower.index(b"content-length:") + 15
    length = int(lower[start:].split(b"\r\n", 1)[0])
    while len(rest) < length:
        data = connection.recv(65536)
        if not data:
            raise ConnectionError("closed within an answer")
        rest += data
    status = int(head[9:12])
    return status, b"connection: close" in lower, rest[length:]
