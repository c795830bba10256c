# SPDX-License-Identifier: ISC
"""Whatever was done, by whomever, history tells of it."""

import json
import os
import sqlite3
import time

import pytest

from harness.quick import QuickBackend
from harness.registrant import Registrant
from harness.wait import wait_until


@pytest.fixture(params=["sqlite", "postgres", "memory"])
def environment(request):
    if request.param == "postgres":
        return {"DB_DRIVER": "postgres",
                "DATABASE_URL": request.getfixturevalue("database")}
    return {"DB_DRIVER": request.param}


@pytest.fixture
def server():
    quick = QuickBackend()
    yield quick
    quick.close()


def rows(proxy, **wanted):
    """Rows of history like that, newest first."""
    items = proxy.get("/v1/changes?limit=1000").json.get("items", [])
    return [item for item in items
            if all(item[name] == value for name, value in wanted.items())]


def newest(proxy, **wanted):
    """The newest row like that, when it is there."""
    return wait_until(lambda: rows(proxy, **wanted))[0]


def make(proxy, name, url, **service):
    """A service with a backend and a route; the backend's id."""
    answer = proxy.post("/v1/services", {
        "name": name, "probe": {"kind": "off"}, **service})
    assert answer.status == 201, answer
    answer = proxy.post(f"/v1/services/{name}/backends", {"url": url})
    assert answer.status == 201, answer
    proxy.post("/v1/routes", {"service": name, "prefixes": ["/" + name]})
    return answer.json["id"]


def reload(proxy):
    """Refused while the last of the roles is still starting."""
    wait_until(lambda: proxy.ctl("reload", check=False).returncode == 0)


def assert_by_itself(proxy, row, channel):
    assert row["who"] == "sluice" and row["channel"] == channel, row
    assert row["from"].startswith(proxy.instance + "@"), row


def test_orders_that_end_by_themselves(sluice, environment):
    proxy = sluice(environment=environment)
    backend_id = make(proxy, "users", "http://127.0.0.1:9")
    path = f"/v1/backends/{backend_id}/drain"
    proxy.ask("PUT", path, {"over": "100ms", "reason": "move"})
    row = newest(proxy, cause="drain is over")
    assert_by_itself(proxy, row, "clock")
    assert (row["kind"], row["key"]) == ("backend", backend_id)
    assert row["before"]["drain"]["outcome"] == "pending"
    assert row["after"]["drain"]["outcome"] == "clean"
    ordered = newest(proxy, kind="backend", channel="api")
    assert "drain" not in ordered["before"]
    assert ordered["after"]["drain"]["reason"] == "move"
    proxy.ask("DELETE", path, headers={"X-Request-Id": "cancel-1"})
    cancelled = newest(proxy, request_id="cancel-1")
    assert "drain" not in cancelled["after"] and cancelled["who"]
    until = time.strftime("%Y-%m-%dT%H:%M:%S.000Z",
                          time.gmtime(time.time() + 2))
    proxy.ask("PUT", "/v1/services/users/maintenance", {"until": until})
    row = newest(proxy, cause="maintenance is over")
    assert_by_itself(proxy, row, "clock")
    assert row["before"]["maintenance"]["until"] == until
    assert "maintenance" not in row["after"]


def test_breakers(sluice, environment, server):
    proxy = sluice(environment=environment)
    backend_id = make(proxy, "users", server.url, breaker={
        "threshold": 3, "open_ms": 100, "half_open_requests": 1})
    generation = proxy.get("/v1/services").json["generation"]
    server.status = 500
    wait_until(lambda: proxy.ask_traffic("GET", "/users") and
               rows(proxy, action="open"))
    opened = rows(proxy, action="open")
    assert len(opened) == 1         # however often its trials fail
    assert_by_itself(proxy, opened[0], "health")
    assert opened[0]["cause"] == "3 failures in a row"
    assert (opened[0]["kind"], opened[0]["key"]) == ("backend", backend_id)
    assert opened[0]["before"] == {
        "service": "users", "url": server.url, "breaker": "closed"}
    assert opened[0]["after"]["breaker"] == "open"
    server.status = 200
    wait_until(lambda: proxy.ask_traffic("GET", "/users") and
               rows(proxy, action="close"))
    closed = newest(proxy, action="close")
    assert_by_itself(proxy, closed, "health")
    assert closed["cause"] == "its trials went well"
    for action in ("trip", "reset"):
        answer = proxy.ask(
            "POST", f"/v1/backends/{backend_id}/breaker", {"action": action},
            headers={"X-Request-Id": "by-hand-" + action})
        assert answer.status == 200, answer
        row = newest(proxy, action=action)
        assert row["channel"] == "api" and row["who"] != "sluice"
        assert row["request_id"] == "by-hand-" + action
    # An order is one row, and nothing of this is a generation.
    assert [row["action"] for row in rows(proxy, kind="backend")] == [
        "reset", "trip", "close", "open", "create"]
    assert proxy.get("/v1/services").json["generation"] == generation
    told = proxy.ctl("history", "--service", "users", "--since", "1h").stdout
    assert "3 failures in a row" in told and f"users {server.url}" in told


def test_a_client_that_does_not_come_back(sluice, environment, server):
    proxy = sluice(environment=environment)
    listen = f"{proxy.address}:{proxy.registration_port}"
    proxy.write_conf(f'registration {{ listen = {{ "{listen}" }} '
                     'grace = "1s" }')
    reload(proxy)
    with Registrant(proxy) as client:
        client.register("billing", "a")
        client.route("b.test", "/", server.url)
        client.apply()
        made = newest(proxy, kind="route")
        assert made["channel"] == "session" and made["who"] == "billing/a"
    row = newest(proxy, kind="route", action="delete")
    assert_by_itself(proxy, row, "clock")
    assert row["cause"] == "billing/a did not come back"
    assert row["before"] == made["after"] and row["after"] is None


def test_rollback_and_import(sluice, environment):
    proxy = sluice(environment=environment)
    make(proxy, "users", "http://127.0.0.1:9")
    document = proxy.get("/v1/export").json
    proxy.ask("DELETE", "/v1/services/users?cascade=true")
    assert proxy.post("/v1/import", document).status == 200
    imported = rows(proxy, cause="import")
    assert {row["action"] for row in imported} == {"create"}
    assert len(imported) == 3
    assert proxy.post("/v1/rollback", {"to": 1}).status == 200
    back = rows(proxy, cause="rollback to 1")
    assert [row["action"] for row in back] == ["delete", "delete"]
    assert back[0]["generation"] == imported[0]["generation"] + 1
    assert all(row["channel"] == "api" and row["who"] and row["from"]
               for row in imported + back)


STATIC = '''service "fixed" {{ backends = {{ "{url}" }} }}
route "fixed" {{ prefixes = {{ "/fixed" }} service = "fixed" }}
'''


def test_sections_of_the_file(sluice, environment):
    conf = STATIC.format(url="http://127.0.0.1:9")
    proxy = sluice(conf, environment=environment)
    wait_until(lambda: len(rows(proxy, action="load")) == 3)
    loaded = rows(proxy, action="load")
    assert {row["kind"] for row in loaded} == {"service", "backend", "route"}
    for row in loaded:
        assert_by_itself(proxy, row, "file")
        assert row["before"] is None and row["after"]["origin"] == "file"
        assert row["generation"] == 0
    proxy.write_conf(STATIC.format(url="http://127.0.0.1:8"))
    reload(proxy)
    wait_until(lambda: len(rows(proxy, channel="file")) == 5)
    assert [(row["action"], row["kind"]) for row in rows(proxy)[:2]] == [
        ("load", "backend"), ("unload", "backend")]
    proxy.register("a", "http://127.0.0.1:9", "/a")
    if environment["DB_DRIVER"] == "memory":
        return
    proxy.kill_role("registryd")    # they are loaded, still
    proxy.register("b", "http://127.0.0.1:9", "/b")
    assert len(rows(proxy, channel="file")) == 5
    # Nothing of this is undone.
    assert proxy.post("/v1/rollback", {"to": 0}).status == 200
    names = [s["name"] for s in proxy.get("/v1/services").json["items"]]
    assert names == ["fixed"]
    listed = json.loads(proxy.ctl("-o", "json", "history").stdout)
    assert listed[-1]["action"] == "load"


def test_who_lets_through_what_was_held(sluice):
    proxy = sluice()
    for i in range(12):
        proxy.register(f"s{i}", "http://127.0.0.1:9", f"/p{i}")
    with sqlite3.connect(proxy.home / "state" / "sluice.db") as database:
        database.execute("PRAGMA foreign_keys = ON")
        database.execute("DELETE FROM route")
    proxy.kill_role("registryd")
    wait_until(lambda: proxy.metric("sluice_store_held") == 1)
    proxy.ctl("store", "accept")
    row = newest(proxy, kind="store")
    assert (row["key"], row["action"]) == ("guard", "accept")
    assert row["who"] == f"uid {os.getuid()}"
    assert row["cause"] == "12 of 12 paths go"
    assert row["after"]["removed"] == 12
