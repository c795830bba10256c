# SPDX-License-Identifier: ISC
"""Every part is killed under load; no client notices."""

import os
import signal
import socket
import threading

import pytest

from harness.addresses import free_port
from harness.load import Load
from harness.nginx import Nginx
from harness.wait import wait_until


@pytest.fixture
def origin(tmp_path):
    server = Nginx(tmp_path / "nginx")
    yield server
    server.close()


@pytest.fixture
def loaded(sluice, origin):
    """A sluice with a service under constant load, and the load."""
    loads = []

    def start(conf=""):
        proxy = sluice(conf)
        proxy.register("origin", origin.url, "/origin")
        loads.append(Load(proxy.url + "/origin/small"))
        wait_until(lambda: requests_of(proxy) > 1000, 30)
        return proxy, loads[-1]

    yield start
    for load in loads:
        load.abandon()


def requests_of(proxy):
    return sum(row["requests"] for row in proxy.processes("worker"))


def more_requests(proxy, count=2000):
    """Waits until the load went on for a while."""
    before = requests_of(proxy)
    wait_until(lambda: requests_of(proxy) >= before + count, 60)


@pytest.mark.timeout(300)
def test_the_control_plane_dies_twenty_times_unnoticed(loaded):
    proxy, load = loaded()
    for _ in range(20):
        killed = {role: proxy.pid(role) for role in ("registryd", "healthd")}
        for pid in killed.values():
            proxy.kill(pid)
        more_requests(proxy, 200)       # with both of them dead
        for role, pid in killed.items():
            wait_until(lambda: has_successor(proxy, role, pid), 30,
                       f"{role} is back")
    report = load.stop()
    assert report.requests > 4000
    assert report.failed == 0, report
    for role in ("registryd", "healthd"):
        assert proxy.processes(role)[0]["restarts"] == 20


def has_successor(proxy, role, pid):
    row = proxy.processes(role)[0]
    return row["state"] == "ready" and row["pid"] != pid


def test_a_killed_worker_cuts_only_its_own_requests(loaded, backend):
    proxy, load = loaded()
    proxy.register("late", backend(name="late").url, "/late")
    victim, survivor = proxy.worker_pids()
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: len(proxy.worker_pids()) == 2
               and victim not in proxy.worker_pids(), 30)
    more_requests(proxy)
    report = load.stop()
    # wrk counts one read error for each connection that the worker held.
    assert sum(report.socket_errors) <= 64
    assert report.bad_statuses == 0
    assert survivor in proxy.worker_pids()
    # Each connection may meet either worker: both know the late route.
    for _ in range(30):
        assert proxy.ask_traffic("GET", "/late/x") == 200


class IdleClient:
    """A kept-alive connection that is asked now and then."""

    def __init__(self, proxy, path):
        self.host = f"{proxy.address}:{proxy.port}"
        self.path = path
        self.socket = socket.create_connection((proxy.address, proxy.port))
        self.socket.settimeout(20)

    def ask(self):
        self.socket.sendall(f"GET {self.path} HTTP/1.1\r\n"
                            f"Host: {self.host}\r\n\r\n".encode())
        answer = b""
        while not answer.endswith(b"hello\n"):
            data = self.socket.recv(65536)
            assert data, "an idle connection was closed"
            answer += data
        return answer


def test_reloads_and_changes_disturb_nobody(loaded, backend):
    proxy, load = loaded()
    idle = [IdleClient(proxy, "/origin/small") for _ in range(20)]
    for client in idle:
        assert client.ask().startswith(b"HTTP/1.1 200 ")
    pids = proxy.worker_pids()

    url = backend().url
    for i in range(1000):
        answer = proxy.ask("PUT", f"/v1/services/s{i % 50}", {
            "policy": "least_connections" if i % 2 else "round_robin"})
        assert answer.status in (200, 201), answer
    for i in range(100):
        proxy.register(f"c{i}", url, f"/c{i}")
    assert proxy.worker_pids() == pids

    for i in range(100):
        done = proxy.metric("sluice_config_reloads_total")
        proxy.write_conf(f'http {{ keepalive_timeout = "{60 + i}s" }}')
        proxy.reload()
        wait_until(lambda: proxy.metric("sluice_config_reloads_total") > done,
                   20)
    assert proxy.worker_pids() == pids
    for client in idle:
        assert client.ask().startswith(b"HTTP/1.1 200 ")
    report = load.stop()
    assert report.failed == 0, report


def test_a_new_listener_takes_a_new_set_of_workers(loaded):
    proxy, load = loaded()
    idle = IdleClient(proxy, "/origin/small")
    idle.ask()
    pids = proxy.worker_pids()
    port = free_port(proxy.address)
    proxy.write_conf(f'listen "{proxy.address}:{proxy.port}" {{ }}\n'
                     f'listen "{proxy.address}:{port}" {{ }}\n')
    proxy.reload()
    wait_until(lambda: not set(proxy.worker_pids()) & set(pids), 30)
    idle.ask()
    with socket.create_connection((proxy.address, port)) as other:
        other.sendall(b"GET /origin/small HTTP/1.1\r\nHost: x\r\n\r\n")
        assert other.recv(100).startswith(b"HTTP/1.1 200 ")
    report = load.stop()
    assert report.bad_statuses == 0, report
    assert sum(report.socket_errors) == 0, report


def test_a_bad_file_changes_nothing(loaded):
    proxy, load = loaded()
    proxy.write_conf("workers = 2\nno_such_setting = 1\n")
    proxy.reload()
    wait_until(lambda: "no_such_setting" in proxy.log(), 20)
    run = proxy.ctl("reload", check=False)
    assert run.returncode == 1
    assert "sluice.conf:" in run.stderr and "no_such_setting" in run.stderr
    more_requests(proxy)
    assert load.stop().failed == 0


def test_sigterm_lets_requests_finish(sluice, backend):
    """Requests in flight at SIGTERM are answered; then all is over."""
    gate, arrived = threading.Event(), threading.Event()

    def slow(_request):
        arrived.set()
        gate.wait(20)
        return 200, [], b"finished\n"

    proxy = sluice('shutdown_timeout = "15s"')
    proxy.register("slow", backend(answer=slow).url, "/slow")
    answers = []
    client = threading.Thread(
        target=lambda: answers.append(proxy.curl("/slow/x")))
    client.start()
    assert arrived.wait(20)
    proxy.process.send_signal(signal.SIGTERM)
    # It does not take new connections any more, and still waits.
    wait_until(lambda: refuses(proxy), 20)
    assert proxy.process.poll() is None
    gate.set()
    client.join(20)
    assert answers[0].stdout == b"finished\n"
    assert proxy.process.wait(20) == 0


def test_idle_connections_do_not_hold_a_stop_up(sluice, backend):
    proxy = sluice('shutdown_timeout = "100s"')
    proxy.register("s", backend().url, "/s")
    idle = [socket.create_connection((proxy.address, proxy.port))
            for _ in range(10)]
    for client in idle[:5]:
        client.sendall(b"GET /s/x HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert proxy.stop(timeout=50) == 0


def refuses(proxy):
    try:
        with socket.create_connection((proxy.address, proxy.port), 5):
            return False
    except ConnectionRefusedError:
        return True


def test_sigterm_is_bounded(sluice, backend):
    gate, arrived = threading.Event(), threading.Event()

    def stuck(_request):
        arrived.set()
        gate.wait(60)
        return 200, [], b""

    proxy = sluice('shutdown_timeout = "1s"')
    proxy.register("stuck", backend(answer=stuck).url, "/stuck")
    client = threading.Thread(target=lambda: proxy.curl("/stuck/x"))
    client.start()
    assert arrived.wait(20)
    assert proxy.stop(20) == 0
    gate.set()
    client.join(20)


def test_a_killed_master_lets_its_orphans_finish(sluice, backend):
    proxy = sluice('shutdown_timeout = "5s"')
    proxy.register("s", backend().url, "/s")
    pids = [row["pid"] for row in proxy.processes()]
    proxy.process.kill()
    proxy.process.wait(20)
    wait_until(lambda: not any(os.path.exists(f"/proc/{pid}")
                               for pid in pids), 30)
    # A new master adopts what stands.
    proxy.start()
    assert proxy.ask_traffic("GET", "/s/x") == 200


def test_counters_survive_a_worker(sluice, backend):
    proxy = sluice("workers = 1")
    proxy.register("s", backend().url, "/s")
    for _ in range(10):
        assert proxy.ask_traffic("GET", "/s/x") == 200
    before = proxy.metric("sluice_requests_total")
    proxy.kill_role("worker")
    for _ in range(5):
        assert proxy.ask_traffic("GET", "/s/x") == 200
    assert proxy.metric("sluice_requests_total") == before + 5
