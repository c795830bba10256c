# SPDX-License-Identifier: ISC
"""Sessions in the store: what is kept of them, and who has them."""

import pathlib
import sqlite3

import pytest

from harness.registrant import Registrant


SQL = pathlib.Path(__file__).parents[2] / "sql"


class Database:
    """Of one driver, to be looked into and changed by hand."""

    def __init__(self, request, driver, home):
        self.driver = driver
        self.path = home / "proxy" / "state" / "sluice.db"
        self.environment = {}
        if driver == "postgres":
            self.cluster = request.getfixturevalue("cluster")
            self.url = request.getfixturevalue("database")
            self.environment = {"DB_DRIVER": driver,
                                "DATABASE_URL": self.url}

    def run(self, statement):
        """The rows, as texts with '|' between columns."""
        if self.environment:
            return self.cluster.psql(self.url.rsplit("/", 1)[1],
                                     statement).splitlines()
        with sqlite3.connect(self.path) as connection:
            rows = connection.execute(statement).fetchall()
        connection.close()
        return ["|".join(map(str, row)) for row in rows]

    def go_down(self, version):
        """Takes the schema back to that version, as an older one left it."""
        downs = sorted((SQL / self.driver).glob("*.down.sql"), reverse=True)
        for path in downs:
            if int(path.name[:4]) <= version:
                return
            if self.environment:
                self.run(path.read_text())
                continue
            with sqlite3.connect(self.path) as connection:
                connection.executescript(path.read_text())
            connection.close()


@pytest.fixture(params=["sqlite", "postgres"])
def database_of(request, tmp_path):
    return Database(request, request.param, tmp_path)


def ask(proxy, host, path="/"):
    return proxy.ask_traffic("GET", path, {"Host": host})


# What is kept


def test_nobody_can_act_for_who_is_in_the_store(sluice, backend, database_of):
    proxy = sluice(name="proxy", environment=database_of.environment)
    with Registrant(proxy) as client:
        sid = client.register()
        client.route("a.example", "/", backend().url)
        client.apply()
        client.route("b.example", "/", backend().url)
        assert client.ask("MAINT_ENTER", "ALL", "http://127.0.0.1:1") == "ACK"
        secret = sid.rsplit("-", 1)[1]
        keys = database_of.run("SELECT DISTINCT key FROM note")
        assert len(keys) == 1 and keys[0] != sid, keys
        assert secret not in " ".join(database_of.run(
            "SELECT kind, key, body FROM note ORDER BY 1"))
        assert client.ask_json("SESSION_INFO")["session_id"] == sid
        with Registrant(proxy) as other:
            assert other.say(f"RECONNECT|{keys[0]}") == "REREGISTER"
            assert other.say(f"RECONNECT|{'x' * 60000}") == "REREGISTER"
    listed = proxy.get("/v1/sessions").json["items"]
    assert sid.startswith(listed[0]["id"] + "-")
    assert secret not in proxy.get("/v1/sessions").body.decode()
    assert secret not in proxy.log()


def test_sessions_of_an_older_schema_are_taken_over(sluice, backend,
                                                    database_of):
    """Their rows had the ids themselves."""
    proxy = sluice(name="proxy", environment=database_of.environment)
    server = backend()
    with Registrant(proxy) as client:
        sid = client.register()
        client.route("a.example", "/", server.url)
        client.apply()
        client.route("b.example", "/", server.url)
    with Registrant(proxy) as quiet:
        quiet.register("shop", "node-1-a")
    assert proxy.stop() == 0
    database_of.go_down(7)
    database_of.run(f"UPDATE note SET key = '{sid}' WHERE key LIKE 'a-%'")
    database_of.run(
        f"UPDATE note SET key = '{quiet.sid}' WHERE key LIKE 'node-%'")
    database_of.run(
        f"UPDATE note SET body = replace(body, '|-|', '|{sid}|') "
        "WHERE kind = 'staged'")
    proxy.start()
    for lost in sid, quiet.sid:
        assert lost[-32:] not in " ".join(database_of.run(
            "SELECT key, body FROM note"))
    with Registrant(proxy) as client:
        client.sid = sid
        assert client.say(f"RECONNECT|{sid}") == "OK"
        assert [row["status"] for row in client.ask_json("ROUTE_LIST")] == \
            ["active", "staged"]
        client.apply()
        assert ask(proxy, "b.example") == 200
        assert client.say(f"RECONNECT|{quiet.sid}") == "OK"
