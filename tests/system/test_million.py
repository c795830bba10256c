# SPDX-License-Identifier: ISC
"""A million routes: loaded in bulk, held in bounded memory, and one more."""

import os
import random
import sqlite3
import time

import pytest

COUNT = 1_000_000
HOSTS = 1000
SERVICES = 100


def fill(path, url):
    """Puts a million routes into a store that sluice made before."""
    store = sqlite3.connect(path)
    store.execute("PRAGMA synchronous = OFF")
    now = int(time.time() * 1000)
    times = (now, now, 1)
    with store:
        store.execute("UPDATE generation SET value = 1")
        store.executemany(
            "INSERT INTO service VALUES (?, 'api', 'round_robin', '', 0, 0,"
            " 0, 1, 'connect', 0, 0, 0, 0, 200, 399, '/', '', ?, ?, ?)",
            ((f"service-{i}", *times) for i in range(SERVICES)))
        store.executemany(
            "INSERT INTO backend VALUES (NULL, 'api', ?, ?, 1, 0, ?, ?, ?)",
            ((f"service-{i}", url, *times) for i in range(SERVICES)))
        store.executemany(
            "INSERT INTO route VALUES (?, 'api', '', ?, ?, 0, 0, 0, '', 0,"
            " '[]', ?, ?, ?)",
            ((i + 1, f'["h{i % HOSTS}.example"]', f'["{prefix(i)}"]', *times)
             for i in range(COUNT)))
        store.executemany(
            "INSERT INTO route_target VALUES (?, 0, ?, 1)",
            ((i + 1, f"service-{i % SERVICES}") for i in range(COUNT)))
    store.close()


def prefix(i):
    return f"/tenant/{i}"


@pytest.mark.timeout(400)
def test_a_million_routes(sluice, backend):
    server = backend(name="b")
    # A million backends' probes are not the subject.
    proxy = sluice('workers = 2\nhealth { interval = "1h" }')
    assert proxy.stop() == 0
    fill(proxy.home / "state" / "sluice.db", server.url)
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
