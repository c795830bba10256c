# SPDX-License-Identifier: ISC
"""A PostgreSQL cluster in a folder of the test's own."""

import itertools
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

from .addresses import free_port

BIN = pathlib.Path(sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1])


class Cluster:
    def __init__(self, primary=None):
        """A fresh one, or a streaming replica of the primary."""
        # Of its own, since the server runs as another user.
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="sluice-postgres."))
        self.data = self.home / "data"
        self.port = free_port()
        self.numbers = itertools.count(1)
        self.as_user = []
        self.user = pwd.getpwuid(os.getuid()).pw_name
        if os.getuid() == 0:        # PostgreSQL refuses to run as root
            self.user = "postgres"
            account = pwd.getpwnam(self.user)
            self.as_user = ["setpriv", f"--reuid={account.pw_uid}",
                            f"--regid={account.pw_gid}", "--clear-groups"]
            os.chown(self.home, account.pw_uid, account.pw_gid)
        if primary is None:
            self.run("initdb", "-D", self.data, "-A", "trust", "-U",
                     "sluice", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        else:
            self.run("pg_basebackup", "-D", self.data, "-R", "-h",
                     primary.home, "-p", primary.port, "-U", "sluice", "-c",
                     "fast", "--no-sync")
        self.configure(port=self.port, listen_addresses="127.0.0.1",
                       unix_socket_directories=self.home, fsync="off",
                       max_connections=200)

    def configure(self, **settings):
        with open(self.data / "postgresql.conf", "a") as conf:
            for name, value in settings.items():
                conf.write(f"{name} = '{value}'\n")

    def run(self, program, *arguments, check=True):
        return subprocess.run(
            [*self.as_user, str(BIN / program), *map(str, arguments)],
            check=check, capture_output=True, text=True, cwd=self.home,
            timeout=120)

    def start(self):
        self.run("pg_ctl", "-D", self.data, "-w", "-l", self.home / "log",
                 "start")

    def stop(self, mode="fast"):
        self.run("pg_ctl", "-D", self.data, "-w", "-m", mode, "stop")

    def promote(self):
        """A replica becomes a primary."""
        self.run("pg_ctl", "-D", self.data, "-w", "promote")

    def reload(self):
        self.run("pg_ctl", "-D", self.data, "reload")

    def end(self):
        self.run("pg_ctl", "-D", self.data, "-w", "-m", "immediate", "stop",
                 check=False)
        shutil.rmtree(self.home, ignore_errors=True)

    def psql(self, database, sql):
        return self.run("psql", "-h", self.home, "-p", self.port, "-U",
                        "sluice", "-At", "-c", sql, database).stdout.strip()

    def create_database(self):
        name = f"sluice_{os.getpid()}_{next(self.numbers)}"
        self.psql("postgres", f"CREATE DATABASE {name}")
        return f"postgresql://sluice@127.0.0.1:{self.port}/{name}"
