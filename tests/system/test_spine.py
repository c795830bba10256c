# SPDX-License-Identifier: ISC
"""A service registers itself, and a request goes through."""

import asyncio
import hashlib
import json
import os
import subprocess

import pytest
import websockets

from harness.nginx import Nginx
from harness.wait import wait_until




@pytest.fixture(params=["sqlite", "postgres"])
def environment(request):
    if request.param == "sqlite":
        return {}
    return {"DB_DRIVER": "postgres",
            "DATABASE_URL": request.getfixturevalue("database")}


def names_of(sluice, path, count):
    """Which backends answer count requests."""
    answered = []
    for _ in range(count):
        run = sluice.curl(path)
        assert run.returncode == 0, run.stderr
        answered.append(json.loads(run.stdout)["backend"])
    return answered


def test_two_names_with_one_prefix_are_balanced(sluice, backend, environment):
    proxy = sluice(environment=environment)
    one, two = backend(name="one"), backend(name="two")
    proxy.register("one", one.url, "/api")
    proxy.register("two", two.url, "/api")
    answered = names_of(proxy, "/api/x", 20)
    # Each of the two workers takes its own turns.
    assert abs(answered.count("one") - answered.count("two")) <= 2
    # Routes of POST /register strip their prefix.
    assert {request.path for request in one.requests} == {"/x"}


def test_services_survive_stop_and_start(sluice, backend, environment):
    proxy = sluice(environment=environment)
    one, two = backend(name="one"), backend(name="two")
    proxy.register("one", one.url, "/api")
    proxy.register("two", two.url, "/api")
    before = proxy.get("/registry").json
    assert proxy.stop() == 0
    proxy.start()
    assert proxy.get("/registry").json == before
    assert set(names_of(proxy, "/api/x", 4)) == {"one", "two"}


def memory_kib(pids):
    """Proportional resident memory, shared memory left out."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/status") as status:
            for line in status:
                if line.startswith("RssAnon:"):
                    total += int(line.split()[1])
    return total


@pytest.fixture
def files(tmp_path):
    """An nginx with a file of 1 GB."""
    server = Nginx(tmp_path / "nginx")
    with open(server.home / "root" / "big", "wb") as big:
        big.truncate(1 << 30)
    yield server
    server.close()


def test_a_gigabyte_goes_down_in_flat_memory(sluice, files):
    proxy = sluice()
    proxy.register("files", files.url, "/files")
    assert proxy.curl("/files/small").stdout == b"hello\n"
    pids = proxy.worker_pids()
    before = memory_kib(pids)
    run = subprocess.Popen(
        ["curl", "-sS", "--limit-rate", "2G", proxy.url + "/files/big"],
        stdout=subprocess.PIPE)
    seen, peak = 0, before
    while True:
        data = run.stdout.read(1 << 22)
        if not data:
            break
        seen += len(data)
        peak = max(peak, memory_kib(pids))
    assert run.wait() == 0
    assert seen == 1 << 30
    assert peak - before < 20 * 1024


class Sink:
    """An asyncio server that counts and hashes what is sent to it."""

    def __init__(self):
        self.received = 0
        self.digest = hashlib.sha256()

    async def serve(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(next(
            line.split(b":")[1] for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")))
        while length > 0:
            data = await reader.read(min(length, 1 << 20))
            if not data:
                return
            length -= len(data)
            self.received += len(data)
            self.digest.update(data)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")
        await writer.drain()
        writer.close()


def test_a_gigabyte_goes_up_in_flat_memory(sluice, tmp_path):
    proxy = sluice()
    big = tmp_path / "big"
    with open(big, "wb") as file:
        file.truncate(1 << 30)

    async def run():
        sink = Sink()
        path = str(tmp_path / "sink.sock")
        server = await asyncio.start_unix_server(sink.serve, path,
                                                 limit=1 << 21)
        await asyncio.to_thread(proxy.register, "sink", f"unix:{path}", "/up")
        pids = await asyncio.to_thread(proxy.worker_pids)
        before = peak = memory_kib(pids)
        curl = await asyncio.create_subprocess_exec(
            "curl", "-sS", "-T", str(big), "-X", "POST", proxy.url + "/up/x",
            stdout=subprocess.PIPE)
        while curl.returncode is None:
            peak = max(peak, memory_kib(pids))
            try:
                await asyncio.wait_for(asyncio.shield(curl.wait()), 0.05)
            except asyncio.TimeoutError:
                pass
        assert await curl.stdout.read() == b"ok\n"
        assert sink.received == 1 << 30
        assert peak - before < 20 * 1024
        server.close()

    asyncio.run(run())


def test_websocket_echo_needs_no_configuration(sluice):
    proxy = sluice()

    async def echo(connection):
        async for message in connection:
            await connection.send(message)

    async def run():
        async with websockets.serve(echo, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            await asyncio.to_thread(
                proxy.register, "ws", f"http://127.0.0.1:{port}", "/ws")
            url = proxy.url.replace("http:", "ws:") + "/ws/echo"
            async with websockets.connect(url, compression=None) as client:
                for size in (0, 1, 125, 126, 70000, 900000):
                    message = os.urandom(size)
                    await client.send(message)
                    assert await client.recv() == message

    asyncio.run(run())
    assert proxy.metric("sluice_tunnels_total") == 1


def test_never_a_404_after_the_201(sluice, backend):
    proxy = sluice()
    server = backend(name="b")
    misses = []
    for i in range(1000):
        proxy.register(f"s{i}", server.url, f"/p{i}")
        run = proxy.ask_traffic("GET", f"/p{i}/x")
        if run != 200:
            misses.append((i, run))
    assert misses == []


def test_a_backend_that_dies_is_left_within_one_request(sluice, backend):
    proxy = sluice("workers = 1")
    one, two = backend(name="one"), backend(name="two")
    proxy.register("one", one.url, "/api")
    proxy.register("two", two.url, "/api")
    assert set(names_of(proxy, "/api/x", 4)) == {"one", "two"}
    address, port = one.address, one.port
    one.close()
    # Retried on the other: the client sees no failure.
    assert names_of(proxy, "/api/x", 20) == ["two"] * 20
    wait_until(lambda: states(proxy).get("one") == "down", 20)
    again = backend(name="one", address=address, port=port)
    wait_until(lambda: states(proxy).get("one") == "up", 30)
    wait_until(lambda: set(names_of(proxy, "/api/x", 4)) == {"one", "two"}, 20)
    assert again.requests


def states(proxy):
    rows = json.loads(proxy.ctl("-o", "json", "backends").stdout)
    return {row["service"]: row["state"] for row in rows}


def test_with_nobody_left_a_registered_service_is_503(sluice, backend):
    proxy = sluice()
    server = backend()
    proxy.register("s", server.url, "/s")
    server.close()
    wait_until(lambda: states(proxy).get("s") == "down", 20)
    run = proxy.curl("/s/x", "-i")
    assert run.stdout.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nRetry-After: " in run.stdout
    run = proxy.curl("/other", "-i")
    assert run.stdout.startswith(b"HTTP/1.1 404 ")
