# SPDX-License-Identifier: ISC
"""Waiting for an event, with a bound."""

import select
import time


def wait_until(condition, timeout=20.0, what=None):
    """Asks until condition() is true; returns what it returned."""
    deadline = time.monotonic() + timeout
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(
                f"still not so after {timeout} s: {what or condition}")
        select.select([], [], [], 0.01)


def wait_for_exit(process, timeout=20.0):
    """The exit status of a process that is about to end."""
    return process.wait(timeout)
