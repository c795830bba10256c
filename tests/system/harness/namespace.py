# SPDX-License-Identifier: ISC
"""A network of a process's own, with an address that is not loopback."""

import os
import subprocess

ADDRESS = "192.0.2.1"           # RFC 5737: for examples, never routed

UNSHARE = ["unshare", "--net"] + \
    ([] if os.geteuid() == 0 else ["--map-root-user"])

SETUP = f'ip link set lo up && ip address add {ADDRESS}/32 dev lo && ' \
    'exec "$@"'


def wrap(command):
    """The command, as it is run in a new network; its pid is the same."""
    return [*UNSHARE, "sh", "-c", SETUP, "sh", *map(str, command)]


def is_permitted():
    return subprocess.run(wrap(["true"]), capture_output=True,
                          timeout=60).returncode == 0


def inside(pid, command):
    """The command, as it is run in the network of that process."""
    user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
    return ["nsenter", "--target", str(pid), "--net", *user, *command]
