# SPDX-License-Identifier: ISC
"""PostgreSQL over TLS: who is believed, and what is said of the others."""

import shutil

import pytest

from harness.certificates import Authority
from harness.wait import wait_until


def serve_tls(cluster, certificate, key):
    for source, name in ((key, "server.key"), (certificate, "server.pem")):
        target = cluster.data / name
        shutil.copy(source, target)
        target.chmod(0o600)
        if cluster.as_user:
            shutil.chown(target, cluster.user)
    cluster.configure(ssl="on", ssl_key_file="server.key",
                      ssl_cert_file="server.pem")
    cluster.stop()
    cluster.start()


@pytest.fixture
def root(tmp_path):
    return Authority(tmp_path / "certificates")


def environment_of(url, cluster, query):
    path = url.rsplit("/", 1)[1]
    return {"DB_DRIVER": "postgres", "DATABASE_URL":
            f"postgresql://sluice@localhost:{cluster.port}/{path}?{query}"}


def test_a_server_that_proves_itself_is_believed(sluice, own_cluster, root):
    serve_tls(own_cluster, *root.issue("localhost"))
    url = own_cluster.create_database()
    one = sluice(environment=environment_of(
        url, own_cluster, f"sslmode=verify-full&sslrootcert={root.path}"))
    wait_until(lambda: one.metric("sluice_store_listening") == 1)
    assert one.get("/api/health/db").json == {"status": "healthy"}
    one.register("s", "http://127.0.0.1:9", "/s")
    # Every one of its connections is encrypted, that for news too.
    assert own_cluster.psql(
        url.rsplit("/", 1)[1], "SELECT bool_and(ssl) AND count(*) > 1 FROM "
        "pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE "
        "application_name LIKE 'sluice%'") == "t"


@pytest.mark.parametrize("case, words", [
    ("another root", "certificate verify failed"),
    ("another host", 'does not match host name "localhost"'),
    ("no root file", "does not exist"),
    ("no tls", "does not support SSL"),
])
def test_why_a_server_is_not_believed(
        sluice, own_cluster, root, tmp_path, case, words):
    host = "example.test" if case == "another host" else "localhost"
    if case != "no tls":
        serve_tls(own_cluster, *root.issue(host))
    trusted = {"another root": Authority(tmp_path / "other").path,
               "no root file": tmp_path / "missing.pem"}.get(case, root.path)
    conf = ('service "s" { backends = { "http://127.0.0.1:9" } }\n'
            'route "s" { prefixes = { "/s" } service = "s" }')
    one = sluice(conf, environment=environment_of(
        own_cluster.create_database(), own_cluster,
        f"sslmode=verify-full&sslrootcert={trusted}"))
    wait_until(lambda: words in one.log())
    health = one.get("/api/health/db")
    assert health.status == 503 and health.json["status"] == "unhealthy"
    assert words in health.json["error"]
    assert one.post("/v1/services", {"name": "n"}).status == 503
    ready = one.get("/readyz?verbose")
    assert ready.status == 200 and ready.json["status"] == "degraded"
