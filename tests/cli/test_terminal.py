"""The terminal: one sentence and an exit code for each error that is the user's."""

from __future__ import annotations

import pytest

from tidings.cli.json_lines import Failure
from tidings.cli.terminal import end, sentences, write
from tidings.errors import Forbidden


@pytest.mark.parametrize(
    ("error", "code"), [(Forbidden("Not yours."), 1), (Failure("Not yours.", 2), 2), (Failure("Not yours."), 1)]
)
def test_an_error_of_the_user_is_one_sentence(error: Exception, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, sentences():
        raise error
    assert ended.value.code == code
    assert capsys.readouterr() == ("", "tidings: Not yours.\n")


def test_an_error_of_ours_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError), sentences():
        raise ZeroDivisionError


def test_lines_and_sentences_have_streams_of_their_own(capfd: pytest.CaptureFixture[str]) -> None:
    write("é".encode(), flush=True)
    with pytest.raises(SystemExit) as ended:
        end("The end.", 3)
    assert ended.value.code == 3
    assert capfd.readouterr() == ("é\n", "tidings: The end.\n")
