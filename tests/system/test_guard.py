# SPDX-License-Identifier: ISC
"""No accident empties the table."""

import sqlite3

import pytest

from harness.hammer import Hammer
from harness.registrant import Registrant
from harness.wait import wait_until

ALL_ROUTES = [f"/p{i}/x" for i in range(12)]


class Database:
    """The store's tables, as somebody's hand reaches them."""

    def __init__(self, request, driver):
        self.driver, self.request = driver, request
        self.environment, self.proxy = {}, None
        if driver == "postgres":
            self.cluster = request.getfixturevalue("cluster")
            url = request.getfixturevalue("database")
            self.name = url.rsplit("/", 1)[1]
            self.environment = {"DB_DRIVER": "postgres", "DATABASE_URL": url}

    def run(self, sql):
        if self.driver == "postgres":
            self.cluster.psql(self.name, sql)
            return
        path = self.proxy.home / "state" / "sluice.db"
        with sqlite3.connect(path, timeout=10) as connection:
            connection.executescript("PRAGMA foreign_keys = ON; " + sql)


@pytest.fixture(params=["sqlite", "postgres"])
def db(request):
    return Database(request, request.param)


@pytest.fixture
def filled(sluice, backend, db):
    """A sluice with twelve routes."""
    proxy = db.proxy = sluice(environment=db.environment)
    server = backend()
    for i in range(12):
        proxy.register(f"s{i}", server.url, f"/p{i}")
    return proxy


def routed(proxy):
    return [path for path in ALL_ROUTES
            if proxy.ask_traffic("GET", path) == 200]


def part(proxy):
    return proxy.get("/readyz?verbose").json["parts"]["guard"]["status"]


def test_a_store_emptied_by_hand_is_held(filled, db):
    db.run("DELETE FROM route")
    filled.kill_role("registryd")
    wait_until(lambda: part(filled) == "degraded")
    assert routed(filled) == ALL_ROUTES
    ready = filled.get("/readyz?verbose")
    assert ready.status == 200 and ready.json["status"] == "degraded"
    assert "12 of 12 paths" in ready.json["parts"]["guard"]["detail"]
    assert filled.metric("sluice_store_held") == 1
    assert filled.metric("sluice_store_held_paths") == 12
    assert "would remove 12 of 12 paths: held" in filled.log()
    # Nothing else gets in meanwhile.
    answer = filled.post("/register", {
        "name": "n", "base_url": "http://127.0.0.1:9", "routes": ["/n"]})
    assert answer.status in (409, 503), answer
    assert b"sluicectl store accept" in answer.body, answer
    answer = filled.post("/v1/services", {"name": "n"})
    assert (answer.status, answer.json["reason"]) == (409, "store_held")
    with Registrant(filled) as client:
        assert client.say("REGISTER|billing|a|0|{}") == \
            "ERROR|store unavailable"
    assert "12 paths go" in filled.ctl("store", "accept").stdout
    wait_until(lambda: routed(filled) == [])
    assert filled.metric("sluice_store_held") == 0
    assert part(filled) == "ok"
    filled.register("n", "http://127.0.0.1:9", "/n")
    with Registrant(filled) as client:
        client.register()
    assert filled.ctl("store", "accept", check=False).returncode == 1


def test_what_is_held_stays_so_under_load(filled, db):
    """Whatever dies meanwhile, until an operator says yes."""
    hammer = Hammer(filled.address, filled.port, "/p7/x", threads=4)
    hammer.wait_for_more()
    db.run("DELETE FROM route")
    if db.driver == "sqlite":       # is read when it is started
        filled.kill_role("registryd")
    wait_until(lambda: part(filled) == "degraded")
    assert "guard" in filled.ctl("status").stdout
    for role in ("registryd", "healthd", "registryd"):
        filled.kill_role(role)
        wait_until(lambda: part(filled) == "degraded")
    hammer.wait_for_more()
    hammer.stop()
    assert {result[1] for results in hammer.results
            for result in results} == {200}
    if db.driver == "postgres":     # from the local file
        filled.stop()
        filled.start()
        wait_until(lambda: part(filled) == "degraded")
        assert filled.metric("sluice_store_held") == 1
    assert routed(filled) == ALL_ROUTES
    filled.ctl("store", "accept")
    wait_until(lambda: routed(filled) == [])
    wait_until(lambda: part(filled) == "ok")


def test_a_store_that_is_mended_needs_no_yes(filled, db):
    db.run("CREATE TABLE kept AS SELECT * FROM route;"
           "CREATE TABLE kept_target AS SELECT * FROM route_target;"
           "DELETE FROM route;")
    filled.kill_role("registryd")
    wait_until(lambda: part(filled) == "degraded")
    db.run("INSERT INTO route SELECT * FROM kept;"
           "INSERT INTO route_target SELECT * FROM kept_target;"
           "DROP TABLE kept; DROP TABLE kept_target;")
    wait_until(lambda: part(filled) == "ok")
    assert routed(filled) == ALL_ROUTES
    filled.register("n", "http://127.0.0.1:9", "/n")


def test_less_than_the_limit_goes_through(filled, db):
    db.run("DELETE FROM route WHERE id IN "
           "(SELECT id FROM route ORDER BY id LIMIT 6)")
    filled.kill_role("registryd")
    wait_until(lambda: len(routed(filled)) == 6)
    assert part(filled) == "ok"


def test_what_removes_many_at_once_needs_force(filled):
    document = b'{"services":[],"routes":[]}'
    for method, path, body in (
            ("POST", "/v1/rollback", {"to": 1}),
            ("POST", "/v1/import?replace=true", document)):
        answer = filled.ask(method, path, body)
        assert answer.status == 409, answer
        assert answer.json["reason"] == "would_shrink"
        assert len(routed(filled)) == 12
    generation = filled.get("/v1/services").json["generation"]
    assert filled.ctl("rollback", "1", check=False).returncode == 1
    filled.ctl("rollback", "--force", "1")
    assert routed(filled) == ["/p0/x"]
    assert filled.post("/v1/rollback?force=true",
                       {"to": generation}).status == 200
    assert filled.post("/v1/import?replace=true&force=true",
                       document).status == 200
    assert routed(filled) == []


def test_single_objects_go_one_by_one(filled):
    for i in range(12):
        assert filled.ask("DELETE", f"/v1/services/s{i}?cascade=true"
                          ).status == 204
    assert routed(filled) == []
