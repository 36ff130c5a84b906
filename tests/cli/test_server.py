"""The client of a command: each error of the client has a sentence and an exit code."""

from __future__ import annotations

import pytest

from tidings.cli.json_lines import Failure
from tidings.cli.server import LOCAL, connected
from tidings.errors import Forbidden, TidingsError, Unauthenticated, Unavailable


@pytest.mark.parametrize(
    ("error", "code"), [(Forbidden("No."), 1), (Unauthenticated("No."), 1), (Unavailable("No."), 3)]
)
def test_an_error_of_the_client_has_an_exit_code(error: TidingsError, code: int) -> None:
    with pytest.raises(Failure, match="No") as failed, connected(LOCAL, "token"):
        raise error
    assert failed.value.code == code


def test_a_server_that_wants_a_token_is_answered_with_the_option() -> None:
    with pytest.raises(Failure, match="--token or TIDINGS_TOKEN"), connected(LOCAL, None):
        raise Unauthenticated


@pytest.mark.parametrize(("url", "token"), [("localhost:8000", None), (LOCAL, "Ä")])
def test_a_wrong_url_or_token_is_wrong_usage(url: str, token: str | None) -> None:
    with pytest.raises(Failure) as failed, connected(url, token):
        pass
    assert failed.value.code == 2
