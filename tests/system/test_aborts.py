# SPDX-License-Identifier: ISC
"""Clients and a backend that leave whenever they like (see harness/play.py),
well or badly: nothing of them stays behind in a worker."""

import random
import socket
import struct

import pytest

from harness.play import UPGRADE, End, Play, post
from harness.wait import wait_until

CLIENTS, AT_ONCE = 300, 24
BODY_MAX = 200_000


class Careless(End):
    """Sends what it likes, and does not look at what comes back."""

    def __init__(self, connection, dice):
        super().__init__(connection, dice)
        for _ in range(dice.randint(1, 3)):
            self.out += post(dice.randbytes(dice.randint(0, BODY_MAX)), dice)
        if dice.random() < 0.2:
            self.out += UPGRADE + dice.randbytes(dice.randint(0, BODY_MAX))
        if dice.random() < 0.3:
            self.end()
        # How many moves it makes, and whether it says goodbye.
        self.patience = dice.choice((dice.randint(0, 10),
                                     dice.randint(0, 200)))

    def take(self):
        self.came.clear()
        self.is_over = self.has_ended


class Aborts(Play):
    begun = 0

    def begin(self):
        while len(self.clients) < AT_ONCE and self.begun < CLIENTS:
            self.clients.append(Careless(self.connect(), self.dice))
            self.begun += 1

    def leave(self, client):
        super().leave(client)
        self.begin()

    def rest(self, ends):
        if not self.step(ends, wait=0):
            self.abort(self.dice.choice(self.clients))

    def abort(self, end):
        if self.dice.random() < 0.5:            # with a reset
            end.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                      struct.pack("ii", 1, 0))
        end.connection.close()
        end.is_over = True
        if end in self.echoes:
            self.echoes.remove(end)

    def move(self, end, how):
        try:
            super().move(end, how)
        except OSError:                         # sluice has cut it off
            self.abort(end)
            return
        if isinstance(end, Careless):
            end.patience -= 1
            if end.patience <= 0:
                self.abort(end)
        elif self.dice.random() < 0.02:
            self.abort(end)


@pytest.mark.parametrize("seed", range(6))
def test_nothing_stays_behind(sluice, backend, seed):
    proxy = sluice("workers = 1")
    pids = wait_until(proxy.worker_pids)
    play = Aborts(proxy, random.Random(seed))
    try:
        play.begin()
        play.run()
    finally:
        play.close()
    for gauge in ("sluice_connections_open", "sluice_connections_idle",
                  "sluice_requests_in_flight", "sluice_tunnels_open",
                  "sluice_upstream_idle"):
        wait_until(lambda: proxy.metric(gauge) == 0, what=gauge)
    proxy.register("after", backend().url, "/after")
    assert proxy.ask_traffic("GET", "/after/x") == 200
    assert proxy.worker_pids() == pids
