"""The URL of a PostgreSQL store."""

from __future__ import annotations

import pytest

from tidings.errors import InvalidRequest
from tidings.stores.postgres.address import POOL, parse_address


def test_the_driver_gets_what_is_its_own() -> None:
    url = "postgresql://me:s%40cret@db.example/app?sslmode=verify-full&sslrootcert=%2Fca.pem"
    assert parse_address(f"{url}&pool=2") == (url, url, 2, False)
    assert parse_address("postgresql:///app").pool == POOL
    assert parse_address("postgresql://a,b:6000/app").url == "postgresql://a,b:6000/app"


def test_the_connection_that_listens_may_go_another_way() -> None:
    address = parse_address("postgres://me:secret@pooler:6432/app?listen=engine:5432")
    assert address.url == "postgresql://me:secret@pooler:6432/app"
    assert (address.direct, address.pooled) == ("postgresql://me:secret@engine:5432/app", True)
    assert parse_address("postgresql://pooler/app?listen=[::1]:5432").direct == "postgresql://[::1]:5432/app"


@pytest.mark.parametrize(
    "options",
    [
        *("pool=1", "pool=101", "pool=-3", "pool=x", "pool=", "pool=²", "listen=engine", "listen=:5432", "listen=e:x"),
        *("schema=other", "options=-c%20fsync=off", "target_session_attrs=any", "x", "=", "a=b&&"),
    ],
)
def test_a_wrong_option_is_refused_without_a_word_of_the_url(options: str) -> None:
    with pytest.raises(InvalidRequest, match="options of a postgresql store's URL") as refused:
        parse_address(f"postgresql://me:s3cret@db.example/app?{options}")
    assert "s3cret" not in str(refused.value)
    assert "db.example" not in str(refused.value)


@pytest.mark.parametrize("url", ["postgresql://me:s3cret@[::1/app", "postgresql://me:s3cret@host/app#part"])
def test_a_url_that_cannot_be_read_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_address(url)
    assert "s3cret" not in str(refused.value)


def test_an_address_is_not_shown() -> None:
    assert repr(parse_address("postgresql://me:s3cret@host/app")) == "Address(…)"
