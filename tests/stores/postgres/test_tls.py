"""TLS to the engine: `sslmode=verify-full` takes the engine that the certificate names, and no other."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import Cluster
from tests.stores.kit import put
from tidings.errors import TidingsError, Unavailable
from tidings.stores.postgres.store import PostgresStore

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def openssl(*words: str, folder: Path) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def authority(folder: Path, name: str) -> None:
    """Make an authority: NAME.pem and NAME.key."""
    files = ("-out", f"{name}.pem", "-keyout", f"{name}.key")
    openssl("req", "-x509", *KEY, "-days", "2", "-subj", f"/CN={name}", *files, folder=folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two authorities, `ours` and `other`, and a certificate for 127.0.0.1 that the first has signed."""
    folder = tmp_path_factory.mktemp("certificates")
    authority(folder, "ours")
    authority(folder, "other")
    openssl("req", *KEY, "-subj", "/CN=db", "-out", "server.csr", "-keyout", "server.key", folder=folder)
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    signed = ("-CA", "ours.pem", "-CAkey", "ours.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
    openssl("x509", "-req", "-in", "server.csr", "-out", "server.pem", *signed, folder=folder)
    return folder


@pytest.fixture(scope="module")
def engine(postgres: Cluster, folder: Path) -> Iterator[Cluster]:
    """An engine that takes connections with TLS only."""
    with Cluster(postgres.programs, ssl="on") as cluster:
        cluster.make(pem=(folder / "server.pem").read_text(), key=(folder / "server.key").read_text())
        yield cluster


def url(engine: Cluster, options: str, at: str = "tidings@127.0.0.1") -> str:
    return f"postgresql://{at}:{engine.port}/postgres?{options}"


async def test_an_engine_that_the_authority_has_signed_for_is_used(engine: Cluster, folder: Path) -> None:
    store = PostgresStore(url(engine, f"sslmode=verify-full&sslrootcert={folder}/ours.pem"))
    await store.open()
    try:
        await store.update("a", (), put())
        encrypted = engine.sql("SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND "
                               "application_name = 'tidings'", options="?sslmode=require")  # fmt: skip
        assert int(encrypted[0]) >= 2, "the connection that writes and the one that listens"
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("options", "at", "kind", "sentence"),
    [
        ("sslmode=verify-full&sslrootcert={folder}/other.pem", "tidings@127.0.0.1", Unavailable, "certificate"),
        ("sslmode=verify-full&sslrootcert={folder}/ours.pem", "tidings@localhost", Unavailable, "certificate"),
        ("sslmode=disable", "tidings@127.0.0.1", Unavailable, "pg_hba.conf refuses the connection: see sslmode"),
        ("sslmode=require&password=wrong", "stranger@127.0.0.1", Unavailable, "refuses the user or the password"),
    ],
)
async def test_no_other_engine_is_talked_to(
    engine: Cluster,
    folder: Path,
    caplog: pytest.LogCaptureFixture,
    options: str,
    at: str,
    kind: type[TidingsError],
    sentence: str,
) -> None:
    store = PostgresStore(url(engine, options.format(folder=folder), at))
    with pytest.raises(kind, match=sentence) as refused:
        await store.open()
    await store.close()
    assert str(folder) not in str(refused.value)
    assert caplog.text == "", "it was not waited for"
