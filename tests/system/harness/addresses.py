# SPDX-License-Identifier: ISC
"""Loopback addresses and ports that no other test uses."""

import itertools
import os
import socket

_counter = itertools.count(1)


def own_address():
    """A loopback address (127.x.y.z) that nobody had before: x tells test
    processes apart, y and z count."""
    number = next(_counter)
    return f"127.{1 + os.getpid() % 250}.{number // 250}.{number % 250 + 1}"


def free_port(address="127.0.0.1"):
    """A port that is free on the address now."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]
