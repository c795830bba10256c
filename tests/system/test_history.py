# SPDX-License-Identifier: ISC
"""What was changed is all there, and can be put back."""

import json
import random
import sqlite3

import pytest

SHOWN = ("version", "created_at", "updated_at")


@pytest.fixture(params=["sqlite", "postgres"])
def environment(request):
    if request.param == "sqlite":
        return {}
    return {"DB_DRIVER": "postgres",
            "DATABASE_URL": request.getfixturevalue("database")}


def pages(proxy, path, limit):
    """The items of all pages of a list."""
    cursor, items = "", []
    while True:
        answer = proxy.get(f"{path}?limit={limit}{cursor}")
        assert answer.status == 200, answer
        items += answer.json["items"]
        if answer.json["next_cursor"] is None:
            return items
        cursor = "&cursor=" + answer.json["next_cursor"]


def table_of(proxy):
    """All objects, without what a later commit must change."""
    return [[{name: value for name, value in item.items()
              if name not in SHOWN} for item in pages(proxy, path, 1000)]
            for path in ("/v1/services", "/v1/backends", "/v1/routes")]


def test_pages_end_anywhere_and_skip_nothing(sluice, environment):
    proxy = sluice(environment=environment)
    for i in range(5):              # three rows a generation
        proxy.register(f"s{i}", "http://127.0.0.1:9", f"/p{i}")
        proxy.post("/deregister", {"name": f"s{i}"})
    whole = pages(proxy, "/v1/changes", 1000)
    assert len(whole) > 20
    for limit in (1, 2, 4, 7):
        assert pages(proxy, "/v1/changes", limit) == whole
        assert pages(proxy, "/v1/changes/0..10", limit) == whole[::-1]
    assert proxy.get("/v1/changes?cursor=7").status == 400


class Rows:
    """The rows of the store themselves, without what commits change."""

    TABLES = {"service": "name", "backend": "id", "route": "id",
              "route_target": "route, position"}

    def __init__(self, request, driver):
        self.environment, self.cluster = {"DB_DRIVER": driver}, None
        if driver == "postgres":
            self.cluster = request.getfixturevalue("cluster")
            url = request.getfixturevalue("database")
            self.environment["DATABASE_URL"] = url
            self.database = url.rsplit("/", 1)[1]

    def read(self, proxy):
        if self.cluster is not None:
            return [self.cluster.psql(
                self.database,
                "SELECT to_jsonb(t) - 'version' - 'created_at' "
                f"- 'updated_at' FROM {table} AS t ORDER BY {key}")
                for table, key in self.TABLES.items()]
        path = proxy.home / "state" / "sluice.db"
        with sqlite3.connect(path, timeout=10) as connection:
            connection.row_factory = sqlite3.Row
            return [[{name: row[name] for name in row.keys()
                      if name not in SHOWN} for row in connection.execute(
                          f"SELECT * FROM {table} ORDER BY {key}")]
                    for table, key in self.TABLES.items()]


@pytest.fixture(params=["sqlite", "postgres"])
def store_rows(request):
    return Rows(request, request.param)


PLACES = [f"http://{host}/{path}"
          for host in ("other.test", "a.test", "x.b.test")
          for path in ("p0", "p1/2/x", "p3", "p5/0", "q2", "q4/y")]


def routed(proxy, table):
    """What the workers' table does with requests of all kinds."""
    targets = {route["id"]: len(route["targets"]) for route in table[2]}
    seen = []
    for place in PLACES:
        answer = proxy.get("/v1/explain?method=GET&url=" + place).json
        match, route = answer["match"], answer["route"]
        seen.append(match)
        if route is None or match["sharing"] > 1:
            continue                # any of several routes
        for passing in ("remaining", "reset_ms", "allowed"):
            (route["rate_limit"] or {}).pop(passing, None)
        seen.append(route)
        if targets[route["id"]] > 1:
            continue                # any of several services
        service = answer["service"]
        seen.append((service["name"], service["policy"], sorted(
            (backend["address"], backend["weight"])
            for backend in answer["backends"] if "address" in backend)))
    return seen


def new_route(dice, names):
    return {
        "prefixes": [f"/p{dice.randrange(6)}/{dice.randrange(3)}"],
        "domains": dice.choice([[], ["a.test", "*.b.test"]]),
        "priority": dice.randrange(3),
        "targets": [{"service": target, "weight": dice.randrange(1, 5)}
                    for target in set(dice.choices(names, k=2))],
        "headers": [{"op": "set", "of": "request", "name": "x-a",
                     "value": str(dice.random())},
                    {"op": "remove", "of": "response", "name": "server"}]}


def route_patch(dice):
    return dice.choice([
        {"priority": dice.randrange(5), "strip_prefix": dice.random() < 0.5},
        {"rate_limit": {"requests": dice.randrange(1, 99),
                        "window_ms": 60000,
                        "dry_run": dice.random() < 0.5}},
        {"rate_limit": None},
        {"host_rewrite": dice.choice(["", "inner.test"]),
         "max_body_bytes": dice.randrange(9999)},
        {"label": f"l{dice.randrange(99)}"}])


def service_patch(dice):
    return dice.choice([
        {"connect_timeout_ms": dice.randrange(1, 1000)},
        {"policy": "hash_header", "hash_header": f"x-{dice.randrange(9)}"},
        {"policy": dice.choice(["round_robin", "two_choices"])},
        {"probe": {"kind": "http", "path": f"/h{dice.randrange(9)}",
                   "interval_ms": dice.randrange(1000, 9999)}},
        {"probe": {"kind": "off"}},
        {"breaker": {"threshold": dice.randrange(1, 9),
                     "open_ms": dice.randrange(1000, 9999)}},
        {"breaker": None}])


def change_something(proxy, dice):
    """One random change; some are refused, and are none then."""
    names = [item["name"] for item in pages(proxy, "/v1/services", 1000)]
    routes = pages(proxy, "/v1/routes", 1000)
    backends = pages(proxy, "/v1/backends", 1000)
    name = dice.choice(names) if names else "none"
    what = dice.randrange(12)
    if what <= 1 or not names:
        proxy.register(f"s{dice.randrange(8)}",
                       f"http://127.0.0.1:{dice.randrange(1, 9)}",
                       f"/p{dice.randrange(6)}", f"/q{dice.randrange(6)}")
    elif what == 2:
        proxy.post("/v1/services", {
            "name": f"s{dice.randrange(8)}", "retries": dice.randrange(2),
            "policy": dice.choice(["round_robin", "two_choices"])})
    elif what == 3:
        proxy.post(f"/v1/services/{name}/backends", {
            "url": f"http://127.0.0.1:{dice.randrange(1, 99)}",
            "weight": dice.randrange(9)})
    elif what == 4:
        proxy.post("/v1/routes", new_route(dice, names))
    elif what <= 6 and routes:
        proxy.ask("PATCH", f"/v1/routes/{dice.choice(routes)['id']}",
                  route_patch(dice))
    elif what == 7 and routes:
        proxy.ask("DELETE", f"/v1/routes/{dice.choice(routes)['id']}")
    elif what == 8:
        proxy.ask("DELETE", f"/v1/services/{name}?cascade=true")
    elif what == 9 and backends:
        proxy.ask("PATCH", f"/v1/backends/{dice.choice(backends)['id']}",
                  {"weight": dice.randrange(9),
                   "max_connections": dice.randrange(9)})
    else:
        proxy.ask("PATCH", f"/v1/services/{name}", service_patch(dice))


def generation_of(proxy):
    return proxy.get("/v1/services").json["generation"]


@pytest.mark.timeout(400)
def test_any_generation_can_be_put_back(sluice, store_rows):
    """As the API, the rows of the database and the workers' table say."""
    proxy = sluice(environment=store_rows.environment)
    seed = random.randrange(1 << 30)
    dice = random.Random(seed)

    def look():
        table = table_of(proxy)
        return table, store_rows.read(proxy), routed(proxy, table)

    looks = {0: look()}
    while len(looks) < 101:
        change_something(proxy, dice)
        if generation_of(proxy) not in looks:
            looks[generation_of(proxy)] = look()
    for to in dice.sample(sorted(looks), 100):
        before = generation_of(proxy)
        answer = proxy.post("/v1/rollback?force=true", {"to": to})
        assert answer.status == 200, (seed, to, answer)
        assert answer.json["to"] == to
        now = generation_of(proxy)
        assert now == answer.json["generation"]
        assert now == before + (answer.json["changes"] > 0)
        for was, is_now in zip(looks[to], look()):
            assert is_now == was, (seed, to)
    # What came back is there after a restart as well.
    proxy.post("/v1/rollback?force=true", {"to": max(looks) // 2})
    shown = table_of(proxy)
    proxy.kill_role("registryd")
    assert table_of(proxy) == shown


def test_a_rollback_is_refused_whole(sluice):
    proxy = sluice()
    proxy.register("a", "http://127.0.0.1:9", "/a")
    shown = table_of(proxy)
    for body, status in (({"to": 9}, 422), ({"to": -1}, 422), ({}, 422),
                         ({"to": 0, "x": 1}, 422), (b"{", 400)):
        assert proxy.post("/v1/rollback", body).status == status, body
    assert table_of(proxy) == shown
    assert proxy.post("/v1/rollback?dry_run=true", {"to": 0}).status == 200
    assert table_of(proxy) == shown
    assert generation_of(proxy) == 1


def test_sluicectl_tells_history_and_goes_back(sluice, environment):
    proxy = sluice(environment=environment)
    proxy.register("a", "http://127.0.0.1:9", "/a")
    proxy.register("b", "http://127.0.0.1:9", "/b")
    proxy.ask("PATCH", "/v1/services/a", {"retries": 0})
    rows = json.loads(proxy.ctl(
        "-o", "json", "history", "--service", "a", "--since", "1h").stdout)
    assert [row["generation"] for row in rows] == [3, 1, 1, 1]
    assert "CHANNEL" in proxy.ctl("history", "-n", "1").stdout
    assert proxy.ctl("history", "-n", "1").stdout.count("\n") == 2
    assert "  - retries: 1\n  + retries: 0\n" in proxy.ctl("diff", "2..3").stdout
    shown = table_of(proxy)
    assert "as at 1" in proxy.ctl("rollback", "1").stdout
    assert [item["name"] for item in table_of(proxy)[0]] == ["a"]
    proxy.ctl("rollback", "3")
    assert table_of(proxy) == shown
    assert proxy.ctl("rollback", "99", check=False).returncode == 1
    assert proxy.ctl("diff", "3", check=False).returncode == 2
