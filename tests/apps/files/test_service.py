"""Tests of the files app as other apps know it."""

from __future__ import annotations

from tidings.apps.files import attachments, files, service


def test_other_apps_are_given_the_files_and_the_attachments() -> None:
    assert service.Files is files.Files
    assert service.Attachments is attachments.Attachments
