# SPDX-License-Identifier: ISC
"""The SQLite store under kills and on a full disk."""

import itertools
import os
import random
import signal
import sqlite3
import threading

import pytest

from harness.wait import wait_until

COMMITS = 1000


class Writers:
    """Threads that register services, one commit each, until there were
    so many answers; each answer is noted."""

    def __init__(self, proxy, url, count):
        self.proxy, self.url = proxy, url
        self.numbers = itertools.count()
        self.count = count
        self.answered = []      # (name, prefix), of those that were told
        self.threads = [threading.Thread(target=self.run) for _ in range(4)]
        for thread in self.threads:
            thread.start()

    def run(self):
        while len(self.answered) < self.count:
            i = next(self.numbers)
            try:
                answer = self.proxy.post("/register", {
                    "name": f"s{i}", "base_url": self.url,
                    "routes": [f"/p{i}"]})
            except OSError:
                continue        # cut: it may be there, or not
            if answer.status == 201:
                self.answered.append((f"s{i}", f"/p{i}"))
            else:
                assert answer.status == 503, answer

    def join(self):
        for thread in self.threads:
            thread.join()


def services_of(proxy):
    names, cursor = set(), ""
    while True:
        answer = proxy.get(f"/v1/services?limit=1000{cursor}")
        assert answer.status == 200, answer
        page = answer.json
        names |= {service["name"] for service in page["items"]}
        if page["next_cursor"] is None:
            return names
        cursor = "&cursor=" + page["next_cursor"]


def check_file(proxy, answered):
    """Whole, and with all that was answered, each once, and its history."""
    store = sqlite3.connect(proxy.home / "state" / "sluice.db")
    assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert store.execute("PRAGMA foreign_key_check").fetchall() == []
    names = {row[0] for row in store.execute("SELECT name FROM service")}
    routes = store.execute("SELECT count(*), (SELECT count(*) FROM service),"
                           " (SELECT count(*) FROM backend) FROM route")
    assert routes.fetchone() == (len(names),) * 3
    newest, count, generations = store.execute(
        "SELECT (SELECT value FROM generation), count(*), "
        "count(DISTINCT generation) FROM change").fetchone()
    assert newest == generations == len(names) and count == 3 * newest
    store.close()
    assert {name for name, _ in answered} <= names
    return names


@pytest.mark.timeout(300)
def test_what_was_answered_outlives_every_kill(sluice, backend):
    # Probes of a thousand backends are not the subject.
    proxy = sluice('workers = 2\nhealth { interval = "1h" }')
    seed = random.randrange(1 << 30)
    dice = random.Random(seed)
    writers = Writers(proxy, backend().url, COMMITS)
    try:
        for _ in range(10):
            more = len(writers.answered) + dice.randrange(1, 80)
            wait_until(lambda: len(writers.answered) >= min(more, COMMITS),
                       60, f"more answers, seed {seed}")
            proxy.kill_role("registryd")
    finally:
        writers.count = min(writers.count, len(writers.answered) + COMMITS)
        writers.join()
    assert len(writers.answered) >= COMMITS
    wait_until(lambda: proxy.get("/v1/services").status == 200)
    names = check_file(proxy, writers.answered)
    assert services_of(proxy) == names, seed
    for _, prefix in dice.sample(writers.answered, 50):
        assert proxy.ask_traffic("GET", prefix + "/x") == 200, prefix
    # All of it at once, in the middle of more.
    writers = Writers(proxy, backend().url, 1 << 30)
    wait_until(lambda: len(writers.answered) > 20, 60)
    os.killpg(proxy.process.pid, signal.SIGKILL)
    writers.count = 0
    writers.join()
    proxy.process.wait()
    names |= check_file_after(proxy, writers.answered, names)
    proxy.start()
    # It serves by the table that it found until the file is read.
    wait_until(lambda: proxy.get("/v1/services").status == 200)
    assert services_of(proxy) == names


def check_file_after(proxy, answered, before):
    """More was registered anew under names that were there already."""
    store = sqlite3.connect(proxy.home / "state" / "sluice.db")
    assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    names = {row[0] for row in store.execute("SELECT name FROM service")}
    store.close()
    assert before | {name for name, _ in answered} <= names
    return names


def test_a_full_disk_takes_nothing_away(sluice, backend, small_disk,
                                        fill_disk):
    proxy = sluice(f'store {{ path = "{small_disk}/sluice.db" }}')
    server = backend()
    for i in range(20):
        proxy.register(f"s{i}", server.url, f"/p{i}")
    fill_disk()
    kept = set()
    for i in itertools.count(20):
        answer = proxy.post("/register", {
            "name": f"s{i}", "base_url": server.url, "routes": [f"/p{i}"]})
        if answer.status != 201:
            break
        kept.add(f"s{i}")
    assert answer.status == 507 and answer.json["reason"] == "store_full"
    assert "make room on its file system" in answer.json["detail"]
    kept |= {f"s{i}" for i in range(20)}
    assert services_of(proxy) == kept
    # A successor that starts on the full disk keeps the table as it is.
    before = proxy.pid("registryd")
    proxy.kill(before)
    wait_until(lambda: proxy.pid("registryd") not in (before, 0))
    for i in range(20):
        assert proxy.ask_traffic("GET", f"/p{i}/x") == 200
    (small_disk / "filler").unlink()
    wait_until(lambda: proxy.post("/register", {
        "name": "after", "base_url": server.url,
        "routes": ["/after"]}).status == 201, 60)
    assert services_of(proxy) == kept | {"after"}
    assert proxy.ask_traffic("GET", "/after/x") == 200
    # What was refused came neither then nor with a start.
    assert proxy.stop() == 0
    proxy.start()
    assert services_of(proxy) == kept | {"after"}
