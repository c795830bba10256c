# SPDX-License-Identifier: ISC
"""Maintenance, drain, breakers and rate limits, as clients see them."""

import http.client
import json
import os
import socket
import threading
import time

import pytest

from harness.hammer import Hammer
from harness.quick import QuickBackend
from harness.wait import wait_until


def ask(proxy, path="/", headers=None, source=None):
    """Status, fields and body of one request."""
    connection = http.client.HTTPConnection(
        proxy.address, proxy.port, timeout=30,
        source_address=(source, 0) if source else None)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def make(proxy, name, *urls, prefix="/", service=None, route=None):
    """A service with backends and a route; the ids of backends and route."""
    answer = proxy.ask("PUT", f"/v1/services/{name}",
                       {"name": name, "probe": {"kind": "off"},
                        **(service or {})})
    assert answer.status in (200, 201), answer
    ids = []
    for url in urls:
        answer = proxy.post(f"/v1/services/{name}/backends", {"url": url})
        assert answer.status == 201, answer
        ids.append(answer.json["id"])
    answer = proxy.post("/v1/routes", {"service": name, "prefixes": [prefix],
                                       **(route or {})})
    assert answer.status == 201, answer
    return ids, answer.json["id"]


@pytest.fixture
def quick():
    """Starts quick backends, for load."""
    started = []

    def start():
        started.append(QuickBackend())
        return started[-1]

    yield start
    for server in started:
        server.close()


def put(proxy, path, body):
    answer = proxy.ask("PUT", path, body)
    assert answer.status == 200, answer
    return answer.json


def delete(proxy, path):
    answer = proxy.ask("DELETE", path)
    assert answer.status == 204, answer


# Maintenance ----------------------------------------------------------------

def test_a_service_in_maintenance_answers_with_its_page(sluice, backend):
    proxy = sluice()
    make(proxy, "users", backend().url)
    assert ask(proxy)[0] == 200
    state = put(proxy, "/v1/services/users/maintenance", {"reason": "disk"})
    assert state["active"] and state["maintenance"]["reason"] == "disk"
    status, headers, body = ask(proxy)
    assert (status, headers["Retry-After"], headers["X-Maintenance-Mode"]) \
        == (503, "300", "true")
    assert headers["Content-Type"].startswith("text/html")
    assert b"maintenance" in body
    status, headers, body = ask(proxy, headers={"Accept": "application/json"})
    assert headers["Content-Type"] == "application/problem+json"
    assert json.loads(body)["status"] == 503
    delete(proxy, "/v1/services/users/maintenance")
    assert ask(proxy)[0] == 200


@pytest.mark.parametrize("kind", ["backends", "routes", "services"])
def test_maintenance_belongs_to_what_was_named(sluice, backend, kind):
    proxy = sluice()
    ids, route = make(proxy, "users", backend().url)
    make(proxy, "others", backend().url, prefix="/others")
    key = {"backends": ids[0], "routes": route, "services": "users"}[kind]
    put(proxy, f"/v1/{kind}/{key}/maintenance", {})
    assert ask(proxy)[0] == 503
    assert ask(proxy, "/others")[0] == 200
    delete(proxy, f"/v1/{kind}/{key}/maintenance")
    assert ask(proxy)[0] == 200


def test_others_serve_while_one_backend_is_in_maintenance(sluice, backend):
    proxy = sluice()
    one, two = backend(), backend()
    ids, _ = make(proxy, "users", one.url, two.url)
    put(proxy, f"/v1/backends/{ids[0]}/maintenance", {})
    before = len(one.requests)
    for _ in range(50):
        assert ask(proxy)[0] == 200
    assert len(one.requests) == before
    assert len(two.requests) >= 50


def test_testers_pass(sluice, backend):
    proxy = sluice()
    make(proxy, "users", backend().url)
    put(proxy, "/v1/services/users/maintenance",
        {"allow": ["127.9.0.0/16", "::1"]})
    assert ask(proxy)[0] == 503
    assert ask(proxy, source="127.9.8.7")[0] == 200


def test_a_page_is_fetched_and_its_status_passes_through(sluice, backend):
    proxy = sluice()
    hits = []

    def answer(request):
        hits.append(request.path)
        return 418, [("Content-Type", "text/plain")], b"short and stout"

    page = backend(answer=answer)
    make(proxy, "users", backend().url)
    put(proxy, "/v1/services/users/maintenance",
        {"page_url": page.url + "/down.html?x=1"})
    status, headers, body = ask(proxy)
    assert (status, body) == (418, b"short and stout")
    assert headers["Content-Type"] == "text/plain"
    assert headers["X-Maintenance-Mode"] == "true"
    assert hits[0] == "/down.html?x=1"
    page.close()
    time.sleep(1.1)             # a page is good for a second
    status, headers, body = ask(proxy)
    assert status == 503 and b"maintenance" in body


def test_maintenance_ends_by_the_clock(sluice, backend):
    proxy = sluice()
    make(proxy, "users", backend().url)
    until = time.time() + 2
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(until))
    put(proxy, "/v1/services/users/maintenance", {"until": text + "Z"})
    assert ask(proxy)[0] == 503
    wait_until(lambda: ask(proxy)[0] == 200, 5)
    assert abs(time.time() - int(until)) < 0.5
    wait_until(lambda: not proxy.get("/v1/services/users/maintenance")
               .json["active"], 5)
    newest = proxy.get("/v1/changes?limit=1").json["items"][0]
    assert newest["channel"] == "clock"


def test_orders_stand_through_a_restart_with_who_and_why(sluice, backend):
    proxy = sluice()
    ids, route = make(proxy, "users", backend().url)
    put(proxy, f"/v1/routes/{route}/maintenance",
        {"reason": "moving house"})
    put(proxy, f"/v1/backends/{ids[0]}/drain", {"over": "1h"})
    who = proxy.get(f"/v1/routes/{route}/maintenance").json[
        "maintenance"]["who"]
    assert who
    assert proxy.stop() == 0
    proxy.start()
    assert ask(proxy)[0] == 503
    now = proxy.get(f"/v1/routes/{route}/maintenance").json["maintenance"]
    assert (now["who"], now["reason"]) == (who, "moving house")
    drain = proxy.get(f"/v1/backends/{ids[0]}/drain").json
    assert drain["active"] and 3500000 < drain["remaining_ms"] < 3600000


@pytest.mark.timeout(120)
def test_every_worker_obeys_within_milliseconds(sluice, quick):
    proxy = sluice("workers = 4")
    server = quick()
    arrived = server.at
    make(proxy, "users", server.url)
    hammer = Hammer(proxy.address, proxy.port, threads=8)
    for _ in range(5):
        time.sleep(0.4)
        put(proxy, "/v1/services/users/maintenance", {})
        entered = time.monotonic()
        time.sleep(0.4)
        late = [at for at in arrived if at > entered + 0.010]
        assert not late, [at - entered for at in late]
        delete(proxy, "/v1/services/users/maintenance")
        left = time.monotonic()
        wait_until(lambda: arrived[-1] > left, 1)
    hammer.stop()
    assert not hammer.errors


# Drain ----------------------------------------------------------------------

def shares(results, start, seconds, wanted):
    """Of each second, the share of answers that `wanted` likes."""
    for second in range(seconds):
        part = [status for at, status in results
                if start + second <= at < start + second + 1]
        assert len(part) > 200, f"too few requests: {len(part)}"
        yield second, sum(map(wanted, part)) / len(part)


@pytest.mark.timeout(120)
def test_a_lone_drain_refuses_along_the_line(sluice, quick):
    proxy = sluice()
    ids, _ = make(proxy, "users", quick().url)
    hammer = Hammer(proxy.address, proxy.port, threads=4)
    time.sleep(0.5)
    put(proxy, f"/v1/backends/{ids[0]}/drain", {"over": "20s"})
    start = time.monotonic()
    time.sleep(20.5)
    results = hammer.stop()
    for second, share in shares(results, start, 20, lambda s: s == 503):
        assert abs(share - (second + 0.5) / 20) < 0.02, (second, share)
    status, headers, body = ask(proxy)
    assert (status, body) == (503, b"Draining")
    assert headers["X-Drain-Mode"] == "true" and headers["Retry-After"]
    wait_until(lambda: proxy.get(f"/v1/backends/{ids[0]}/drain").json[
        "drain"]["outcome"] == "clean", 5)
    newest = proxy.get("/v1/changes?limit=1").json["items"][0]
    assert newest["after"]["drain"]["outcome"] == "clean"
    delete(proxy, f"/v1/backends/{ids[0]}/drain")
    assert ask(proxy)[0] == 200


@pytest.mark.timeout(120)
def test_another_backend_takes_the_share(sluice, quick):
    proxy = sluice()
    one, two = quick(), quick()
    ids, _ = make(proxy, "users", one.url, two.url)
    hammer = Hammer(proxy.address, proxy.port, threads=4)
    time.sleep(0.5)
    put(proxy, f"/v1/backends/{ids[0]}/drain", {"over": "20s"})
    start = time.monotonic()
    counts = [(start, len(one.requests), len(two.requests))]
    for second in range(1, 21):
        time.sleep(max(0, start + second - time.monotonic()))
        counts.append((time.monotonic(), len(one.requests),
                       len(two.requests)))
    results = hammer.stop()
    assert {status for _, status in results} == {200}
    assert not hammer.errors
    for before, after in zip(counts, counts[1:]):
        left = 1 - ((before[0] + after[0]) / 2 - start) / 20
        mine, others = after[1] - before[1], after[2] - before[2]
        wanted = left / (1 + left)      # its weight is on the line
        assert abs(mine / (mine + others) - wanted) < 0.02


@pytest.mark.timeout(60)
def test_a_cancelled_drain_is_as_if_it_never_was(sluice, quick):
    proxy = sluice()
    ids, _ = make(proxy, "users", quick().url)
    put(proxy, f"/v1/backends/{ids[0]}/drain", {"over": "0s"})
    assert ask(proxy)[0] == 503
    hammer = Hammer(proxy.address, proxy.port, threads=4)
    time.sleep(0.5)
    delete(proxy, f"/v1/backends/{ids[0]}/drain")
    cancelled = time.monotonic()
    time.sleep(0.5)
    results = hammer.stop()
    assert not [at for at, status in results
                if at > cancelled + 0.1 and status != 200]


@pytest.mark.parametrize("kind", ["routes", "services"])
def test_a_route_and_a_service_drain_too(sluice, quick, kind):
    proxy = sluice()
    _, route = make(proxy, "users", quick().url)
    key = {"routes": route, "services": "users"}[kind]
    put(proxy, f"/v1/{kind}/{key}/drain", {"over": "4s"})
    start = time.monotonic()
    hammer = Hammer(proxy.address, proxy.port, threads=4)
    time.sleep(4)
    results = hammer.stop()
    middle = [status for at, status in results
              if start + 1.5 < at < start + 2.5]
    assert abs(middle.count(503) / len(middle) - 0.5) < 0.04
    assert ask(proxy)[0] == 503


def test_sluicectl_drains_and_waits(sluice, backend):
    proxy = sluice()
    ids, _ = make(proxy, "users", backend().url)
    done = proxy.ctl("drain", "backend", str(ids[0]), "--over", "1s",
                     "--wait", check=False)
    assert done.returncode == 0, done
    assert proxy.ctl("drain", "backend", str(ids[0]), "off").returncode == 0
    assert ask(proxy)[0] == 200
    assert proxy.ctl("maintenance", "service", "users", "on", "--reason",
                     "x", "--until", "1h").returncode == 0
    assert ask(proxy)[0] == 503
    assert proxy.ctl("maintenance", "service", "users",
                     "off").returncode == 0
    assert ask(proxy)[0] == 200
    assert proxy.ctl("maintenance", "service", "nobody", "on",
                     check=False).returncode == 1
    assert proxy.ctl("drain", "users", check=False).returncode == 2


class WebSocketEcho:
    """A backend that sends a frame every 20 ms, in two halves."""

    def __init__(self, address):
        self.listener = socket.create_server((address, 0))
        self.url = "http://%s:%d" % self.listener.getsockname()
        self.received = b""
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,),
                             daemon=True).start()

    def serve(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096)
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n"
                           b"Upgrade: websocket\r\n"
                           b"Connection: Upgrade\r\n\r\n")
        connection.settimeout(0.01)
        try:
            while True:
                connection.sendall(b"\x82\x7e\x01\x00" + b"a" * 128)
                try:
                    data = connection.recv(4096)
                    if not data:
                        return
                    self.received += data
                except TimeoutError:
                    pass
                connection.sendall(b"b" * 128)
                time.sleep(0.02)
        except OSError:
            pass


@pytest.mark.timeout(60)
def test_a_websocket_is_told_goodbye_between_two_frames(sluice, backend):
    proxy = sluice()
    echo = WebSocketEcho(proxy.address)
    ids, _ = make(proxy, "chat", echo.url)
    client = socket.create_connection((proxy.address, proxy.port), 10)
    client.sendall(b"GET /chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                   b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                   b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
    data = b""
    while b"\r\n\r\n" not in data:
        data += client.recv(4096)
    assert data.startswith(b"HTTP/1.1 101")
    data = data.split(b"\r\n\r\n", 1)[1]
    put(proxy, f"/v1/backends/{ids[0]}/drain", {"over": "3s"})
    start = time.monotonic()
    progress = proxy.get(f"/v1/backends/{ids[0]}/drain").json
    assert (progress["in_flight"], progress["tunnels"]) == (1, 1)
    has_answered = False
    while True:
        piece = client.recv(4096)
        if not piece:
            break
        data += piece
        if data.endswith(b"\x88\x02\x03\xe9") and not has_answered:
            has_answered = True
            ended = time.monotonic() - start
            client.sendall(b"\x88\x82\x00\x00\x00\x00\x03\xe9")
    assert has_answered and 2.9 < ended < 5.5
    whole = data[:-4]
    assert len(whole) % 260 == 0, "cut within a frame"
    assert echo.received[:2] == b"\x88\x82", echo.received
    mask = echo.received[2:6]
    assert bytes(a ^ b for a, b in zip(echo.received[6:8], mask)) \
        == b"\x03\xe9"
    wait_until(lambda: proxy.get(f"/v1/backends/{ids[0]}/drain").json[
        "drain"]["outcome"] == "forced", 5)


# Breaker --------------------------------------------------------------------

def breaker_of(proxy, backend_id):
    return proxy.get(f"/v1/backends/{backend_id}/breaker").json


BREAKER = {"breaker": {"threshold": 5, "open_ms": 1000,
                       "half_open_requests": 3}}


def test_a_breaker_opens_after_exactly_its_threshold(sluice, quick):
    proxy = sluice("workers = 4")
    sick = quick()
    ids, _ = make(proxy, "users", sick.url, service=BREAKER)
    time.sleep(1.2)             # all workers know each other
    for _ in range(20):         # each on a worker of its own, perhaps
        assert ask(proxy)[0] == 200
    sick.status = 500
    for _ in range(4):
        assert ask(proxy)[0] == 500
    sick.status = 200
    assert ask(proxy)[0] == 200
    sick.status = 500
    for _ in range(4):
        assert ask(proxy)[0] == 500
    time.sleep(0.1)
    assert breaker_of(proxy, ids[0])["state"] == "closed"
    assert breaker_of(proxy, ids[0])["failures"] == 4
    assert ask(proxy)[0] == 500
    time.sleep(0.005)
    assert ask(proxy)[0] == 503
    state = breaker_of(proxy, ids[0])
    assert (state["state"], state["failures"]) == ("open", 5)
    assert state["next_attempt"] and state["last_failure"]
    assert "breaker open: 5 failures in a row" in proxy.log()
    assert proxy.metric('sluice_circuit_state{service="users",'
                        f'backend="{ids[0]}",state="open"}}') == 1


@pytest.mark.timeout(120)
def test_half_open_lets_no_more_trials_through_than_allowed(sluice, quick):
    proxy = sluice("workers = 4")
    sick = quick()
    ids, _ = make(proxy, "users", sick.url, service=BREAKER)
    time.sleep(1.2)
    hammer = Hammer(proxy.address, proxy.port, threads=8)
    time.sleep(0.5)
    sick.status = 500
    wait_until(lambda: breaker_of(proxy, ids[0])["state"] == "open", 5)
    time.sleep(0.1)
    # Five rounds of trials, each of which fails: a trial or some at once.
    for _ in range(5):
        before = len(sick.at)
        wait_until(lambda: len(sick.at) > before, 3)
        time.sleep(0.3)         # open again
        trials = len(sick.at) - before
        assert 1 <= trials <= 3, trials
        assert breaker_of(proxy, ids[0])["state"] == "open"
    sick.status = 200
    wait_until(lambda: breaker_of(proxy, ids[0])["state"] == "closed", 5)
    recovered = time.monotonic()
    time.sleep(0.3)
    results = hammer.stop()
    assert all(status == 200 for at, status in results
               if at > recovered + 0.05)


def test_a_window_counts_failures_whatever_is_between(sluice, quick):
    proxy = sluice()
    sick = quick()
    ids, _ = make(proxy, "users", sick.url, service={
        "breaker": {"threshold": 3, "open_ms": 60000, "window_ms": 60000}})
    for _ in range(3):
        sick.status = 200
        assert ask(proxy)[0] == 200
        sick.status = 500
        assert ask(proxy)[0] == 500
    wait_until(lambda: breaker_of(proxy, ids[0])["state"] == "open", 1)


def test_a_breaker_is_tripped_and_reset_by_hand(sluice, backend):
    proxy = sluice()
    ids, _ = make(proxy, "users", backend().url)
    assert proxy.ctl("breaker", str(ids[0]), "trip").returncode == 0
    assert ask(proxy)[0] == 503
    explained = json.loads(proxy.ctl(
        "-o", "json", "explain", "GET", "http://x/").stdout)
    assert explained["refusal"] == "breaker_open"
    assert explained["backends"][0]["breaker"]["state"] == "open"
    answer = proxy.post(f"/v1/backends/{ids[0]}/breaker",
                        {"action": "reset"})
    assert answer.json["state"] == "closed"
    assert ask(proxy)[0] == 200
    assert proxy.post(f"/v1/backends/{ids[0]}/breaker",
                      {"action": "twist"}).status == 422


def test_probes_open_it_ahead_of_traffic_and_bring_it_back(sluice, quick):
    proxy = sluice()
    sick = quick()
    ids, _ = make(proxy, "users", sick.url, service={
        "probe": {"kind": "http", "path": "/", "interval_ms": 100,
                  "timeout_ms": 100, "rise": 1, "fall": 2,
                  "status_max": 299},
        "breaker": {"threshold": 1000, "open_ms": 60000}})
    wait_until(lambda: ask(proxy)[0] == 200)
    sick.status = 500
    wait_until(lambda: breaker_of(proxy, ids[0])["state"] == "open", 5)
    sick.status = 200
    wait_until(lambda: breaker_of(proxy, ids[0])["state"] == "half-open", 5)
    assert ask(proxy)[0] == 200
    wait_until(lambda: breaker_of(proxy, ids[0])["state"] == "closed", 1)


# Rate limits ----------------------------------------------------------------

@pytest.mark.timeout(120)
def test_a_limit_is_exact_across_workers(sluice, quick):
    proxy = sluice("workers = 4")
    make(proxy, "users", quick().url,
         route={"rate_limit": {"requests": 100, "window_ms": 1000}})
    sources = [f"127.200.0.{i + 1}" for i in range(8)]
    hammer = Hammer(proxy.address, proxy.port, sources=sources)
    time.sleep(10.5)
    hammer.stop()
    assert not hammer.errors
    for results in hammer.results:
        first = results[0][0]
        passed = [at - first for at, status in results
                  if status == 200 and at < first + 10]
        assert {status for _, status in results} == {200, 429}
        assert 990 <= len(passed) <= 1010, len(passed)
        for second in range(1, 10):
            count = sum(second <= at < second + 1 for at in passed)
            assert 90 <= count <= 110, (second, count)


def test_429_says_when_to_come_back(sluice, backend):
    proxy = sluice()
    _, route = make(proxy, "users", backend().url,
                    route={"rate_limit": {"requests": 2,
                                          "window_ms": 10000}})
    assert [ask(proxy)[0] for _ in range(3)] == [200, 200, 429]
    status, headers, _ = ask(proxy)
    assert 9 <= int(headers["Retry-After"]) <= 10
    assert headers["RateLimit-Limit"] == "2"
    assert headers["RateLimit-Remaining"] == "0"
    assert 9 <= int(headers["RateLimit-Reset"]) <= 10
    assert ask(proxy, source="127.77.1.1")[0] == 200
    label = f"users-{route}"
    assert proxy.metric(f'sluice_rate_limited_total{{route="{label}"}}') == 2
    answer = proxy.ask("PATCH", f"/v1/routes/{route}",
                       {"rate_limit": {"dry_run": True}})
    assert answer.status == 200, answer
    assert ask(proxy)[0] == 200
    assert proxy.metric(f'sluice_rate_limited_total{{route="{label}"}}') == 3


def test_limits_stand_when_workers_die(sluice, backend):
    proxy = sluice("workers = 1")
    make(proxy, "users", backend().url,
         route={"rate_limit": {"requests": 3, "window_ms": 60000}})
    assert [ask(proxy)[0] for _ in range(3)] == [200] * 3
    victim = proxy.worker_pids()[0]
    os.kill(victim, 9)
    wait_until(lambda: proxy.worker_pids() not in ([], [victim]), 10)
    assert ask(proxy)[0] == 429


# Deaths ---------------------------------------------------------------------

@pytest.mark.timeout(120)
def test_clocks_go_on_while_the_control_plane_dies(sluice, quick):
    proxy = sluice()
    sick = quick()
    make(proxy, "users", quick().url)
    ids, _ = make(proxy, "drained", quick().url, prefix="/drained")
    sick_ids, _ = make(proxy, "sick", sick.url, prefix="/sick", service={
        "breaker": {"threshold": 2, "open_ms": 3000}})
    put(proxy, "/v1/services/users/maintenance", {})
    sick.status = 500
    for _ in range(2):
        ask(proxy, "/sick")
    wait_until(lambda: breaker_of(proxy, sick_ids[0])["state"] == "open", 2)
    opened = time.monotonic()
    hammer = Hammer(proxy.address, proxy.port, "/drained", threads=2)
    put(proxy, f"/v1/backends/{ids[0]}/drain", {"over": "6s"})
    start = time.monotonic()
    for role in ("registryd", "healthd"):
        proxy.kill_role(role)
    assert ask(proxy)[0] == 503
    assert ask(proxy, "/sick")[0] == 503
    assert breaker_of(proxy, sick_ids[0])["state"] == "open"
    sick.status = 200
    before = len(sick.at)
    wait_until(lambda: ask(proxy, "/sick")[0] == 200, 5)
    assert 2.5 < time.monotonic() - opened < 4.5
    assert len(sick.at) == before + 1
    time.sleep(max(0, start + 6.2 - time.monotonic()))
    results = hammer.stop()
    for second, share in shares(results, start, 6, lambda s: s == 503):
        assert abs(share - (second + 0.5) / 6) < 0.03, (second, share)
    assert not hammer.errors
    wait_until(lambda: proxy.get(f"/v1/backends/{ids[0]}/drain").json[
        "drain"]["outcome"] == "clean", 5)
