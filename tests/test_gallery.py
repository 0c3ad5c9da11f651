"""The pictures and claims in docs/gallery are those of the figures as they are."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from synthmix.explorer.presets import addresses, presets
from synthmix.figures.kit.report import page

SCRIPT = Path(__file__).resolve().parent.parent / "docs" / "site" / "gallery.py"


@pytest.fixture(scope="module")
def gallery() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gallery", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_figure_of_the_gallery_is_out_of_date(gallery: ModuleType) -> None:
    assert gallery.out_of_date() == []


def test_the_page_shows_every_figure_and_its_claims(gallery: ModuleType) -> None:
    page = gallery.page()
    for name in gallery.names():
        stem = gallery.module_name(name)
        assert f"](gallery/{stem}.png)" in page
        assert (SCRIPT.parent.parent / "gallery" / f"{stem}.png").exists()
    assert page.count("| claim | kind |") == len(gallery.names())


def test_a_picture_with_other_settings_is_told(gallery: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kept = (gallery.FOLDER / "figure4.json").read_text()
    (tmp_path / "figure4.json").write_text(kept.replace('"half_step": 0.02', '"half_step": 0.03'))
    monkeypatch.setattr(gallery, "FOLDER", tmp_path)
    assert len(gallery.out_of_date()) == len(gallery.names())
    (tmp_path / "figure4.json").write_text(kept)
    assert len(gallery.out_of_date()) == len(gallery.names()) - 1


def test_the_report_of_the_site_has_every_figure_and_what_was_kept_of_its_run(gallery: ModuleType) -> None:
    figures = gallery.reported()
    text = page(figures, {"the derivation": "derivation.html"}, addresses(presets(), "explorer.html"))
    assert [one.figure for one in figures] == gallery.names()
    for one in figures:
        assert f'<section id="{one.anchor}">' in text and one.facts["settings"] != "null"
    assert text.count("data:image/png") == len(figures)
    assert 'href="explorer.html#' in text
    total = sum(family.count for one in figures for family in one.families)
    assert f"of {total} claims hold" in text
