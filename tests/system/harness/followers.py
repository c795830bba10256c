# SPDX-License-Identifier: ISC
"""Several sluices on one PostgreSQL: what each has, and a random life."""

import http.client
import random
import threading
import time
import urllib.error

from .wait import wait_until

NAMES, PREFIXES = 24, 16


def table_of(proxy):
    """All that the database must agree on, times and versions too."""
    return [proxy.get(path + "?limit=1000").json["items"]
            for path in ("/v1/services", "/v1/backends", "/v1/routes")]


def generation_of(proxy):
    return proxy.get("/readyz?verbose").json["generation"]


def is_listening(proxy):
    return proxy.metric("sluice_store_listening") == 1


def same_tables(proxies):
    tables = [table_of(proxy) for proxy in proxies]
    return all(table == tables[0] for table in tables)


class RandomLife:
    """Random changes by all at once, each answered or not; meanwhile
    registryds are killed and connections to the database cut."""

    def __init__(self, proxies, cluster, database, target):
        self.proxies = proxies
        self.cluster, self.database = cluster, database.rsplit("/", 1)[1]
        self.target = target
        self.seed = random.randrange(1 << 30)
        self.answered = []              # generations
        self.kills = self.cuts = 0
        self.errors = []

    # One change

    def register(self, proxy, dice):
        return proxy.post("/register", {
            "name": f"s{dice.randrange(NAMES)}", "base_url": self.target,
            "routes": [f"/p{dice.randrange(PREFIXES)}"]})

    def deregister(self, proxy, dice):
        return proxy.post("/deregister",
                          {"name": f"s{dice.randrange(NAMES)}"})

    def edit(self, proxy, dice):
        return proxy.ask("PATCH", f"/v1/services/s{dice.randrange(NAMES)}",
                         {"retries": dice.randrange(2)})

    def maintain(self, proxy, dice):
        path = f"/v1/services/s{dice.randrange(NAMES)}/maintenance"
        if dice.random() < 0.5:
            return proxy.ask("PUT", path, {"reason": "random"})
        return proxy.ask("DELETE", path)

    def change(self, proxy, dice):
        what = dice.choices((self.register, self.deregister, self.edit,
                             self.maintain), (6, 2, 2, 1))[0]
        try:
            answer = what(proxy, dice)
        except (OSError, http.client.HTTPException, urllib.error.URLError):
            return                      # it was killed meanwhile
        generation = answer.headers["Sluice-Generation"]
        if answer.status < 300 and generation is not None:
            self.answered.append(int(generation))

    def generation(self):
        return int(self.cluster.psql(self.database,
                                     "SELECT value FROM generation"))

    def made(self):
        return max(self.answered, default=0)

    def live(self, number, changes):
        dice = random.Random(self.seed + number)
        try:
            while self.made() < changes and not self.errors:
                self.change(self.proxies[number], dice)
        except BaseException as error:
            self.errors.append(error)
            raise

    # What happens to them

    def kill(self, dice):
        dice.choice(self.proxies).kill_role("registryd")
        self.kills += 1

    def cut(self, dice):
        """Of news, or any connection of a sluice."""
        query = dice.choice(("LIKE 'sluice news%'", "LIKE 'sluice%'"))
        self.cluster.psql(
            self.database, "SELECT pg_terminate_backend(pid) FROM "
            "pg_stat_activity WHERE datname = current_database() AND "
            f"application_name {query} AND random() < 0.3")
        self.cuts += 1

    def harm(self, changes, kills):
        dice = random.Random(self.seed - 1)
        try:
            while self.kills < kills and not self.errors:
                if self.made() * (kills + 1) < changes * (self.kills + 1):
                    time.sleep(0.01)
                    continue
                self.cut(dice)
                self.kill(dice)
        except BaseException as error:
            self.errors.append(error)
            raise

    def run(self, changes, kills):
        """Until so many changes were made, by all of them."""
        threads = [threading.Thread(target=self.live, args=(number, changes))
                   for number in range(len(self.proxies))]
        threads.append(threading.Thread(target=self.harm,
                                        args=(changes, kills)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not self.errors, (self.errors, self.seed)

    # The end of it

    def check(self):
        """All have the database's table and route by it; nothing that was
        answered is missing."""
        wait_until(lambda: {generation_of(proxy) for proxy in self.proxies}
                   == {self.generation()},
                   60, f"one generation, seed {self.seed}")
        assert same_tables(self.proxies), self.seed
        before = table_of(self.proxies[0])
        self.proxies[0].kill_role("registryd")
        assert table_of(self.proxies[0]) == before, self.seed
        # Whether there is a route; each judges the backends for itself.
        routed = [[proxy.ask_traffic("GET", f"/p{i}/x") != 404
                   for i in range(PREFIXES)] for proxy in self.proxies]
        assert all(row == routed[0] for row in routed), (routed, self.seed)
        kept = set(map(int, self.cluster.psql(
            self.database, "SELECT DISTINCT generation FROM change "
            "UNION SELECT 0").split()))
        assert set(self.answered) <= kept, (
            set(self.answered) - kept, self.seed)
