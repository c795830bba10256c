# SPDX-License-Identifier: ISC
"""Clients that ask as fast as they can, and note when they got what."""

import socket
import threading
import time


class Hammer:
    """Threads with a keep-alive connection each; results are (monotonic
    time of the answer, status)."""

    def __init__(self, address, port, path="/", threads=2, sources=None,
                 pause=0.0, headers=""):
        self.target = (address, port)
        self.sources = sources or [None] * threads
        self.pause = pause
        self.head = (f"GET {path} HTTP/1.1\r\nHost: test\r\n{headers}\r\n"
                     ).encode()
        self.results = [[] for _ in self.sources]
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
                connection.sendall(self.head)
                status, closes, buffer = read_answer(connection, buffer)
                self.results[index].append((time.monotonic(), status))
                if closes:
                    connection.close()
                    connection = None
            except OSError as error:
                if not self.is_over:
                    self.errors.append((time.monotonic(), repr(error)))
                connection = None
            if self.pause:
                time.sleep(self.pause)

    def stop(self):
        """All results, by time."""
        self.is_over = True
        for thread in self.threads:
            thread.join(20)
        return sorted(sum(self.results, []))


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
