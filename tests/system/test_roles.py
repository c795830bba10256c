# SPDX-License-Identifier: ISC
"""sluice as a role that may read and write rows, and nothing else."""

import os
import pathlib

import pytest

from harness.sluice import Sluice
from harness.registrant import Registrant
from harness.wait import wait_until

SQL = pathlib.Path(__file__).parents[2] / "sql" / "postgres"


def url_of(database, role):
    return database.replace("sluice@", role + "@")


@pytest.fixture
def run_file(cluster, database):
    """Runs a script of sql/postgres as a role."""
    # The server's user cannot read the sources of everybody.
    def run(name, role):
        copy = cluster.home / name
        copy.write_text((SQL / name).read_text())
        os.chmod(copy, 0o644)
        cluster.run("psql", "-v", "ON_ERROR_STOP=1", "-q", "-f", copy,
                    url_of(database, role))
    return run


@pytest.fixture
def owner(tmp_path, database, run_file):
    """Migrates, and is never started."""
    run_file("roles.sql", "sluice")
    return Sluice(tmp_path / "owner", environment={
        "DB_DRIVER": "postgres",
        "DATABASE_URL": url_of(database, "sluice_owner")})


@pytest.fixture
def app(database):
    return {"DB_DRIVER": "postgres",
            "DATABASE_URL": url_of(database, "sluice_app")}


def test_sluice_needs_no_more_than_rows(sluice, backend, cluster, database,
                                        owner, app, run_file):
    owner.store_ctl("migrate", "up")
    run_file("grants.sql", "sluice_owner")
    run_file("grants.sql", "sluice_owner")
    one, two = (sluice(name=name, environment=app) for name in "ab")
    server = backend()
    for i in range(12):
        one.register(f"s{i}", server.url, f"/p{i}")
    Registrant(one).register()
    one.ctl("token", "create")
    assert one.post("/deregister", {"name": "s3"}).status == 200
    assert one.ask("PUT", "/v1/services/s1/maintenance", {}).status == 200
    assert one.post("/v1/rollback", {"to": 5}).status in (200, 409)
    assert one.post("/v1/import?replace=true&force=true",
                    one.get("/v1/export").body).status == 200
    wait_until(lambda: two.get("/v1/services").json
               == one.get("/v1/services").json)
    assert two.ask_traffic("GET", "/p1/x") in (200, 503)
    assert two.get("/v1/changes").status == 200
    one.kill_role("registryd")
    assert one.get("/readyz").json["status"] == "ready"
    assert "permission denied" not in one.log() + two.log()

    name = database.rsplit("/", 1)[1]
    tables = cluster.psql(name, "SELECT tablename FROM pg_tables "
                          "WHERE schemaname = 'public'").split()

    def may(role, table, right):
        return cluster.psql(
            name, f"SELECT has_table_privilege('{role}', '{table}', "
            f"'{right}')") == "t"

    for table in tables:
        assert may("sluice_app", table, "SELECT"), table
        assert not may("sluice_app", table, "TRUNCATE"), table
        assert may("sluice_reader", table, "SELECT") == (table != "note")
        assert not may("sluice_reader", table, "INSERT, UPDATE, DELETE")
    assert not may("sluice_app", "change", "UPDATE")
    assert not may("sluice_app", "schema_version", "INSERT")
    assert cluster.psql(name, "SELECT has_schema_privilege('sluice_app', "
                        "'public', 'CREATE')") == "f"


def test_a_schema_that_is_behind_is_told(sluice, backend, cluster, database,
                                         owner, app, run_file, tmp_path):
    owner.store_ctl("migrate", "up")
    run_file("grants.sql", "sluice_owner")
    owner.store_ctl("migrate", "down")
    proxy = Sluice(tmp_path / "a", environment=app)
    try:
        proxy.spawn()
        wait_until(lambda: "may not change it" in proxy.log(),
                   what=proxy.log)
        assert "run sluicectl migrate up as its owner" in proxy.log()
        owner.store_ctl("migrate", "up")
        run_file("grants.sql", "sluice_owner")
        wait_until(proxy.is_ready_or_dead, 60)
        wait_until(lambda: proxy.get("/readyz").json["status"] == "ready",
                   60)
        proxy.register("s", backend().url, "/s")
        assert proxy.ask_traffic("GET", "/s/x") == 200
    finally:
        proxy.end()
