# SPDX-License-Identifier: ISC
"""The registration protocol, row by row: sluice-protocol(7)."""

import hashlib
import itertools
import json
import pathlib
import re
import socket
import subprocess

import pytest

from harness import namespace
from harness.registrant import Registrant
from harness.sluice import Sluice
from harness.wait import wait_until

SID = re.compile(r"a-\d{10,}-[0-9a-f]{32}")
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@pytest.fixture
def proxy(sluice):
    return sluice()


@pytest.fixture
def client(proxy):
    with Registrant(proxy) as one:
        one.register()
        yield one


def ask(proxy, host, path="/"):
    return proxy.ask_traffic("GET", path, {"Host": host})


def bodies(proxy, host, path="/"):
    answer = proxy.curl(path, "-H", f"Host: {host}")
    return answer.stdout.decode()


# Framing


def test_a_line_may_come_in_pieces(proxy, client):
    with Registrant(proxy) as other:
        other.register("other", "b")
        for piece in "PI", "NG|", client.sid[:5], client.sid[5:], "\n":
            client.send(piece)
            for _ in range(2):  # when both are answered, the piece was read
                assert other.ask("PING") == "PONG"
    assert client.read() == "PONG"


def test_lines_may_come_together_and_are_answered_in_order(client, backend):
    url = backend().url
    client.send(f"PING|{client.sid}\n"
                f"ROUTE_ADD|{client.sid}|a.example|/|{url}|0\r\n"
                f"CONFIG_APPLY|{client.sid}\n\n\r\n"
                f"NONSENSE\n"
                f"ROUTE_LIST|{client.sid}\n")
    assert client.read() == "PONG"
    assert client.read() == "ROUTE_OK|r1"
    assert client.read() == "OK"
    assert client.read() == "ERROR|unknown command: NONSENSE"
    assert '"status":"active"' in client.read()


def test_words_are_case_sensitive(client):
    assert client.say(f"ping|{client.sid}") == "ERROR|unknown command: ping"


def test_a_lone_ack_and_empty_lines_are_ignored(client):
    client.send("ACK\n\n\r\nACK\r\n")
    assert client.ask("PING") == "PONG"


def test_a_line_of_64_kib_is_read(proxy):
    with Registrant(proxy) as client:
        head, tail = "REGISTER|billing|a|0|", '{"k":""}'
        filler = "x" * (65536 - len(head) - len(tail))
        line = head + tail.replace('""', f'"{filler}"')
        assert len(line) == 65536
        assert client.say(line).startswith("ACK|")
        client.send("PING|" + "x" * 65531 + "\r\n")
        assert client.read() == "ERROR|session not found"


@pytest.mark.parametrize("end", ["\n", ""])
def test_a_longer_line_closes(client, end):
    client.send("x" * 65537 + end)
    assert client.read() == "ERROR|line too long"
    assert client.read() is None


def test_a_silent_connection_is_closed(sluice):
    proxy = sluice()
    reconfigure(proxy, idle_timeout="1s")
    with Registrant(proxy) as client:
        client.register()
        client.send("PING|half a line")
        assert client.read() is None


# Who may say what


def test_no_session(proxy):
    with Registrant(proxy) as client:
        for word in ("PING", "SESSION_INFO", "ROUTE_ADD", "CONFIG_APPLY",
                     "DRAIN_STATUS", "MAINT_ENTER", "STATS_GET",
                     "SUBSCRIBE"):
            assert client.say(f"{word}|x") == "ERROR|no session"
            assert client.say(word) == "ERROR|no session"


def test_another_session_is_not_found(proxy, client, backend):
    with Registrant(proxy) as other:
        other.register("shop", "b")
        for line in (f"PING|{client.sid}", "PING|nobody",
                     f"CLIENT_SHUTDOWN|{client.sid}",
                     f"ROUTE_ADD|{client.sid}|a.example|/|{backend().url}|0",
                     f"MAINT_ENTER|{client.sid}|ALL|",
                     f"DRAIN_START|{client.sid}|30s",
                     f"ROUTE_LIST|{client.sid}"):
            assert other.say(line) == "ERROR|session not found", line


TOO_FEW = [
    "SESSION_INFO", "ROUTE_ADD|SID|a.example|/|http://h:1",
    "ROUTE_ADD_BULK|SID", "ROUTE_UPDATE|SID|r1|path", "ROUTE_REMOVE|SID",
    "ROUTE_LIST", "HEADERS_SET|SID|ALL|X-A", "HEADERS_REMOVE|SID|ALL",
    "OPTIONS_SET|SID|ALL|timeout", "OPTIONS_REMOVE|SID|ALL",
    "HEALTH_SET|SID|r1|/h|5s", "RATELIMIT_SET|SID|r1|10",
    "CIRCUIT_BREAKER_SET|SID|r1|3|5s", "CIRCUIT_BREAKER_STATUS|SID",
    "CIRCUIT_BREAKER_RESET|SID", "CIRCUIT_SET|SID", "CIRCUIT_STATUS|SID",
    "CIRCUIT_RESET|SID", "RATE_LIMIT_SET|SID", "CONFIG_VALIDATE",
    "CONFIG_APPLY", "CONFIG_APPLY_PARTIAL|SID", "CONFIG_ROLLBACK",
    "CONFIG_DIFF", "STATS_GET", "BACKEND_TEST|SID", "DRAIN_START|SID",
    "DRAIN_STATUS", "DRAIN_CANCEL", "MAINT_ENTER|SID|ALL",
    "MAINT_EXIT|SID", "MAINT_STATUS", "SUBSCRIBE|SID", "UNSUBSCRIBE|SID",
    "PING", "CLIENT_SHUTDOWN",
]


@pytest.mark.parametrize("line", TOO_FEW)
def test_too_few_fields(client, line):
    assert client.say(line.replace("SID", client.sid)) == \
        "ERROR|invalid format"


@pytest.mark.parametrize("line", ["REGISTER|a|b", "REGISTER", "RECONNECT",
                                  "REGISTER||b|0", "REGISTER|a||0"])
def test_too_few_fields_without_session(proxy, line):
    with Registrant(proxy) as client:
        assert client.say(line) == "ERROR|invalid format"


# REGISTER, RECONNECT


@pytest.mark.parametrize("metadata", ["", "|", "|{}", '|{"a":{"b":"c|d"}}'])
def test_register(proxy, metadata):
    with Registrant(proxy) as client:
        answer = client.say("REGISTER|billing|a|9000" + metadata)
        assert SID.fullmatch(answer[4:]), answer


@pytest.mark.parametrize("fields, error", [
    ("a|b|x", "invalid number"), ("a|b|-1", "invalid number"),
    ("a|b|70000", "invalid number"), ("a|b|", "invalid number"),
    ("a|b|0|{", "invalid metadata json"),
    ("a|b|0|[]", "invalid metadata json"),
    ("a|b|0|x", "invalid metadata json"),
])
def test_register_refused(proxy, fields, error):
    with Registrant(proxy) as client:
        assert client.say(f"REGISTER|{fields}") == f"ERROR|{error}"


def test_registering_again_replaces(proxy, client, backend):
    client.route("a.example", "/", backend().url)
    client.apply()
    assert ask(proxy, "a.example") == 200
    with Registrant(proxy) as second:
        second.register()
        assert second.sid != client.sid
        assert ask(proxy, "a.example") == 404
        assert client.ask("PING") == "ERROR|no session"
        assert client.say(f"RECONNECT|{client.sid}") == "REREGISTER"


def test_reconnect_moves_the_session(proxy, client, backend):
    client.route("a.example", "/", backend().url)
    client.apply()
    client.route("b.example", "/", backend().url)
    with Registrant(proxy) as second:
        second.sid = client.sid
        assert second.say(f"RECONNECT|{client.sid}") == "OK"
        assert client.ask("PING") == "ERROR|no session"
        assert [(row["route_id"], row["status"])
                for row in second.ask_json("ROUTE_LIST")] == \
            [("r1", "active"), ("r2", "staged")]
        second.apply()
        assert ask(proxy, "b.example") == 200


def test_reconnect_of_nobody(proxy):
    with Registrant(proxy) as client:
        assert client.say("RECONNECT|a-1-0") == "REREGISTER"
        client.register()
        assert client.ask("PING") == "PONG"


def test_session_info(proxy, client, backend):
    with Registrant(proxy) as other:
        other.register("shop", "b", 8080, '{"v":"1|2","token":"secret"}')
        other.route("a.example", "/", backend().url)
        line = other.ask("SESSION_INFO")
        assert line.startswith("SESSION_OK|{") and "|" not in line[11:]
        assert "\\u007c" in line
        info = json.loads(line[11:])
        assert list(info) == [
            "session_id", "service_name", "instance_name", "connected_at",
            "uptime_seconds", "routes_active", "routes_staged",
            "last_activity", "last_apply", "metadata"]
        assert info["session_id"] == other.sid
        assert info["service_name"] == "shop"
        assert info["instance_name"] == "b"
        assert RFC3339.fullmatch(info["connected_at"])
        assert (info["routes_active"], info["routes_staged"]) == (0, 1)
        assert info["metadata"] == {"v": "1|2"}
        other.apply()
        info = other.ask_json("SESSION_INFO")
        assert (info["routes_active"], info["routes_staged"]) == (1, 0)
        assert RFC3339.fullmatch(info["last_apply"])


def test_client_shutdown(proxy, client, backend):
    client.route("a.example", "/", backend().url)
    client.apply()
    assert ask(proxy, "a.example") == 200
    assert client.ask("CLIENT_SHUTDOWN") == "SHUTDOWN_OK"
    assert client.read() is None
    assert ask(proxy, "a.example") == 404
    assert proxy.get("/v1/services").json["items"] == []
    assert proxy.get("/v1/sessions").json["items"] == []
    deleted = proxy.get("/v1/changes?limit=3").json["items"]
    assert {row["action"] for row in deleted} == {"delete"}
    assert {row["who"] for row in deleted} == {"billing/a"}
    assert {row["channel"] for row in deleted} == {"session"}


# Routes


@pytest.mark.parametrize("fields, error", [
    ("|/|http://h:1|0", "no domains specified"),
    (" , |/|http://h:1|0", "no domains specified"),
    ("a.example||http://h:1|0", "path cannot be empty"),
    ("a.example|/|h:1|0", "invalid backend url format"),
    ("a.example|/||0", "invalid backend url format"),
    ("a.example|/|http://|0", "invalid backend url format"),
    ("a.example|/|http://h:99999|0", "invalid backend url"),
    ("a.example|/|http://h h:1|0", "invalid backend url"),
    ("a.example|/|http://h:1|x", "invalid number"),
    ("a.example|/|http://h:1|", "invalid number"),
    ("a.example|/|http://h:1|1.5", "invalid number"),
])
def test_route_add_refused(client, fields, error):
    assert client.ask("ROUTE_ADD", *fields.split("|")) == f"ERROR|{error}"
    assert client.ask_json("ROUTE_LIST") == []


def test_route_add_is_staged(proxy, client, backend):
    assert client.route("a.example, b.example", "/api", backend().url,
                        -5) == "r1"
    assert ask(proxy, "a.example", "/api") == 404
    assert client.ask_json("ROUTE_LIST") == [{
        "route_id": "r1", "domains": ["a.example", "b.example"],
        "path": "/api", "backend": client.ask_json("ROUTE_LIST")[0][
            "backend"], "priority": -5, "status": "staged"}]
    client.apply()
    for host in "a.example", "b.example":
        assert ask(proxy, host, "/api/x") == 200
        assert ask(proxy, host, "/apix") == 404
    assert client.ask_json("ROUTE_LIST")[0]["status"] == "active"


def test_route_add_bulk(proxy, client, backend):
    url = backend().url
    rows = [{"domains": [f"{n}.example"], "path": "/", "backend_url": url,
             "priority": n} for n in range(3)]
    assert client.ask("ROUTE_ADD_BULK", json.dumps(rows)) == \
        "ROUTE_BULK_OK|" + json.dumps(
            [{"route_id": f"r{n}", "status": "ok"} for n in (1, 2, 3)],
            separators=(",", ":"))
    client.apply()
    assert ask(proxy, "2.example") == 200
    assert client.ask("ROUTE_ADD_BULK", "[]") == "ROUTE_BULK_OK|[]"


@pytest.mark.parametrize("array, error", [
    ("{", "invalid json"), ("{}", "invalid json"), ("[1]", "invalid json"),
    ('[{"domains":"a","path":"/","backend_url":"http://h:1"}]',
     "invalid json"),
    ('[{"domains":[],"path":"/","backend_url":"http://h:1"}]',
     "no domains specified"),
    ('[{"domains":["a"],"backend_url":"http://h:1"}]',
     "path cannot be empty"),
    ('[{"domains":["a"],"path":"/","backend_url":"x"}]',
     "invalid backend url format"),
    ('[{"domains":["a"],"path":"/","backend_url":"http://h:99999"}]',
     "invalid backend url"),
    ('[{"domains":["a"],"path":"/","backend_url":"http://h:1",'
     '"priority":"x"}]', "invalid number"),
])
def test_route_add_bulk_is_all_or_none(client, array, error):
    good = '[{"domains":["g"],"path":"/","backend_url":"http://h:1"},'
    assert client.ask("ROUTE_ADD_BULK", array) == f"ERROR|{error}"
    if array.startswith("[{"):
        assert client.ask("ROUTE_ADD_BULK", good + array[1:]) == \
            f"ERROR|{error}"
    assert client.ask_json("ROUTE_LIST") == []


def test_a_bar_inside_json(client):
    assert client.ask("ROUTE_ADD_BULK", '[{"domains":["a"],"path":"/|",'
                      '"backend_url":"http://h:1"}]') == "ERROR|invalid json"
    assert client.ask("ROUTE_ADD_BULK", '[{"x":"a|b","domains":["a"],'
                      '"path":"/","backend_url":"http://h:1"}]') \
        .startswith("ROUTE_BULK_OK|")


def test_route_update(proxy, client, backend):
    one, two = backend(name="one"), backend(name="two")
    client.route("a.example", "/", one.url)
    client.apply()
    for field, value in (("backend_url", two.url), ("domains", "b.example"),
                         ("path", "/new"), ("priority", "7")):
        assert client.ask("ROUTE_UPDATE", "r1", field, value) == "ROUTE_OK"
    assert ask(proxy, "a.example") == 200
    client.apply()
    assert ask(proxy, "a.example") == 404
    assert ask(proxy, "b.example") == 404
    assert '"two"' in bodies(proxy, "b.example", "/new")
    assert len(proxy.get("/v1/routes").json["items"]) == 1
    assert len(proxy.get("/v1/backends").json["items"]) == 1


@pytest.mark.parametrize("fields, error", [
    ("r9|path|/", "route not found"), ("x|path|/", "route not found"),
    ("r1|colour|red", "unknown field"), ("r1|path|", "path cannot be empty"),
    ("r1|domains|", "no domains specified"),
    ("r1|backend_url|x", "invalid backend url format"),
    ("r1|backend_url|http://h:99999", "invalid backend url"),
    ("r1|priority|high", "invalid number"),
])
def test_route_update_refused(client, fields, error):
    client.route("a.example", "/", "http://127.0.0.1:1")
    assert client.ask("ROUTE_UPDATE", *fields.split("|")) == f"ERROR|{error}"


def test_route_remove(proxy, client, backend):
    client.route("a.example", "/", backend().url)
    client.apply()
    assert client.ask("ROUTE_REMOVE", "r7") == "ERROR|route not found"
    assert client.ask("ROUTE_REMOVE", "r1") == "ROUTE_OK"
    assert client.ask("ROUTE_REMOVE", "r1") == "ERROR|route not found"
    assert client.ask_json("ROUTE_LIST")[0]["status"] == "pending_removal"
    assert ask(proxy, "a.example") == 200
    client.apply()
    assert ask(proxy, "a.example") == 404
    assert client.ask_json("ROUTE_LIST") == []


# Headers and options


def headers_of(proxy, host, path="/"):
    answer = proxy.curl(path, "-H", f"Host: {host}", "-D", "-", "-o",
                        "/dev/null").stdout.decode()
    return dict((line.split(": ", 1)[0].lower(), line.split(": ", 1)[1])
                for line in answer.splitlines() if ": " in line)


def test_headers(proxy, client, backend):
    url = backend().url
    client.route("a.example", "/", url)
    client.route("b.example", "/", url)
    assert client.ask("HEADERS_SET", "ALL", "X-All", "yes") == "HEADERS_OK"
    assert client.ask("HEADERS_SET", "r1", "X-One", "1") == "HEADERS_OK"
    assert client.ask("HEADERS_SET", "b.example", "X-Two", "2") == \
        "HEADERS_OK"
    client.apply()
    assert headers_of(proxy, "a.example")["x-all"] == "yes"
    assert headers_of(proxy, "a.example")["x-one"] == "1"
    assert "x-two" not in headers_of(proxy, "a.example")
    assert headers_of(proxy, "b.example")["x-two"] == "2"
    # also on live routes, and a removal removes
    assert client.ask("HEADERS_SET", "/", "X-All", "no") == "HEADERS_OK"
    assert client.ask("HEADERS_REMOVE", "r1", "X-One") == "HEADERS_OK"
    client.apply()
    assert headers_of(proxy, "a.example")["x-all"] == "no"
    assert "x-one" not in headers_of(proxy, "a.example")
    assert client.ask("HEADERS_REMOVE", "ALL", "X-All") == "HEADERS_OK"
    client.apply()
    for host in "a.example", "b.example":
        assert "x-all" not in headers_of(proxy, host)
    # what the backend itself sends
    assert headers_of(proxy, "a.example")["x-backend"] == "backend"
    assert client.ask("HEADERS_REMOVE", "ALL", "X-Backend") == "HEADERS_OK"
    client.apply()
    assert "x-backend" not in headers_of(proxy, "a.example")


def test_headers_refused(client):
    assert client.ask("HEADERS_SET", "r9", "X-A", "1") == \
        "ERROR|route not found"
    assert client.ask("HEADERS_REMOVE", "r9", "X-A") == \
        "ERROR|route not found"
    assert client.ask("HEADERS_SET", "ALL", "X A", "1") == \
        "ERROR|invalid format"
    assert client.ask("HEADERS_SET", "ALL", "Content-Length", "1") == \
        "ERROR|invalid format"
    assert client.ask("HEADERS_SET", "ALL", "X-A", "1|2") == \
        "ERROR|invalid format"


def test_options(proxy, client, backend):
    client.route("a.example", "/", backend().url)
    for key, value in (("timeout", "7s"), ("health_check_interval", "3"),
                       ("health_check_timeout", "1500ms"),
                       ("websocket", "true"), ("compression", "false"),
                       ("http2", "false"), ("http3", "false"),
                       ("colour", "red")):
        assert client.ask("OPTIONS_SET", "ALL", key, value) == "OPTIONS_OK"
    assert client.ask("OPTIONS_SET", "r1", "timeout", "9s") == "OPTIONS_OK"
    client.apply()
    service = proxy.get("/v1/services").json["items"][0]
    assert service["response_timeout_ms"] == 9000
    assert service["probe"]["interval_ms"] == 3000
    assert service["probe"]["timeout_ms"] == 1500
    assert proxy.get("/v1/routes").json["items"][0]["websocket"] is True
    session = proxy.get("/v1/sessions").json["items"][0]
    assert session["options"]["colour"] == "red"
    assert session["routes"][0]["options"] == {"timeout": "9s"}
    assert client.ask("OPTIONS_REMOVE", "r1", "timeout") == "OPTIONS_OK"
    assert client.ask("OPTIONS_REMOVE", "ALL", "timeout") == "OPTIONS_OK"
    client.apply()
    service = proxy.get("/v1/services").json["items"][0]
    assert service["response_timeout_ms"] == 0


UPGRADE = {"Host": "a.example", "Connection": "Upgrade",
           "Upgrade": "WebSocket", "Sec-WebSocket-Version": "13",
           "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}


def test_a_route_that_takes_no_websockets(proxy, client, backend):
    server = backend(answer=lambda request: (426, [], b""))
    client.route("a.example", "/", server.url)
    client.route("a.example", "/chat", server.url)
    client.ask("OPTIONS_SET", "ALL", "websocket", "false")
    client.ask("OPTIONS_SET", "r2", "websocket", "true")
    client.apply()
    assert proxy.ask_traffic("GET", "/", UPGRADE) == 403
    assert not server.requests
    assert proxy.ask_traffic("GET", "/chat", UPGRADE) == 426
    assert proxy.ask_traffic("GET", "/", dict(UPGRADE, Upgrade="foo")) == 426
    assert proxy.ask_traffic("GET", "/", {"Host": "a.example"}) == 426
    client.ask("OPTIONS_REMOVE", "ALL", "websocket")
    client.apply()
    assert proxy.ask_traffic("GET", "/", UPGRADE) == 426
    client.ask("OPTIONS_SET", "r1", "websocket", "false")
    client.apply()
    assert client.ask("MAINT_ENTER", "ALL", "") == "ACK"
    assert client.read() == "MAINT_OK|ALL"
    assert proxy.ask_traffic("GET", "/", UPGRADE) == 503


def test_timeouts_have_an_effect(proxy, client):
    """A backend that takes connections and never answers."""
    with socket.create_server((proxy.address, 0)) as silent:
        port = silent.getsockname()[1]
        client.route("a.example", "/", f"http://{proxy.address}:{port}")
        client.ask("OPTIONS_SET", "ALL", "timeout", "200ms")
        client.apply()
        assert ask(proxy, "a.example") == 504
        client.ask("SUBSCRIBE", "backend_health_changed")
        client.ask("HEALTH_SET", "r1", "/", "0", "0")
        client.ask("OPTIONS_SET", "ALL", "health_check_interval", "50ms")
        client.ask("OPTIONS_SET", "ALL", "health_check_timeout", "100ms")
        client.apply()                  # else it took 5 s and 2 s a probe
        line = client.read()
        while json.loads(line.split("|", 2)[2])["after"] != "down":
            line = client.read()


@pytest.mark.parametrize("fields, error", [
    ("ALL|timeout|soon", "invalid duration"),
    ("ALL|timeout|", "invalid duration"),
    ("ALL|timeout|-1", "invalid duration"),
    ("ALL|health_check_interval|5x", "invalid duration"),
    ("ALL|websocket|perhaps", "invalid format"),
    ("r4|timeout|5s", "route not found"),
])
def test_options_refused(client, fields, error):
    assert client.ask("OPTIONS_SET", *fields.split("|")) == f"ERROR|{error}"


# Health, rate limit, circuit breaker


def test_health_set(proxy, client, backend):
    server = backend(answer=lambda request: (
        204 if request.path == "/api/health" else 200, [], b""))
    client.route("a.example", "/", server.url + "/api")
    assert client.ask("HEALTH_SET", "r1", "/health", "100ms", "1s") == \
        "HEALTH_OK"
    client.apply()
    wait_until(lambda: any(r.path == "/api/health"
                           for r in server.requests), 10)
    # 204 is not 200
    wait_until(lambda: ask(proxy, "a.example") == 503, 10)


@pytest.mark.parametrize("line, error", [
    ("HEALTH_SET|r9|/h|5s|1s", "route not found"),
    ("HEALTH_SET|r1||5s|1s", "path cannot be empty"),
    ("HEALTH_SET|r1|/h|often|1s", "invalid duration"),
    ("HEALTH_SET|r1|/h|5s|", "invalid duration"),
    ("RATELIMIT_SET|r9|1|1s", "route not found"),
    ("RATELIMIT_SET|r1|many|1s", "invalid number"),
    ("RATELIMIT_SET|r1|-1|1s", "invalid number"),
    ("RATELIMIT_SET|r1|1|soon", "invalid duration"),
    ("RATE_LIMIT_SET|r1|1|", "invalid duration"),
    ("CIRCUIT_BREAKER_SET|r9|1|1s|1", "route not found"),
    ("CIRCUIT_BREAKER_SET|r1|x|1s|1", "invalid number"),
    ("CIRCUIT_SET|r1|1|1s|x", "invalid number"),
    ("CIRCUIT_SET|r1|1|x|1", "invalid duration"),
])
def test_policies_refused(client, line, error):
    client.route("a.example", "/", "http://127.0.0.1:1")
    word, *fields = line.split("|")
    assert client.ask(word, *fields) == f"ERROR|{error}"


def test_circuit_breaker(proxy, client, backend):
    state = {"status": 500}
    server = backend(answer=lambda request: (state["status"], [], b""))
    client.route("a.example", "/", server.url)
    for word in "CIRCUIT_BREAKER_STATUS", "CIRCUIT_RESET":
        assert client.ask(word, "r9") == "ERROR|route not found"
        assert client.ask(word, "r1") == "ERROR|backend status unavailable"
    client.apply()
    for word in "CIRCUIT_STATUS", "CIRCUIT_BREAKER_RESET":
        assert client.ask(word, "r1") == "ERROR|circuit breaker not found"
    assert client.ask("CIRCUIT_BREAKER_SET", "r1", 3, "60s", 1) == \
        "CIRCUIT_OK"
    assert client.ask("SUBSCRIBE", "circuit_changed") == "SUBSCRIBE_OK"
    client.apply()
    wait_until(lambda: "STATUS_OK" in client.ask("CIRCUIT_STATUS", "r1"))
    status = client.ask_json("CIRCUIT_BREAKER_STATUS", "r1")
    assert list(status) == [
        "state", "failures", "successes", "last_failure", "healthy",
        "in_maintenance", "draining", "drain_remaining_seconds",
        "next_attempt"]
    assert status["state"] == "closed" and status["failures"] == 0
    assert status["draining"] is False and status["last_failure"] == ""
    for _ in range(3):
        assert ask(proxy, "a.example") == 500
    line = client.read()
    assert line.startswith("EVENT|circuit_changed|{"), line
    assert json.loads(line.split("|", 2)[2])["after"] == "open"
    assert ask(proxy, "a.example") == 503
    status = client.ask_json("CIRCUIT_STATUS", "r1")
    assert status["state"] == "open"
    assert RFC3339.fullmatch(status["last_failure"])
    assert RFC3339.fullmatch(status["next_attempt"])
    state["status"] = 200
    client.send(f"CIRCUIT_BREAKER_RESET|{client.sid}|r1\n")
    assert {client.read().split("|")[0] for _ in range(2)} == \
        {"EVENT", "CIRCUIT_OK"}
    assert client.ask_json("CIRCUIT_STATUS", "r1")["state"] == "closed"
    assert ask(proxy, "a.example") == 200


def test_rate_limit(proxy, client, backend):
    client.route("a.example", "/", backend().url)
    assert client.ask("RATELIMIT_SET", "r1", 3, "60s") == "RATELIMIT_OK"
    client.apply()
    statuses = [ask(proxy, "a.example") for _ in range(5)]
    assert statuses == [200] * 3 + [429] * 2
    assert client.ask("RATE_LIMIT_SET", "r1", 0, "60s") == "RATELIMIT_OK"
    client.apply()
    assert ask(proxy, "a.example") == 200


# Applying


def test_validate_changes_nothing(proxy, client, backend):
    client.route("a.example", "/", backend().url)
    before = proxy.get("/v1/services").json["generation"]
    assert client.ask("CONFIG_VALIDATE") == "OK"
    assert ask(proxy, "a.example") == 404
    assert proxy.get("/v1/services").json["generation"] == before
    client.route("a..example", "/", backend().url)
    assert client.ask("CONFIG_VALIDATE").startswith("ERROR|route r2: ")


def test_apply_is_one_generation(proxy, client, backend):
    url = backend().url
    before = proxy.get("/v1/services").json["generation"]
    for n in range(5):
        client.route(f"{n}.example", "/", url)
    client.ask("HEADERS_SET", "ALL", "X-A", "1")
    assert proxy.get("/v1/services").json["generation"] == before
    client.apply()
    assert proxy.get("/v1/services").json["generation"] == before + 1
    client.apply()
    assert proxy.get("/v1/services").json["generation"] == before + 1


def test_apply_is_all_or_none(proxy, client, backend):
    client.route("a.example", "/", backend().url)
    client.route("b.example", "no-slash", backend().url)
    for word in "CONFIG_VALIDATE", "CONFIG_APPLY":
        assert re.fullmatch(r"ERROR\|route r2: .+", client.ask(word))
    assert ask(proxy, "a.example") == 404
    assert client.ask("ROUTE_UPDATE", "r2", "path", "/b") == "ROUTE_OK"
    client.apply()
    assert ask(proxy, "a.example") == 200


def test_conflict_names_the_owner(proxy, client, backend):
    client.route("a.example", "/x", backend().url)
    client.apply()
    with Registrant(proxy) as other:
        other.register("shop", "b")
        other.route("a.example", "/x", backend().url)
        assert other.ask("CONFIG_APPLY") == \
            "ERROR|route r1: conflict with service billing"
        assert other.ask("CONFIG_VALIDATE") == \
            "ERROR|route r1: conflict with service billing"
        assert other.ask("ROUTE_UPDATE", "r1", "priority", "1") == "ROUTE_OK"
        other.apply()


def test_conflict_with_the_api(proxy, client, backend):
    url = backend().url
    proxy.register("legacy", url, "/s")
    client.route("*", "/s", url)
    answer = client.ask("CONFIG_APPLY")
    assert answer == "ERROR|route r1: conflict with service legacy", answer


def test_instances_of_a_service_share_its_route(proxy, client, backend):
    one, two = backend(name="one"), backend(name="two")
    client.route("a.example", "/", one.url)
    client.apply()
    with Registrant(proxy) as other:
        other.register("billing", "b")
        other.route("a.example", "/", two.url)
        other.apply()
        assert len(proxy.get("/v1/routes").json["items"]) == 1
        seen = {json.loads(bodies(proxy, "a.example"))["backend"]
                for _ in range(8)}
        assert seen == {"one", "two"}
        assert other.ask("CLIENT_SHUTDOWN") == "SHUTDOWN_OK"
    assert {json.loads(bodies(proxy, "a.example"))["backend"]
            for _ in range(4)} == {"one"}


def test_apply_partial(proxy, client, backend):
    client.route("a.example", "/", backend().url)
    assert client.ask("HEADERS_SET", "ALL", "X-A", "1") == "HEADERS_OK"
    assert client.ask("CONFIG_APPLY_PARTIAL", "colours") == \
        "ERROR|invalid format"
    assert client.ask("CONFIG_APPLY_PARTIAL", "routes") == "OK"
    assert "x-a" not in headers_of(proxy, "a.example")
    assert client.ask_json("CONFIG_DIFF")["headers"]["added"] == 1
    client.route("b.example", "/", backend().url)
    assert client.ask("CONFIG_APPLY_PARTIAL", "headers,options") == "OK"
    assert headers_of(proxy, "a.example")["x-a"] == "1"
    assert ask(proxy, "b.example") == 404
    assert client.ask_json("CONFIG_DIFF") == {
        "routes": {"added": ["r2"], "removed": [], "modified": []},
        "headers": {"added": 0, "removed": 0}, "options": {"modified": 0}}
    client.apply()
    assert headers_of(proxy, "b.example")["x-a"] == "1"


def test_rollback_and_diff(proxy, client, backend):
    url = backend().url
    client.route("a.example", "/", url)
    client.route("b.example", "/", url)
    client.apply()
    client.ask("ROUTE_REMOVE", "r1")
    client.ask("ROUTE_UPDATE", "r2", "priority", "3")
    client.route("c.example", "/", url)
    client.ask("HEADERS_SET", "ALL", "X-A", "1")
    client.ask("OPTIONS_SET", "ALL", "timeout", "5s")
    assert client.ask_json("CONFIG_DIFF") == {
        "routes": {"added": ["r3"], "removed": ["r1"], "modified": ["r2"]},
        "headers": {"added": 1, "removed": 0}, "options": {"modified": 1}}
    assert client.ask("CONFIG_ROLLBACK") == "OK"
    assert client.ask_json("CONFIG_DIFF") == {
        "routes": {"added": [], "removed": [], "modified": []},
        "headers": {"added": 0, "removed": 0}, "options": {"modified": 0}}
    assert [row["route_id"] for row in client.ask_json("ROUTE_LIST")] == \
        ["r1", "r2"]
    assert client.route("d.example", "/", url) == "r4"


# Figures and tests of backends


def test_stats(proxy, client, backend):
    server = backend(answer=lambda request: (
        500 if "bad" in request.path else 200, [], b"12345"))
    client.route("a.example", "/", server.url)
    client.route("b.example", "/", server.url)
    client.apply()
    for path in ["/"] * 7 + ["/bad"] * 3:
        ask(proxy, "a.example", path)
    # a worker counts once it has answered
    wait_until(lambda: client.ask_json("STATS_GET", "r1")["requests"] == 10)
    one = client.ask_json("STATS_GET", "r1")
    assert list(one) == ["route_id", "requests", "errors", "avg_latency_ms",
                         "p95_latency_ms", "p99_latency_ms", "bytes_sent",
                         "bytes_received", "status_codes"]
    assert (one["route_id"], one["requests"], one["errors"]) == ("r1", 10, 3)
    assert one["status_codes"] == {"200": 7, "500": 3}
    assert 0 < one["avg_latency_ms"] < 5000
    assert one["p95_latency_ms"] <= one["p99_latency_ms"]
    assert one["bytes_sent"] > 50 and one["bytes_received"] > 0
    both = client.ask_json("STATS_GET", "ALL")
    assert [row["requests"] for row in both] == [10, 0]
    assert client.ask_json("STATS_GET") == both
    assert client.ask("STATS_GET", "r9") == "ERROR|route not found"


def test_backend_test(client, backend):
    server = backend(answer=lambda request: (418, [], b""))
    answer = client.ask("BACKEND_TEST", server.url)
    assert answer.startswith("BACKEND_OK|"), answer
    result = json.loads(answer[11:])
    assert result.pop("response_time_ms") >= 0
    assert result == {"reachable": True, "status_code": 418,
                      "tls_valid": False}
    assert server.requests[0].path == "/"
    server.close()
    answer = client.ask("BACKEND_TEST", server.url)
    assert answer.startswith("BACKEND_FAIL|"), answer
    result = json.loads(answer[13:])
    assert result["reachable"] is False and result["error"]
    assert client.ask("BACKEND_TEST", "x") == \
        "ERROR|invalid backend url format"
    assert client.ask("BACKEND_TEST", "http://h:99999") == \
        "ERROR|invalid backend url"


def test_a_backend_test_holds_no_stop_up(proxy, client):
    with socket.create_server((proxy.address, 0)) as silent:
        port = silent.getsockname()[1]
        client.send(f"BACKEND_TEST|{client.sid}|"
                    f"http://{proxy.address}:{port}\n")
        with silent.accept()[0]:        # asked, and never answered
            assert proxy.stop() == 0
            assert client.read() is None
    assert "LeakSanitizer" not in proxy.log()


# Maintenance and drain


def test_maintenance(proxy, client, backend):
    client.route("a.example", "/", backend().url)
    client.route("b.example", "/b", backend().url)
    client.apply()
    assert client.ask_json("MAINT_STATUS") == {
        "in_maintenance": [], "maintenance_backend": "", "entered_at": ""}
    assert client.ask("MAINT_ENTER", "b.example", "") == "ACK"
    assert client.read() == "MAINT_OK|b.example"
    status = client.ask_json("MAINT_STATUS")
    assert status["in_maintenance"] == ["r2"]
    assert status["maintenance_backend"] == ""
    assert RFC3339.fullmatch(status["entered_at"])
    assert client.ask("MAINT_EXIT", "/b") == "ACK"
    assert client.read() == "MAINT_OK|/b"
    assert client.ask_json("MAINT_STATUS")["in_maintenance"] == []
    assert client.ask("MAINT_ENTER", "ALL", "") == "ACK"
    assert client.read() == "MAINT_OK|ALL"
    assert client.ask_json("MAINT_STATUS")["in_maintenance"] == ["r1", "r2"]


def test_maintenance_refused(client):
    assert client.ask("MAINT_ENTER", "r9", "") == "ERROR|route not found"
    assert client.ask("MAINT_EXIT", "r9") == "ERROR|route not found"
    client.route("a.example", "/", "http://127.0.0.1:1")
    assert client.ask("MAINT_ENTER", "r1", "") == "ERROR|route not found"
    client.apply()
    assert client.ask("MAINT_ENTER", "r1", "x") == \
        "ERROR|invalid backend url format"


def test_maintenance_waits_for_its_page(client, backend):
    client.route("a.example", "/", backend().url)
    client.apply()
    state = {"status": 503}
    page = backend(answer=lambda request: (state["status"], [], b"page"))
    assert client.ask("MAINT_ENTER", "ALL", page.url + "/page") == "ACK"
    wait_until(lambda: len(page.requests) >= 2, 10)
    assert client.ask("PING") == "PONG"
    assert client.ask_json("MAINT_STATUS")["maintenance_backend"] == \
        page.url + "/page"
    state["status"] = 404
    assert client.read() == "MAINT_OK|ALL"
    assert page.requests[0].path == "/page"


def test_maintenance_ends_when_the_backend_answers(client, backend):
    server = backend(answer=lambda request: (500, [], b""))
    port, address = server.port, server.address
    client.route("a.example", "/", server.url)
    client.apply()
    assert client.ask("MAINT_ENTER", "r1", "") == "ACK"
    assert client.read() == "MAINT_OK|r1"
    server.close()
    assert client.ask("MAINT_EXIT", "r1") == "ACK"
    assert client.ask("PING") == "PONG"
    backend(address=address, port=port)
    assert client.read() == "MAINT_OK|r1"


def test_maintenance_gives_up_waiting(sluice, backend):
    proxy = sluice()
    reconfigure(proxy, poll_interval="20ms", poll_limit=3)
    page = backend(answer=lambda request: (503, [], b""))
    gone = backend()
    gone.close()
    with Registrant(proxy) as client:
        client.register()
        client.route("a.example", "/", gone.url)
        client.apply()
        assert client.ask("MAINT_ENTER", "ALL", page.url) == "ACK"
        assert client.read() == ("ERROR|timeout waiting for maintenance page "
                                 "to become reachable")
        assert len(page.requests) == 3
        assert client.ask_json("MAINT_STATUS")["in_maintenance"] == ["r1"]
        assert client.ask("MAINT_EXIT", "r1") == "ACK"
        assert client.read() == ("ERROR|timeout waiting for backend to "
                                 "become reachable")
        assert client.ask_json("MAINT_STATUS")["in_maintenance"] == []


@pytest.mark.parametrize("becomes_so_first", [True, False])
def test_waiting_goes_on_in_another_registryd(sluice, backend,
                                              becomes_so_first):
    """Killed while the page is polled; the new connection is told."""
    proxy = sluice()
    reconfigure(proxy, poll_interval="50ms", poll_limit=100000)
    status, answered = [503], []

    def answer(_):
        answered.append(status[0])
        return answered[-1], [], b""

    page = backend(answer=answer)
    with Registrant(proxy) as client:
        sid = client.register()
        client.route("a.example", "/", backend().url)
        client.apply()
        assert client.ask("MAINT_ENTER", "ALL", page.url) == "ACK"
        wait_until(lambda: answered)
        proxy.kill_role("registryd")
    before = len(answered)
    wait_until(lambda: len(answered) > before)
    with Registrant(proxy) as client:
        client.sid = sid
        if becomes_so_first:            # while nobody is there to be told
            status[0] = 200
            wait_until(lambda: answered[-1] == 200)
        assert client.say(f"RECONNECT|{sid}") == "OK"
        status[0] = 200
        assert client.read() == "MAINT_OK|ALL"
        assert client.ask("MAINT_EXIT", "ALL") == "ACK"
        assert client.read() == "MAINT_OK|ALL"
        assert client.ask("CONFIG_ROLLBACK") == "OK"    # is kept behind it
        proxy.kill_role("registryd")
    with Registrant(proxy) as client:   # what was told is not told again
        client.sid = sid
        assert client.say(f"RECONNECT|{sid}") == "OK"
        assert client.ask("PING") == "PONG"


def test_drain(proxy, client, backend):
    client.route("a.example", "/", backend().url)
    client.apply()
    for word in "DRAIN_STATUS", "DRAIN_CANCEL":
        assert client.ask(word) == "ERROR|no drain in progress"
    assert client.ask("DRAIN_START", "soon") == "ERROR|invalid duration"
    answer = client.ask("DRAIN_START", "30")
    assert answer.startswith("DRAIN_OK|")
    assert RFC3339.fullmatch(answer[9:])
    status = client.ask_json("DRAIN_STATUS")
    assert list(status) == ["active", "started_at", "duration_seconds",
                            "elapsed_seconds", "remaining_seconds",
                            "traffic_percent", "in_flight"]
    assert status["active"] is True and status["duration_seconds"] == 30
    assert 28 <= status["remaining_seconds"] <= 30
    assert 93 <= status["traffic_percent"] <= 100
    assert status["in_flight"] == 0
    assert client.ask("DRAIN_CANCEL") == "DRAIN_OK"
    assert client.ask("DRAIN_STATUS") == "ERROR|no drain in progress"
    assert client.ask("DRAIN_START", "1m30s").startswith("DRAIN_OK|")
    assert client.ask_json("DRAIN_STATUS")["duration_seconds"] == 90


def test_a_drain_that_is_over_is_news(client, backend):
    client.route("a.example", "/", backend().url)
    client.apply()
    assert client.ask("SUBSCRIBE", "drain_finished") == "SUBSCRIBE_OK"
    assert client.ask("DRAIN_START", "300ms").startswith("DRAIN_OK|")
    line = client.read()
    assert line.startswith("EVENT|drain_finished|{"), line
    assert json.loads(line.split("|", 2)[2])["outcome"] == "clean"
    status = client.ask_json("DRAIN_STATUS")
    assert (status["active"], status["traffic_percent"]) == (False, 0)


# Events


def test_subscribe(proxy, client, backend):
    assert client.ask("SUBSCRIBE", "weather") == "ERROR|invalid format"
    assert client.ask("SUBSCRIBE", "backend_health_changed") == \
        "SUBSCRIBE_OK"
    server = backend()
    client.route("a.example", "/", server.url)
    client.ask("OPTIONS_SET", "ALL", "health_check_interval", "100ms")
    client.apply()
    line = client.read()
    assert line.startswith("EVENT|backend_health_changed|{"), line
    event = json.loads(line.split("|", 2)[2])
    assert event["backend"] == server.url and event["after"] == "up"
    with Registrant(proxy) as other:
        other.register("shop", "b")
        assert other.ask("SUBSCRIBE", "all") == "SUBSCRIBE_OK"
        server.close()
        line = client.read()
        assert json.loads(line.split("|", 2)[2])["after"] == "down"
        assert other.ask("PING") == "PONG"      # not its backend
    assert client.ask("UNSUBSCRIBE", "all") == "UNSUBSCRIBE_OK"


def test_sluice_says_when_it_stops(proxy, client):
    assert client.ask("SUBSCRIBE", "all") == "SUBSCRIBE_OK"
    with Registrant(proxy) as quiet:
        quiet.register("shop", "b")
        assert proxy.stop() == 0
        assert client.read() == "SHUTDOWN"
        assert client.read() is None
        assert quiet.read() is None


def test_reload_is_news(proxy, client):
    assert client.ask("SUBSCRIBE", "global_config_changed") == "SUBSCRIBE_OK"
    with socket.create_connection((proxy.address,
                                   proxy.admin_port)) as stream:
        stream.sendall(b"GET /v1/events?type=global_config_changed "
                       b"HTTP/1.1\r\nHost: x\r\n\r\n")
        head = stream.recv(4096)
        assert b"text/event-stream" in head, head
        proxy.conf_path.write_text(
            proxy.conf_path.read_text().replace('level = "info"',
                                                'level = "debug"'))
        proxy.ctl("reload")
        assert client.read().startswith("EVENT|global_config_changed|{")
        text = stream.recv(4096)
        assert text.startswith(b"event: global_config_changed\ndata: {"), \
            text
        assert text.endswith(b"}\n\n")


# Sessions: restart, grace, expiry, tokens


def reconfigure(proxy, **settings):
    text = " ".join(f"{key} = {value}" for key, value in settings.items())
    proxy.conf_path.write_text(proxy.conf_path.read_text().replace(
        "registration {", "registration { " + text))
    # refused while the last of the roles is still starting
    wait_until(lambda: proxy.ctl("reload", check=False).returncode == 0)


def test_a_session_survives_registryd(proxy, client, backend):
    client.route("a.example", "/", backend().url)
    client.apply()
    client.route("b.example", "/", backend().url)
    client.ask("HEADERS_SET", "r1", "X-A", "1")
    before = client.ask("CONFIG_DIFF")
    proxy.kill_role("registryd")
    assert client.read() is None
    with Registrant(proxy) as again:
        again.sid = client.sid
        assert again.say(f"RECONNECT|{client.sid}") == "OK"
        assert again.ask("CONFIG_DIFF") == before
        assert ask(proxy, "a.example") == 200
        again.apply()
        assert ask(proxy, "b.example") == 200
        assert headers_of(proxy, "a.example")["x-a"] == "1"


def test_a_session_survives_sluice(sluice, backend):
    proxy = sluice()
    server = backend()
    with Registrant(proxy) as client:
        sid = client.register()
        client.route("a.example", "/", server.url)
        client.apply()
        client.route("b.example", "/", server.url)
    assert proxy.stop() == 0
    proxy.start()
    assert ask(proxy, "a.example") == 200
    with Registrant(proxy) as client:
        client.sid = sid
        assert client.say(f"RECONNECT|{sid}") == "OK"
        client.apply()
        assert ask(proxy, "b.example") == 200
        assert client.route("c.example", "/", server.url) == "r3"


def test_grace(proxy, client, backend):
    reconfigure(proxy, grace="1s")
    client.route("a.example", "/", backend().url)
    client.apply()
    sid = client.sid
    client.close()
    assert ask(proxy, "a.example") == 200
    wait_until(lambda: ask(proxy, "a.example") == 404, 10)
    rows = proxy.get("/v1/changes?limit=3").json["items"]
    assert {row["action"] for row in rows} == {"delete"}
    with Registrant(proxy) as again:
        assert again.say(f"RECONNECT|{sid}") == "REREGISTER"
        again.register()


def test_disable(proxy, client, backend):
    reconfigure(proxy, on_disconnect="disable")
    client.route("a.example", "/", backend().url)
    client.apply()
    client.close()
    wait_until(lambda: ask(proxy, "a.example") == 503, 10)
    with Registrant(proxy) as again:
        assert again.say(f"RECONNECT|{client.sid}") == "OK"
        assert ask(proxy, "a.example") == 200


def test_staged_changes_expire(proxy, client, backend):
    reconfigure(proxy, staged_expiry="1s")
    client.route("a.example", "/", backend().url)
    wait_until(lambda: client.ask_json("ROUTE_LIST") == [], 10)
    proxy.kill_role("registryd")
    with Registrant(proxy) as again:
        again.sid = client.sid
        assert again.say(f"RECONNECT|{client.sid}") == "OK"
        assert again.ask_json("ROUTE_LIST") == []


def make_token(proxy, **scopes):
    answer = proxy.post("/v1/tokens", scopes)
    assert answer.status == 201, answer
    return answer.json


def test_tokens(proxy, backend):
    url = backend().url
    token = make_token(proxy, label="shop", services=["shop", "web-*"],
                       domains=["shop.example", "*.shop.example"],
                       prefixes=["/api"])
    with Registrant(proxy) as client:
        for metadata in "", "{}", '{"token":"x"}':
            assert client.say(f"REGISTER|shop|a|0|{metadata}") == \
                "ERROR|not authorized"
        metadata = json.dumps({"token": token["token"]})
        assert client.say(f"REGISTER|billing|a|0|{metadata}") == \
            "ERROR|not authorized"
        client.register("web-1", "a", metadata=metadata)
        assert token["token"] not in client.ask("SESSION_INFO")
        for domain, path in (("other.example", "/api"),
                             ("xshop.example", "/api"),
                             ("shop.example", "/"),
                             ("shop.example", "/apix")):
            assert client.ask("ROUTE_ADD", domain, path, url, 0) == \
                "ERROR|not authorized"
        client.route("shop.example,www.shop.example", "/api/v1", url)
        assert client.ask("ROUTE_UPDATE", "r1", "path", "/") == \
            "ERROR|not authorized"
        client.apply()
    stored = (proxy.home / "state" / "sluice.db").read_bytes() + \
        (proxy.home / "state" / "sluice.db-wal").read_bytes()
    assert token["token"].encode() not in stored
    assert [row["id"] for row in proxy.get("/v1/tokens").json["items"]] == \
        [token["id"]]
    proxy.kill_role("registryd")
    with Registrant(proxy) as client:
        assert client.say("REGISTER|shop|b|0") == "ERROR|not authorized"
        assert proxy.ask("DELETE",
                         f"/v1/tokens/{token['id']}").status == 204
        client.register("shop", "b")


SAY = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), 20) as stream:
    stream.sendall(sys.argv[3].encode() + b"\\n")
    print(stream.makefile().readline(), end="")
"""


def test_others_than_loopback_need_a_token(tmp_path):
    if not namespace.is_permitted():
        pytest.skip("no network of its own is allowed here")
    proxy = Sluice(tmp_path / "a", "registration { listen = { "
                   f'"{namespace.ADDRESS}:8181", "127.0.0.1:8181" }} }}')
    proxy.wrap = namespace.wrap

    def say(line, address=namespace.ADDRESS):
        return subprocess.run(
            namespace.inside(proxy.process.pid,
                             ["python3", "-c", SAY, address, "8181", line]),
            capture_output=True, text=True, timeout=60, check=True).stdout

    try:
        proxy.spawn()
        wait_until(lambda: proxy.ctl("status", check=False).returncode == 0,
                   30)
        assert say("REGISTER|a|b|0") == "ERROR|not authorized\n"
        assert say("REGISTER|a|b|0", "127.0.0.1").startswith("ACK|")
        secret = proxy.ctl("token", "create").stdout.strip()
        metadata = json.dumps({"token": secret})
        assert say("REGISTER|a|b|0", "127.0.0.1") == \
            "ERROR|not authorized\n"
        for address in namespace.ADDRESS, "127.0.0.1":
            assert say(f"REGISTER|a|b|0|{metadata}",
                       address).startswith("ACK|")
    finally:
        proxy.end()


SECRETS = ["one-secret-of-sixteen", "another-secret-here"]


def static_token(name, secret, **scopes):
    lists = [f"{key} = {{ " + ", ".join(f'"{text}"' for text in texts) + " }"
             for key, texts in scopes.items()]
    return f"token {name} {{ {secret} " + " ".join(lists) + " }"


def write_tokens(proxy, *sections):
    """Puts these in the place of those that the file has."""
    text = proxy.conf_path.read_text()
    text = re.sub(r"(?m)^.*# tokens\n", "", text)
    proxy.conf_path.write_text(text + "registration { " +
                               " ".join(sections) + " } # tokens\n")
    wait_until(lambda: proxy.ctl("reload", check=False).returncode == 0)


def register_with(proxy, secret, service="shop", instance="a"):
    with Registrant(proxy) as client:
        metadata = json.dumps({"token": secret})
        return client.say(f"REGISTER|{service}|{instance}|0|{metadata}")


def test_tokens_may_stand_in_the_configuration(proxy, backend):
    url = backend().url
    hashed = hashlib.sha256(SECRETS[1].encode()).hexdigest()
    write_tokens(
        proxy,
        static_token("shop", f'secret = "{SECRETS[0]}"', services=["shop"],
                     domains=["*.shop.example"], prefixes=["/api"]),
        static_token("any", f"hash = {hashed}"))
    with Registrant(proxy) as client:
        assert client.say("REGISTER|shop|a|0") == "ERROR|not authorized"
    assert register_with(proxy, SECRETS[0], "billing") == \
        "ERROR|not authorized"
    assert register_with(proxy, hashed) == "ERROR|not authorized"
    assert register_with(proxy, SECRETS[1], "billing").startswith("ACK|")
    with Registrant(proxy) as client:
        client.register("shop", "b",
                        metadata=json.dumps({"token": SECRETS[0]}))
        for domain, path in ("shop.example", "/api"), ("x.shop.example", "/"):
            assert client.ask("ROUTE_ADD", domain, path, url, 0) == \
                "ERROR|not authorized"
        client.route("x.shop.example", "/api/v1", url)
        client.apply()
        sid = client.sid

    # beside one of the store, shown as what they are, and not to be revoked
    stored = make_token(proxy, label="stored")
    assert register_with(proxy, stored["token"], "third").startswith("ACK|")
    rows = proxy.get("/v1/tokens").json["items"]
    assert [(row["id"], row["origin"], row["services"]) for row in rows] == [
        ("static:shop", "file", ["shop"]), ("static:any", "file", []),
        (stored["id"], "api", [])]
    assert "static:shop" in proxy.ctl("token", "list").stdout
    done = proxy.ctl("token", "revoke", "static:shop", check=False)
    assert done.returncode == 1 and "configuration file" in done.stderr

    # what is changed holds from the reload on, also behind a restart
    write_tokens(proxy, static_token("any", f"hash = {hashed}"))
    proxy.kill_role("registryd")
    assert register_with(proxy, SECRETS[0]) == "ERROR|not authorized"
    assert register_with(proxy, SECRETS[1], "billing").startswith("ACK|")
    with Registrant(proxy) as client:
        client.sid = sid
        assert client.say(f"RECONNECT|{sid}") == "OK"
        assert client.ask("ROUTE_ADD", "y.shop.example", "/api", url, 0) == \
            "ERROR|not authorized"


def test_tokens_are_not_shown(proxy):
    write_tokens(proxy, static_token("a", f'secret = "{SECRETS[0]}"'),
                 static_token("b", f"hash = {'ab' * 32}"))
    done = subprocess.run(proxy.command("-T"), capture_output=True, text=True,
                          timeout=60, env=proxy.environment, check=True)
    assert 'token "a"' in done.stdout
    for place in (done.stdout, proxy.log(),
                  proxy.get("/v1/tokens").body.decode()):
        assert SECRETS[0] not in place and "ab" * 32 not in place


# Many, and a whole story


def test_a_thousand_sessions(proxy, backend):
    server = backend()
    clients = [Registrant(proxy, timeout=60) for _ in range(1000)]
    for n, client in enumerate(clients):
        client.send(f"REGISTER|many|i{n}|0\n")
    for client in clients:
        client.sid = client.read()[4:]
    for n, client in enumerate(clients):
        client.send(f"ROUTE_ADD|{client.sid}|m{n}.example|/|{server.url}|0\n"
                    f"CONFIG_APPLY|{client.sid}\n")
    for client in clients:
        assert client.read() == "ROUTE_OK|r1"
    for client in clients:
        assert client.read() == "OK"
    for n in range(0, 1000, 97):
        assert ask(proxy, f"m{n}.example") == 200
    proxy.kill_role("registryd")
    again = [Registrant(proxy, timeout=60) for _ in clients]
    for new, old in zip(again, clients):
        new.send(f"RECONNECT|{old.sid}\n")
    for new in again:
        assert new.read() == "OK"
    for client in clients + again:
        client.close()


def test_a_recorded_flow(proxy, backend):
    """What a client in the field does, from first word to last."""
    reconfigure(proxy, grace="2s")
    server = backend()
    client = Registrant(proxy)
    client.register("billing", "node-1", 9001, '{"version":"1.4"}')

    def replay():
        client.route("billing.example", "/", server.url, 10)
        assert client.ask("HEALTH_SET", "r1", "/", "10s", "5s") == "HEALTH_OK"
        for key, value in ("timeout", "30s"), ("websocket", "true"):
            assert client.ask("OPTIONS_SET", "ALL", key, value) == \
                "OPTIONS_OK"
        client.apply()

    replay()
    assert ask(proxy, "billing.example") == 200
    assert client.ask("PING") == "PONG"
    sid = client.sid
    client.close()                      # the connection is lost
    client = Registrant(proxy)
    assert client.say(f"RECONNECT|{sid}") == "OK"
    client.sid = sid
    assert client.ask("PING") == "PONG"
    client.close()                      # for longer than the grace
    wait_until(lambda: ask(proxy, "billing.example") == 404, 15)
    client = Registrant(proxy)
    assert client.say(f"RECONNECT|{sid}") == "REREGISTER"
    client.register("billing", "node-1", 9001, '{"version":"1.4"}')
    assert client.sid != sid
    replay()                            # on the same connection
    assert ask(proxy, "billing.example") == 200
    assert client.ask("MAINT_ENTER", "ALL", "") == "ACK"
    assert client.read() == "MAINT_OK|ALL"
    assert ask(proxy, "billing.example") == 503
    assert client.ask("MAINT_EXIT", "ALL") == "ACK"
    assert client.read() == "MAINT_OK|ALL"
    assert ask(proxy, "billing.example") == 200
    assert client.ask("DRAIN_START", "30").startswith("DRAIN_OK|")
    assert client.ask_json("DRAIN_STATUS")["duration_seconds"] == 30
    assert client.ask("CLIENT_SHUTDOWN") == "SHUTDOWN_OK"
    assert client.read() is None
    assert ask(proxy, "billing.example") == 404


def test_the_example_of_the_page(proxy, backend):
    """sluice-protocol(7), EXAMPLES, said to a running sluice."""
    page = pathlib.Path(__file__).parents[2] / "man" / "sluice-protocol.7"
    example = re.search(r"\.Bd -literal.*?\n(.*?)\.Ed", page.read_text(),
                        re.S)[1]
    server = backend()
    with Registrant(proxy) as client:
        for line in example.splitlines():
            if line.startswith("> "):
                line = line[2:].replace("SID", client.sid or "")
                client.send(line.replace("http://127.0.0.1:9000",
                                         server.url) + "\n")
                continue
            answer = client.read()
            if line.startswith("ACK|"):
                assert SID.fullmatch(answer[4:].replace("node-1", "a", 1))
                client.sid = answer[4:]
            elif line.startswith("DRAIN_OK|"):
                assert RFC3339.fullmatch(answer[9:])
            else:
                assert answer == line
            if line == "OK":
                assert headers_of(proxy, "pay.example")["x-served-by"] == \
                    "node-1"
        assert client.read() is None


# sluicectl


def test_ctl_sessions(proxy, client):
    rows = json.loads(proxy.ctl("-o", "json", "sessions").stdout)
    assert [(row["service"], row["instance"], row["state"])
            for row in rows] == [("billing", "a", "connected")]
    assert client.sid.rsplit("-", 1)[1] not in proxy.ctl("sessions").stdout
    client.close()
    wait_until(lambda: "lost" in proxy.ctl("sessions").stdout)


def test_ctl_token(proxy):
    secret = proxy.ctl("token", "create", "--label", "x", "--service",
                       "shop").stdout.strip()
    rows = json.loads(proxy.ctl("-o", "json", "token", "list").stdout)
    assert [(row["label"], row["services"]) for row in rows] == \
        [("x", ["shop"])]
    with Registrant(proxy) as client:
        client.register("shop", "a",
                        metadata=json.dumps({"token": secret}))
        assert proxy.ctl("token", "revoke", rows[0]["id"]).returncode == 0
        assert proxy.ctl("token", "revoke", rows[0]["id"],
                         check=False).returncode == 1
        assert proxy.ctl("token", "create", "--colour", "red",
                         check=False).returncode == 2
        client.register("other", "b")


def test_ctl_monitor(proxy):
    with subprocess.Popen(
            [*proxy.ctl_command(), "monitor", "-n", "1",
             "global_config_changed"], stdout=subprocess.PIPE,
            text=True) as monitor:
        levels = itertools.cycle(["debug", "info"])

        def has_heard():
            proxy.conf_path.write_text(re.sub(
                r'level = "\w+"', f'level = "{next(levels)}"',
                proxy.conf_path.read_text()))
            proxy.ctl("reload")
            return monitor.poll() is not None

        wait_until(has_heard)
        line = monitor.stdout.readline()
        assert line.startswith("global_config_changed {"), line
        assert monitor.wait(10) == 0
    answer = proxy.ctl("monitor", "weather", check=False)
    assert answer.returncode == 1


def test_sessions_live_in_postgresql_as_well(sluice, backend, database):
    proxy = sluice(f'store {{ driver = "postgres" url = "{database}" }}')
    server = backend()
    with Registrant(proxy) as client:
        sid = client.register()
        client.route("a.example", "/", server.url)
        client.apply()
        client.route("b.example", "/", server.url)
        client.ask("HEADERS_SET", "ALL", "X-A", "1")
        assert client.ask("CONFIG_APPLY_PARTIAL", "headers") == "OK"
    make_token(proxy, label="later")
    proxy.kill_role("registryd")
    with Registrant(proxy) as client:
        client.sid = sid
        assert client.say(f"RECONNECT|{sid}") == "OK"
        assert client.ask_json("CONFIG_DIFF")["routes"]["added"] == ["r2"]
        assert headers_of(proxy, "a.example")["x-a"] == "1"
        assert client.ask("CLIENT_SHUTDOWN") == "SHUTDOWN_OK"
    assert len(proxy.get("/v1/tokens").json["items"]) == 1
    assert proxy.get("/v1/sessions").json["items"] == []


def test_store_unavailable(sluice, backend, own_cluster):
    url = own_cluster.create_database()
    proxy = sluice(f'store {{ driver = "postgres" url = "{url}" }}')
    server = backend()
    unavailable = "ERROR|store unavailable"
    with Registrant(proxy) as client:
        client.register()
        client.route("a.example", "/", server.url)
        client.apply()
        client.route("b.example", "/", server.url)
        own_cluster.stop("immediate")
        for command in (
                ("ROUTE_ADD", "c.example", "/", server.url, 0),
                ("CONFIG_APPLY",), ("CONFIG_ROLLBACK",),
                ("MAINT_ENTER", "ALL", ""), ("DRAIN_START", "60s")):
            assert client.ask(*command) == unavailable, command
        with Registrant(proxy) as other:
            assert other.say("REGISTER|billing|b|0|{}") == unavailable
        assert client.ask("PING") == "PONG"
        assert ask(proxy, "a.example") == 200
        own_cluster.start()
        wait_until(lambda: client.ask("CONFIG_APPLY") == "OK")
        assert ask(proxy, "b.example") == 200
