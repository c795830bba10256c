# SPDX-License-Identifier: ISC
"""What was changed is all there, and can be put back."""

import json
import random

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


def change_something(proxy, dice):
    """One random change; some are refused, and are none then."""
    names = [item["name"] for item in pages(proxy, "/v1/services", 1000)]
    routes = pages(proxy, "/v1/routes", 1000)
    name = dice.choice(names) if names else "none"
    what = dice.randrange(9)
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
        proxy.post("/v1/routes", {
            "prefixes": [f"/p{dice.randrange(6)}/{dice.randrange(3)}"],
            "domains": dice.choice([[], ["a.test", "*.b.test"]]),
            "priority": dice.randrange(3),
            "targets": [{"service": target, "weight": dice.randrange(1, 5)}
                        for target in set(dice.choices(names, k=2))],
            "headers": [{"op": "set", "of": "request", "name": "x-a",
                         "value": str(dice.random())}]})
    elif what == 5 and routes:
        proxy.ask("PATCH", f"/v1/routes/{dice.choice(routes)['id']}",
                  {"priority": dice.randrange(5),
                   "strip_prefix": dice.random() < 0.5})
    elif what == 6 and routes:
        proxy.ask("DELETE", f"/v1/routes/{dice.choice(routes)['id']}")
    elif what == 7:
        proxy.ask("DELETE", f"/v1/services/{name}?cascade=true")
    else:
        proxy.ask("PATCH", f"/v1/services/{name}",
                  {"connect_timeout_ms": dice.randrange(1, 1000)})


def generation_of(proxy):
    return proxy.get("/v1/services").json["generation"]


def test_any_generation_can_be_put_back(sluice, environment):
    proxy = sluice(environment=environment)
    seed = random.randrange(1 << 30)
    dice = random.Random(seed)
    tables = {0: table_of(proxy)}
    while len(tables) < 100:
        change_something(proxy, dice)
        tables[generation_of(proxy)] = table_of(proxy)
    targets = dice.sample(sorted(tables), 40) + [0]
    for to in targets:
        before = generation_of(proxy)
        answer = proxy.post("/v1/rollback?force=true", {"to": to})
        assert answer.status == 200, (seed, to, answer)
        assert answer.json["to"] == to
        now = generation_of(proxy)
        assert now == answer.json["generation"]
        assert now == before + (answer.json["changes"] > 0)
        assert table_of(proxy) == tables[to], (seed, to)
        tables[now] = tables[to]
    # What came back is in the store as well.
    proxy.post("/v1/rollback?force=true", {"to": max(tables) // 2})
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
