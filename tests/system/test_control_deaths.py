# SPDX-License-Identifier: ISC
"""Limits and breakers stand while registryd and healthd are killed."""

import threading

import pytest

from harness.hammer import Hammer
from harness.quick import QuickBackend
from harness.wait import wait_until

ROLES = ("registryd", "healthd")


class HoldingBackend(QuickBackend):
    """One that answers when it may; held counts who waits, or did."""

    def __init__(self):
        self.answer = 200
        self.held = 0
        self.may_answer = threading.Event()
        self.may_answer.set()
        super().__init__()

    @property
    def status(self):
        if not self.may_answer.is_set():
            self.held += 1
            self.may_answer.wait(120)
        return self.answer

    @status.setter
    def status(self, status):
        self.answer = status


@pytest.fixture
def server():
    one = HoldingBackend()
    yield one
    one.may_answer.set()
    one.close()


def make(proxy, url, service=None, route=None):
    """A service with a backend and a route; the backend's id."""
    answer = proxy.ask("PUT", "/v1/services/users", {
        "name": "users", "probe": {"kind": "off"}, **(service or {})})
    assert answer.status in (200, 201), answer
    answer = proxy.post("/v1/services/users/backends", {"url": url})
    assert answer.status == 201, answer
    backend_id = answer.json["id"]
    answer = proxy.post("/v1/routes", {"service": "users",
                                       "prefixes": ["/"], **(route or {})})
    assert answer.status == 201, answer
    return backend_id


@pytest.mark.timeout(120)
def test_a_limit_is_exact_while_the_control_plane_dies(sluice, server):
    proxy = sluice("workers = 4")
    make(proxy, server.url,
         route={"rate_limit": {"requests": 10000, "window_ms": 3600000}})
    hammer = Hammer(proxy.address, proxy.port,
                    sources=[f"127.201.0.{i // 4 + 1}" for i in range(8)])
    for role in ROLES:              # while it is used up
        hammer.wait_for_more()
        proxy.kill_role(role)
    wait_until(lambda: all(counter[429] for counter in hammer.counts), 60)
    for role in ROLES:              # and when nothing is left
        proxy.kill_role(role)
        hammer.wait_for_more()
    hammer.stop()
    assert not hammer.errors
    assert hammer.count() == hammer.count(200, 429)
    for first in 0, 4:              # the connections of one address
        assert sum(counter[200] for counter
                   in hammer.counts[first:first + 4]) == 10000
    assert len(server.seen) == 20000


@pytest.mark.timeout(120)
def test_trials_are_no_more_while_the_control_plane_dies(sluice, server):
    proxy = sluice("workers = 4")
    backend_id = make(proxy, server.url, service={"breaker": {
        "threshold": 5, "open_ms": 1000, "half_open_requests": 3}})
    hammer = Hammer(proxy.address, proxy.port, threads=8)

    def state():
        return proxy.get(f"/v1/backends/{backend_id}/breaker").json["state"]

    hammer.wait_for_more()
    server.status = 500
    wait_until(lambda: state() == "open")
    hammer.wait_for_more()          # what began before is answered
    server.may_answer.clear()
    wait_until(lambda: server.held == 3)
    assert state() == "half-open"
    # Their round is open: trials that are not answered are given 30 s.
    for role in ROLES:
        proxy.kill_role(role)
        enough = hammer.count(503) + 200
        wait_until(lambda: hammer.count(503) >= enough)
        assert state() == "half-open"
        assert server.held == 3
    server.status = 200
    server.may_answer.set()
    wait_until(lambda: state() == "closed")
    closed = hammer.mark()
    hammer.wait_for_more()
    hammer.stop()
    assert set(hammer.statuses(closed, hammer.mark())) == {200}
    assert not hammer.errors
