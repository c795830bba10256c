# SPDX-License-Identifier: ISC
"""Bad input is told where, what and what to do; nobody dies of it."""

import os
import socket
import struct
import subprocess

import pytest

from harness.certificates import Authority, Identity, openssl
from harness.sluice import Sluice
from harness.wait import wait_until


@pytest.fixture
def stopped(tmp_path):
    """A sluice that was not started: only its command is run."""
    made = []

    def make(conf, **options):
        instance = Sluice(tmp_path / str(len(made)), conf, **options)
        made.append(instance)
        return instance

    yield make
    for instance in made:
        instance.end()


def run(instance, *arguments):
    return subprocess.run(instance.command(*arguments), capture_output=True,
                          text=True, timeout=60, env=instance.environment)


@pytest.mark.parametrize("line, what", [
    ("no_such = 1", "no_such"),
    ('shutdown_timeout = "5"', "shutdown_timeout"),
    ('shutdown_timeout = "5 parsecs"', "shutdown_timeout"),
    ("workers = many", "workers"),
    ("workers = 100000", "workers"),
    ('log { level = "loud" }', "level"),
    ('listen "nowhere:port" { }', "nowhere:port"),
    ('store { driver = "oracle" }', "oracle"),
    ('store { driver = "postgres" }', "url"),
    ('user = "no_such_user_here"', "no_such_user_here"),
    ('service "s" { backends = { "ftp://x" } }', "ftp://x"),
    ("log {", ""),
])
def test_a_bad_setting_is_named_with_its_line(stopped, line, what):
    instance = stopped(line)
    for arguments in (("-t",), ("-F",)):
        done = run(instance, *arguments)
        assert done.returncode in (64, 67, 78), done
        assert f"{instance.conf_path}:" in done.stderr, done.stderr
        assert what in done.stderr


# Certificates


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def identity(authority, tmp_path):
    return Identity(authority, tmp_path / "identity")


def spoil(path, how):
    if how == "missing":
        path.unlink()
    elif how == "a directory":
        path.unlink()
        path.mkdir()
    elif how == "a pipe":
        path.unlink()
        os.mkfifo(path)
    else:
        path.write_bytes(how)


def is_refused(instance, key, path, what):
    """By a test and by a start, with the line that names the file."""
    line = 1 + next(number for number, text in enumerate(
        instance.conf_path.read_text().splitlines()) if key in text)
    for arguments in (("-t",), ("-F",)):
        done = run(instance, *arguments)
        assert done.returncode == 78, done
        assert (f"{instance.conf_path}:{line}: registration.{key}: "
                f"'{path}' {what}") in done.stderr, done.stderr
    return True


READ = "cannot be read: "


@pytest.mark.parametrize("key", ["tls_certificate", "tls_key"])
@pytest.mark.parametrize("how, what", [
    ("missing", READ + "No such file or directory"),
    ("a directory", READ + "Is a directory"),
    ("a pipe", READ + "it is no regular file"),
    (b"", READ + "it is empty"),
    (b"nonsense", "holds no "),
    (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
     b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
     "holds a "),
])
def test_a_bad_certificate_is_named(stopped, identity, key, how, what):
    path = identity.certificate if key == "tls_certificate" else identity.key
    spoil(path, how)
    assert is_refused(stopped("", identity=identity), key, path, what)


def test_a_certificate_that_only_others_may_read(stopped, identity, tmp_path):
    """As a user who is not its owner, where root is there to become one."""
    if os.getuid() != 0:
        identity.key.chmod(0)
        assert is_refused(stopped("", identity=identity), "tls_key",
                          identity.key, READ + "Permission denied")
        return
    instance = stopped("", identity=identity)
    for path in (identity.key.parent, *tmp_path.parents, tmp_path,
                 instance.home):
        path.chmod(path.stat().st_mode | 0o055)
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
         *instance.command("-t")], capture_output=True, text=True,
        timeout=60)
    assert done.returncode == 78, done
    assert f"'{identity.key}' {READ}Permission denied" in done.stderr


def test_a_key_of_another_certificate(stopped, identity, authority):
    _, other = authority.issue("other")
    identity.key.write_bytes(other.read_bytes())
    assert is_refused(stopped("", identity=identity), "tls_key",
                      identity.key,
                      "is not the key of the first certificate")


def test_a_key_with_a_passphrase(stopped, identity):
    plain = identity.key.rename(identity.key.with_suffix(".plain"))
    openssl("pkcs8", "-topk8", "-in", plain, "-out", identity.key,
            "-v2", "aes256", "-passout", "pass:secret")
    assert is_refused(stopped("", identity=identity), "tls_key",
                      identity.key, "is encrypted")


def test_no_certificate_and_bad_ciphers(stopped, identity):
    instance = stopped('registration { tls_listen = { "127.0.0.1:1" } }')
    done = run(instance, "-t")
    assert done.returncode == 78
    assert "tls_listen: no certificate; set" in done.stderr
    identity.settings["tls_ciphers"] = '"ROT13"'
    assert is_refused(stopped("", identity=identity), "tls_ciphers",
                      "ROT13", "is no list of ciphers")


def test_an_authority_without_certificates(stopped, identity, tmp_path):
    path = tmp_path / "ca.pem"
    path.write_text("none\n")
    identity.settings["tls_client_ca"] = f'"{path}"'
    assert is_refused(stopped("", identity=identity), "tls_client_ca", path,
                      "holds no certificate")


def test_an_expired_certificate_is_a_warning(stopped, identity):
    identity.renew(days=-1)
    identity.key.chmod(0o644)
    instance = stopped("", identity=identity)
    done = run(instance, "-t")
    assert done.returncode == 0, done
    assert f"warning: registration.tls_certificate: " \
        f"'{identity.certificate}' expired at 20" in done.stderr
    assert "can be read by everybody" in done.stderr
    instance.start()
    assert "expired at 20" in instance.log()


def test_a_taken_port_is_named(stopped, sluice):
    first = sluice()
    second = stopped("")
    second.address, second.port = first.address, first.port
    second.write_conf("")
    done = run(second, "-F")
    assert done.returncode in (69, 71), done
    assert f"{first.address}:{first.port}" in done.stderr
    assert "Address already in use" in done.stderr


def test_a_second_start_in_one_runtime_dir_is_refused(stopped, sluice):
    first = sluice()
    done = run(first, "-F")
    assert done.returncode != 0
    assert str(first.process.pid) in done.stderr or "running" in done.stderr


def test_an_unknown_option_is_usage(stopped):
    assert run(stopped(""), "--no-such-option").returncode == 64


def test_a_database_out_of_reach_is_no_reason_not_to_start(stopped):
    """It comes up degraded, and refuses writes with the reason."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    proxy = stopped("", environment={
        "DB_DRIVER": "postgres",
        "DATABASE_URL": f"postgresql://x@127.0.0.1:{port}/x"})
    proxy.spawn()
    wait_until(lambda: answers(proxy), 30)
    answer = proxy.post("/register", {
        "name": "s", "base_url": "http://127.0.0.1:1", "routes": ["/s"]})
    assert answer.status == 503, answer
    assert proxy.get("/readyz").status == 503       # no table at all
    assert proxy.get("/api/ready").json["reason"] == "database_unhealthy"
    assert proxy.ask_traffic("GET", "/s/x") == 404


def answers(proxy):
    assert proxy.process.poll() is None, proxy.log()
    try:
        return proxy.get("/livez").status == 200
    except OSError:
        return False


def test_a_segment_of_another_version_is_made_anew(sluice, backend):
    proxy = sluice()
    proxy.register("s", backend().url, "/s")
    proxy.process.kill()
    proxy.process.wait()
    routes = f"/dev/shm/sluice.{proxy.instance}/routes"
    with open(routes, "r+b") as region:
        region.seek(8)
        region.write(struct.pack("<I", 999))
    proxy.start()
    assert proxy.ask_traffic("GET", "/s/x") == 200
    assert "version" in proxy.log()


def test_connections_over_the_limit_are_refused_with_a_reason(sluice):
    proxy = sluice("workers = 1\nmax_connections = 50")
    idle = [socket.create_connection((proxy.address, proxy.port))
            for _ in range(50)]
    wait_until(lambda: proxy.processes("worker")[0]["connections"] == 50)
    for _ in range(200):
        with socket.create_connection((proxy.address, proxy.port)) as extra:
            extra.settimeout(20)
            try:
                answer = extra.recv(65536)
            except ConnectionResetError:
                continue
            assert answer.startswith(b"HTTP/1.1 503 ")
    for connection in idle:
        connection.close()
    wait_until(lambda: proxy.processes("worker")[0]["connections"] == 0)
    assert proxy.ask_traffic("GET", "/none") == 404
    assert proxy.metric("sluice_connections_refused_total") == 200


@pytest.mark.parametrize("method, path, body, status, text", [
    ("POST", "/register", b"{", 400, "invalid payload in request"),
    ("POST", "/register", b'{"name":"x"}', 400,
     "missing a required field in payload"),
    ("DELETE", "/deregister", None, 400, "name parameter required"),
    ("PATCH", "/register", b"{}", 405, ""),
    ("POST", "/v1/services", b"[]", 422, ""),
    ("POST", "/v1/services", b"nonsense", 400, ""),
    ("PUT", "/v1/services/s", b'{"policy":"fastest"}', 422, "policy"),
    ("PUT", "/v1/services/s", b'{"no_such":1}', 422, "no_such"),
    ("GET", "/v1/routes/999", None, 404, ""),
    ("GET", "/v1/nothing", None, 404, ""),
])
def test_bad_requests_to_the_api(sluice_module, method, path, body, status,
                                 text):
    answer = sluice_module.ask(method, path, body)
    assert answer.status == status, answer
    assert text in answer.body.decode()


@pytest.fixture(scope="module")
def sluice_module(tmp_path_factory):
    instance = Sluice(tmp_path_factory.mktemp("api"), "workers = 1")
    instance.start()
    yield instance
    instance.end()


def test_a_full_disk_refuses_writes_and_serves_on(sluice, backend,
                                                  small_disk, fill_disk):
    proxy = sluice(f'store {{ path = "{small_disk}/sluice.db" }}')
    server = backend()
    proxy.register("before", server.url, "/before")
    fill_disk()
    refused = 0
    for i in range(200):
        answer = proxy.post("/register", {
            "name": f"s{i}", "base_url": server.url, "routes": [f"/s{i}"]})
        if answer.status != 201:
            refused += 1
            assert answer.status in (500, 503, 507), answer
            assert b"full" in answer.body, answer
            break
    assert refused == 1
    assert proxy.ask_traffic("GET", "/before/x") == 200
    (small_disk / "filler").unlink()
    wait_until(lambda: proxy.post("/register", {
        "name": "after", "base_url": server.url,
        "routes": ["/after"]}).status == 201)
    assert proxy.ask_traffic("GET", "/after/x") == 200


def test_a_full_disk_under_the_access_log_is_counted(
        sluice, backend, small_disk, fill_disk):
    proxy = sluice(f'log {{ access = "{small_disk}/access.log" }}')
    proxy.register("s", backend().url, "/s")
    fill_disk()
    for _ in range(300):
        assert proxy.ask_traffic("GET", "/s/x") == 200
    wait_until(lambda: proxy.metric("sluice_log_lines_dropped_total") > 0)
