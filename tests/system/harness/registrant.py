# SPDX-License-Identifier: ISC
"""A client of the registration protocol."""

import json
import socket


class Registrant:
    """One connection; say() gives the next line, whatever it is.

    With TLS where the proxy says so (proxy.tls, a context).
    """

    def __init__(self, proxy, timeout=20):
        self.socket = socket.create_connection(
            (proxy.address, proxy.registration_port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if proxy.tls is not None:
            self.socket = proxy.tls.wrap_socket(self.socket)
        self.buffer = b""
        self.sid = None

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes)
                            else data.encode())

    def read(self):
        """The next line, without its end; None: closed."""
        while b"\n" not in self.buffer:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                return None
            if not data:
                return None
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode()

    def say(self, line):
        self.send(line + "\n")
        return self.read()

    def register(self, service="billing", instance="a", port=0,
                 metadata="{}"):
        answer = self.say(f"REGISTER|{service}|{instance}|{port}|{metadata}")
        assert answer.startswith("ACK|"), answer
        self.sid = answer[4:]
        return self.sid

    def ask(self, word, *fields):
        """A command of this session."""
        return self.say("|".join([word, self.sid, *map(str, fields)]))

    def ask_json(self, word, *fields):
        """The JSON of a good answer."""
        answer = self.ask(word, *fields)
        assert "_OK|" in answer, answer
        text = answer.split("|", 1)[1]
        assert "|" not in text, text
        return json.loads(text)

    def route(self, domains, path, url, priority=0):
        """Stages a route; its id."""
        answer = self.ask("ROUTE_ADD", domains, path, url, priority)
        assert answer.startswith("ROUTE_OK|"), answer
        return answer[9:]

    def apply(self):
        answer = self.ask("CONFIG_APPLY")
        assert answer == "OK", answer

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
