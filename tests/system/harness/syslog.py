# SPDX-License-Identifier: ISC
"""A syslog daemon of a test's own, and a /dev in which it is the only one."""

import contextlib
import os
import pathlib
import select
import shutil
import socket
import subprocess
import tempfile
import threading

UNSHARE = ["unshare", "--mount"] + \
    ([] if os.geteuid() == 0 else ["--map-root-user"])

# $1: an empty directory for the new /dev; $2: what /dev/log leads to.
SETUP = """set -e
dev=$1 log=$2
shift 2
mount -t tmpfs tmpfs "$dev"
mkdir "$dev/shm"
mount --bind /dev/shm "$dev/shm"
for node in null zero full random urandom
do
    : >"$dev/$node"
    mount --bind "/dev/$node" "$dev/$node"
done
ln -s /proc/self/fd "$dev/fd"
ln -s "$log" "$dev/log"
mount --rbind "$dev" /dev
exec "$@"
"""


class Syslog:
    def __init__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="sluice-syslog-"))
        self.home.chmod(0o755)
        (self.home / "dev").mkdir()
        self.path = self.home / "log"
        self.lines = []
        self.reading = threading.Lock()
        self.thread = None

    def start(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.path.chmod(0o666)
        self.is_over = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while True:
            readable, _, _ = select.select([self.socket], [], [], 0.1)
            with self.reading:
                if self.is_over:
                    return
                if readable:
                    self.lines.append(self.socket.recv(65536).decode())

    def stop(self):
        if self.thread is None:
            return
        self.is_over = True
        self.thread.join()
        self.thread = None
        self.socket.close()
        self.path.unlink()

    @contextlib.contextmanager
    def stuck(self):
        """Nothing is read meanwhile."""
        with self.reading:
            yield

    def close(self):
        self.stop()
        shutil.rmtree(self.home)

    def wrap(self, command):
        """The command with this as its syslog; its pid is the same."""
        return [*UNSHARE, "sh", "-c", SETUP, "sh", str(self.home / "dev"),
                str(self.path), *map(str, command)]

    def why_not(self):
        """Why no command can be wrapped here; None: it can."""
        done = subprocess.run(self.wrap(["test", "-c", "/dev/null"]),
                              capture_output=True, text=True, timeout=60)
        return None if done.returncode == 0 else done.stderr.strip()
