"""What is being done is said to whoever shows it."""

from __future__ import annotations

import sys

import pytest

from synthmix.support.progress import stage, stages


def test_stages_are_shown_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with stages(True):
        stage("the best mix", 1, 9)
    assert not capsys.readouterr().err
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with stages(True):
        stage("the best mix", 1, 9)
        stage("the best mix", 2, 9)
        stage("how good the verifier must be")
    assert "how good the verifier must be" in capsys.readouterr().err
    stage("nobody listens")
