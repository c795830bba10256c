# SPDX-License-Identifier: ISC
"""Loopback addresses and ports that no other test uses."""

import itertools
import os
import socket

_counter = itertools.count(1)
_ports = itertools.count()


def own_address():
    """A loopback address (127.x.y.z) that nobody had before: x tells test
    processes apart, y and z count."""
    number = next(_counter)
    return f"127.{1 + os.getpid() % 250}.{number // 250}.{number % 250 + 1}"


def free_port(address="127.0.0.1"):
    """A port that is free on the address now, and given to nobody else.

    Below those that the kernel hands out, so that no connection takes it
    before the server that is to have it.
    """
    while True:
        port = 10000 + (os.getpid() * 101 + next(_ports) * 3) % 22000
        with socket.socket() as probe:
            try:
                probe.bind((address, port))
                return port
            except OSError:
                continue
