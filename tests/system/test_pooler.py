# SPDX-License-Identifier: ISC
"""PostgreSQL behind a pooler of transactions."""

import threading

import pytest

from harness.followers import table_of
from harness.pgbouncer import PgBouncer
from harness.wait import wait_until

SLOW = 'store { follow_interval = "1h" pooler = true }'


@pytest.fixture
def pgbouncer(cluster):
    server = PgBouncer(cluster)
    yield server
    server.close()


def write_at_once(proxies, count):
    """Each proxy registers so many, all at the same time."""
    def write(proxy, number):
        for i in range(count):
            proxy.register(f"s{number}-{i}", "http://127.0.0.1:9",
                           f"/p{number}/{i}")

    threads = [threading.Thread(target=write, args=(proxy, number))
               for number, proxy in enumerate(proxies)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_all_goes_through_it_and_news_past_it(sluice, database, pgbouncer):
    environment = {"DB_DRIVER": "postgres",
                   "DATABASE_URL": pgbouncer.url(database),
                   "SLUICE_STORE_LISTEN_URL": database}
    proxies = [sluice(SLOW, name=name, environment=environment)
               for name in "abc"]
    wait_until(lambda: all(proxy.metric("sluice_store_listening") == 1
                           for proxy in proxies))
    write_at_once(proxies, 40)
    wait_until(lambda: len(table_of(proxies[0])[0]) == 120)
    tables = [table_of(proxy) for proxy in proxies]
    wait_until(lambda: all(table_of(proxy) == table_of(proxies[0])
                           for proxy in proxies))
    assert len(tables[0][0]) == 120
    # A commit, a conflict, a history, a bulk, a rollback, a wait.
    one, two, three = proxies
    assert one.post("/v1/services", {"name": "s0-0"}).status == 409
    assert one.post("/v1/services?scope=all&timeout=30s",
                    {"name": "n"}).status == 201
    assert two.get("/v1/services/n").status == 200
    assert len(two.get("/v1/changes?limit=10").json["items"]) == 10
    assert two.post("/v1/rollback", {"to": 60}).status == 200
    wait_until(lambda: table_of(one) == table_of(two) == table_of(three))
    three.kill_role("registryd")
    assert table_of(three) == table_of(one)
    for proxy in proxies:
        assert "prepared statement" not in proxy.log()
        assert "store.pooler" not in proxy.log()


def test_without_another_way_the_timer_converges(sluice, database, pgbouncer):
    environment = {"DB_DRIVER": "postgres",
                   "DATABASE_URL": pgbouncer.url(database)}
    one, two = (sluice(
        'store { follow_interval = "200ms" pooler = true }', name=name,
        environment=environment) for name in "ab")
    write_at_once([one, two], 10)
    wait_until(lambda: len(table_of(one)[0]) == 20)
    wait_until(lambda: table_of(one) == table_of(two))
    assert one.metric("sluice_store_listening") == 0
    # Who waits for all asks now and then.
    assert one.post("/v1/services?scope=all&timeout=30s",
                    {"name": "n"}).status == 201
    assert two.get("/v1/services/n").status == 200


def test_a_pooler_that_nobody_told_of_is_found_out(
        sluice, database, pgbouncer):
    """Prepared statements are lost between two transactions."""
    one, two = (sluice(
        'store { follow_interval = "200ms" }', name=name,
        environment={"DB_DRIVER": "postgres",
                     "DATABASE_URL": pgbouncer.url(database)})
        for name in "ab")

    def can_register(proxy, name):
        return proxy.post("/register", {
            "name": name, "base_url": "http://127.0.0.1:9",
            "routes": [f"/{name}"]}).status == 201

    def is_told():
        number = sum(proxy.get("/readyz?verbose").json["generation"]
                     for proxy in (one, two))
        for proxy in (one, two):
            can_register(proxy, f"n{number}")
        return all("set store.pooler" in proxy.log() for proxy in (one, two))

    wait_until(is_told, 60)
    for i in range(10):
        wait_until(lambda i=i: can_register(one, f"a{i}"))
        wait_until(lambda i=i: can_register(two, f"b{i}"))
    wait_until(lambda: table_of(one) == table_of(two))
    assert one.metric("sluice_store_listening") == 0
