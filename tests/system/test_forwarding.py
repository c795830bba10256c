# SPDX-License-Identifier: ISC
"""What a backend is told, and what a client gets back."""

import json
import re
import socket
import struct
import threading

import pytest

from harness.sluice import Sluice
from harness.wait import wait_until


@pytest.fixture(scope="module")
def proxy(tmp_path_factory):
    instance = Sluice(tmp_path_factory.mktemp("forwarding"), "workers = 1")
    instance.start()
    yield instance
    instance.end()


@pytest.fixture
def echo(proxy, backend):
    server = backend(name="echo")
    proxy.register("echo", server.url, "/e")
    return server


@pytest.fixture
def serve_raw():
    """Starts servers that hand each connection to talk(connection), once
    something was sent on it; gives their URL."""
    listeners = []

    def start(talk):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    if connection.recv(65536):
                        talk(connection)

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)     # wakes accept()
        listener.close()


def headers_of(request):
    return {name.lower(): value for name, value in request.headers.items()}


def test_forwarding_fields_are_set_and_foreign_ones_dropped(proxy, echo):
    proxy.curl("/e/x?q=%2F&a", "-H", "X-Forwarded-For: 6.6.6.6",
               "-H", "Forwarded: for=6.6.6.6", "-H", "X-Real-IP: 6.6.6.6",
               "-H", "X_Forwarded_For: 6.6.6.6",
               "-H", "X-Forwarded-Prefix: /evil",
               "-H", "X-Request-Id: mine", "-H", "Host: shop.example")
    request = echo.requests[-1]
    headers = headers_of(request)
    assert request.path == "/x?q=%2F&a"
    assert headers["host"] == "shop.example"
    assert "6.6.6.6" not in str(headers)
    assert headers["x-forwarded-for"] == headers["x-real-ip"]
    assert headers["x-forwarded-proto"] == "http"
    assert headers["x-forwarded-host"] == "shop.example"
    assert headers["x-forwarded-port"] == str(proxy.port)
    assert headers["via"] == "1.1 sluice"
    assert headers["x-request-id"] != "mine"
    assert "forwarded" not in headers


def test_hop_by_hop_fields_end_here(proxy, echo):
    proxy.curl("/e/x", "-H", "Connection: close, X-Mine, X-Forwarded-For",
               "-H", "X-Mine: 1", "-H", "Keep-Alive: 5", "-H", "TE: gzip",
               "-H", "Proxy-Authorization: secret", "-H", "X-Kept: 1")
    headers = headers_of(echo.requests[-1])
    for name in ("x-mine", "keep-alive", "te", "proxy-authorization"):
        assert name not in headers
    assert headers["x-kept"] == "1"
    assert "x-forwarded-for" in headers


@pytest.mark.parametrize("sent, forwarded", [
    ("/e/a/./b", "/a/b"), ("/e/a/../b", "/b"), ("/e//a", "/a"),
    ("/e/%2e%2e/e/c", "/c"), ("/e/a%2fb", "/a%2Fb"), ("/e/%7Euser", "/~user"),
    ("/e", "/"), ("/e/", "/"),
])
def test_the_path_is_normalised_once(proxy, echo, sent, forwarded):
    run = proxy.curl(sent, "--path-as-is")
    assert json.loads(run.stdout)["path"] == forwarded


@pytest.mark.parametrize("sent", ["/e0", "/x/../ex", "/e%2fx", "/"])
def test_a_prefix_ends_on_a_segment(proxy, echo, sent):
    run = proxy.curl(sent, "--path-as-is", "-o", "/dev/null", "-w",
                     "%{http_code}")
    assert run.stdout == b"404"


def test_a_loop_is_508(proxy):
    proxy.register("loop", proxy.url, "/loop")
    run = proxy.curl("/loop/loop/x", "-o", "/dev/null", "-w", "%{http_code}")
    assert run.stdout == b"508"


def test_own_answers_are_short_and_say_nothing_of_inside(proxy):
    run = proxy.curl("/none", "-i", "-H", "Accept: application/problem+json")
    head, body = run.stdout.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 404 Not Found\r\n")
    assert b"Cache-Control: no-store" in head
    assert b"Content-Type: application/problem+json" in head
    problem = json.loads(body)
    assert problem["status"] == 404
    run = proxy.curl("/none", "-i")
    assert b"Content-Type: text/plain" in run.stdout
    assert b"0.1.0" not in run.stdout


def test_head_has_no_body_and_keeps_the_length(proxy, echo):
    run = proxy.curl("/e/x", "-I")
    assert re.search(rb"(?i)\r\ncontent-length: [1-9]", run.stdout)
    with socket.create_connection((proxy.address, proxy.port)) as client:
        client.settimeout(20)
        client.sendall(b"HEAD /e/x HTTP/1.1\r\nHost: x\r\n\r\n"
                       b"GET /e/x HTTP/1.1\r\nHost: x\r\n"
                       b"Connection: close\r\n\r\n")
        answer = b""
        while got := client.recv(65536):
            answer += got
    assert answer.count(b"HTTP/1.1 200 ") == 2


def test_expect_100_continue_reaches_the_client(proxy, echo):
    with socket.create_connection((proxy.address, proxy.port)) as client:
        client.settimeout(20)
        client.sendall(b"POST /e/x HTTP/1.1\r\nHost: x\r\n"
                       b"Content-Length: 5\r\nExpect: 100-continue\r\n"
                       b"Connection: close\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 100 ")
        client.sendall(b"hello")
        answer = b""
        while got := client.recv(65536):
            answer += got
    assert b"HTTP/1.1 200 " in answer


def test_http_1_0_gets_1_1_without_chunks(proxy, serve_raw):
    proxy.register("chunker", serve_raw(lambda connection: connection.sendall(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
        b"\r\n5\r\nhello\r\n0\r\n\r\n")), "/c")
    run = proxy.curl("/c/x", "--http1.0", "-i")
    assert b"Transfer-Encoding" not in run.stdout
    assert run.stdout.endswith(b"\r\n\r\nhello")
    run = proxy.curl("/c/x", "-i")
    assert b"Transfer-Encoding: chunked" in run.stdout
    assert run.stdout.endswith(b"\r\n\r\nhello")


def test_events_come_as_they_are_sent(proxy, serve_raw):
    """Each chunk is delivered before the next one is sent."""
    go_on = threading.Semaphore(0)

    def talk(connection):
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n")
        for i in range(5):
            if not go_on.acquire(timeout=20):
                return
            connection.sendall(b"8\r\ndata: %d\n\r\n" % i)
        connection.sendall(b"0\r\n\r\n")

    proxy.register("sse", serve_raw(talk), "/sse")
    with socket.create_connection((proxy.address, proxy.port)) as client:
        client.settimeout(20)
        client.sendall(b"GET /sse/x HTTP/1.1\r\nHost: x\r\n"
                       b"Connection: close\r\n\r\n")
        seen = b""
        for i in range(5):
            go_on.release()
            while b"data: %d\n" % i not in seen:
                got = client.recv(65536)
                assert got
                seen += got
        while client.recv(65536):
            pass


def test_a_backend_that_closes_early_cuts_the_client(proxy, serve_raw):
    proxy.register("early", serve_raw(lambda connection: connection.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")), "/early")
    run = proxy.curl("/early/x")
    assert run.returncode in (18, 56), run      # partial file, or reset
    assert run.stdout in (b"half", b"")


def test_a_client_that_leaves_in_its_first_request_is_missed(proxy,
                                                             serve_raw):
    asked, left = threading.Event(), threading.Event()

    def talk(connection):
        asked.set()
        connection.settimeout(20)
        if connection.recv(1) == b"":
            left.set()

    proxy.register("silent", serve_raw(talk), "/silent")
    with socket.create_connection((proxy.address, proxy.port)) as client:
        client.sendall(b"GET /silent/x HTTP/1.1\r\nHost: x\r\n\r\n")
        assert asked.wait(20)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                          struct.pack("ii", 1, 0))      # with a reset
    assert left.wait(20)
    wait_until(lambda: '"GET /silent/x HTTP/1.1" 499 ' in proxy.access_log())


def test_a_client_may_end_its_side_before_its_body_is_taken(proxy, echo,
                                                            serve_raw):
    """It waits for a backend that is busy, and all that it will say is
    there."""
    asked, go_on = threading.Event(), threading.Event()

    def talk(connection):
        asked.set()
        assert go_on.wait(20)
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
                           b"Content-Length: 4\r\n\r\nall\n")

    def ask(framing, body):
        client = socket.create_connection((proxy.address, proxy.port))
        client.settimeout(20)
        client.sendall(b"POST /late/x HTTP/1.1\r\nHost: x\r\n" + framing +
                       b"\r\n\r\n" + body)
        client.shutdown(socket.SHUT_WR)
        return client

    proxy.register("late", serve_raw(talk), "/late")
    late = proxy.get("/v1/services/late/backends").json["items"][0]
    assert proxy.ask("PATCH", f"/v1/services/late/backends/{late['id']}",
                     {"max_connections": 1}).status == 200
    length = (b"Content-Length: 4", b"body")
    chunked = (b"Transfer-Encoding: chunked", b"4\r\nbody\r\n0\r\n\r\n")
    clients = [ask(*length)]
    assert asked.wait(20)
    clients += [ask(*length), ask(*chunked)]
    cut_off = ask(b"Content-Length: 5", b"body")
    for _ in range(3):              # what came before these is seen
        assert proxy.ask_traffic("GET", "/e/x") == 200
    go_on.set()
    for client in clients:
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
        client.close()
    assert cut_off.recv(65536) == b""
    cut_off.close()


def test_a_head_may_come_in_pieces(proxy, echo):
    with socket.create_connection((proxy.address, proxy.port)) as client:
        client.settimeout(20)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answer = b""
        for piece in (b"GET /e", b"/x HTTP/1.1\r\nHost: x\r\n",
                      b"Connection: close\r\n\r", b"\n"):
            client.sendall(piece)
        while got := client.recv(65536):
            answer += got
    assert answer.startswith(b"HTTP/1.1 200 "), answer


def test_access_log_is_combined(proxy, echo):
    proxy.curl("/e/log?a=b", "-A", 'agent "quoted"', "-e", "http://ref/")
    wait_until(lambda: "/e/log?a=b" in proxy.access_log())
    line = [line for line in proxy.access_log().splitlines()
            if "/e/log?a=b" in line][0]
    assert re.fullmatch(
        r'127\.\S+ - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] '
        r'"GET /e/log\?a=b HTTP/1\.1" 200 \d+ "http://ref/" '
        r'"agent \\x22quoted\\x22"', line), line
