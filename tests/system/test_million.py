# SPDX-License-Identifier: ISC
"""A million routes: loaded in bulk, held in bounded memory, and one more."""

import os
import random

import pytest

from harness.bulk import HOSTS, fill, prefix

COUNT = 1_000_000


@pytest.mark.timeout(400)
def test_a_million_routes(sluice, backend):
    server = backend(name="b")
    # A million backends' probes are not the subject.
    proxy = sluice('workers = 2\nhealth { interval = "1h" }')
    assert proxy.stop() == 0
    fill(proxy.home / "state" / "sluice.db", server.url, COUNT)
    proxy.start(timeout=180)

    for i in [0, 1, COUNT - 1] + random.sample(range(COUNT), 50):
        host = {"Host": f"h{i % HOSTS}.example"}
        assert proxy.ask_traffic("GET", prefix(i) + "/x", host) == 200, i
        assert proxy.ask_traffic("GET", prefix(i) + "0/x", host) in (200, 404)
    assert proxy.ask_traffic("GET", prefix(0), {"Host": "x"}) == 404

    table = os.stat(f"/dev/shm/sluice.{proxy.instance}/routes")
    assert table.st_blocks * 512 < 400 * COUNT

    # One more is there when the answer comes, in every worker.
    for i in range(20):
        proxy.register(f"more-{i}", server.url, f"/more-{i}")
        for _ in range(4):
            assert proxy.ask_traffic("GET", f"/more-{i}/x") == 200

    # What dies finds the million routes again at once.
    proxy.kill_role("worker")
    proxy.kill_role("registryd")
    assert proxy.ask_traffic("GET", prefix(7) + "/x",
                             {"Host": "h7.example"}) == 200
    proxy.register("last", server.url, "/last")
    assert proxy.ask_traffic("GET", "/last/x") == 200
