# SPDX-License-Identifier: ISC
"""The pool of connections to PostgreSQL, and what is said of it."""

import contextlib
import signal
import socket
import subprocess
import threading

import pytest

from harness.postgres import BIN
from harness.sluice import Sluice
from harness.wait import wait_until


@pytest.fixture
def environment(database):
    return {"DB_DRIVER": "postgres", "DATABASE_URL": database}


class Lock:
    """Holds a table, as a DBA's session might."""

    def __init__(self, cluster, url, table):
        self.process = subprocess.Popen(
            [*cluster.as_user, str(BIN / "psql"), "-h", cluster.home, "-p",
             str(cluster.port), "-U", "sluice", "-Atq",
             url.rsplit("/", 1)[1]], cwd=cluster.home,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.say("BEGIN;")
        self.say(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;")
        self.say("SELECT 'held';")
        assert self.process.stdout.readline() == "held\n"

    def say(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def release(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@contextlib.contextmanager
def locked(cluster, url, table):
    lock = Lock(cluster, url, table)
    try:
        yield
    finally:
        lock.release()


def backends(cluster, url):
    """The pids of the pool's sessions."""
    return set(cluster.psql(
        url.rsplit("/", 1)[1], "SELECT pid FROM pg_stat_activity WHERE "
        "application_name = 'sluice' AND datname = current_database()"
    ).split())


def figures(proxy):
    return proxy.get("/api/metrics/db").json


class Askers:
    """Many who ask for history at the same time."""

    def __init__(self, proxy, count):
        self.answers = []
        self.threads = [threading.Thread(target=lambda: self.answers.append(
            proxy.get("/v1/changes").status)) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def join(self):
        for thread in self.threads:
            thread.join()
        return self.answers


def test_it_grows_to_its_size_and_shrinks_again(
        sluice, cluster, database, environment):
    one = sluice("store { pool_size = 3 pool_idle = 1 "
                 'query_timeout = "1h" heartbeat = "1h" }',
                 environment=environment)
    one.register("s", "http://127.0.0.1:9", "/s")
    with locked(cluster, database, "change"):
        askers = Askers(one, 12)
        wait_until(lambda: figures(one)["in_use"] == 3
                   and figures(one)["waiting"] == 9)
        assert len(backends(cluster, database)) == 3
        assert one.metric("sluice_store_connections_in_use") == 3
        assert one.metric("sluice_store_waiting") == 9
        assert one.metric("sluice_store_pool_size") == 3
    assert askers.join() == [200] * 12
    wait_until(lambda: len(backends(cluster, database)) == 1)
    told = figures(one)
    assert told["open"] == told["idle"] == 1
    assert told["waiting"] == told["in_use"] == 0
    assert told["query_count"] > 0 and told["query_seconds"] > 0


def test_a_query_that_takes_too_long_is_given_up(
        sluice, cluster, database, environment):
    one = sluice('store { query_timeout = "300ms" }',
                 environment=environment)
    one.register("s", "http://127.0.0.1:9", "/s")
    with locked(cluster, database, "change"):
        answer = one.get("/v1/changes")
        assert answer.status == 503, answer
        assert "timeout" in answer.json["detail"]
        assert one.post("/v1/services", {"name": "n"}).status == 503
        assert one.get("/readyz").status == 200
    wait_until(lambda: one.post(
        "/v1/services", {"name": "n"}).status == 201)
    assert one.get("/v1/changes").status == 200
    assert one.metric("sluice_store_queries_failed_total") >= 2


def test_old_connections_are_replaced(sluice, cluster, database, environment):
    one = sluice('store { connection_lifetime = "1s" }',
                 environment=environment)
    one.register("s", "http://127.0.0.1:9", "/s")
    seen = backends(cluster, database)
    for _ in range(3):
        wait_until(lambda: backends(cluster, database) - seen)
        seen |= backends(cluster, database)
        assert one.post("/v1/services?dry_run=true",
                        {"name": "n"}).status == 201
    # Its successor stands before it goes.
    assert "routes stand" not in one.log()
    wait_until(lambda: len(backends(cluster, database)) <= 2)


def test_prepared_statements_survive_a_reconnect(
        sluice, cluster, database, environment):
    one = sluice(environment=environment)
    for i in range(3):
        one.register(f"s{i}", "http://127.0.0.1:9", f"/p{i}")
        assert one.get("/v1/changes").status == 200
        before = one.metric("sluice_store_connects_total")
        cluster.psql(database.rsplit("/", 1)[1],
                     "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                     "WHERE application_name LIKE 'sluice%' AND datname = "
                     "current_database()")
        wait_until(lambda: one.metric("sluice_store_connects_total") > before
                   and one.metric("sluice_store_up") == 1)
    one.register("last", "http://127.0.0.1:9", "/last")
    assert len(one.get("/v1/services").json["items"]) == 4


def test_an_idle_connection_is_asked_whether_it_is_good(
        sluice, cluster, database, environment):
    sluice('store { follow_interval = "1h" heartbeat = "1h" }',
           environment=environment)
    wait_until(lambda: cluster.psql(
        database.rsplit("/", 1)[1], "SELECT count(*) FROM pg_stat_activity "
        "WHERE application_name = 'sluice' AND query = 'SELECT 1' || chr(10)"
    ) != "0", 60)


# What is said in each state


def test_an_embedded_store_is_no_connection(sluice):
    one = sluice()
    ready = one.get("/api/ready")
    assert ready.status == 200 and ready.json == {
        "ready": True,
        "connections": {"database": {"status": "not_configured"}}}
    assert one.get("/api/health/db").status == 200
    assert figures(one)["open"] == 1


def test_the_states_of_a_database(sluice, backend, own_cluster):
    one = sluice('store { query_timeout = "1s" }', environment={
        "DB_DRIVER": "postgres",
        "DATABASE_URL": own_cluster.create_database()})
    server = backend()
    one.register("s", server.url, "/s")
    # Up.
    ready = one.get("/api/ready")
    assert ready.status == 200 and ready.json == {
        "ready": True, "connections": {"database": {"status": "healthy"}}}
    assert one.get("/api/health/db").status == 200
    assert one.get("/readyz").json["status"] == "ready"
    # Down, and routed on: degraded.
    own_cluster.stop("immediate")
    wait_until(lambda: one.get("/api/health/db").status == 503)
    ready = one.get("/api/ready")
    assert ready.status == 200 and ready.json["ready"] is True
    told = ready.json["connections"]["database"]
    assert told["status"] == "unhealthy" and told["error"]
    assert one.get("/api/health/db").json["error"]
    assert one.get("/readyz").status == 200
    assert one.get("/readyz").json["status"] == "degraded"
    assert figures(one)["open"] == 0
    assert one.ask_traffic("GET", "/s/x") == 200
    own_cluster.start()
    wait_until(lambda: one.get("/api/health/db").status == 200, 60)
    assert one.get("/readyz").json["status"] == "ready"


def answers(proxy):
    try:
        return proxy.get("/livez").status == 200
    except OSError:
        return False


def test_a_database_that_was_never_there(tmp_path):
    """It takes the connection, and says nothing: connecting; then it
    refuses: down.  Nothing is routed, and that is said."""
    silent = socket.create_server(("127.0.0.1", 0))
    port = silent.getsockname()[1]
    one = Sluice(tmp_path / "a", 'store { query_timeout = "1s" }',
                 environment={"DB_DRIVER": "postgres", "DATABASE_URL":
                              f"postgresql://x@127.0.0.1:{port}/x"})
    try:
        one.spawn()
        wait_until(lambda: answers(one), 30)
        for words in ("timed out while connecting", "refused"):
            wait_until(lambda words=words: words in
                       one.get("/api/health/db").json["error"], 30)
            ready = one.get("/api/ready")
            assert ready.status == 503 and ready.json["ready"] is False
            assert ready.json["reason"] == "database_unhealthy"
            told = ready.json["connections"]["database"]
            assert told["status"] == "unhealthy"
            assert one.get("/api/health/db").status == 503
            assert one.get("/readyz").status == 503
            assert one.get("/livez").status == 200
            silent.close()
    finally:
        one.end()


def test_it_says_that_it_stops(sluice, backend, environment):
    """A request on its way keeps it here for a while."""
    arrived, goes_on = threading.Event(), threading.Event()

    def wait(_request):
        arrived.set()
        goes_on.wait(60)
        return 200, [], b""

    one = sluice(environment=environment)
    server = backend(answer=wait)
    one.register("s", server.url, "/s")
    statuses = []
    thread = threading.Thread(
        target=lambda: statuses.append(one.ask_traffic("GET", "/s/x")))
    thread.start()
    assert arrived.wait(30)
    try:
        one.process.send_signal(signal.SIGTERM)
        wait_until(lambda: one.get("/api/ready").status == 503)
        ready = one.get("/api/ready").json
        assert ready["ready"] is False
        assert ready["reason"] == "shutting_down"
        assert one.get("/readyz").status == 503
        assert one.get("/api/health/db").status == 200
    finally:
        goes_on.set()
        thread.join()
    assert statuses == [200] and one.process.wait(60) == 0
