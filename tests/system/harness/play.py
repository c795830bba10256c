# SPDX-License-Identifier: ISC
"""Clients and a backend that read and write in any order, in pieces of any
size, and each now and then not at all.

One thread plays all of them, over sockets with small buffers, so that any
side may be the one that waits.
"""

import select
import socket

SOCKET_BUFFER = 4096            # the kernel doubles it
ECHO_MAX = 65536                # what an echo holds before it stops reading
PIECE_MAX = 40_000
ERA = 60                        # steps; then others are mute


class End:
    """One end of a connection; it moves some bytes when it is told to."""

    def __init__(self, connection, dice):
        connection.setblocking(False)
        self.connection, self.dice = connection, dice
        self.came, self.out = bytearray(), bytearray()
        self.is_ending = False          # behind what is in out
        self.has_ended = self.is_over = False

    def fileno(self):
        return self.connection.fileno()

    def may_read(self):
        return not self.has_ended

    def may_write(self):
        return len(self.out) > 0

    def end(self):
        self.is_ending = True
        if not self.out:
            self.connection.shutdown(socket.SHUT_WR)

    def read(self):
        data = self.connection.recv(self.dice.randint(1, PIECE_MAX))
        self.has_ended = not data
        self.came += data
        self.take()

    def write(self):
        size = self.dice.randint(1, PIECE_MAX)
        del self.out[:self.connection.send(self.out[:size])]
        if not self.out and self.is_ending:
            self.connection.shutdown(socket.SHUT_WR)


UPGRADE = (b"GET /echo HTTP/1.1\r\nHost: play.example\r\n"
           b"Connection: upgrade\r\nUpgrade: echo\r\n\r\n")


def post(body, dice):
    """A request, in one framing or the other."""
    head = b"POST /echo HTTP/1.1\r\nHost: play.example\r\n"
    if dice.random() < 0.5:
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    chunks = bytearray()
    while body:
        size = dice.randint(1, PIECE_MAX)
        chunks += b"%x\r\n%b\r\n" % (len(body[:size]), body[:size])
        body = body[size:]
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + \
        b"0\r\n\r\n"


def cut_head(came):
    """The head's lines, taken out; None as long as it is not whole."""
    head, end, _ = came.partition(b"\r\n\r\n")
    if not end:
        return None
    del came[:len(head) + 4]
    return head.decode().split("\r\n")


def field(lines, name):
    for line in lines[1:]:
        if line.lower().startswith(name + ":"):
            return line.partition(":")[2].strip()
    return None


def cut_chunks(came):
    """Data of the chunks that are whole, taken out; and whether the last of
    them was there."""
    data = bytearray()
    while (at := came.find(b"\r\n")) != -1:
        size = int(came[:at].split(b";")[0], 16)
        if len(came) < at + 4 + size:
            break
        data += came[at + 2:at + 2 + size]
        del came[:at + 4 + size]
        if size == 0:
            return data, True
    return data, False


class Body:
    """What is left to come of one."""

    def __init__(self, lines):
        self.is_raw = field(lines, "upgrade") is not None
        self.is_chunked = field(lines, "transfer-encoding") == "chunked"
        self.left = int(field(lines, "content-length") or 0)
        self.is_over = not (self.is_raw or self.is_chunked or self.left)

    def cut(self, came):
        if self.is_chunked:
            data, self.is_over = cut_chunks(came)
            return data
        size = len(came) if self.is_raw else min(self.left, len(came))
        data = came[:size]
        del came[:size]
        self.left -= size
        self.is_over = not self.is_raw and self.left == 0
        return data


class Echo(End):
    """Gives a body back in its framing: while it comes, or once all of it
    is there."""

    body = None
    is_patient = False

    def may_read(self):
        return super().may_read() and len(self.out) < ECHO_MAX

    def begin(self, lines):
        self.body = Body(lines)
        self.is_patient = not self.body.is_raw and self.dice.random() < 0.5
        self.kept = bytearray()
        if self.body.is_raw:
            self.out += (b"HTTP/1.1 101 Switching Protocols\r\n"
                         b"Connection: upgrade\r\nUpgrade: echo\r\n\r\n")
        elif self.body.is_chunked:
            self.out += (b"HTTP/1.1 200 OK\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n")
        else:
            self.out += (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" %
                         self.body.left)
        if self.is_patient:
            self.kept, self.out = self.out, bytearray()

    def give(self, data):
        if self.is_patient:
            self.kept += self.frame(data)
            if self.body.is_over:
                self.out += self.kept
        else:
            self.out += self.frame(data)

    def frame(self, data):
        if not self.body.is_chunked:
            return data
        chunk = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
        return chunk + b"0\r\n\r\n" if self.body.is_over else chunk

    def take(self):
        while True:
            if self.body is None:
                lines = cut_head(self.came)
                if lines is None:
                    break
                self.begin(lines)
            self.give(self.body.cut(self.came))
            if not self.body.is_over:
                break
            self.body = None
        if self.has_ended:
            self.end()


class Play:
    """All ends, in one thread, until no client is left."""

    def __init__(self, proxy, dice):
        self.proxy, self.dice = proxy, dice
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.make_small(self.listener)
        self.listener.setblocking(False)
        self.clients, self.echoes = [], []
        proxy.register("echo", self.url, "/echo")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    @staticmethod
    def make_small(connection):
        for name in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            connection.setsockopt(socket.SOL_SOCKET, name, SOCKET_BUFFER)

    def connect(self):
        connection = socket.socket()
        self.make_small(connection)
        connection.connect((self.proxy.address, self.proxy.port))
        return connection

    def leave(self, client):
        """It is over."""
        self.clients.remove(client)
        client.connection.close()

    def move(self, end, how):
        try:
            how()
        except BlockingIOError:
            pass

    def step(self, ends, wait):
        """Moves something at some ends; False when there is nothing within
        wait seconds."""
        readers = [end for end in ends if end.may_read()]
        writers = [end for end in ends if end.may_write()]
        readable, writable, _ = select.select([self.listener, *readers],
                                              writers, [], wait)
        moves = [(end, end.write) for end in writable] + \
            [(end, end.read) for end in readable if end is not self.listener]
        if self.listener in readable:
            self.echoes.append(Echo(self.listener.accept()[0], self.dice))
        for end, how in self.dice.sample(moves, min(len(moves), 3)):
            if end.fileno() != -1:
                self.move(end, how)
        return bool(readable or writable)

    def rest(self, ends):
        """Those that are not mute have nothing to do."""
        assert self.step(ends, wait=20), "nothing moves any more"

    def run(self):
        steps = 0
        while self.clients:
            ends = self.clients + self.echoes
            if steps % ERA == 0:
                mute = set(self.dice.sample(ends, len(ends) // 2))
            some = [end for end in ends if end not in mute]
            if not self.step(some, wait=0):
                self.rest(ends)
            for client in [end for end in self.clients if end.is_over]:
                self.leave(client)
            steps += 1

    def close(self):
        for end in self.clients + self.echoes:
            end.connection.close()
        self.listener.close()
