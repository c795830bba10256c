# SPDX-License-Identifier: ISC
"""Nothing is forgotten: clients and a backend read and write in any order
(see harness/play.py), and what is sent comes back.  If nothing can move any
more and something is still missing, sluice owes somebody bytes.
"""

import random

import pytest

from harness.play import UPGRADE, Body, End, Play, cut_head, field, post

CLIENTS, REQUESTS = 24, 5
BODY_MAX = 300_000


class Client(End):
    """Sends its requests and compares what comes back; is over when all of
    it has, or when it is told that the connection closes."""

    def __init__(self, connection, dice, bodies):
        super().__init__(connection, dice)
        self.bodies = bodies
        self.is_tunnel = dice.random() < 0.2
        self.is_pipelining = dice.random() < 0.5
        self.half_closes = dice.random() < 0.5
        self.is_closing = False
        self.sent = self.got = 0
        self.answer, self.answer_body = bytearray(), None
        self.send()

    def send(self):
        """The next request; all that are left when it is pipelining."""
        count = 1 if self.is_tunnel or not self.is_pipelining \
            else len(self.bodies)
        for body in self.bodies[self.sent:self.sent + count]:
            self.out += UPGRADE if self.is_tunnel else post(body, self.dice)
            self.sent += 1
        if self.sent == len(self.bodies) and self.half_closes and \
                not self.is_tunnel:
            self.end()

    def take(self):
        while self.came and not self.is_over:
            if self.answer_body is None:
                lines = cut_head(self.came)
                if lines is None:
                    break
                assert lines[0].split()[1] in ("200", "101"), lines
                self.begin_answer(lines)
            self.answer += self.answer_body.cut(self.came)
            if not self.answer_body.is_over:
                break
            self.finish_answer(self.bodies[self.got])
        if self.has_ended and not self.is_over:
            assert self.is_tunnel, "cut off"
            assert self.answer == b"".join(self.bodies)
            self.got, self.is_over = len(self.bodies), True

    def begin_answer(self, lines):
        self.answer_body = Body(lines)
        self.is_closing = field(lines, "connection") == "close"
        if self.answer_body.is_raw:
            self.out += b"".join(self.bodies)
            self.end()

    def finish_answer(self, expected):
        assert self.answer == expected
        self.answer, self.answer_body = bytearray(), None
        self.got += 1
        self.is_over = self.is_closing or self.got == len(self.bodies)
        if not self.is_over and self.sent == self.got:
            self.send()


class Stalls(Play):
    def ask(self, bodies):
        self.clients.append(Client(self.connect(), self.dice, bodies))

    def leave(self, client):
        super().leave(client)
        if client.got < len(client.bodies):     # another asks for the rest
            self.ask(client.bodies[client.got:])


@pytest.mark.parametrize("seed", range(8))
def test_nothing_gets_stuck(sluice, seed):
    dice = random.Random(seed)
    play = Stalls(sluice("workers = 1"), dice)
    try:
        for _ in range(CLIENTS):
            play.ask([dice.randbytes(dice.choice(
                (0, 10, dice.randint(0, BODY_MAX))))
                for _ in range(REQUESTS)])
        play.run()
    finally:
        play.close()
