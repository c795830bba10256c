# SPDX-License-Identifier: ISC
"""Bytes that a strict proxy refuses; nothing is ever smuggled through."""

import re
import socket
import threading

import pytest

from harness.addresses import own_address
from harness.sluice import Sluice


class Recorder:
    """A backend that keeps every byte and answers with 200 whenever what
    came since its last answer has the end of a request in it."""

    def __init__(self, reply=None, end=b"\r\n\r\n"):
        self.address = own_address()
        self.received = b""
        self.end = end
        self.reply = reply or (b"HTTP/1.1 200 OK\r\n"
                               b"Content-Length: 3\r\n\r\nok\n")
        self.listener = socket.create_server((self.address, 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://{self.address}:{self.port}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,),
                             daemon=True).start()

    def _talk(self, connection):
        with connection:
            head = b""
            while True:
                try:
                    data = connection.recv(65536)
                except OSError:
                    return
                if not data:
                    return
                self.received += data
                head += data
                if self.end in head:
                    head = b""
                    connection.sendall(self.reply)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)    # wakes accept()
        self.listener.close()


@pytest.fixture(scope="module")
def proxy(tmp_path_factory):
    instance = Sluice(tmp_path_factory.mktemp("framing"),
                      'workers = 1\nhealth { interval = "1h" }')
    instance.start()
    yield instance
    instance.end()


@pytest.fixture
def recorder(proxy):
    server = Recorder()
    proxy.register("recorder", server.url, "/r")
    yield server
    server.close()


def send(proxy, data, shut=True):
    """Sends bytes, and reads until sluice closes."""
    with socket.create_connection((proxy.address, proxy.port)) as client:
        client.settimeout(20)
        client.sendall(data)
        if shut:
            client.shutdown(socket.SHUT_WR)
        answer = b""
        while True:
            try:
                got = client.recv(65536)
            except ConnectionResetError:
                return answer
            if not got:
                return answer
            answer += got


SMUGGLED = b"GET /r/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /r/x HTTP/1.1\r\nHost: x\r\n"
GET = b"GET /r/x HTTP/1.1\r\nHost: x\r\n"

REFUSED = {
    "Content-Length with Transfer-Encoding":
        (400, POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
         b"0\r\n\r\n"),
    "Transfer-Encoding whose last coding is not chunked":
        (400, POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n"),
    "chunked twice":
        (400, POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    "chunked twice in two fields":
        (400, POST + b"Transfer-Encoding: chunked\r\n"
         b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "Transfer-Encoding in HTTP/1.0":
        (400, b"POST /r/x HTTP/1.0\r\nHost: x\r\n"
         b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "an unknown coding":
        (501, POST + b"Transfer-Encoding: foo, chunked\r\n\r\n0\r\n\r\n"),
    "Content-Length with a plus": (400, POST + b"Content-Length: +5\r\n\r\nhello"),
    "Content-Length with a minus": (400, POST + b"Content-Length: -5\r\n\r\nhello"),
    "Content-Length with a space": (400, POST + b"Content-Length: 1 5\r\n\r\nhello"),
    "Content-Length in hex": (400, POST + b"Content-Length: 0x5\r\n\r\nhello"),
    "Content-Length that is empty": (400, POST + b"Content-Length: \r\n\r\n"),
    "a list of lengths": (400, POST + b"Content-Length: 5, 6\r\n\r\nhello"),
    "a length that overflows":
        (400, POST + b"Content-Length: 18446744073709551621\r\n\r\nhello"),
    "Content-Length twice":
        (400, POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
    "two lengths that differ":
        (400, POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
    "a space before the colon": (400, GET + b"X-A : 1\r\n\r\n"),
    "obs-fold": (400, GET + b"X-A: 1\r\n 2\r\n\r\n"),
    "a blank before the first field":
        (400, b"GET /r/x HTTP/1.1\r\n Host: x\r\n\r\n"),
    "a bare CR in a value": (400, GET + b"X-A: 1\r2\r\n\r\n"),
    "NUL in a value": (400, GET + b"X-A: 1\x002\r\n\r\n"),
    "CTL in a value": (400, GET + b"X-A: 1\x012\r\n\r\n"),
    "a name that is no token": (400, GET + b"X(A: 1\r\n\r\n"),
    "an empty name": (400, GET + b": 1\r\n\r\n"),
    "a line without a colon": (400, GET + b"nonsense\r\n\r\n"),
    "no Host in 1.1": (400, b"GET /r/x HTTP/1.1\r\n\r\n"),
    "Host twice": (400, GET + b"Host: y\r\n\r\n"),
    "a Host with a path": (400, b"GET /r/x HTTP/1.1\r\nHost: x/y\r\n\r\n"),
    "a Host with a space": (400, b"GET /r/x HTTP/1.1\r\nHost: x y\r\n\r\n"),
    "a Host with user": (400, b"GET /r/x HTTP/1.1\r\nHost: a@b\r\n\r\n"),
    "a bare LF as a line end": (400, b"GET /r/x HTTP/1.1\nHost: x\n\n"),
    "a bare LF behind a field": (400, GET + b"X-A: 1\n\r\n"),
    "a method that is no token": (400, b"G(T /r/x HTTP/1.1\r\nHost: x\r\n\r\n"),
    "CONNECT": (405, b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a target over 8 KiB":
        (414, b"GET /r/" + b"x" * 8200 + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a head over 32 KiB":
        (431, GET + b"X-A: " + b"x" * 33000 + b"\r\n\r\n"),
    "over 100 fields": (431, GET + b"X-A: 1\r\n" * 100 + b"\r\n"),
    "an unknown version": (505, b"GET /r/x HTTP/3.0\r\nHost: x\r\n\r\n"),
    "a version that is none": (400, b"GET /r/x HTTPS/1.1\r\nHost: x\r\n\r\n"),
    "two spaces in the request line":
        (400, b"GET  /r/x HTTP/1.1\r\nHost: x\r\n\r\n"),
    "%00 in the path": (400, b"GET /r/%00 HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a backslash in the path": (400, b"GET /r/\\x HTTP/1.1\r\nHost: x\r\n\r\n"),
    "two empty lines first": (400, b"\r\n\r\n" + GET + b"\r\n"),
    "an unknown expectation": (417, POST + b"Expect: 200-ok\r\n"
                               b"Content-Length: 0\r\n\r\n"),
}

CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
BAD_CHUNKS = {
    "a bare LF behind the size": b"5\nhello\r\n0\r\n\r\n",
    "a bare LF behind the data": b"5\r\nhello\n0\r\n\r\n",
    "a size over 2^63": b"8000000000000000\r\nhello",
    "a size with a sign": b"+5\r\nhello\r\n0\r\n\r\n",
    "a size with 0x": b"0x5\r\nhello\r\n0\r\n\r\n",
    "an empty size": b"\r\nhello\r\n0\r\n\r\n",
    "extensions over 4 KiB": b"5;" + b"x" * 5000 + b"\r\nhello\r\n0\r\n\r\n",
    "no CRLF behind a chunk": b"5\r\nhello0\r\n\r\n",
    "a space before the size": b" 5\r\nhello\r\n0\r\n\r\n",
    "a bare CR in an extension": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    "a fold in the trailers": b"0\r\nX-T: 1\r\n 2\r\n\r\n",
}


def statuses(answer):
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


@pytest.mark.parametrize("sentence", REFUSED)
def test_refused_and_closed(proxy, recorder, sentence):
    status, data = REFUSED[sentence]
    answer = send(proxy, data + SMUGGLED, shut=False)
    assert statuses(answer) == [status], answer
    assert b"\r\nConnection: close\r\n" in answer
    assert recorder.received == b""


@pytest.mark.parametrize("sentence", BAD_CHUNKS)
def test_bad_chunks_end_the_connection(proxy, recorder, sentence):
    answer = send(proxy, CHUNKED + BAD_CHUNKS[sentence] + SMUGGLED)
    assert statuses(answer) in ([400], []), answer
    assert b"smuggled" not in recorder.received
    assert recorder.received.count(b" HTTP/1.1\r\n") <= 1


def test_one_empty_line_before_a_request_is_ignored(proxy, recorder):
    answer = send(proxy, b"\r\n" + GET + b"Connection: close\r\n\r\n")
    assert statuses(answer) == [200]


def test_pipelined_requests_are_answered_in_order(proxy, recorder):
    answer = send(proxy, GET + b"\r\n" + POST +
                  b"Content-Length: 5\r\n\r\nhello" + GET +
                  b"Connection: close\r\n\r\n")
    assert statuses(answer) == [200, 200, 200]
    assert recorder.received.count(b" /x HTTP/1.1\r\n") == 3


def test_bytes_split_one_by_one_read_the_same(proxy):
    recorder = Recorder(end=b"0\r\nX-T: 1\r\n\r\n")
    proxy.register("recorder", recorder.url, "/r")
    data = POST + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" \
        b"5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nX-T: 1\r\n\r\n"
    with socket.create_connection((proxy.address, proxy.port)) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in data:
            client.sendall(bytes([byte]))
        answer = b""
        while got := client.recv(65536):
            answer += got
    assert statuses(answer) == [200]
    recorder.close()
    body = recorder.received.partition(b"\r\n\r\n")[2]
    # sluice frames anew what it has at hand: sizes differ, the data not.
    data = b"".join(re.findall(rb"[0-9a-f]+\r\n(\D+?)\r\n", body))
    assert data == b"hello!"


BAD_ANSWERS = {
    "no status line": b"hello\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
                   b"Content-Length: 2\r\n\r\nab",
    "length and coding": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a bare LF": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "a space before the colon":
        b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
    "obs-fold": b"HTTP/1.1 200 OK\r\nX: 1\r\n 2\r\n\r\n",
    "a head over 32 KiB":
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 40000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("sentence", BAD_ANSWERS)
def test_a_bad_answer_of_a_backend_is_502(proxy, sentence):
    server = Recorder(BAD_ANSWERS[sentence])
    proxy.register("recorder", server.url, "/r")
    answer = send(proxy, GET + b"Connection: close\r\n\r\n", shut=False)
    server.close()
    assert statuses(answer) == [502], answer


def test_a_second_answer_is_never_given_to_the_next_request(proxy):
    """A backend that says more than it was asked loses its connection."""
    server = Recorder(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"
                      b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\npoison\n")
    proxy.register("recorder", server.url, "/r")
    for _ in range(5):
        answer = send(proxy, GET + b"\r\n" + GET +
                      b"Connection: close\r\n\r\n", shut=False)
        assert statuses(answer) == [200, 200]
        assert b"poison" not in answer
    server.close()
