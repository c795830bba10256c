# SPDX-License-Identifier: ISC
"""Loopback addresses and ports that no other test uses."""

import itertools
import os
import socket

_counter = itertools.count(1)


def own_address():
    """A loopback address of this test alone (127.x.y.z)."""
    pid = os.getpid()
    number = next(_counter)
    return f"127.{1 + pid % 250}.{pid // 250 % 250}.{number % 250 + 1}"


def free_port(address="127.0.0.1"):
    """A port that is free on the address now."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]
