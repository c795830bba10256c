# SPDX-License-Identifier: ISC
"""Maintenance, drain, breakers and rate limits, as clients see them."""

import http.client
import itertools
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

    def has_own_page():         # once the fetched one is no longer fresh
        status, _, body = ask(proxy)
        return status == 503 and b"maintenance" in body

    wait_until(has_own_page)


def test_maintenance_ends_by_the_clock(sluice, backend):
    proxy = sluice()
    make(proxy, "users", backend().url)
    until = int(time.time()) + 4
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(until))
    put(proxy, "/v1/services/users/maintenance", {"until": text + "Z"})
    assert ask(proxy)[0] == 503
    wait_until(lambda: ask(proxy)[0] == 200)
    assert time.time() >= until
    wait_until(lambda: not proxy.get("/v1/services/users/maintenance")
               .json["active"])
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


STATIC = """
service "fixed" { backends = { "%s" } }
route "home" { service = "fixed" prefixes = { "/" } }
"""


@pytest.mark.parametrize("kind", ["service", "backend", "route"])
def test_what_stands_in_the_file_takes_orders(sluice, backend, kind):
    proxy = sluice(STATIC % backend().url)
    key = {"service": "fixed",
           "backend": proxy.get("/v1/backends").json["items"][0]["id"],
           "route": proxy.get("/v1/routes").json["items"][0]["id"]}[kind]

    def maintain(*words):
        assert proxy.ctl("maintenance", kind, str(key), *words
                         ).returncode == 0

    assert ask(proxy)[0] == 200
    maintain("on", "--reason", "disks")
    assert ask(proxy)[0] == 503
    proxy.conf_path.write_text(proxy.conf_path.read_text().replace(
        'prefixes = { "/" }', 'prefixes = { "/" } priority = 7'))
    proxy.ctl("reload")                 # an edit of the file ends nothing
    assert ask(proxy)[0] == 503
    for restart in lambda: proxy.kill_role("registryd"), proxy.stop:
        restart()
        if proxy.process.poll() is not None:
            proxy.start()
        assert ask(proxy)[0] == 503
        shown = proxy.get(f"/v1/{kind}s/{key}/maintenance").json
        assert shown["maintenance"]["reason"] == "disks"
    maintain("off")
    assert ask(proxy)[0] == 200
    answer = proxy.ask("PUT", f"/v1/{kind}s/{key}/drain", {"over": "0s"})
    assert answer.status == 200, answer
    assert ask(proxy)[0] == 503
    wait_until(lambda: proxy.get(f"/v1/{kind}s/{key}/drain").json["drain"]
               ["outcome"] == "clean")
    assert proxy.ask("DELETE", f"/v1/{kind}s/{key}/drain").status == 204
    assert ask(proxy)[0] == 200
    proxy.kill_role("registryd")
    assert ask(proxy)[0] == 200
    rows = proxy.get("/v1/changes?limit=100").json["items"]
    assert any(str(row["key"]) == str(key) and row["action"] == "update"
               and "disks" in str(row["after"]) for row in rows), rows
    if kind == "service":               # else it is no different from now on
        answer = proxy.ask("PATCH", "/v1/services/fixed", {"retries": 1})
        assert answer.status == 409, answer


@pytest.mark.timeout(120)
def test_every_worker_obeys_from_the_answer_on(sluice, quick):
    proxy = sluice("workers = 4")
    server = quick()
    make(proxy, "users", server.url)
    hammer = Hammer(proxy.address, proxy.port, threads=8)
    spans = []
    for _ in range(5):
        hammer.wait_for_more()
        put(proxy, "/v1/services/users/maintenance", {})
        entered = hammer.mark()
        hammer.wait_for_more()
        left = hammer.mark()
        hammer.wait_for_more()  # what began before has been answered
        spans.append((entered, left))
        delete(proxy, "/v1/services/users/maintenance")
        mark = hammer.mark()
        hammer.wait_for_more()
        assert set(hammer.statuses(mark, hammer.mark())) == {200}
    hammer.stop()
    for entered, left in spans:
        assert set(hammer.statuses(entered, left)) == {503}
        assert not [number for number in server.seen
                    if entered < number < left]
    assert not hammer.errors


# Drain ----------------------------------------------------------------------

class DrainClock:
    """What part of a drain is over, as sluice reports it."""

    def __init__(self, proxy, path, seconds):
        self.proxy = proxy
        self.path = path
        self.span_ms = seconds * 1000
        put(proxy, path, {"over": f"{seconds}s"})

    def part(self):
        left_ms = self.proxy.get(self.path).json["remaining_ms"]
        return 1 - left_ms / self.span_ms

    def watch(self, count):
        """Counts from now to the drain's end, each between two looks at
        the clock: rows of (part before, count(), part after)."""
        rows = []
        while not rows or rows[-1][0] < 1:
            after = rows[-1][2] if rows else 0
            wait_until(lambda: self.part() >= min(after + 0.03, 1))
            rows.append((self.part(), count(), self.part()))
        return rows


def assert_follows(line, rows, slack=0.03):
    """The counts are of (all, those whose share is on the line).

    Of what was counted between two looks, the share is between what the
    line had at the first and at the second, however the requests were
    spread in between.  Each quarter of the drain has to be right.
    """
    for quarter in range(4):
        total = wanted = low = high = 0
        for before, after in zip(rows, rows[1:]):
            if not quarter <= before[0] * 4 < quarter + 1:
                continue
            count = after[1][0] - before[1][0]
            ends = line(before[0]), line(after[2])
            total += count
            wanted += after[1][1] - before[1][1]
            low += count * min(ends)
            high += count * max(ends)
        if total > 300:
            assert low - slack * total <= wanted <= high + slack * total, \
                (quarter, low / total, wanted / total, high / total)
    assert rows[-1][1][0] - rows[0][1][0] > 1200


def outcome(proxy, path):
    return proxy.get(path).json["drain"]["outcome"]


@pytest.mark.timeout(120)
def test_a_lone_drain_refuses_along_the_line(sluice, quick):
    proxy = sluice()
    ids, _ = make(proxy, "users", quick().url)
    path = f"/v1/backends/{ids[0]}/drain"
    hammer = Hammer(proxy.address, proxy.port, threads=4)
    hammer.wait_for_more()
    assert hammer.count() == hammer.count(200)
    clock = DrainClock(proxy, path, 8)
    rows = clock.watch(lambda: (hammer.count(), hammer.count(503)))
    mark = hammer.mark()
    hammer.wait_for_more()
    assert set(hammer.statuses(mark, hammer.mark())) == {503}
    hammer.stop()
    assert_follows(lambda part: part, rows)
    status, headers, body = ask(proxy)
    assert (status, body) == (503, b"Draining")
    assert headers["X-Drain-Mode"] == "true" and headers["Retry-After"]
    wait_until(lambda: outcome(proxy, path) == "clean")
    newest = proxy.get("/v1/changes?limit=1").json["items"][0]
    assert newest["after"]["drain"]["outcome"] == "clean"
    delete(proxy, path)
    assert ask(proxy)[0] == 200


@pytest.mark.timeout(120)
def test_another_backend_takes_the_share(sluice, quick):
    proxy = sluice()
    one, two = quick(), quick()
    two.status = 202            # tells them apart
    ids, _ = make(proxy, "users", one.url, two.url)
    hammer = Hammer(proxy.address, proxy.port, threads=4)
    hammer.wait_for_more()
    clock = DrainClock(proxy, f"/v1/backends/{ids[0]}/drain", 8)
    rows = clock.watch(lambda: (hammer.count(), hammer.count(200)))
    mark = hammer.mark()
    hammer.wait_for_more()
    hammer.stop()
    assert set(hammer.statuses(mark, hammer.mark())) == {202}
    assert hammer.count() == hammer.count(200, 202)
    assert not hammer.errors
    # Its weight is on the line.
    assert_follows(lambda part: (1 - part) / (2 - part), rows)


@pytest.mark.timeout(60)
def test_a_cancelled_drain_is_as_if_it_never_was(sluice, quick):
    proxy = sluice()
    ids, _ = make(proxy, "users", quick().url)
    put(proxy, f"/v1/backends/{ids[0]}/drain", {"over": "0s"})
    assert ask(proxy)[0] == 503
    hammer = Hammer(proxy.address, proxy.port, threads=4)
    hammer.wait_for_more()
    assert hammer.count() == hammer.count(503)
    delete(proxy, f"/v1/backends/{ids[0]}/drain")
    cancelled = hammer.mark()
    hammer.wait_for_more()
    hammer.stop()
    assert set(hammer.statuses(cancelled, hammer.mark())) == {200}


@pytest.mark.parametrize("kind", ["routes", "services"])
def test_a_route_and_a_service_drain_too(sluice, quick, kind):
    proxy = sluice()
    _, route = make(proxy, "users", quick().url)
    key = {"routes": route, "services": "users"}[kind]
    hammer = Hammer(proxy.address, proxy.port, threads=4)
    hammer.wait_for_more()
    clock = DrainClock(proxy, f"/v1/{kind}/{key}/drain", 4)
    rows = clock.watch(lambda: (hammer.count(), hammer.count(503)))
    hammer.stop()
    assert_follows(lambda part: part, rows)
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


class PacedWebSocket:
    """A backend that sends half a frame for whatever it reads."""

    FRAME = b"\x82\x7e\x01\x00" + b"a" * 256

    def __init__(self, address):
        self.listener = socket.create_server((address, 0))
        self.url = "http://%s:%d" % self.listener.getsockname()
        self.received = b""
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        connection, _ = self.listener.accept()
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096)
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n"
                           b"Upgrade: websocket\r\n"
                           b"Connection: Upgrade\r\n\r\n")
        halves = itertools.cycle([self.FRAME[:130], self.FRAME[130:]])
        try:
            while data := connection.recv(4096):
                self.received += data
                connection.sendall(next(halves))
        except OSError:
            pass


@pytest.mark.timeout(60)
def test_a_websocket_is_told_goodbye_between_two_frames(sluice):
    proxy = sluice()
    server = PacedWebSocket(proxy.address)
    ids, _ = make(proxy, "chat", server.url)
    client = socket.create_connection((proxy.address, proxy.port), 30)
    client.sendall(b"GET /chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                   b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                   b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        data += client.recv(4096)
    assert data.startswith(b"HTTP/1.1 101")
    path = f"/v1/backends/{ids[0]}/drain"
    clock = DrainClock(proxy, path, 2)
    progress = proxy.get(path).json
    assert (progress["in_flight"], progress["tunnels"]) == (1, 1)
    word = b"\x82\x81\x00\x00\x00\x00x"
    close = b"\x88\x02\x03\xe9"
    data = b""
    while not data.endswith(close):
        client.sendall(word)
        data += client.recv(4096)
    assert clock.part() == 1
    client.sendall(b"\x88\x82\x00\x00\x00\x00\x03\xe9")
    while client.recv(4096):
        pass
    frames, rest = divmod(len(data) - len(close), len(server.FRAME))
    assert rest == 0, "cut within a frame"
    assert data == server.FRAME * frames + close and frames > 0
    words = server.received
    while words.startswith(word):
        words = words[len(word):]
    assert words[:2] == b"\x88\x82", words
    assert bytes(a ^ b for a, b in zip(words[6:8], words[2:6])) \
        == b"\x03\xe9"
    wait_until(lambda: outcome(proxy, path) == "forced")


# Breaker --------------------------------------------------------------------

def breaker_of(proxy, backend_id):
    return proxy.get(f"/v1/backends/{backend_id}/breaker").json


BREAKER = {"breaker": {"threshold": 5, "open_ms": 1000,
                       "half_open_requests": 3}}


def wait_until_acquainted(proxy):
    """Until all workers have looked at each other: they do as they tell
    which generation of the table they have."""
    newest = int(proxy.metric("sluice_table_generation"))
    wait_until(lambda: all(row["generation"] >= newest
                           for row in proxy.processes("worker")))


def test_a_breaker_opens_after_exactly_its_threshold(sluice, quick):
    proxy = sluice("workers = 4")
    sick = quick()
    ids, _ = make(proxy, "users", sick.url, service=BREAKER)
    wait_until_acquainted(proxy)
    for _ in range(20):         # each on a worker of its own, perhaps
        assert ask(proxy)[0] == 200
    for _ in range(2):
        sick.status = 500
        for _ in range(4):
            assert ask(proxy)[0] == 500
        wait_until(lambda: breaker_of(proxy, ids[0])["failures"] == 4)
        assert breaker_of(proxy, ids[0])["state"] == "closed"
        sick.status = 200
        assert ask(proxy)[0] == 200
    sick.status = 500
    for _ in range(5):
        assert ask(proxy)[0] == 500
    wait_until(lambda: breaker_of(proxy, ids[0])["state"] == "open")
    seen = len(sick.seen)
    assert ask(proxy)[0] == 503
    assert len(sick.seen) == seen
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
    hammer = Hammer(proxy.address, proxy.port, threads=8)
    hammer.wait_for_more()

    def openings():
        return proxy.log().count("breaker open:")

    def rounds():
        return proxy.log().count("breaker half-open:")

    sick.status = 500
    wait_until(lambda: breaker_of(proxy, ids[0])["state"] == "open")
    mark = hammer.mark()        # what began before has been counted, then
    wait_until(lambda: all(result[-1][0] > mark
                           for result in hammer.results))
    first_rounds, before = rounds(), len(sick.seen)
    first_openings = openings()
    # Five rounds of trials, each of which fails: a trial or some at once.
    for count in range(1, 6):
        wait_until(lambda: openings() >= first_openings + count)
        failed = openings() - first_openings
        trials = len(sick.seen) - before
        begun = rounds() - first_rounds
        assert failed <= trials <= 3 * begun, (failed, trials, begun)
    sick.status = 200
    wait_until(lambda: breaker_of(proxy, ids[0])["state"] == "closed")
    recovered = hammer.mark()
    hammer.wait_for_more()
    hammer.stop()
    assert set(hammer.statuses(recovered, hammer.mark())) == {200}


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
    wait_until(lambda: breaker_of(proxy, ids[0])["state"] == "open")


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
    wait_until(lambda: breaker_of(proxy, ids[0])["state"] == "open")
    sick.status = 200
    wait_until(lambda: breaker_of(proxy, ids[0])["state"] == "half-open")
    assert ask(proxy)[0] == 200
    wait_until(lambda: breaker_of(proxy, ids[0])["state"] == "closed")


# Rate limits ----------------------------------------------------------------

def test_a_limit_is_exact_across_workers(sluice, quick):
    proxy = sluice("workers = 4")
    server = quick()
    make(proxy, "users", server.url,
         route={"rate_limit": {"requests": 100, "window_ms": 60000}})
    sources = [f"127.200.0.{i // 4 + 1}" for i in range(8)]
    hammer = Hammer(proxy.address, proxy.port, sources=sources)
    wait_until(lambda: all(len(result) > 150 for result in hammer.results))
    hammer.stop()
    assert not hammer.errors
    assert hammer.count() == hammer.count(200, 429)
    for first in 0, 4:          # the connections of one address
        assert sum(counter[200] for counter
                   in hammer.counts[first:first + 4]) == 100
    for result in hammer.results:
        statuses = [status for _, status in result]
        assert statuses == sorted(statuses), "refused, then let through"
    assert len(server.seen) == 200


def test_each_window_has_all_its_requests(sluice, quick):
    proxy = sluice("workers = 4")
    make(proxy, "users", quick().url,
         route={"rate_limit": {"requests": 50, "window_ms": 4000}})

    def left():
        explained = json.loads(proxy.ctl(
            "-o", "json", "explain", "GET", "http://x/", "--from",
            proxy.address).stdout)
        return explained["route"]["rate_limit"]["remaining"]

    for _ in range(3):
        wait_until(lambda: left() == 50)
        assert [ask(proxy, source=proxy.address)[0] for _ in range(52)] \
            == [200] * 50 + [429] * 2
        assert left() == 0


def test_429_says_when_to_come_back(sluice, backend):
    proxy = sluice()
    _, route = make(proxy, "users", backend().url,
                    route={"rate_limit": {"requests": 2,
                                          "window_ms": 3600000}})
    assert [ask(proxy)[0] for _ in range(3)] == [200, 200, 429]
    status, headers, _ = ask(proxy)
    assert 3500 < int(headers["Retry-After"]) <= 3600
    assert headers["RateLimit-Limit"] == "2"
    assert headers["RateLimit-Remaining"] == "0"
    assert headers["RateLimit-Reset"] == headers["Retry-After"]
    assert ask(proxy, source="127.77.1.1")[0] == 200
    label = f"users-{route}"
    assert proxy.metric(f'sluice_rate_limited_total{{route="{label}"}}') == 2
    answer = proxy.ask("PATCH", f"/v1/routes/{route}",
                       {"rate_limit": {"dry_run": True}})
    assert answer.status == 200, answer
    assert ask(proxy)[0] == 200
    assert proxy.metric(f'sluice_rate_limited_total{{route="{label}"}}') == 3


def test_a_limit_may_be_told_with_each_answer(sluice, backend):
    proxy = sluice()
    server = backend(answer=lambda request: (
        200, [("RateLimit-Policy", "mine")], b"x"))
    _, route = make(proxy, "users", server.url,
                    route={"rate_limit": {"requests": 3, "headers": True,
                                          "window_ms": 3600000}})
    for remaining in 2, 1, 0:
        status, headers, _ = ask(proxy)
        assert status == 200
        assert headers["RateLimit-Limit"] == "3"
        assert headers["RateLimit-Remaining"] == str(remaining)
        assert 0 < int(headers["RateLimit-Reset"]) <= 3600
        assert headers["RateLimit-Policy"] == "mine"
    assert ask(proxy)[0] == 429
    server.close()                      # answers of sluice's own, too
    status, headers, _ = ask(proxy, source="127.77.1.2")
    assert (status, headers["RateLimit-Remaining"]) == (502, "2")
    proxy.ask("PATCH", f"/v1/routes/{route}",
              {"rate_limit": {"headers": False}})
    status, headers, _ = ask(proxy, source="127.77.1.2")
    assert status != 429 and "RateLimit-Limit" not in headers


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
        "breaker": {"threshold": 2, "open_ms": 5000}})
    put(proxy, "/v1/services/users/maintenance", {})
    sick.status = 500
    for _ in range(2):
        ask(proxy, "/sick")
    wait_until(lambda: breaker_of(proxy, sick_ids[0])["state"] == "open")
    opened = breaker_of(proxy, sick_ids[0])
    sick.status = 200
    before = len(sick.seen)
    hammer = Hammer(proxy.address, proxy.port, "/drained", threads=2)
    path = f"/v1/backends/{ids[0]}/drain"
    clock = DrainClock(proxy, path, 8)

    def count():
        return hammer.count(), hammer.count(503)

    first = clock.part(), count(), clock.part()
    for role in ("registryd", "healthd"):
        proxy.kill_role(role)
    assert ask(proxy)[0] == 503
    now = breaker_of(proxy, sick_ids[0])
    assert now["next_attempt"] == opened["next_attempt"]
    rows = [first, *clock.watch(count)]
    hammer.stop()
    assert_follows(lambda part: part, rows)
    assert not hammer.errors
    wait_until(lambda: ask(proxy, "/sick")[0] == 200)
    assert len(sick.seen) == before + 1
    wait_until(lambda: outcome(proxy, path) == "clean")
