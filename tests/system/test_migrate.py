# SPDX-License-Identifier: ISC
"""The schema up and down, and stores copied, by sluicectl alone."""

import json
import sqlite3

import pytest

from harness.registrant import Registrant
from harness.sluice import Sluice
from harness.tables import PostgresTables, SqliteTables


@pytest.fixture(params=["sqlite", "postgres"])
def driver(request):
    return request.param


@pytest.fixture
def environment(driver, request):
    if driver == "sqlite":
        return {}
    return {"DB_DRIVER": "postgres",
            "DATABASE_URL": request.getfixturevalue("database")}


@pytest.fixture
def tables(driver, environment, tmp_path, request):
    if driver == "sqlite":
        return SqliteTables(tmp_path / "a" / "state" / "sluice.db")
    return PostgresTables(request.getfixturevalue("cluster"),
                          environment["DATABASE_URL"])


@pytest.fixture
def stopped(tmp_path, environment):
    """A sluice that was configured and never started."""
    proxy = Sluice(tmp_path / "a", environment=environment)
    yield proxy
    proxy.end()


def status_of(proxy):
    return json.loads(proxy.store_ctl("-o", "json", "migrate",
                                      "status").stdout)


def fill(proxy):
    """Something of all that a store holds."""
    for i in range(5):
        proxy.register(f"s{i}", f"http://127.0.0.1:{i + 1}", f"/p{i}",
                       "/all", health_path="/h")
    proxy.post("/deregister", {"name": "s4"})
    assert proxy.post("/v1/services", {
        "name": "b \"\\ q\u00e9", "policy": "hash_header",
        "hash_header": "x-user",
        "breaker": {"threshold": 5, "open_ms": 1000},
    }).status == 201
    assert proxy.post("/v1/routes", {
        "domains": ["b.test", "*.a.test"], "prefixes": ["/y", "/x"],
        "targets": [{"service": "s0", "weight": 3},
                    {"service": "s1", "weight": 1}],
        "priority": 7, "rate_limit": {"requests": 5, "window_ms": 1000},
        "headers": [{"op": "set", "of": "request", "name": "x-a",
                     "value": "1, \"2\" \\ {}"}]}).status == 201
    assert proxy.ask("PUT", "/v1/services/s1/maintenance",
                     {"reason": "disk\n\u20ac"}).status == 200
    Registrant(proxy).register()        # while there is no token
    proxy.ctl("token", "create", "--service", "billing")


def within(table, names):
    """The rows of a dumped table, with those columns alone."""
    columns, rows = table
    places = [columns.index(name) for name in names]
    return sorted((tuple(row[i] for i in places) for row in rows), key=repr)


def assert_holds(higher, lower):
    """All that the lower schema has room for is in both."""
    for table, (names, rows) in lower.items():
        assert within(higher[table], names) == rows, table


def test_every_migration_goes_down_and_up_again(
        sluice, environment, tables, driver):
    proxy = sluice(environment=environment)
    fill(proxy)
    full = tables.dump()
    assert proxy.stop() == 0
    assert all(table[1] for name, table in full.items()), full
    # Another one must be copied too (registryd/offline/copy.c and the
    # query "empty"), and granted (sql/postgres/grants.sql).
    assert set(full) == {"backend", "change", "generation", "horizon",
                         "note", "note_version", "route", "route_target",
                         "service"}
    known = len(status_of(proxy))
    for version in range(known, 0, -1):
        before = tables.dump()
        proxy.store_ctl("migrate", "down")
        lower = tables.dump() if version > 1 else {}
        assert_holds(before, lower)
        proxy.store_ctl("migrate", "up")
        assert_holds(tables.dump(), lower)
        assert len(tables.dump()) == len(full)
        proxy.store_ctl("migrate", "down", "--to", str(version - 1))
        applied = [row["applied_at"] is not None for row in status_of(proxy)]
        assert applied == [True] * (version - 1) + \
            [False] * (known - version + 1)
    if driver == "sqlite":
        assert tables.names() <= {"sqlite_sequence"}
    else:
        assert tables.things() == ""


def test_the_check_is_for_scripts(stopped):
    stopped.store_ctl("migrate", "up")
    assert stopped.store_ctl("migrate", "--check").stdout == ""
    stopped.store_ctl("migrate", "down")
    answer = stopped.store_ctl("migrate", "--check", check=False)
    assert answer.returncode == 1 and "run sluicectl migrate up" in \
        answer.stdout
    names = [row["name"] for row in status_of(stopped)]
    assert names[0] == "0001_initial" and names == sorted(names)
    text = stopped.store_ctl("migrate", "status").stdout.splitlines()
    assert len(text) == len(names) + 1 and text[-1].split()[-1] == "-"
    assert "applied" in stopped.store_ctl("migrate", "up").stdout
    assert stopped.store_ctl("migrate", "--check").returncode == 0


def test_what_is_used_does_not_go_down(sluice, environment):
    proxy = sluice(environment=environment)
    proxy.register("s", "http://127.0.0.1:9", "/s")
    refused = proxy.store_ctl("migrate", "down", check=False)
    assert refused.returncode == 3
    assert "--force" in refused.stderr, refused
    # Looking, and going up to where it is, harms nobody.
    assert proxy.store_ctl("migrate", "up").returncode == 0
    assert proxy.store_ctl("migrate", "status").returncode == 0
    assert proxy.get("/v1/services/s").status == 200
    proxy.store_ctl("migrate", "down", "--force")
    assert proxy.stop() == 0
    # A start brings it up again.
    proxy.start()
    assert proxy.get("/v1/services/s").status == 200


def test_a_newer_schema_is_refused(stopped, tables, driver):
    stopped.store_ctl("migrate", "up")
    newer = len(status_of(stopped)) + 1
    row = (f"INSERT INTO schema_version VALUES ({newer}, '{newer:04}_later', "
           + ("0)" if driver == "sqlite" else "now())"))
    if driver == "sqlite":
        with sqlite3.connect(tables.path) as store:
            store.execute(row)
        store.close()
    else:
        tables.run(row)
    for arguments in (["up"], ["down"], ["--check"]):
        answer = stopped.store_ctl("migrate", *arguments, check=False)
        assert answer.returncode == 1
        assert (f"schema version {newer} is newer than this program, which "
                f"knows {newer - 1}; install a newer sluice") in answer.stderr
    assert status_of(stopped)[-1]["name"] == f"{newer:04}_later"


@pytest.mark.parametrize("arguments", [
    ["migrate"], ["migrate", "sideways"], ["migrate", "up", "--to", "1"],
    ["migrate", "up", "down"], ["migrate", "down", "--to", "x"],
    ["store", "copy"], ["store", "copy", "--to", "nowhere"],
    ["store", "copy", "--from", "sqlite", "--to", "sqlite"],
])
def test_a_wrong_command_line_is_told(tmp_path, arguments):
    proxy = Sluice(tmp_path / "a")
    answer = proxy.store_ctl(*arguments, check=False)
    assert answer.returncode == 2 and answer.stderr.startswith("sluicectl: ")


def test_a_store_is_copied_there_and_back(sluice, cluster, database,
                                          tmp_path):
    proxy = sluice()
    fill(proxy)
    source = SqliteTables(proxy.home / "state" / "sluice.db")
    with sqlite3.connect(source.path) as store:
        store.execute("UPDATE horizon SET generation = 2, seq = 1")
    store.close()
    # Of a sluice that runs: what there is at that moment.
    said = proxy.store_ctl("store", "copy", "--to", database).stdout
    assert "and compared" in said
    assert proxy.stop() == 0
    target = PostgresTables(cluster, database)
    assert source.dump() and target.dump()
    again = SqliteTables(tmp_path / "again.db")
    proxy.store_ctl("store", "copy", "--from", database, "--to",
                    f"sqlite:{again.path}")
    assert again.dump() == source.dump()
    assert again.last_ids() == source.last_ids()
    # The same database is written from either.
    second = cluster.create_database()
    proxy.store_ctl("store", "copy", "--from", str(again.path),
                    "--to", second)
    assert PostgresTables(cluster, second).dump() == target.dump()
    # What there is is what there was, and goes on from there.
    proxy.environment.update(DB_DRIVER="postgres", DATABASE_URL=database)
    generation = source.run("SELECT value FROM generation")[1][0][0]
    proxy.start()
    assert proxy.get("/v1/services").json["generation"] == generation
    ids = source.last_ids()
    made = proxy.post("/v1/routes", {"prefixes": ["/z"], "service": "s0"})
    assert made.json["id"] == ids["route"] + 1
    history = proxy.get("/v1/changes?limit=1000").json["items"]
    assert history[-1]["generation"] in (1, generation + 1)
    assert {row["channel"] for row in history} >= {"register", "api"}


def test_a_target_that_is_not_empty_is_left_alone(sluice, cluster, database,
                                                  tmp_path):
    proxy = sluice()
    fill(proxy)
    assert proxy.stop() == 0
    source = SqliteTables(proxy.home / "state" / "sluice.db")
    copy = "store", "copy", "--from", "sqlite", "--to", database
    proxy.store_ctl(*copy)
    target = PostgresTables(cluster, database)
    whole = target.dump()
    target.run("DELETE FROM route")
    before = target.dump()
    refused = proxy.store_ctl(*copy, check=False)
    assert refused.returncode == 1 and "not empty" in refused.stderr
    assert target.dump() == before
    proxy.store_ctl(*copy, "--replace")
    assert target.dump() == whole
    # A fault on the way leaves all as it was.
    target.run("CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS "
               "$$ BEGIN RAISE EXCEPTION 'not this'; END $$; CREATE TRIGGER "
               "no BEFORE INSERT ON note FOR EACH ROW EXECUTE FUNCTION no()")
    failed = proxy.store_ctl(*copy, "--replace", check=False)
    assert failed.returncode == 1 and "not this" in failed.stderr
    assert target.dump() == whole
    assert source.dump()


def test_a_copy_keeps_off_a_store_in_use(sluice, cluster, database, tmp_path):
    proxy = sluice(environment={"DB_DRIVER": "postgres",
                                "DATABASE_URL": database})
    fill(proxy)
    other = Sluice(tmp_path / "b")
    other.store_ctl("migrate", "up")
    refused = other.store_ctl("store", "copy", "--from", "sqlite", "--to",
                              database, "--replace", check=False)
    assert refused.returncode == 3 and "--force" in refused.stderr
    assert proxy.get("/v1/services/s0").status == 200
    # Out of it, at any time.
    other.store_ctl("store", "copy", "--from", database)


def test_a_source_that_is_behind_is_not_copied(stopped, tmp_path):
    stopped.store_ctl("migrate", "up")
    stopped.store_ctl("migrate", "down")
    answer = stopped.store_ctl("store", "copy", "--to",
                               str(tmp_path / "b.db"), check=False)
    assert answer.returncode == 1 and "up to date first" in answer.stderr
