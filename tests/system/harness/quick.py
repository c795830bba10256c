# SPDX-License-Identifier: ISC
"""A backend that answers fast: a thread a connection, a write an answer."""

import socket
import threading

from .addresses import own_address


class QuickBackend:
    """status may be changed at any time; seen has the numbers of requests,
    in the order they came (see Hammer; -1 is somebody else's)."""

    def __init__(self, address=None):
        self.status = 200
        self.seen = []
        self.listener = socket.create_server((address or own_address(), 0),
                                             backlog=512)
        self.url = "http://%s:%d" % self.listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,),
                             daemon=True).start()

    def _serve(self, connection):
        buffer = b""
        try:
            while True:
                while b"\r\n\r\n" not in buffer:
                    data = connection.recv(65536)
                    if not data:
                        return
                    buffer += data
                head, _, buffer = buffer.partition(b"\r\n\r\n")
                number = head.split(b" ", 2)[1].partition(b"?")[2]
                self.seen.append(int(number or -1))
                connection.sendall(
                    b"HTTP/1.1 %d X\r\nContent-Length: 2\r\n\r\nok"
                    % self.status)
        except OSError:
            pass
        finally:
            connection.close()

    def close(self):
        self.listener.close()
