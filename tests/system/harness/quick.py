# SPDX-License-Identifier: ISC
"""A backend that answers fast: a thread a connection, a write an answer."""

import socket
import threading
import time

from .addresses import own_address


class QuickBackend:
    """status may be changed at any time; at has when requests came."""

    def __init__(self, address=None):
        self.status = 200
        self.at = []
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
                buffer = buffer.partition(b"\r\n\r\n")[2]
                self.at.append(time.monotonic())
                connection.sendall(
                    b"HTTP/1.1 %d X\r\nContent-Length: 2\r\n\r\nok"
                    % self.status)
        except OSError:
            pass
        finally:
            connection.close()

    @property
    def requests(self):
        return self.at

    def close(self):
        self.listener.close()
