# SPDX-License-Identifier: ISC
"""PostgreSQL's primary goes away, and another server takes its place."""

import os
import re
import signal
import subprocess

import pytest

from harness.followers import (
    generation_of, is_listening, same_tables, table_of)
from harness.postgres import Cluster
from harness.relay import Relay
from harness.wait import wait_until

SLOW = 'store { follow_interval = "1h" }'


def can_register(proxy, name, url):
    return proxy.post("/register", {
        "name": name, "base_url": url, "routes": [f"/{name}"]}).status == 201


def url_of(first, *others, query=""):
    """The same database on several servers."""
    database = first.create_database()
    path = database.rsplit("/", 1)[1]
    hosts = ",".join([f"127.0.0.1:{first.port}",
                      *(f"localhost:{server.port}" for server in others)])
    return f"postgresql://sluice@{hosts}/{path}{query}"


def has_caught_up(primary, replica):
    sent = primary.psql("postgres", "SELECT pg_current_wal_lsn()")
    return replica.psql("postgres", "SELECT pg_last_wal_replay_lsn() >= "
                        f"'{sent}'::pg_lsn") == "t"


@pytest.mark.parametrize("query", ["", "?target_session_attrs=read-write"])
def test_a_replica_takes_over(sluice, backend, own_cluster, replica, query):
    environment = {"DB_DRIVER": "postgres", "DATABASE_URL": url_of(
        own_cluster, replica, query=query)}
    one = sluice(SLOW, name="a", environment=environment)
    two = sluice(SLOW, name="b", environment=environment)
    server = backend()
    one.register("before", server.url, "/before")
    wait_until(lambda: same_tables([one, two]) and is_listening(two))
    wait_until(lambda: has_caught_up(own_cluster, replica))
    own_cluster.stop("immediate")
    assert two.ask_traffic("GET", "/before/x") == 200
    replica.promote()
    # The service asks until it is in, as services do.
    wait_until(lambda: can_register(one, "after", server.url), 30)
    wait_until(lambda: two.ask_traffic("GET", "/after/x") == 200, 30)
    # Changes are told again, in both directions.
    wait_until(lambda: is_listening(one) and is_listening(two), 30)
    wait_until(lambda: can_register(two, "third", server.url), 30)
    wait_until(lambda: one.ask_traffic("GET", "/third/x") == 200, 30)
    assert same_tables([one, two])
    assert "lost commits" not in one.log() + two.log()


def test_commits_that_the_replica_never_had(sluice, own_cluster, replica):
    environment = {"DB_DRIVER": "postgres",
                   "DATABASE_URL": url_of(own_cluster, replica)}
    one = sluice(SLOW, name="a", environment=environment)
    two = sluice(SLOW, name="b", environment=environment)
    target = "http://127.0.0.1:9"
    one.register("kept", target, "/kept")
    wait_until(lambda: same_tables([one, two]))
    wait_until(lambda: has_caught_up(own_cluster, replica))
    replica.stop()
    for name in ("x", "y", "z"):
        one.register(name, target, f"/{name}")
    wait_until(lambda: same_tables([one, two]))
    pid = two.pid("registryd")
    os.kill(pid, signal.SIGSTOP)
    try:
        own_cluster.stop("immediate")
        replica.start()
        replica.promote()
        wait_until(lambda: can_register(one, "p", target), 30)
        # The numbers of what was lost are given again, to others.
        for name in "qrst":
            one.register(name, target, f"/{name}")
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_until(lambda: "is another than it was" in two.log())
    names = {"kept", "p", "q", "r", "s", "t"}
    wait_until(lambda: {row["name"] for row in table_of(one)[0]} == names)
    wait_until(lambda: same_tables([one, two]), 60)
    two.register("u", target, "/u")
    wait_until(lambda: same_tables([one, two]))
    one.kill_role("registryd")
    assert same_tables([one, two])


def set_read_only(cluster, is_read_only):
    cluster.configure(default_transaction_read_only=is_read_only)
    cluster.reload()


def test_a_server_that_turns_read_only_is_left(sluice, own_cluster):
    other = Cluster(own_cluster)
    other.start()
    try:
        url = url_of(own_cluster, other)
        environment = {"DB_DRIVER": "postgres", "DATABASE_URL": url}
        one = sluice(SLOW, name="a", environment=environment)
        two = sluice(SLOW, name="b", environment=environment)
        target = "http://127.0.0.1:9"
        one.register("before", target, "/before")
        wait_until(lambda: same_tables([one, two]))
        wait_until(lambda: has_caught_up(own_cluster, other))
        # The old one lives on and answers; it must not be believed.
        set_read_only(own_cluster, "on")
        other.promote()
        wait_until(lambda: can_register(one, "after", target), 30)
        wait_until(lambda: same_tables([one, two]) and
                   generation_of(two) == 2, 30)
        wait_until(lambda: can_register(two, "third", target), 30)
        wait_until(lambda: same_tables([one, two]))
        assert other.psql(url.rsplit("/", 1)[1],
                          "SELECT count(*) FROM service") == "3"
    finally:
        other.end()


def test_a_lone_server_that_is_read_only_for_a_while(sluice, own_cluster):
    one = sluice(SLOW, environment={
        "DB_DRIVER": "postgres",
        "DATABASE_URL": own_cluster.create_database()})
    target = "http://127.0.0.1:9"
    one.register("before", target, "/before")
    set_read_only(own_cluster, "on")
    wait_until(lambda: not can_register(one, "other", target))
    answer = one.post("/v1/services", {"name": "n"})
    assert answer.status == 503, answer
    assert one.get("/readyz").status == 200
    set_read_only(own_cluster, "off")
    wait_until(lambda: can_register(one, "after", target), 30)


def test_a_silent_server_is_noticed(sluice, cluster):
    """No packet comes back any more, and no word that it is so."""
    relay = Relay(cluster.port)
    try:
        path = cluster.create_database().rsplit("/", 1)[1]
        conf = 'store { follow_interval = "1h" query_timeout = "500ms" }'
        one = sluice(conf, name="a", environment={
            "DB_DRIVER": "postgres", "DATABASE_URL":
            f"postgresql://sluice@127.0.0.1:{relay.port}/{path}"})
        two = sluice(conf, name="b", environment={
            "DB_DRIVER": "postgres", "DATABASE_URL":
            f"postgresql://sluice@127.0.0.1:{cluster.port}/{path}"})
        two.register("before", "http://127.0.0.1:9", "/before")
        wait_until(lambda: same_tables([one, two]) and is_listening(one))
        relay.freeze()
        two.register("after", "http://127.0.0.1:9", "/after")
        # The question whether it is still good is not answered.
        wait_until(lambda: not is_listening(one), 30)
        wait_until(lambda: one.metric("sluice_store_up") == 0, 60)
        assert one.get("/readyz").status == 200
        relay.thaw()
        wait_until(lambda: same_tables([one, two]), 30)
        wait_until(lambda: is_listening(one), 30)
    finally:
        relay.close()


def test_the_kernel_asks_as_well(sluice, own_cluster):
    """Each connection has a timer of seconds, whatever the system's."""
    one = sluice(environment={"DB_DRIVER": "postgres", "DATABASE_URL":
                              own_cluster.create_database()})
    wait_until(lambda: is_listening(one))
    lines = subprocess.run(
        ["ss", "-tnoH", "state", "established",
         f"dport = :{own_cluster.port}"], check=True, capture_output=True,
        text=True).stdout.splitlines()
    assert len(lines) >= 2
    for line in lines:
        assert re.search(r"timer:\((keepalive|on),[0-9.]+(sec|ms)", line), line


def test_a_place_that_never_answers_is_passed_by(sluice, cluster):
    """It takes the connection, and says nothing."""
    relay = Relay(cluster.port)
    relay.freeze()
    try:
        path = cluster.create_database().rsplit("/", 1)[1]
        one = sluice(SLOW, environment={
            "DB_DRIVER": "postgres", "DATABASE_URL":
            f"postgresql://sluice@127.0.0.1:{relay.port},"
            f"127.0.0.1:{cluster.port}/{path}"})
        wait_until(lambda: one.metric("sluice_store_up") == 1, 60)
        wait_until(lambda: is_listening(one), 60)
        one.register("s", "http://127.0.0.1:9", "/s")
    finally:
        relay.close()
