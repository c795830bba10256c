# SPDX-License-Identifier: ISC
"""A PgBouncer in transaction mode before a cluster."""

import subprocess

from .addresses import free_port
from .wait import wait_until


class PgBouncer:
    def __init__(self, cluster, pool_size=5):
        self.cluster = cluster
        self.port = free_port()
        self.conf = cluster.home / f"pgbouncer.{self.port}.ini"
        self.log = cluster.home / f"pgbouncer.{self.port}.log"
        self.conf.write_text(
            "[databases]\n"
            f"* = host=127.0.0.1 port={cluster.port} user=sluice\n"
            "[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {self.port}\n"
            "unix_socket_dir =\nauth_type = any\n"
            "pool_mode = transaction\n"
            f"default_pool_size = {pool_size}\n"
            "max_client_conn = 500\n"
            "server_round_robin = 1\n"
            "ignore_startup_parameters = extra_float_digits\n")
        self.log.touch()
        if cluster.as_user:
            self.log.chmod(0o666)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*cluster.as_user, "/usr/sbin/pgbouncer", str(self.conf)],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        wait_until(lambda: b"listening" in self.log.read_bytes() or
                   self.process.poll() is not None)
        assert self.process.poll() is None, self.log.read_text()

    def url(self, database):
        """The URL of a database, through it."""
        return (f"postgresql://sluice@127.0.0.1:{self.port}/"
                + database.rsplit("/", 1)[1])

    def close(self):
        self.process.kill()
        self.process.wait()
