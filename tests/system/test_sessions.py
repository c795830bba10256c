# SPDX-License-Identifier: ISC
"""Sessions in the store: what is kept of them, and who has them."""

import pathlib
import sqlite3

import pytest

from harness.registrant import Registrant
from harness.wait import wait_until


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


# Who has them


@pytest.fixture
def pair(sluice, database):
    """Two sluices on one PostgreSQL; news come by notification alone."""
    conf = ('store { follow_interval = "1h" heartbeat = "1s" }\n'
            'health { interval = "200ms" }')
    environment = {"DB_DRIVER": "postgres", "DATABASE_URL": database}
    pair = [sluice(conf, name=name, environment=environment)
            for name in ("one", "two")]
    for proxy in pair:
        wait_until(lambda: proxy.metric("sluice_store_listening") == 1)
    return pair


def reconfigure(proxy, **settings):
    text = " ".join(f"{key} = {value}" for key, value in settings.items())
    proxy.conf_path.write_text(proxy.conf_path.read_text().replace(
        "registration {", "registration { " + text))
    wait_until(lambda: proxy.ctl("reload", check=False).returncode == 0)


def states(proxy):
    return [row["state"] for row in proxy.get("/v1/sessions").json["items"]]


def serves(proxy, host):
    return wait_until(lambda: ask(proxy, host) == 200) or True


def test_another_instance_takes_a_session_over(pair, backend):
    one, two = pair
    page = backend(answer=lambda request: (503, [], b""))
    with Registrant(one) as client:
        sid = client.register()
        client.route("a.example", "/", backend().url)
        client.apply()
        client.route("b.example", "/", backend().url)
        wait_until(lambda: states(two) == ["elsewhere"])
        with Registrant(two) as again:
            again.sid = sid
            assert again.say(f"RECONNECT|{sid}") == "OK"
            assert [row["status"] for row in again.ask_json("ROUTE_LIST")] \
                == ["active", "staged"]
            again.apply()
            # the old owner lets go, of its connection too
            wait_until(lambda: states(one) == ["elsewhere"])
            assert client.ask("PING") == "ERROR|no session"
            for proxy in pair:
                assert serves(proxy, "a.example")
                assert serves(proxy, "b.example")
            # and back, while a page is waited for
            assert again.ask("MAINT_ENTER", "a.example", page.url) == "ACK"
            assert client.say(f"RECONNECT|{sid}") == "OK"
            page.answer = lambda request: (200, [], b"")
            assert client.read() == "MAINT_OK|a.example"
            wait_until(lambda: states(two) == ["elsewhere"])
            assert again.ask("PING") == "ERROR|no session"
        assert client.ask("CLIENT_SHUTDOWN") == "SHUTDOWN_OK"
    wait_until(lambda: states(one) == states(two) == [])
    wait_until(lambda: ask(two, "a.example") == 404)


def test_only_its_owner_expires_a_session(pair, backend):
    one, two = pair
    reconfigure(two, grace="1s", on_disconnect="disable",
                staged_expiry="1s")
    with Registrant(one) as client:
        client.register()
        client.route("a.example", "/", backend().url)
        client.apply()
        wait_until(lambda: states(two) == ["elsewhere"])
    with Registrant(two) as other:      # its own goes, on its clock
        other.register("other", "b")
        other.route("b.example", "/", backend().url)
        other.apply()
    wait_until(lambda: ask(two, "b.example") == 404)
    wait_until(lambda: states(one) == ["lost"])
    assert states(two) == ["elsewhere"]
    assert ask(two, "a.example") == 200
    two.kill_role("registryd")          # nor does a restart change that
    wait_until(lambda: states(two) == ["elsewhere"])


def test_sessions_of_a_sluice_that_is_gone_are_adopted(pair, backend):
    one, two = pair
    reconfigure(two, grace="1s")
    with Registrant(one) as client:
        sid = client.register()
        client.route("a.example", "/", backend().url)
        client.apply()
        client.route("b.example", "/", backend().url)
        wait_until(lambda: states(two) == ["elsewhere"])
    with Registrant(one) as other:
        other.register("other", "b")
        wait_until(lambda: len(states(two)) == 2)
    one.end()
    wait_until(lambda: states(two) == ["lost", "lost"])
    assert ask(two, "a.example") == 200
    with Registrant(two) as client:
        client.sid = sid
        assert client.say(f"RECONNECT|{sid}") == "OK"
        client.apply()
        assert ask(two, "b.example") == 200
        wait_until(lambda: states(two) == ["connected"])    # the other went
        one.start()                     # it finds that it has none
        assert states(one) == ["elsewhere"]
        assert client.ask("PING") == "PONG"


def test_sessions_of_two_sluices_share_a_route(pair, backend):
    one, two = pair
    first, second = backend(), backend()
    with Registrant(one) as a, Registrant(two) as b:
        a.register("billing", "a")
        a.route("a.example", "/", first.url)
        a.apply()
        wait_until(lambda: ask(two, "a.example") == 200)
        b.register("billing", "b")
        b.route("a.example", "/", second.url)
        b.apply()
        for _ in range(4):
            assert ask(two, "a.example") == 200
        assert first.requests and second.requests
        wait_until(lambda: len(one.get("/v1/backends").json["items"]) == 2)
        assert b.ask("CLIENT_SHUTDOWN") == "SHUTDOWN_OK"
        before = len(second.requests)
        for _ in range(4):
            assert ask(two, "a.example") == 200
        assert len(second.requests) == before
        # registering again at the other one replaces
        wait_until(lambda: states(one) == ["connected"])
        with Registrant(two) as again:
            again.register("billing", "a")
            wait_until(lambda: ask(one, "a.example") == 404)
            wait_until(lambda: states(one) == ["elsewhere"])
            assert a.ask("PING") == "ERROR|no session"


def test_tokens_are_good_everywhere(pair):
    one, two = pair
    token = one.post("/v1/tokens", {"label": "all"}).json
    with Registrant(two) as client:
        wait_until(lambda: len(two.get("/v1/tokens").json["items"]) == 1)
        assert client.say("REGISTER|a|b|0") == "ERROR|not authorized"
        assert one.ask("DELETE", f"/v1/tokens/{token['id']}").status == 204
        wait_until(lambda: two.get("/v1/tokens").json["items"] == [])
        client.register()
