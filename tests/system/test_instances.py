# SPDX-License-Identifier: ISC
"""Who shares a PostgreSQL server, and how far each has followed."""

import json
import os
import signal
import socket
import tempfile
import threading

import pytest

from harness.wait import wait_until

SLOW = 'store { follow_interval = "1h" heartbeat = "1h" }'
BEAT = 'store { follow_interval = "1h" heartbeat = "1s" }'


@pytest.fixture
def environment(database):
    return {"DB_DRIVER": "postgres", "DATABASE_URL": database}


def instances(proxy):
    return proxy.get("/v1/instances").json["items"]


def name_of(proxy):
    return f"{proxy.instance}@{socket.gethostname()}"


def shown(proxy):
    """The generation that each shows, by name."""
    return {row["name"]: row["generation"] for row in instances(proxy)}


def test_each_shows_its_generation(sluice, environment):
    one = sluice(SLOW, name="a", environment=environment)
    two = sluice(SLOW, name="b", environment=environment)
    names = {name_of(one), name_of(two)}
    wait_until(lambda: set(shown(one)) == names)
    for i in range(30):
        one.register(f"s{i}", "http://127.0.0.1:9", f"/p{i}")
    # A burst is a few writes, and the last of them has the end.
    wait_until(lambda: set(shown(two).values()) == {30})
    rows = {row["name"]: row for row in instances(one)}
    own, other = rows[name_of(one)], rows[name_of(two)]
    assert own["self"] and not other["self"]
    assert own["behind"] == other["behind"] == 0
    assert not own["stale"] and own["host"] == socket.gethostname()
    assert own["version"] == one.get("/version").json["version"]
    assert own["run"] != other["run"]
    assert own["started_at"] <= own["seen_at"]
    # A registryd that starts again takes its row over.
    one.kill_role("registryd")
    wait_until(lambda: {row["name"]: row["run"] for row in instances(two)}
               .get(name_of(one), own["run"]) != own["run"])
    assert set(shown(two)) == names
    assert "has that name" not in one.log() + two.log()
    table = two.ctl("instances").stdout
    assert name_of(one) in table and "GENERATION" in table
    assert {row["name"] for row in json.loads(
        two.ctl("-o", "json", "instances").stdout)} == names
    # Who stops is gone at once.
    one.stop()
    assert set(shown(two)) == {name_of(two)}


def test_a_cut_off_instance_is_stale(sluice, cluster, database, environment):
    one = sluice(BEAT, name="a", environment=environment)
    two = sluice(BEAT, name="b", environment=environment)
    wait_until(lambda: len(instances(one)) == 2)
    pid = two.pid("registryd")
    os.kill(pid, signal.SIGSTOP)
    try:
        one.register("s", "http://127.0.0.1:9", "/s")

        def is_stale():
            return {row["name"]: row["stale"] for row in instances(one)} \
                == {name_of(one): False, name_of(two): True}

        wait_until(is_stale, 30)
        label = f'{{instance="{name_of(two)}"}}'
        wait_until(lambda: one.metric(
            f"sluice_instance_stale{label}") == 1)
        assert one.metric(f"sluice_instance_behind{label}") == 1
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_until(lambda: {(row["stale"], row["behind"])
                        for row in instances(one)} == {(False, 0)})
    # What is stale for a day is forgotten, by the next heartbeat.
    cluster.psql(database.rsplit("/", 1)[1],
                 "INSERT INTO instance SELECT 'old', 'r', 'h', '1', now(), "
                 "0, now() - interval '2 days', now() - interval '25 hours'")
    wait_until(lambda: "old" not in shown(one))
    # A server that lost its last moments may have an earlier run's rows.
    runs = {row["run"] for row in instances(one)}
    cluster.psql(database.rsplit("/", 1)[1],
                 "UPDATE instance SET run = 'earlier'")
    wait_until(lambda: {row["run"] for row in instances(one)} == runs)
    assert set(shown(one)) == {name_of(one), name_of(two)}
    assert "has that name" not in one.log() + two.log()


@pytest.fixture
def other_shm():
    """Another place for segments, of a short name."""
    with tempfile.TemporaryDirectory(prefix="shm.") as folder:
        yield folder


def test_two_of_one_name_are_told_apart(sluice, environment, other_shm):
    # As if on two machines of one name: the segments stand apart.
    one = sluice(BEAT, name="a", environment=environment)
    two = sluice(BEAT, name="b",
                 environment=dict(environment, SLUICE_SHM_DIR=other_shm),
                 options=["-o", "instance=" + one.instance])
    wait_until(lambda: len(instances(two)) == 2)
    first, second = sorted(shown(two))
    assert first == name_of(one) and second.startswith(first + "#")
    # Who came first has noticed, and says so once.
    wait_until(lambda: "has that name, too" in one.log())
    two.register("s", "http://127.0.0.1:9", "/s")
    wait_until(lambda: set(shown(one).values()) == {1})
    assert set(shown(two)) == {first, second}
    assert one.log().count("has that name, too") == 1
    assert "has that name, too" not in two.log()


def test_a_store_of_ones_own_has_one(sluice):
    one = sluice()
    one.register("s", "http://127.0.0.1:9", "/s")
    (row,) = instances(one)
    assert row["name"] == name_of(one) and row["self"]
    assert row["generation"] == 1 and row["behind"] == 0
    assert one.metric("sluice_instance_stale") is None


def test_a_write_waits_for_all(sluice, backend, environment):
    one, two, three = (sluice(SLOW, name=name, environment=environment)
                       for name in "abc")
    wait_until(lambda: len(instances(one)) == 3)
    server = backend()
    for i in range(50):
        answer = one.post("/register?wait=applied&scope=all&timeout=30s", {
            "name": f"s{i}", "base_url": server.url, "routes": [f"/p{i}"]})
        assert answer.status == 201, answer
        assert answer.json["status"] == "registered"
        assert two.ask_traffic("GET", f"/p{i}/x") == 200
        assert three.ask_traffic("GET", f"/p{i}/x") == 200
    answer = two.ask("DELETE", "/v1/services/s1?cascade&scope=all")
    assert answer.status == 204
    assert three.ask_traffic("GET", "/p1/x") == 404
    assert answer.headers["Sluice-Generation"] == "51"
    assert answer.headers["Sluice-Stale"] is None
    done = one.ctl("--wait", "--scope", "all", "maintenance", "service",
                   "s2", "on")
    assert done.stderr == ""
    assert two.ask_traffic("GET", "/p2/x") == 503
    for query in ("wait=now", "scope=some", "scope=all&timeout=5",
                  "timeout=0s", "timeout=2h"):
        assert one.post(f"/register?{query}", {}).status == 400


def test_who_is_behind_is_named(sluice, environment):
    one = sluice(BEAT, name="a", environment=environment)
    two = sluice('store { follow_interval = "1h" heartbeat = "5s" }',
                 name="b", environment=environment)
    wait_until(lambda: len(instances(one)) == 2)
    one.register("s", "http://127.0.0.1:9", "/s")
    wait_until(lambda: set(shown(one).values()) == {1})
    pid = two.pid("registryd")
    os.kill(pid, signal.SIGSTOP)
    try:
        answer = one.ask("PATCH", "/v1/services/s?scope=all&timeout=200ms",
                         {"retries": 0})
        assert answer.status == 504 and answer.json["generation"] == 2
        assert answer.json["reason"] == "not_applied"
        assert answer.json["behind"] == [
            {"instance": name_of(two), "generation": 1}]
        assert answer.json["stale"] == []
        assert f"200ms: {name_of(two)} (1)" in answer.json["detail"]
        # It is done all the same, and nothing waits for a dry run.
        assert one.get("/v1/services/s").json["retries"] == 0
        assert one.ask("PATCH", "/v1/services/s?scope=all&dry_run=true",
                       {"retries": 1}).status == 200
        late = one.ctl("-t", "300ms", "--scope", "all", "maintenance",
                       "service", "s", "on", check=False)
        assert late.returncode == 4 and name_of(two) in late.stderr
        # Once it is stale nobody waits for it any more.
        wait_until(lambda: any(row["stale"] for row in instances(one)), 60)
        answer = one.ask("PATCH", "/v1/services/s?scope=all",
                         {"retries": 1})
        assert answer.status == 200
        assert answer.headers["Sluice-Stale"] == name_of(two)
        done = one.ctl("--scope", "all", "maintenance", "service", "s",
                       "off")
        assert "not waited for" in done.stderr
        assert name_of(two) in done.stderr
    finally:
        os.kill(pid, signal.SIGCONT)
    answer = one.ask("PATCH", "/v1/services/s?scope=all&timeout=30s",
                     {"retries": 0})
    wait_until(lambda: set(shown(one).values()) ==
               {int(answer.headers["Sluice-Generation"])})


def test_a_wait_ends_when_sluice_stops(sluice, environment):
    one = sluice(SLOW, name="a", environment=environment)
    two = sluice(SLOW, name="b", environment=environment)
    wait_until(lambda: len(instances(one)) == 2)
    pid = two.pid("registryd")
    os.kill(pid, signal.SIGSTOP)
    answers = []
    try:
        thread = threading.Thread(target=lambda: answers.append(one.post(
            "/v1/services?scope=all&timeout=1h", {"name": "s"})))
        thread.start()
        wait_until(lambda: shown(one)[name_of(one)] == 1)
        assert one.stop() == 0
        thread.join()
    finally:
        os.kill(pid, signal.SIGCONT)
    assert answers[0].status == 503
    assert answers[0].json["reason"] == "stopping"
