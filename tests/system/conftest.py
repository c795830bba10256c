# SPDX-License-Identifier: ISC
"""Fixtures for the system tests: real sluices, real servers."""

import os
import pathlib
import shutil
import subprocess

import pytest

from harness.backend import Backend
from harness.postgres import Cluster
from harness.sluice import Sluice


@pytest.fixture
def sluice(tmp_path):
    """Starts sluices; those still running at the end are stopped.

    A test may ask for several: sluice("workers = 2"), sluice(name="b").
    """
    started = []

    def start(conf="", name="a", **options):
        instance = Sluice(tmp_path / name, conf, **options)
        started.append(instance)
        instance.start()
        return instance

    yield start
    for instance in started:
        instance.end()


@pytest.fixture
def backend():
    """Starts recording HTTP backends."""
    started = []

    def start(**options):
        server = Backend(**options)
        started.append(server)
        return server

    yield start
    for server in started:
        server.close()


@pytest.fixture(scope="session")
def cluster():
    """A PostgreSQL cluster of this test process's own."""
    server = Cluster()
    server.start()
    yield server
    server.end()


@pytest.fixture
def database(cluster):
    """A fresh database; its URL."""
    return cluster.create_database()


@pytest.fixture
def own_cluster():
    """A cluster that the test may stop."""
    server = Cluster()
    server.start()
    yield server
    server.end()


@pytest.fixture
def replica(own_cluster):
    """A streaming replica of own_cluster."""
    server = Cluster(own_cluster)
    server.start()
    yield server
    server.end()


@pytest.fixture
def small_disk(tmp_path):
    """A tmpfs of 2 MiB; its path."""
    if os.getuid() != 0:
        pytest.skip("only root may mount")
    path = tmp_path / "small"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs",
                    str(path)], check=True)
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


@pytest.fixture
def fill_disk(small_disk):
    """Fills what is left of the small disk, with a file "filler"."""
    def fill():
        with open(small_disk / "filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"x" * 4096)
            except OSError:
                pass
    return fill


@pytest.fixture
def shm_dir():
    return pathlib.Path(os.environ.get("SLUICE_SHM_DIR", "/dev/shm"))


def pytest_configure(config):
    if "SLUICE_BUILD" not in os.environ:
        raise pytest.UsageError(
            "set SLUICE_BUILD to the folder that sluice was built in")
    if shutil.which("curl") is None:
        raise pytest.UsageError("curl is not installed")
