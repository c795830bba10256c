# SPDX-License-Identifier: ISC
"""PostgreSQL goes away; what the local file knows is routed."""

import os
import pathlib
import signal
import subprocess

import pytest

from harness.load import Load
from harness.nginx import Nginx
from harness.registrant import Registrant
from harness.sluice import Sluice
from harness.wait import wait_until

FAST = 'store { follow_interval = "200ms" }'


@pytest.fixture
def origin(tmp_path):
    server = Nginx(tmp_path / "nginx")
    yield server
    server.close()


class Shared:
    """A cluster that the test may stop, with a database of sluice's."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.url = cluster.create_database()
        self.environment = {"DB_DRIVER": "postgres",
                            "DATABASE_URL": self.url}

    def login(self, role):
        """The environment of one who logs in under another name."""
        self.sql(f"CREATE ROLE {role} SUPERUSER LOGIN")
        return dict(self.environment,
                    DATABASE_URL=self.url.replace("sluice@", role + "@"))

    def cut(self, role):
        """For this one the database is away."""
        self.sql(f"ALTER ROLE {role} NOLOGIN")
        self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                 f"WHERE usename = '{role}'")

    def mend(self, role):
        self.sql(f"ALTER ROLE {role} LOGIN")

    @property
    def name(self):
        return self.url.rsplit("/", 1)[1]

    def sql(self, text):
        return self.cluster.psql(self.name, text)

    def move(self, old, new):
        """Renames databases, whoever is connected."""
        self.cluster.psql("postgres", "SELECT pg_terminate_backend(pid) FROM "
                          f"pg_stat_activity WHERE datname = '{old}'")
        return self.cluster.run(
            "psql", "-h", self.cluster.home, "-p", self.cluster.port, "-U",
            "sluice", "-c", f"ALTER DATABASE {old} RENAME TO {new}",
            "postgres", check=False).returncode == 0


@pytest.fixture
def shared(own_cluster):
    return Shared(own_cluster)


def table_of(proxy):
    """All that the database must agree on, times and versions too."""
    return [proxy.get(path + "?limit=1000").json["items"]
            for path in ("/v1/services", "/v1/backends", "/v1/routes")]


def generation_of(proxy):
    return proxy.get("/readyz?verbose").json["generation"]


def parts_of(proxy):
    return proxy.get("/readyz?verbose").json["parts"]


def is_replicated(proxy):
    """The local file has all that is routed."""
    return proxy.metric("sluice_store_replica_generation") == \
        generation_of(proxy)


def is_caught_up(proxy):
    return parts_of(proxy)["store"]["status"] == "ok"


def fill(proxy, url, count=12):
    for i in range(count):
        proxy.register(f"s{i}", url, f"/p{i}")
    wait_until(lambda: is_replicated(proxy))


def replica_of(proxy):
    return pathlib.Path(proxy.home) / "state" / "replica.db"


def forget_replica(proxy):
    for path in replica_of(proxy).parent.glob("replica.db*"):
        path.unlink()


def same_as_database(proxy, shared, tmp_path):
    """Compares with a sluice that knows nothing but the database."""
    witness = Sluice(tmp_path / "witness", FAST,
                     environment=shared.environment)
    try:
        witness.start()
        wait_until(lambda: is_caught_up(witness))
        return table_of(witness) == table_of(proxy)
    finally:
        witness.end()
        forget_replica(witness)


def kill_all(proxy):
    """kill -9 of every process, the segment gone as after a reboot."""
    pids = [row["pid"] for row in proxy.processes()]
    proxy.process.kill()
    proxy.process.wait()
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    wait_until(lambda: not any(os.path.exists(f"/proc/{pid}")
                               for pid in pids))
    subprocess.run(["rm", "-rf", f"/dev/shm/sluice.{proxy.instance}"],
                   check=True)


# Starting without it


@pytest.mark.parametrize("end", [Sluice.stop, kill_all],
                         ids=["stopped", "killed"])
def test_a_start_without_the_database(sluice, backend, shared, tmp_path, end):
    origin = backend()
    proxy = sluice(FAST, environment=shared.environment)
    fill(proxy, origin.url)
    with Registrant(proxy) as client:
        sid = client.register()
        client.route("*", "/billing", origin.url)
        client.apply()
        wait_until(lambda: is_replicated(proxy))
        shown = table_of(proxy)
        assert proxy.metric("sluice_store_replica_served") == 0
        end(proxy)
    shared.cluster.stop()
    proxy.start()
    assert table_of(proxy) == shown
    assert proxy.ask_traffic("GET", "/p3/small") == 200
    assert proxy.ask_traffic("GET", "/billing/small") == 200
    # It says so, everywhere.
    assert "routing from the replica" in proxy.log()
    ready = proxy.get("/readyz?verbose").json
    assert ready["status"] == "degraded"
    assert "routed from" in ready["parts"]["replica"]["detail"]
    assert proxy.metric("sluice_store_replica_served") == 1
    assert proxy.metric("sluice_store_replica_age_seconds") > 0
    told = proxy.get("/api/health/db")
    assert told.status == 503 and told.json["replica"]["served"] is True
    # The session is known, and its client may come back.
    with Registrant(proxy) as client:
        assert client.say(f"RECONNECT|{sid}").startswith("OK")
        client.sid = sid
        assert client.ask("ROUTE_ADD", "*", "/more", origin.url, 0) == \
            "ERROR|store unavailable"
    answer = proxy.post("/register", {"name": "n", "base_url": origin.url,
                                      "routes": ["/n"]})
    assert answer.status == 503
    # It comes back, changed.
    shared.cluster.start()
    wait_until(lambda: is_caught_up(proxy), 60)
    assert proxy.metric("sluice_store_replica_served") == 0
    proxy.register("late", origin.url, "/late")
    assert proxy.ask_traffic("GET", "/late/small") == 200
    assert same_as_database(proxy, shared, tmp_path)


def test_what_others_changed_meanwhile_is_followed(sluice, origin, shared):
    one = sluice(FAST, name="a", environment=shared.environment)
    two = sluice(FAST, name="b", environment=shared.environment)
    fill(one, origin.url)
    wait_until(lambda: generation_of(two) == generation_of(one))
    wait_until(lambda: is_replicated(two))
    two.stop()
    one.register("later", origin.url, "/later")
    one.post("/deregister", {"name": "s3"})
    shared.cluster.stop()
    two.start()
    assert two.ask_traffic("GET", "/p3/small") == 200
    assert two.ask_traffic("GET", "/later/small") == 404
    shared.cluster.start()
    wait_until(lambda: is_caught_up(one) and is_caught_up(two), 60)
    wait_until(lambda: table_of(one) == table_of(two))
    assert two.ask_traffic("GET", "/later/small") == 200
    assert two.ask_traffic("GET", "/p3/small") == 404


def test_with_the_database_a_start_costs_the_changes(sluice, origin, shared):
    proxy = sluice(FAST, environment=shared.environment)
    fill(proxy, origin.url)
    shown = table_of(proxy)
    proxy.stop()
    proxy.start()
    assert table_of(proxy) == shown
    assert "replica: followed from generation" in proxy.log()
    assert proxy.metric("sluice_store_replica_served") == 0
    # A registryd that died may be ahead of its file, never behind.
    proxy.register("last", origin.url, "/last")
    shown = table_of(proxy)
    proxy.kill_role("registryd")
    wait_until(lambda: is_caught_up(proxy))
    assert table_of(proxy) == shown
    assert proxy.ask_traffic("GET", "/last/small") == 200


# Files that are of no use


def test_a_damaged_file_is_set_aside(sluice, origin, shared):
    proxy = sluice(FAST, environment=shared.environment)
    fill(proxy, origin.url)
    shown = table_of(proxy)
    proxy.stop()
    replica_of(proxy).write_bytes(b"no database at all" * 1000)
    proxy.start()
    assert table_of(proxy) == shown
    assert "set aside" in proxy.log()
    assert replica_of(proxy).with_name("replica.db.broken").exists()
    wait_until(lambda: is_replicated(proxy))
    assert proxy.metric("sluice_store_replica_set_aside_total") == 1
    # The new one is as good as the first.
    proxy.stop()
    shared.cluster.stop()
    proxy.start()
    assert table_of(proxy) == shown


def test_without_anything_static_sections_are_served(sluice, backend, shared):
    shared.cluster.stop()
    proxy = sluice(FAST + f'''
        service "fixed" {{ backends = {{ "{backend().url}" }} }}
        route "fixed" {{ service = "fixed" prefixes = {{ "/fixed" }} }}''',
                   environment=shared.environment)
    assert proxy.ask_traffic("GET", "/fixed/x") == 200
    shared.cluster.start()
    wait_until(lambda: is_caught_up(proxy), 60)
    proxy.register("n", backend().url, "/n")
    assert proxy.ask_traffic("GET", "/n/x") == 200


def test_the_file_of_another_server_is_not_routed_from(
        sluice, origin, shared):
    proxy = sluice(FAST, environment=shared.environment)
    fill(proxy, origin.url)
    proxy.stop()
    other = Shared(shared.cluster)
    shared.cluster.stop()
    proxy.environment.update(other.environment)
    proxy.spawn()
    wait_until(lambda: "another server" in proxy.log())
    assert proxy.ask_traffic("GET", "/p3/small") == 404
    shared.cluster.start()
    wait_until(lambda: proxy.is_ready_or_dead() and is_caught_up(proxy), 60)
    assert table_of(proxy) == [[], [], []]
    proxy.register("own", origin.url, "/own")
    wait_until(lambda: is_replicated(proxy))
    shared.cluster.stop()
    proxy.stop()
    proxy.start()
    assert [row["name"] for row in table_of(proxy)[0]] == ["own"]


def test_another_database_under_the_same_url(sluice, origin, shared):
    proxy = sluice(FAST, environment=shared.environment)
    fill(proxy, origin.url)
    proxy.stop()
    wait_until(lambda: shared.move(shared.name, "before"))
    shared.cluster.psql("postgres", f"CREATE DATABASE {shared.name}")
    proxy.start()
    wait_until(lambda: is_caught_up(proxy))
    assert table_of(proxy) == [[], [], []]
    assert "not used" in proxy.log()


@pytest.mark.parametrize("is_running", [True, False],
                         ids=["running", "starting"])
def test_a_backup_is_restored(sluice, origin, shared, tmp_path, is_running):
    proxy = sluice(FAST, environment=shared.environment)
    fill(proxy, origin.url)
    shown = table_of(proxy)
    wait_until(lambda: shared.cluster.run(
        "psql", "-h", shared.cluster.home, "-p", shared.cluster.port, "-U",
        "sluice", "-c",
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
        f"datname = '{shared.name}'", "-c",
        f"CREATE DATABASE backup TEMPLATE {shared.name}", "postgres",
        check=False).returncode == 0)
    wait_until(lambda: is_caught_up(proxy), 60)
    proxy.register("lost", origin.url, "/lost")
    wait_until(lambda: is_replicated(proxy))
    if not is_running:
        proxy.stop()
    wait_until(lambda: shared.move(shared.name, "lost"))
    wait_until(lambda: shared.move("backup", shared.name))
    if not is_running:
        proxy.start()
    wait_until(lambda: table_of(proxy) == shown, 60)
    assert proxy.ask_traffic("GET", "/lost/small") == 404
    proxy.register("n", origin.url, "/n")
    wait_until(lambda: is_replicated(proxy))
    assert same_as_database(proxy, shared, tmp_path)


def test_a_store_of_another_sluice_is_left_alone(sluice, origin, shared,
                                                 tmp_path):
    path = tmp_path / "own.db"
    first = sluice(f'store {{ path = "{path}" }}', name="sqlite")
    first.register("s", origin.url, "/s")
    first.stop()
    proxy = sluice(f'store {{ path = "{path}" }}', name="postgres",
                   environment=shared.environment)
    proxy.register("n", origin.url, "/n")
    wait_until(lambda: "store of its own" in proxy.log())
    proxy.stop()
    first.start()
    assert first.ask_traffic("GET", "/s/small") == 200
    assert first.ask_traffic("GET", "/n/small") == 404


@pytest.fixture
def small_disk(tmp_path):
    """A tmpfs of 2 MiB; its path."""
    path = tmp_path / "small"
    path.mkdir()
    if os.getuid() != 0 or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(path)],
            check=False).returncode != 0:
        pytest.skip("no tmpfs can be mounted here")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_full_disk_under_the_file_costs_nothing(sluice, origin, shared,
                                                  small_disk, tmp_path):
    proxy = sluice(f'store {{ path = "{small_disk}/replica.db"\n'
                   'follow_interval = "200ms" }',
                   environment=shared.environment)
    fill(proxy, origin.url)
    with open(small_disk / "filler", "wb", buffering=0) as filler:
        try:
            while True:
                filler.write(b"x" * 4096)
        except OSError:
            pass
    i = 0
    while proxy.metric("sluice_store_replica_failures_total") == 0:
        proxy.register(f"full{i}", origin.url, f"/full{i}")
        i += 1
        assert i < 2000
    assert proxy.metric("sluice_store_replica_good") == 0
    assert "replica" in proxy.log()
    assert proxy.get("/readyz").json["status"] == "ready"
    assert proxy.ask_traffic("GET", "/full0/small") == 200
    (small_disk / "filler").unlink()
    wait_until(lambda: is_replicated(proxy), 60)
    assert proxy.metric("sluice_store_replica_good") == 1
    shown = table_of(proxy)
    proxy.stop()
    shared.cluster.stop()
    proxy.start()
    assert table_of(proxy) == shown


# Spooling

SPOOL = 'store { follow_interval = "200ms" outage = "spool" }'


def spool_of(proxy):
    return proxy.get("/v1/store/spool?limit=1000").json["items"]


def is_played(proxy):
    return proxy.metric("sluice_store_spool_waiting") == 0 and \
        is_caught_up(proxy)


def is_away(proxy):
    return proxy.metric("sluice_store_up") == 0


def test_changes_are_kept_and_played(sluice, backend, shared, tmp_path):
    origin = backend()
    proxy = sluice(SPOOL, environment=shared.environment)
    fill(proxy, origin.url)
    shared.cluster.stop()
    wait_until(lambda: is_away(proxy))
    answer = proxy.register("new", origin.url, "/new")
    assert answer.headers["Sluice-Spooled"] == "1"
    assert proxy.ask_traffic("GET", "/new/x") == 200
    proxy.post("/deregister", {"name": "s3"})
    assert proxy.ask_traffic("GET", "/p3/x") == 404
    # One object more than once, by what each answer said of it.
    made = proxy.ask("PUT", "/v1/services/twice", {"policy": "hash_client"})
    assert made.status == 201 and made.headers["Sluice-Spooled"] == "3"
    for policy in ("round_robin", "two_choices"):
        made = proxy.ask("PUT", "/v1/services/twice", {"policy": policy},
                         headers={"If-Match": made.headers["ETag"]})
        assert made.status == 200, made
    route = proxy.post("/v1/routes", {"service": "new",
                                      "prefixes": ["/more"]})
    assert route.status == 201, route
    with Registrant(proxy) as client:
        sid = client.register()
        client.route("*", "/billing", origin.url)
        client.apply()
    assert proxy.ask_traffic("GET", "/billing/x") == 200
    shown = [[row["name"] for row in table_of(proxy)[0]],
             table_of(proxy)[2][-1]["id"]]
    assert parts_of(proxy)["spool"]["status"] == "degraded"
    assert [row["state"] for row in spool_of(proxy)][:6] == ["waiting"] * 6
    # All of that is there after both kinds of restarts.
    for again in (lambda: proxy.kill_role("registryd"), proxy.stop):
        again()
        if proxy.process.poll() is not None:
            proxy.start()
        wait_until(lambda: proxy.get("/v1/services").status == 200)
        assert [[row["name"] for row in table_of(proxy)[0]],
                table_of(proxy)[2][-1]["id"]] == shown
        for path in ("/new/x", "/billing/x", "/more/x"):
            assert proxy.ask_traffic("GET", path) == 200, path
        assert proxy.ask_traffic("GET", "/p3/x") == 404
        with Registrant(proxy) as client:
            assert client.say(f"RECONNECT|{sid}").startswith("OK")
    proxy.register("late", origin.url, "/late")
    shared.cluster.start()
    wait_until(lambda: is_played(proxy), 60)
    assert proxy.metric("sluice_store_spool_dropped_total") == 0
    assert proxy.metric("sluice_store_spool_played_total") > 6
    assert spool_of(proxy) == []
    assert proxy.get("/v1/services/twice").json["policy"] == "two_choices"
    assert proxy.get(f"/v1/routes/{route.json['id']}").status == 200
    for path in ("/new/x", "/billing/x", "/more/x", "/late/x"):
        assert proxy.ask_traffic("GET", path) == 200, path
    wait_until(lambda: is_replicated(proxy))
    assert same_as_database(proxy, shared, tmp_path)
    # History tells who it was, and the next change is nothing special.
    channels = [row["channel"] for row in
                proxy.get("/v1/changes?limit=1000").json["items"]]
    assert "session" in channels
    answer = proxy.register("end", origin.url, "/end")
    assert answer.headers["Sluice-Spooled"] is None


def test_conflicts_are_decided_and_reported(sluice, backend, shared,
                                            tmp_path):
    origin, other = (backend(answer=lambda _, body=body: (200, [], body))
                     for body in (b"one", b"two"))
    one = sluice(SPOOL, name="a", environment=shared.login("one"))
    two = sluice(FAST, name="b", environment=shared.environment)
    fill(one, origin.url)
    wait_until(lambda: generation_of(two) == generation_of(one))
    shared.cut("one")
    wait_until(lambda: is_away(one))

    def put(proxy, name, **members):
        answer = proxy.ask("PUT", f"/v1/services/{name}", members)
        assert answer.status in (200, 201), answer

    def route(proxy, service, path, url, **members):
        put(proxy, service)
        assert proxy.post(f"/v1/services/{service}/backends",
                          {"url": url}).status == 201
        answer = proxy.post("/v1/routes", {
            "service": service, "prefixes": [path], **members})
        assert answer.status == 201, answer
        return answer.json["id"]

    # The same object changed by both; changed here, removed there.
    put(one, "s1", policy="two_choices")
    put(two, "s1", policy="hash_client")
    put(one, "s2", policy="two_choices")
    two.post("/deregister", {"name": "s2"})
    # The same path for two services: refused, shared, of higher priority.
    lost = route(one, "mine", "/same", origin.url)
    kept = route(two, "theirs", "/same", other.url)
    one.register("x", origin.url, "/shared")
    two.register("y", other.url, "/shared")
    high = route(one, "high", "/high", origin.url, priority=5)
    low = route(two, "low", "/high", other.url)
    # What leans on what is dropped.
    assert one.ask("PATCH", f"/v1/routes/{lost}",
                   {"prefixes": ["/same", "/moved"]}).status == 200
    assert one.ask_traffic("GET", "/same/x") == 200
    shared.mend("one")
    wait_until(lambda: is_played(one), 60)
    wait_until(lambda: table_of(one) == table_of(two))
    wait_until(lambda: [row["state"] for row in spool_of(one)] ==
               ["dropped"] * 4)
    dropped = spool_of(one)
    assert {change["key"] for row in dropped for change in row["changes"]} \
        == {"s1", "s2", str(lost)}
    assert "belongs to service theirs" in dropped[2]["reason"]
    assert one.metric("sluice_store_spool_dropped_total") == 4
    assert one.log().count("dropped: ") >= 4
    assert "dropped" in one.ctl("store", "spool").stdout
    assert one.get("/v1/services/s1").json["policy"] == "hash_client"
    assert one.get("/v1/services/s2").status == 404
    ids = {row["id"] for row in table_of(one)[2]}
    assert lost not in ids and {kept, high, low} <= ids
    for proxy in (one, two):
        assert proxy.curl("/same/x").stdout == b"two"
        assert proxy.curl("/high/x").stdout == b"one"
        seen = {proxy.curl("/shared/x").stdout for _ in range(20)}
        assert seen == {b"one", b"two"}
        assert proxy.ask_traffic("GET", "/moved/x") == 404
    wait_until(lambda: is_replicated(one))
    assert same_as_database(one, shared, tmp_path)


@pytest.mark.timeout(300)
def test_deaths_while_keeping_and_playing(sluice, backend, shared, tmp_path):
    """kill -9 at several moments: nothing is lost, nothing is doubled."""
    origin = backend()
    proxy = sluice(SPOOL, environment=shared.environment)
    fill(proxy, origin.url)
    kept = []
    for turn in range(3):
        shared.cluster.stop("immediate")
        wait_until(lambda: is_away(proxy))
        for i in range(40):
            name = f"t{turn}-{i}"
            if i % 15 == 7:
                proxy.kill(proxy.pid("registryd"))
            try:
                answer = proxy.post("/v1/services", {"name": name})
            except OSError:
                continue
            if answer.status == 201:
                kept.append(name)
        wait_until(lambda: proxy.get("/v1/services").status == 200)
        shared.cluster.start()
        # Killed when this many have been played.
        for goal in (1, 11, 25):
            wait_until(lambda: int(shared.sql(
                "SELECT count(*) FROM spool_played")) >= goal
                or is_played(proxy), 60)
            proxy.kill_role("registryd")
        wait_until(lambda: proxy.get("/v1/services").status == 200
                   and is_played(proxy), 60)
    assert len(kept) > 60
    names = shared.sql("SELECT key FROM change WHERE action = 'create' AND "
                       "kind = 'service' AND key LIKE 't%'").split()
    assert len(names) == len(set(names))
    assert set(kept) <= set(names)
    assert proxy.metric("sluice_store_spool_dropped_total") == 0
    assert spool_of(proxy) == []
    wait_until(lambda: is_replicated(proxy))
    assert same_as_database(proxy, shared, tmp_path)


def test_what_was_kept_for_another_database_is_not_played(
        sluice, backend, shared):
    proxy = sluice(SPOOL, environment=shared.environment)
    fill(proxy, backend().url)
    shared.cluster.stop()
    wait_until(lambda: is_away(proxy))
    proxy.register("new", backend().url, "/new")
    proxy.stop()
    shared.cluster.start()
    wait_until(lambda: shared.move(shared.name, "before"))
    shared.cluster.psql("postgres", f"CREATE DATABASE {shared.name}")
    proxy.start()
    wait_until(lambda: is_played(proxy))
    assert table_of(proxy) == [[], [], []]
    wait_until(lambda: [row["state"] for row in spool_of(proxy)] ==
               ["dropped"])
    assert "another database" in proxy.log()


def test_what_cannot_be_kept_is_refused(sluice, backend, shared, small_disk):
    origin = backend()
    proxy = sluice(f'store {{ path = "{small_disk}/replica.db"\n'
                   'follow_interval = "200ms" outage = "spool" }',
                   environment=shared.environment)
    fill(proxy, origin.url)
    shared.cluster.stop()
    wait_until(lambda: is_away(proxy))
    with open(small_disk / "filler", "wb", buffering=0) as filler:
        try:
            while True:
                filler.write(b"x" * 4096)
        except OSError:
            pass
    kept, refused = [], None
    while refused is None:
        name = f"full{len(kept)}"
        answer = proxy.post("/v1/services", {"name": name})
        if answer.status == 201:
            kept.append(name)
        else:
            refused = answer
        assert len(kept) < 2000
    assert refused.status == 507, refused
    assert proxy.get(f"/v1/services/full{len(kept)}").status == 404
    assert proxy.ask_traffic("GET", "/p3/x") == 200
    (small_disk / "filler").unlink()
    wait_until(lambda: proxy.post("/v1/services", {"name": "late"}).status
               == 201)
    proxy.kill_role("registryd")
    wait_until(lambda: proxy.get("/v1/services/late").status == 200)
    shared.cluster.start()
    wait_until(lambda: is_played(proxy), 60)
    names = shared.sql("SELECT name FROM service").split()
    assert set(kept) | {"late"} <= set(names)
    assert f"full{len(kept)}" not in names


# All of it, under load


def requests_of(proxy):
    return sum(row["requests"] for row in proxy.processes("worker"))


def go_on(proxy, count=500):
    before = requests_of(proxy)
    wait_until(lambda: requests_of(proxy) >= before + count, 60)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("conf", [FAST, SPOOL], ids=["refuse", "spool"])
def test_the_database_away_and_everything_dies(sluice, origin, shared,
                                               tmp_path, conf):
    proxy = sluice(conf, environment=shared.environment)
    proxy.register("origin", origin.url, "/origin")
    fill(proxy, origin.url)
    loads = [Load(proxy.url + "/origin/small", connections=32)]
    try:
        go_on(proxy)
        shared.cluster.stop("immediate")
        wait_until(lambda: is_away(proxy))
        answer = proxy.post("/register", {
            "name": "kept", "base_url": origin.url, "routes": ["/kept"]})
        assert answer.status == (201 if conf == SPOOL else 503)
        for role in ("registryd", "healthd", "registryd"):
            proxy.kill_role(role)
            go_on(proxy)
        ready = proxy.get("/readyz")
        assert ready.status == 200 and ready.json["status"] == "degraded"
        for victim in proxy.worker_pids():
            proxy.kill(victim)
            wait_until(lambda: len(proxy.worker_pids()) == 2
                       and victim not in proxy.worker_pids(), 30)
            go_on(proxy)
        report = loads[0].stop()
        assert report.bad_statuses == 0, report
        assert sum(report.socket_errors) <= 2 * 32, report
        # sluice itself, gently and not.
        for end in (Sluice.stop, kill_all):
            end(proxy)
            proxy.start()
            loads.append(Load(proxy.url + "/origin/small", connections=32))
            go_on(proxy)
            assert proxy.get("/readyz").json["status"] == "degraded"
            kept = proxy.ask_traffic("GET", "/kept/small")
            assert kept == (200 if conf == SPOOL else 404)
            assert proxy.ask_traffic("GET", "/p3/small") == 200
            if end is Sluice.stop:
                assert loads[-1].stop().failed == 0
        # It comes back under load, and nobody does anything.
        shared.cluster.start()
        wait_until(lambda: is_played(proxy), 60)
        go_on(proxy)
        assert loads[-1].stop().failed == 0
    finally:
        for load in loads:
            load.abandon()
    assert proxy.get("/readyz").json["status"] == "ready"
    wait_until(lambda: is_replicated(proxy))
    assert same_as_database(proxy, shared, tmp_path)
    names = shared.sql("SELECT name FROM service").split()
    assert ("kept" in names) == (conf == SPOOL)
    assert len(names) == 13 + (conf == SPOOL)
