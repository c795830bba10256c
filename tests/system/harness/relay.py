# SPDX-License-Identifier: ISC
"""A TCP relay before a server, that can go silent."""

import selectors
import socket
import threading


class Relay:
    """Passes bytes on in both directions, or keeps them for itself."""

    def __init__(self, port, address="127.0.0.1"):
        self.server = (address, port)
        self.listener = socket.create_server((address, 0))
        self.port = self.listener.getsockname()[1]
        self.peers = {}
        self.is_frozen = False
        self.lock = threading.Lock()
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.wakeup, self.waker = socket.socketpair()
        self.selector.register(self.wakeup, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def freeze(self):
        """Nothing passes any more, and nobody is told."""
        with self.lock:
            self.is_frozen = True

    def thaw(self):
        """Those that were silent are cut; new ones pass."""
        with self.lock:
            self.is_frozen = False
            for client in list(self.peers):
                self.drop(client)

    def close(self):
        self.waker.close()
        self.thread.join()

    # The thread

    def accept(self):
        client, _ = self.listener.accept()
        try:
            server = socket.create_connection(self.server)
        except OSError:
            client.close()
            return
        self.peers[client], self.peers[server] = server, client
        if not self.is_frozen:
            self.selector.register(client, selectors.EVENT_READ)
            self.selector.register(server, selectors.EVENT_READ)

    def drop(self, one):
        other = self.peers.pop(one, None)
        for end in (one, other):
            if end is None:
                continue
            self.peers.pop(end, None)
            try:
                self.selector.unregister(end)
            except (KeyError, ValueError):
                pass
            end.close()

    def silence(self, one):
        for end in (one, self.peers[one]):
            try:
                self.selector.unregister(end)
            except KeyError:
                pass

    def pass_on(self, one):
        if one not in self.peers:
            return
        if self.is_frozen:
            self.silence(one)
            return
        try:
            data = one.recv(65536)
            if data:
                self.peers[one].sendall(data)
                return
        except OSError:
            pass
        self.drop(one)

    def run(self):
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.wakeup:
                    self.finish()
                    return
                with self.lock:
                    if key.fileobj is self.listener:
                        self.accept()
                    else:
                        self.pass_on(key.fileobj)

    def finish(self):
        for one in list(self.peers):
            self.drop(one)
        self.listener.close()
        self.wakeup.close()
