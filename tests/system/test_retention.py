# SPDX-License-Identifier: ISC
"""History ends, and says so; nothing that is routed goes with it."""

import signal

import pytest

from harness.wait import wait_until

ROUTES = [f"/p{i}" for i in range(10)]


@pytest.fixture(params=["sqlite", "postgres", "memory"])
def environment(request):
    if request.param == "postgres":
        return {"DB_DRIVER": "postgres",
                "DATABASE_URL": request.getfixturevalue("database")}
    return {"DB_DRIVER": request.param}


def reload(proxy):
    """Refused while the last of the roles is still starting."""
    wait_until(lambda: proxy.ctl("reload", check=False).returncode == 0)


def shorten(proxy, setting, is_over):
    """Reloads with the setting; waits until a look at history ends well."""
    proxy.write_conf(f"store {{ {setting} }}")
    reload(proxy)
    wait_until(is_over, 30, setting)


def rows(proxy):
    return proxy.get("/v1/changes?limit=1000").json["items"]


def shown(proxy):
    return [proxy.get(f"/v1/{kind}?limit=1000").json["items"]
            for kind in ("services", "backends", "routes")]


def fill(proxy):
    """Ten generations of three rows."""
    for path in ROUTES:
        proxy.register("s" + path[2:], "http://127.0.0.1:9", path)


def test_the_oldest_rows_go(sluice, environment):
    proxy = sluice(environment=environment)
    fill(proxy)
    before = shown(proxy)
    shorten(proxy, "history_rows = 10", lambda: len(rows(proxy)) == 10)
    # Of generation 7 one row is left: it cannot be undone any more.
    assert [row["generation"] for row in rows(proxy)] == [
        10, 10, 10, 9, 9, 9, 8, 8, 8, 7]
    wait_until(lambda: proxy.metric("sluice_store_history_rows") == 10)
    assert proxy.metric("sluice_store_history_pruned_total") == 20
    assert proxy.metric("sluice_store_history_age_seconds") < 600
    for answer in (proxy.get("/v1/changes/6..9"),
                   proxy.get("/v1/changes/0..9"),
                   proxy.post("/v1/rollback?force=true", {"to": 6})):
        assert answer.status == 410, answer
        assert answer.json["reason"] == "history_gone"
        assert "reaches back to generation 7;" in answer.json["detail"]
    assert len(proxy.get("/v1/changes/7..9").json["items"]) == 6
    for words in (("diff", "6..9"), ("rollback", "--force", "2")):
        refused = proxy.ctl(*words, check=False)
        assert refused.returncode == 1
        assert "reaches back to generation 7;" in refused.stderr
    assert "create" in proxy.ctl("history").stdout
    assert shown(proxy) == before
    assert proxy.post("/v1/rollback?force=true", {"to": 7}).status == 200
    assert len(shown(proxy)[0]) == 7


def test_what_was_removed_stays_so(sluice, environment):
    proxy = sluice(environment=environment)
    fill(proxy)
    before = shown(proxy)
    shorten(proxy, "history_age = 1ms", lambda: rows(proxy) == [])
    # Without a bound nothing more goes.
    proxy.write_conf("store { history_age = 0 }")
    reload(proxy)
    assert proxy.get("/v1/changes/10..10").json["items"] == []
    assert proxy.get("/v1/changes/9..10").status == 410
    assert proxy.post("/v1/rollback?force=true", {"to": 9}).status == 410
    proxy.ask("DELETE", "/v1/services/s0?cascade=true")
    assert proxy.post("/v1/rollback", {"to": 10}).status == 200
    names = [item["name"] for item in shown(proxy)[0]]
    assert names == [item["name"] for item in before[0]]
    assert proxy.get("/v1/changes/9..12").status == 410
    if environment["DB_DRIVER"] == "memory":
        return
    proxy.kill_role("registryd")
    assert [item["name"] for item in shown(proxy)[0]] == names
    assert proxy.get("/v1/changes/9..12").status == 410
    assert len(proxy.get("/v1/changes/10..12").json["items"]) > 0


@pytest.fixture
def pair(sluice, database):
    """Two sluices on one database, the second with a registryd asleep."""
    environment = {"DB_DRIVER": "postgres", "DATABASE_URL": database}

    def make(heartbeat):
        conf = f"store {{ heartbeat = {heartbeat} }}"
        one = sluice(conf, environment=environment)
        other = sluice(conf, name="b", environment=environment)
        fill(one)
        wait_until(lambda: [item["generation"] for item in one.get(
            "/v1/instances").json["items"]] == [10, 10])
        other.kill(other.pid("registryd"), signal.SIGSTOP)
        for i in range(5):
            one.ask("DELETE", f"/v1/services/s{i}?cascade=true")
            one.register(f"n{i}", "http://127.0.0.1:9", f"/n{i}")
        return one, other

    return make


def wake(other):
    other.kill(other.pid("registryd"), signal.SIGCONT)


def stale_count(proxy):
    return sum(item["stale"]
               for item in proxy.get("/v1/instances").json["items"])


def test_one_that_was_away_for_too_long_loads_all(pair):
    one, other = pair("1s")
    wait_until(lambda: stale_count(one) == 1, 60)
    one.write_conf("store { heartbeat = 1s history_rows = 1 }")
    reload(one)
    wait_until(lambda: len(rows(one)) == 1, 30)
    wake(other)
    wait_until(lambda: shown(other) == shown(one), 60)
    assert "history reaches back to" in other.log()
    one.register("last", "http://127.0.0.1:9", "/last")
    wait_until(lambda: shown(other) == shown(one), 60)


def test_what_another_has_yet_to_follow_stays(pair):
    one, other = pair("1h")
    one.write_conf("store { heartbeat = 1h history_rows = 1 }")
    reload(one)
    wait_until(lambda: one.metric("sluice_store_history_pruned_total") > 0,
               30)
    assert min(row["generation"] for row in rows(one)) == 11
    wake(other)
    wait_until(lambda: shown(other) == shown(one), 60)
    assert "history reaches back to" not in other.log()
