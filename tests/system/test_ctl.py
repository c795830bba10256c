# SPDX-License-Identifier: ISC
"""sluicectl: every verb, for people and for programs, and its exit codes."""

import json
import socket

import pytest

from harness.sluice import Sluice
from harness.wait import wait_until


@pytest.fixture(scope="module")
def proxy(tmp_path_factory):
    instance = Sluice(tmp_path_factory.mktemp("ctl"), "workers = 2")
    instance.start()
    instance.register("shop", "http://127.0.0.1:9", "/shop")
    yield instance
    instance.end()


def test_lists_are_whole_however_long(proxy):
    for i in range(1500):
        proxy.register(f"many-{i}", "http://127.0.0.1:9", f"/many/{i}")
    rows = json.loads(proxy.ctl("-o", "json", "routes").stdout)
    assert len({row["id"] for row in rows}) == 1501
    assert len(proxy.ctl("services").stdout.splitlines()) == 1502


def test_explain_says_where_a_request_goes(proxy):
    told = json.loads(proxy.ctl("-o", "json", "explain", "GET",
                                "http://any/shop/x", "-H", "X-A: 1",
                                "--from", "192.0.2.7").stdout)
    assert told["match"]["prefix"] == "/shop"
    assert told["service"]["name"] == "shop"
    assert told["changed"]["channel"] == "register"
    told = json.loads(proxy.ctl("-o", "json", "explain", "GET",
                                "http://any/none").stdout)
    assert told["refusal"] == "no_route" and told["status"] == 404


def test_status_and_healthcheck(proxy):
    assert 'status: "ready"' in proxy.ctl("status").stdout
    assert proxy.ctl("healthcheck").stdout == ""


def test_backends_and_workers_answer_without_registryd(proxy):
    proxy.kill(proxy.pid("registryd"))
    assert "http://127.0.0.1:9" in proxy.ctl("backends", "shop").stdout
    assert proxy.ctl("workers").stdout.count("worker ") == 2
    assert "requests/s" in proxy.ctl("top", "-n", "1").stdout


def test_the_log_level_is_set_everywhere(proxy):
    assert 'level: "debug"' in proxy.ctl("log", "level", "debug").stdout
    assert 'level: "debug"' in proxy.ctl("log", "level").stdout
    done = proxy.ctl("log", "level", "loud", check=False)
    assert done.returncode == 1 and "loud" not in done.stdout


@pytest.mark.parametrize("arguments, status", [
    ((), 2),
    (("no-such-verb",), 2),
    (("status", "more"), 2),
    (("explain", "GET"), 2),
    (("-o", "xml", "status"), 2),
    (("-s", "unix:/no/such/socket", "status"), 3),
    (("-i", "no-such-instance", "workers"), 3),
    (("explain", "GET", "not a url"), 1),
])
def test_exit_codes(proxy, arguments, status):
    done = proxy.ctl(*arguments, check=False)
    assert done.returncode == status, done
    assert done.stderr.startswith("sluicectl: ")


def test_nobody_answers_in_time(proxy, tmp_path):
    path = str(tmp_path / "mute.sock")
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(path)
        mute.listen()
        done = proxy.ctl("-s", f"unix:{path}", "-t", "100ms", "healthcheck",
                         check=False)
    assert done.returncode == 4


def test_a_reload_while_starting_is_carried_out_then(sluice):
    proxy = sluice()
    assert proxy.stop() == 0
    proxy.spawn()

    def reloaded():
        done = proxy.ctl("reload", check=False)
        assert done.returncode in (0, 3), done      # 3: not there yet
        return done.returncode == 0

    wait_until(reloaded)


def test_maintenance_of_all_is_one_change(sluice, backend):
    proxy = sluice('service "fixed" { backends = { "http://127.0.0.1:9" } }')
    url, names = backend().url, ["one", "three", "two"]
    for name in names:
        proxy.register(name, url, f"/{name}")

    def all_of(method):
        answer = proxy.ask(method, "/v1/maintenance", {} if method == "PUT"
                           else None)
        assert answer.status in (200, 204), answer
        return int(answer.headers["Sluice-Generation"])

    def statuses():
        return {proxy.ask_traffic("GET", f"/{name}/x") for name in names}

    def changed_since(generation):      # what the file has is no change
        items = proxy.get(f"/v1/changes/{generation}..{generation + 1}")
        return sorted(item["key"] for item in items.json["items"]
                      if item["key"] != "fixed")

    before = all_of("GET")
    assert proxy.ctl("maintenance", "all", "on", "--reason", "move"
                     ).returncode == 0
    assert all_of("GET") == before + 1
    assert statuses() == {503}
    assert changed_since(before) == names
    told = json.loads(proxy.ctl("-o", "json", "maintenance", "all",
                                "status").stdout)
    assert told == {"active": True, "services": 4, "in_maintenance": 4}
    shown = proxy.get("/v1/services/two/maintenance").json["maintenance"]
    assert shown["reason"] == "move"
    assert proxy.ask("DELETE", "/v1/services/one/maintenance").status == 204
    assert proxy.get("/v1/maintenance").json == {
        "active": False, "services": 4, "in_maintenance": 3}
    assert proxy.ctl("maintenance", "all", "off").returncode == 0
    assert statuses() == {200}
    assert changed_since(before + 2) == ["three", "two"]
    assert all_of("PUT") == before + 4
    assert statuses() == {503}
    assert all_of("DELETE") == before + 5
    assert proxy.ask("PUT", "/v1/maintenance",
                     {"until": "2001-01-01T00:00:00Z"}).status == 422
    for words in ("drain", "all", "off"), ("maintenance", "all", "up"):
        assert proxy.ctl(*words, check=False).returncode != 0
    assert statuses() == {200}
