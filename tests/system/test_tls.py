# SPDX-License-Identifier: ISC
"""The registration protocol over TLS: sluice.conf(5), registration."""

import concurrent.futures
import json
import os
import pathlib
import pwd
import shutil
import socket
import ssl
import subprocess
import tempfile

import pytest

from harness.certificates import Authority, Identity, openssl
from harness.registrant import Registrant
from harness.sluice import Sluice
from harness.wait import wait_until

# Every family of commands, as it is without TLS: the fixtures of this file
# take the place of those there.
from test_protocol import (                             # noqa: F401
    test_a_longer_line_closes, test_a_line_may_come_in_pieces,
    test_a_line_of_64_kib_is_read, test_a_recorded_flow,
    test_a_session_survives_registryd, test_a_thousand_sessions,
    test_apply_is_all_or_none, test_apply_partial, test_backend_test,
    test_circuit_breaker, test_client_shutdown, test_drain, test_headers,
    test_health_set, test_lines_may_come_together_and_are_answered_in_order,
    test_maintenance, test_options, test_rate_limit,
    test_reconnect_moves_the_session, test_register, test_reload_is_news,
    test_rollback_and_diff, test_route_add_bulk, test_route_remove,
    test_route_update, test_session_info, test_sluice_says_when_it_stops,
    test_stats, test_subscribe, test_the_example_of_the_page)

@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def tls_sluice(sluice, authority, tmp_path):
    """Starts sluices that speak TLS where services register."""
    def start(name="a", **settings):
        return sluice(name=name, identity=Identity(
            authority, tmp_path / f"tls-{name}", **settings))

    return start


@pytest.fixture
def proxy(tls_sluice):
    return tls_sluice()


@pytest.fixture
def client(proxy):
    with Registrant(proxy) as one:
        one.register()
        yield one


def raw(proxy):
    """A connection that has not said anything."""
    bare = socket.create_connection(
        (proxy.address, proxy.registration_port), timeout=60)
    bare.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bare


def is_closed(bare):
    """Waits for the end, past what may come before it."""
    try:
        while bare.recv(65536):
            pass
    except ConnectionResetError:
        pass
    return True


class Pieces:
    """A client whose handshake and records cross the wire as it is told."""

    def __init__(self, proxy):
        self.socket = raw(proxy)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = proxy.tls.wrap_bio(self.incoming, self.outgoing)

    def step(self, call, size):
        """Calls until it is content, sending bytes `size` at a time."""
        while True:
            try:
                result = call()
            except ssl.SSLWantReadError:
                result = None
            data = self.outgoing.read()
            for at in range(0, len(data), size):
                self.socket.sendall(data[at:at + size])
            if result is not None:
                return result
            if not data:
                self.incoming.write(self.socket.recv(65536))

    def shake_hands(self, size):
        self.step(lambda: self.tls.do_handshake() or True, size)

    def say(self, line, size):
        self.step(lambda: self.tls.write(line.encode() + b"\n"), size)
        return self.step(lambda: self.tls.read(65536), size).decode()


# Shaking hands


@pytest.mark.parametrize("size", [1, 7])
def test_records_may_come_in_pieces(proxy, size):
    pieces = Pieces(proxy)
    pieces.shake_hands(size)
    answer = pieces.say("REGISTER|billing|a|0", size)
    assert answer.startswith("ACK|")
    assert pieces.say(f"PING|{answer[4:].strip()}", size) == "PONG\n"
    pieces.socket.close()


def test_openssl_may_talk_to_it(proxy, authority):
    done = subprocess.run(
        ["openssl", "s_client", "-connect",
         f"{proxy.address}:{proxy.registration_port}", "-CAfile",
         str(authority.path), "-verify_return_error", "-verify_hostname",
         Identity.NAME, "-quiet"],
        input="REGISTER|billing|a|0\nCLIENT_SHUTDOWN|x\n" +
        "x" * 65537, capture_output=True, text=True, timeout=60)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("ACK|"), done
    assert lines[1:] == ["ERROR|session not found", "ERROR|line too long"]
    assert "verify error" not in done.stderr, done.stderr


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_versions_are_refused(proxy, authority):
    context = authority.context()
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with raw(proxy) as bare, pytest.raises(ssl.SSLError):
        context.wrap_socket(bare)
    with Registrant(proxy) as client:
        assert client.socket.version() == "TLSv1.3"
        client.register()


def test_the_least_version_and_ciphers_are_settings(tls_sluice, authority):
    proxy = tls_sluice(tls_min_version='"1.3"')
    context = authority.context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with raw(proxy) as bare, pytest.raises(ssl.SSLError):
        context.wrap_socket(bare)
    proxy.conf_path.write_text(proxy.conf_path.read_text().replace(
        'tls_min_version = "1.3"', 'tls_min_version = "1.2"'))
    assert "tls_min_version" in proxy.ctl("reload").stdout
    proxy.tls = context
    with Registrant(proxy) as client:
        assert client.socket.version() == "TLSv1.2"
        client.register()
    other = tls_sluice("b", tls_ciphers='"ECDHE-ECDSA-CHACHA20-POLY1305"')
    other.tls = authority.context()
    other.tls.maximum_version = ssl.TLSVersion.TLSv1_2
    with Registrant(other) as client:
        assert client.socket.cipher()[0] == "ECDHE-ECDSA-CHACHA20-POLY1305"
        client.register()


def test_clients_may_have_to_show_a_certificate(tls_sluice, authority,
                                                tmp_path):
    proxy = tls_sluice(tls_client_ca=f'"{authority.path}"')
    stranger = Authority(tmp_path / "stranger", "stranger")
    for shown in (), stranger.issue("agent"):
        proxy.tls = authority.context(*shown)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            with Registrant(proxy) as client:
                client.register()
    proxy.tls = authority.context(*authority.issue("agent"))
    with Registrant(proxy) as client:
        client.register()
    wait_until(lambda: proxy.metric(
        "sluice_registration_tls_handshakes_failed_total") == 2)


@pytest.mark.parametrize("noise", [
    b"REGISTER|billing|a|0\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\0" * 512, b"\x16\x03\x01\xff\xff" + b"x" * 70000, b"\x80\x2e\x01",
    b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03",
])
def test_what_is_no_handshake_is_closed(tls_sluice, noise):
    proxy = tls_sluice(tls_handshake_timeout="2s")
    with raw(proxy) as bare:
        try:
            bare.sendall(noise)
        except OSError:
            pass
        assert is_closed(bare)
    with Registrant(proxy) as client:
        client.register()
    assert proxy.metric(
        "sluice_registration_tls_handshakes_failed_total") == 1


def test_a_silent_peer_holds_nobody_up(tls_sluice):
    proxy = tls_sluice(tls_handshake_timeout="1s")
    silent = [raw(proxy) for _ in range(50)]
    for bare in silent[25:]:
        bare.sendall(b"\x16\x03\x01\x02\x00")     # of a record, its head
    with Registrant(proxy) as client:
        client.register()
        for bare in silent:
            assert is_closed(bare)
            bare.close()
        assert client.ask("PING") == "PONG"
    assert "TLS handshake: not finished in time" in proxy.log()
    assert proxy.metric(
        "sluice_registration_tls_handshakes_failed_total") == 50


def test_silent_peers_make_room(tls_sluice):
    """More of them than may be shaking hands: the oldest go."""
    proxy = tls_sluice(tls_handshake_timeout="1h")
    silent = [raw(proxy) for _ in range(1100)]
    with Registrant(proxy, timeout=60) as client:
        client.register()
        assert is_closed(silent[0])
        assert client.ask("PING") == "PONG"
    for bare in silent:
        bare.close()
    assert "too many at once" in proxy.log()


def test_certificate_and_key_may_be_one_file(tls_sluice):
    proxy = tls_sluice()
    identity = proxy.identity
    identity.certificate.write_text(identity.certificate.read_text() +
                                    identity.key.read_text())
    proxy.conf_path.write_text(proxy.conf_path.read_text().replace(
        f'tls_key = "{identity.key}"', ""))
    assert proxy.stop() == 0
    proxy.start()
    with Registrant(proxy) as client:
        client.register()


# Renewal


def shown_by(proxy):
    """The fingerprint of what a new connection is shown."""
    import hashlib
    with raw(proxy) as bare, proxy.tls.wrap_socket(bare) as tls:
        return hashlib.sha256(tls.getpeercert(binary_form=True)).hexdigest()


def test_a_renewed_certificate_is_taken_over(proxy, client, backend):
    client.route("a.example", "/", backend().url)
    client.apply()
    before = shown_by(proxy)
    assert client.ask("SUBSCRIBE", "cert_renewed") == "SUBSCRIBE_OK"
    sessions = [Registrant(proxy) for _ in range(20)]
    for number, session in enumerate(sessions):
        session.register("many", f"i{number}")
    with socket.create_connection((proxy.address,
                                   proxy.admin_port)) as stream:
        stream.sendall(b"GET /v1/events?type=cert_renewed HTTP/1.1\r\n"
                       b"Host: x\r\n\r\n")
        assert b"200 OK" in stream.recv(4096)
        after = proxy.identity.renew(days=60)
        assert before != after
        assert "registration.tls_certificate" in proxy.ctl("reload").stdout
        line = client.read()
        assert line.startswith("EVENT|cert_renewed|{"), line
        event = json.loads(line.split("|", 2)[2])
        assert event["listener"] == "registration"
        assert event["fingerprint"] == after
        assert event["subject"] == "CN=" + Identity.NAME
        assert event["not_before"] < event["at"] < event["not_after"]
        text = b""
        while b"\n\n" not in text.partition(b"event: ")[2]:
            text += stream.recv(4096)
        assert b"event: cert_renewed" in text and after.encode() in text
    assert shown_by(proxy) == after
    assert f"certificate renewed: CN={Identity.NAME}" in proxy.log()
    [row] = wait_until(lambda: proxy.get(
        "/v1/changes?kind=certificate").json["items"])
    assert (row["action"], row["key"], row["channel"]) == \
        ("renew", "registration", "file")
    assert row["before"]["fingerprint"] == before
    assert row["after"]["fingerprint"] == after
    assert "certificate" in proxy.ctl("history").stdout
    expiry = proxy.metric('sluice_certificate_not_after_timestamp_seconds'
                          '{listener="registration"}')
    end = ssl.cert_time_to_seconds(openssl(
        "x509", "-in", proxy.identity.certificate, "-noout",
        "-enddate").strip().partition("=")[2])
    assert expiry == end
    for session in sessions:
        assert session.ask("PING") == "PONG"
        session.close()
    # the same files: no news
    assert "nothing changed" in proxy.ctl("reload").stdout
    assert client.ask("PING") == "PONG"


def test_a_bad_renewal_leaves_the_old_one(proxy, client, authority):
    before = shown_by(proxy)
    identity = proxy.identity
    line = 1 + next(n for n, text in enumerate(
        proxy.conf_path.read_text().splitlines()) if "tls_key" in text)
    _, other = authority.issue("other")
    shutil.copy(other, identity.key)
    done = proxy.ctl("reload", check=False)
    assert done.returncode == 1
    message = (f"{proxy.conf_path}:{line}: registration.tls_key: "
               f"'{identity.key}' is not the key of the first certificate")
    assert message in done.stderr + done.stdout
    assert message in proxy.log()
    identity.key.unlink()
    done = proxy.ctl("reload", check=False)
    assert done.returncode == 1
    assert "No such file or directory" in done.stderr + done.stdout
    assert shown_by(proxy) == before
    assert client.ask("PING") == "PONG"
    after = identity.renew()
    proxy.ctl("reload")
    assert shown_by(proxy) == after


def test_registryd_comes_back_with_what_is_renewed(proxy, client, backend):
    """Its successor is given what master read last."""
    client.route("a.example", "/", backend().url)
    client.apply()
    lost = [client, *(Registrant(proxy) for _ in range(50))]
    for number, session in enumerate(lost[1:]):
        session.register("many", f"i{number}")
    after = proxy.identity.renew()
    proxy.ctl("reload")
    proxy.identity.key.unlink()
    proxy.kill_role("registryd")
    assert shown_by(proxy) == after
    for session in lost:
        assert session.read() is None
        with Registrant(proxy) as again:
            again.sid = session.sid
            assert again.say(f"RECONNECT|{session.sid}") == "OK"
            assert again.ask("PING") == "PONG"
        session.close()
    assert proxy.ask_traffic("GET", "/", {"Host": "a.example"}) == 200


# Secrets


def test_the_key_is_nowhere_to_be_seen(proxy):
    secret = "".join(line for line in
                     proxy.identity.key.read_text().splitlines()
                     if not line.startswith("-"))
    done = subprocess.run(proxy.command("-T"), capture_output=True, text=True,
                          timeout=60, env=proxy.environment, check=True)
    assert str(proxy.identity.key) in done.stdout
    places = [done.stdout, proxy.log()]
    for row in proxy.processes():
        for name in "environ", "cmdline":
            with open(f"/proc/{row['pid']}/{name}", "rb") as file:
                places.append(file.read().decode(errors="replace"))
    for place in places:
        assert secret[:40] not in place


def sealed(pid):
    """The sealed texts that a process has open, by their names."""
    found = {}
    for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(entry)
            if target.startswith("/memfd:sluice."):
                found[target[7:].split(" ")[0]] = entry.read_bytes()
        except FileNotFoundError:       # it was closed meanwhile
            pass
    return found


def test_the_key_is_master_s_alone(proxy):
    """And registryd's, which does not keep it open; roles have no more than
    the configuration without it."""
    secret = proxy.identity.key.read_bytes()
    master = sealed(proxy.process.pid)
    assert sorted(master) == ["sluice.conf", "sluice.tls"]
    assert secret in master["sluice.tls"]
    assert secret not in master["sluice.conf"]
    assert b"PRIVATE KEY" not in master["sluice.conf"]
    for row in proxy.processes():       # some may still be starting
        wait_until(lambda pid=row["pid"]: sealed(pid) == {}, what=row)


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root")
def test_only_root_need_be_able_to_read_the_key(authority):
    """The roles run as another user, and come back as that one."""
    with tempfile.TemporaryDirectory() as name:
        home = pathlib.Path(name)
        identity = Identity(authority, home / "tls")
        identity.key.chmod(0o600)
        identity.key.parent.chmod(0o700)
        proxy = Sluice(home / "a", 'user = "nobody"\nlog { level = "info" }',
                       identity=identity)
        for path in home, home / "a", home / "a" / "state":
            os.chown(path, pwd.getpwnam("nobody").pw_uid, -1)
        try:
            proxy.start()
            pid = proxy.pid("registryd")
            assert pathlib.Path(f"/proc/{pid}").stat().st_uid != 0
            before = shown_by(proxy)
            after = identity.renew()
            assert proxy.ctl("reload").returncode == 0
            proxy.kill_role("registryd")
            assert before != after == shown_by(proxy)
            with Registrant(proxy) as client:
                client.register()
        finally:
            proxy.end()


# Many


def test_200_connections_at_once(proxy):
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        def come(number):
            client = Registrant(proxy, timeout=90)
            client.register("many", f"i{number}")
            return client

        clients = list(pool.map(come, range(200)))
    for client in clients:
        client.send(f"PING|{client.sid}\n")
    for client in clients:
        assert client.read() == "PONG"
    for client in clients:
        client.close()
    wait_until(lambda: proxy.ctl("sessions").stdout.count("lost") == 200)


def test_a_peer_that_does_not_read_is_not_waited_for(proxy):
    """Its answers stay here while others go on."""
    with Registrant(proxy) as slow, Registrant(proxy) as quick:
        slow.register("slow", "a")
        quick.register("quick", "a")
        slow.socket.setblocking(False)
        line = f"SESSION_INFO|{slow.sid}\n".encode() * 200
        try:
            for _ in range(2000):
                slow.socket.send(line)
        except (ssl.SSLWantWriteError, BlockingIOError):
            pass
        for _ in range(20):
            assert quick.ask("PING") == "PONG"
        slow.socket.setblocking(True)
        for _ in range(500):
            assert slow.read().startswith("SESSION_OK|")
