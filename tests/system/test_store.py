# SPDX-License-Identifier: ISC
"""Several sluices on one PostgreSQL."""

import threading

import pytest

from harness.followers import (
    RandomLife, generation_of, is_listening, same_tables, table_of)
from harness.load import Load
from harness.nginx import Nginx
from harness.wait import wait_until

SLOW = 'store { follow_interval = "1h" }'
FAST = 'store { follow_interval = "200ms" }'


@pytest.fixture
def environment(database):
    return {"DB_DRIVER": "postgres", "DATABASE_URL": database}


def listeners(cluster, url):
    return cluster.psql(url.rsplit("/", 1)[1],
                        "SELECT count(*) FROM pg_stat_activity WHERE "
                        "query LIKE 'LISTEN%' AND datname = "
                        "current_database()")


def end_listeners(cluster, url):
    cluster.psql(url.rsplit("/", 1)[1],
                 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                 "WHERE query LIKE 'LISTEN%' AND datname = "
                 "current_database()")


def test_a_change_on_one_is_routed_by_all(sluice, backend, environment):
    one = sluice(SLOW, name="a", environment=environment)
    two = sluice(SLOW, name="b", environment=environment)
    wait_until(lambda: is_listening(one) and is_listening(two))
    server = backend()
    for i in range(200):
        writer, reader = (one, two) if i % 2 else (two, one)
        writer.register(f"s{i}", server.url, f"/p{i}")
        # By the notification: the slow timer is slower than this.
        wait_until(lambda: reader.ask_traffic("GET", f"/p{i}/x") == 200, 10)
    assert same_tables([one, two])
    assert two.metric("sluice_propagation_seconds_count") >= 90
    # What is changed and removed follows as well.
    one.ask("PATCH", "/v1/services/s1", {"retries": 0})
    one.post("/deregister", {"name": "s0"})
    wait_until(lambda: generation_of(two) == generation_of(one))
    assert two.get("/v1/services/s1").json["retries"] == 0
    assert two.ask_traffic("GET", "/p0/x") == 404
    one.post("/v1/rollback", {"to": 201})
    wait_until(lambda: same_tables([one, two]))
    assert two.ask_traffic("GET", "/p0/x") == 200


def test_a_lost_notification_connection_is_made_again(
        sluice, cluster, database, environment):
    one = sluice(SLOW, name="a", environment=environment)
    two = sluice(SLOW, name="b", environment=environment)
    wait_until(lambda: is_listening(one) and is_listening(two))
    end_listeners(cluster, database)
    one.register("s", "http://127.0.0.1:9", "/s")
    # No timer helps: it reads what it missed when it hears again.
    wait_until(lambda: same_tables([one, two]))
    wait_until(lambda: is_listening(two))
    assert "news are not heard" in two.log()


def test_without_notifications_the_timer_converges(
        sluice, cluster, database, environment):
    one = sluice(FAST, name="a", environment=environment)
    two = sluice(FAST, name="b", environment=environment)
    done = threading.Event()

    def cut():
        while not done.is_set():
            end_listeners(cluster, database)

    thread = threading.Thread(target=cut)
    thread.start()
    try:
        for i in range(20):
            one.register(f"s{i}", "http://127.0.0.1:9", f"/p{i}")
            wait_until(lambda: generation_of(two) == generation_of(one))
    finally:
        done.set()
        thread.join()
    assert same_tables([one, two])


def test_no_change_is_lost_in_a_random_run(
        sluice, cluster, database, backend, environment):
    """The same at full length: bench/follow."""
    proxies = [sluice(SLOW + "\nworkers = 1", name=name,
                      environment=environment) for name in "abcd"]
    life = RandomLife(proxies, cluster, database, backend().url)
    life.run(changes=1200, kills=6)
    life.check()


def test_those_that_start_empty_write_at_once(sluice, environment):
    """Nobody has seen a generation when the first ones are made."""
    proxies = [sluice(SLOW, name=name, environment=environment)
               for name in "abc"]

    def write(number):
        for i in range(10):
            proxies[number].register(f"s{number}-{i}", "http://127.0.0.1:9",
                                     f"/p{number}/{i}")

    threads = [threading.Thread(target=write, args=(number,))
               for number in range(len(proxies))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: all(generation_of(proxy) == 30 for proxy in proxies))
    assert len(table_of(proxies[0])[0]) == 30
    assert same_tables(proxies)


def test_one_that_was_off_catches_up(sluice, environment):
    one = sluice(SLOW, name="a", environment=environment)
    two = sluice(SLOW, name="b", environment=environment)
    one.register("early", "http://127.0.0.1:9", "/early")
    wait_until(lambda: same_tables([one, two]))
    two.stop()
    for i in range(30):
        one.register(f"s{i}", "http://127.0.0.1:9", f"/p{i}")
    two.start()
    wait_until(lambda: same_tables([one, two]))


def test_the_guard_holds_what_is_followed(sluice, backend, environment):
    one = sluice(SLOW, name="a", environment=environment)
    two = sluice(SLOW, name="b", environment=environment)
    server = backend()
    for i in range(12):
        one.register(f"s{i}", server.url, f"/p{i}")
    wait_until(lambda: same_tables([one, two]))
    assert one.post("/v1/import?replace=true&force=true",
                    b'{"services":[],"routes":[]}').status == 200
    assert one.ask_traffic("GET", "/p3/x") == 404
    wait_until(lambda: two.metric("sluice_store_held") == 1)
    assert two.ask_traffic("GET", "/p3/x") == 200
    two.ctl("store", "accept")
    wait_until(lambda: two.ask_traffic("GET", "/p3/x") == 404)
    assert same_tables([one, two])


def test_ten_started_at_once_migrate_once(sluice, cluster, database,
                                          environment, tmp_path):
    from harness.sluice import Sluice
    proxies = [Sluice(tmp_path / f"i{i}", "workers = 1",
                      environment=environment) for i in range(10)]
    try:
        for proxy in proxies:
            proxy.spawn()
        for proxy in proxies:
            wait_until(proxy.is_ready_or_dead, 60)
            assert proxy.get("/readyz").status == 200, proxy.log()
        wait_until(lambda: all(
            proxy.get("/readyz?verbose").json["parts"]["store"]["status"]
            == "ok" for proxy in proxies))
        count = cluster.psql(database.rsplit("/", 1)[1],
                             "SELECT count(*), count(DISTINCT version) "
                             "FROM schema_version")
        known = proxies[0].get("/version").json["schema"]
        assert count == f"{known}|{known}"
        proxies[0].register("s", "http://127.0.0.1:9", "/s")
        wait_until(lambda: same_tables(proxies))
    finally:
        for proxy in proxies:
            proxy.process.terminate()
        for proxy in proxies:
            proxy.end()


class Traffic:
    """wrk on a service, and what it saw."""

    def __init__(self, proxy, path):
        self.proxy, self.load = proxy, Load(proxy.url + path)

    def go_on(self, count=1000):
        before = self.requests()
        wait_until(lambda: self.requests() >= before + count, 60)

    def requests(self):
        return sum(row["requests"] for row in self.proxy.processes("worker"))


@pytest.fixture
def origin(tmp_path):
    server = Nginx(tmp_path / "nginx")
    yield server
    server.close()


def is_store_up(proxy):
    parts = proxy.get("/readyz?verbose").json["parts"]
    return parts["store"]["status"] == "ok"


def test_a_stopped_database_is_not_noticed_by_clients(
        sluice, origin, own_cluster):
    url = own_cluster.create_database()
    environment = {"DB_DRIVER": "postgres", "DATABASE_URL": url}
    one = sluice(FAST, name="a", environment=environment)
    two = sluice(FAST, name="b", environment=environment)
    one.register("origin", origin.url, "/origin")
    for i in range(12):
        one.register(f"s{i}", origin.url, f"/p{i}")
    wait_until(lambda: same_tables([one, two]))
    shown = table_of(one)
    traffic = Traffic(one, "/origin/small")
    try:
        traffic.go_on()
        own_cluster.stop("immediate")
        wait_until(lambda: not is_store_up(one))
        for role in ("registryd", "healthd", "registryd"):
            one.kill_role(role)
            traffic.go_on()
        ready = one.get("/readyz")
        assert ready.status == 200 and ready.json["status"] == "degraded"
        answer = one.post("/register", {
            "name": "n", "base_url": origin.url, "routes": ["/n"]})
        assert answer.status == 503, answer
        assert one.post("/v1/services", {"name": "n"}).status == 503
        # A worker that is killed cuts what it holds, and nothing else.
        victim = one.worker_pids()[0]
        one.kill(victim)
        wait_until(lambda: len(one.worker_pids()) == 2
                   and victim not in one.worker_pids(), 30)
        traffic.go_on()
        assert one.ask_traffic("GET", "/p3/small") == 200
        own_cluster.start()
        wait_until(lambda: is_store_up(one) and is_store_up(two), 60)
        report = traffic.load.stop()
    finally:
        traffic.load.abandon()
    assert report.bad_statuses == 0
    assert sum(report.socket_errors) <= 64
    # Nobody had to do anything, and changes go on.
    assert table_of(one) == shown and table_of(two) == shown
    two.register("n", origin.url, "/n")
    wait_until(lambda: same_tables([one, two]))
    assert one.ask_traffic("GET", "/n/small") == 200
