"""The page in a real browser: what it shows, how fast it redraws, and that it says nothing on the console and asks for nothing."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from page_cases import cases, check_all, predicted

import synthmix as sm
from synthmix.explorer.page import page
from synthmix.explorer.presets import presets

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FRAME = 16.0  # milliseconds
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")


def opened(folder: Path, script: str = "", fragment: str = "", later: bool = True) -> tuple[str, list[str]]:
    """The document after the script ran at the end of the page, and what the console said.

    later: whether what the page puts off has run too; its clock then runs ahead, so that nothing can be timed.
    """
    path = folder / "explorer.html"
    path.write_text(page(presets()).replace("</body>", f"<script>{script}</script></body>"), encoding="utf-8")
    done = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", f"--user-data-dir={folder / 'profile'}",
         *(["--virtual-time-budget=4000"] if later else []), "--dump-dom", f"{path.as_uri()}#{fragment}"],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def answer(document: str) -> object:
    """What a script left in the element with the id `answer`."""
    return json.loads(html.unescape(re.search(r'<pre id="answer">(.*?)</pre>', document, re.DOTALL)[1]))


LEAVE = "const left = document.createElement('pre'); left.id = 'answer'; left.textContent = JSON.stringify({}); document.body.append(left);"
COUNT = """
  const missing = [], draw = drawChart; // points that are not solved yet, whenever the chart is drawn
  drawChart = (into, drawing) => {
    missing.push(drawing.curves[0].y.filter(value => value === undefined).length);
    draw(into, drawing);
  };
"""


def test_the_page_needs_no_network() -> None:
    text = page(presets())
    assert not re.search(r"""(src|href)=["'](?!data:)|@import|url\((?!#)|fetch\(|https?://(?!www\.w3\.org/2000/svg)""", text)
    assert "{{" not in text


@needs_browser
@pytest.mark.parametrize("loss", [False, True], ids=["square loss", "other losses"])
def test_in_a_browser_2000_points_agree_and_the_console_is_silent(tmp_path: Path, loss: bool) -> None:
    given = json.dumps([[case.setting, case.formula] for case in cases(loss)])
    document, said = opened(tmp_path, LEAVE.format(f"{given}.map(([setting, formula]) => predict(setting, formula))"))
    assert said == []
    check_all(cases(loss), answer(document))


@needs_browser
@pytest.mark.parametrize("fragment, setting", [
    ("epsilon=0.4&rho=0.1", {"epsilon": 0.4, "rho": 0.1}),
    ("generator=independent&n_hat=500&m=3000&axis=m&published=true", {"generator": "independent", "n_hat": 500, "m": 3000}),
    ("generator=independent&estimate_mean=true&lineage=fresh&share=0.3&generations=4&axis=generations",
     {"generator": "independent", "n_hat": 1000, "estimate_mean": True, "generations": 4, "scheme": "fresh:0.3"}),
    ("generator=self-fitted&quantity=variance", {"generator": "self-fitted"}),
    ("loss=huber&huber_threshold=0.5&axis=gamma", {"loss": "huber", "huber_threshold": 0.5}),
    ("loss=logistic&generator=independent&n_hat=500", {"loss": "logistic", "generator": "independent", "n_hat": 500}),
    ("labels=trained&axis=m&generator=independent", {"labels": "trained", "generator": "independent", "n_hat": 1000}),
])  # fmt: skip
def test_the_address_sets_what_is_shown(tmp_path: Path, fragment: str, setting: dict[str, object]) -> None:
    document, said = opened(tmp_path, fragment=fragment)
    assert said == []
    shown = dict(re.findall(r"<tr><td>([^<]+)</td><td>([^<]+)</td>", document))
    usual = {"n": 200, "m": 2000, "p": 400, "mu": 1.5, "epsilon": 0.3, "rho": 0.2, "phi": 0.9, "gamma": 1.0, "generator": "exact"}
    wanted = predicted({**usual, **setting})
    assert float(shown["accuracy"]) == pytest.approx(wanted.accuracy, rel=1e-5)
    assert float(shown["variance of the margin"]) == pytest.approx(wanted.variance, rel=1e-5)
    assert 'class="theory"' in document
    assert ('class="published"' in document) == ("published" in fragment)


@needs_browser
@pytest.mark.parametrize("fragment", ["generator=independent&n_hat=700&omega=0.3&beta=0.9&mu_perp=0.4", "loss=huber&huber_threshold=0.5",
                                      "labels=trained&generator=independent"])  # fmt: skip
def test_the_command_that_is_shown_gives_what_is_shown(tmp_path: Path, fragment: str) -> None:
    document, _ = opened(tmp_path, fragment=fragment)
    command = html.unescape(re.sub("</?span>", "", re.search(r'<pre id="command"[^>]*>(.*?)</pre>', document, re.DOTALL)[1]))
    python = html.unescape(re.search(r'<pre id="python"[^>]*>(.*?)</pre>', document, re.DOTALL)[1])
    from typer.testing import CliRunner

    from synthmix.cli import app

    printed = json.loads(CliRunner().invoke(app, [*command.split()[2:], "--json"]).stdout)
    shown = float(re.search(r"<td>accuracy</td><td>([^<]+)</td>", document)[1])
    assert shown == pytest.approx(printed["accuracy"], rel=1e-5)
    found: list[object] = []
    exec(python, {"print": found.append})
    assert found[0].accuracy == printed["accuracy"]


@needs_browser
def test_a_curve_of_200_points_redraws_within_a_frame(tmp_path: Path) -> None:
    measure = COUNT + """
      const times = [];
      for (let i = 0; i < 60; i++) {
        state.epsilon = 0.1 + i / 100;
        const begun = performance.now();
        drawCurves(settingOf(state), parameter("epsilon"));
        times.push(performance.now() - begun);
      }
      times.sort((a, b) => a - b);
    """
    fragment = "generator=independent&estimate_mean=true"
    document, _ = opened(tmp_path, measure + LEAVE.format("[POINTS, times[30], missing]"), fragment, later=False)
    points, milliseconds, missing = answer(document)
    assert points == 200
    assert sorted(missing[:60])[30] == 0  # the redraw that is timed has the whole curve: none is left for a later frame
    assert sum(count > 0 for count in missing[10:60]) <= 10  # nor has nearly any other, once the engine is warm
    assert 0 < milliseconds < FRAME


@needs_browser
def test_a_curve_that_takes_longer_is_drawn_frame_by_frame(tmp_path: Path) -> None:
    """Of the probit loss: no piece of work keeps the page for two frames, and in the end every point is there."""
    measure = COUNT + """
      const pieces = [], slice = inFrames;
      inFrames = (...given) => { const begun = performance.now(); slice(...given); pieces.push(performance.now() - begun); };
      state.loss = "probit";
      state.generator = "independent";
      drawCurves(settingOf(state), parameter("epsilon"));
      const left = document.createElement("pre");
      left.id = "answer";
      document.body.append(left);
      setInterval(() => {
        pieces.sort((a, b) => a - b);
        left.textContent = JSON.stringify([missing, pieces[Math.floor(pieces.length / 2)]]);
      }, 50);
    """
    document, said = opened(tmp_path, measure)
    missing, milliseconds = answer(document)
    assert said == []
    assert missing[0] > 0 and missing[-1] == 0 and missing == sorted(missing, reverse=True)
    assert milliseconds < 2 * FRAME


@needs_browser
@pytest.mark.parametrize("fragment, reason", [("estimate_mean=true", ""), ("estimate_mean=true&loss=hinge", "square loss only"),
                                              ("", "estimate the mean"), ("estimate_mean=true&beta=0.9", "set β to 1")])  # fmt: skip
def test_a_choice_that_has_no_room_says_why(tmp_path: Path, fragment: str, reason: str) -> None:
    script = """
      const row = document.querySelector("[data-name=lineage]");
      const seen = [row.hidden, row.querySelector("select").disabled, row.querySelector("small").textContent];
    """
    document, said = opened(tmp_path, script + LEAVE.format("seen"), f"generator=independent&lineage=accumulate&{fragment}")
    hidden, disabled, text = answer(document)
    assert said == [] and not hidden
    assert disabled == bool(reason) and reason in text and bool(text) == disabled


@needs_browser
def test_every_preset_opens_without_a_word_on_the_console(tmp_path: Path) -> None:
    script = """
      const seen = [];
      for (let i = 0; i < PRESETS.length; i++) {
        $("preset").value = i;
        $("preset").dispatchEvent(new Event("change"));
        seen.push([$("chart").querySelectorAll(".theory").length > 0, predict(settingOf(state)).accuracy]);
      }
    """
    document, said = opened(tmp_path, script + LEAVE.format("seen"))
    assert said == []
    for preset, (drawn, accuracy) in zip(presets(), answer(document), strict=True):
        assert drawn
        assert accuracy == pytest.approx(predicted({"generator": "exact", **preset.state}).accuracy, rel=1e-9)


@needs_browser
def test_the_simulated_rows_of_a_study_are_drawn_where_they_belong(tmp_path: Path) -> None:
    """Of a study of two generators and two losses: those of the setting that is shown, and no others."""
    pytest.importorskip("pyarrow")
    pd = pytest.importorskip("pandas")
    common = "[setting]\nn = 40\nm = 60\np = 20\nmu = 1.5\nrho = 0.2\nphi = 0.9\ngamma = 1.0\n"
    axis, compute = "[values]\nepsilon = [0.1, 0.3, 0.5]\n", "[compute]\nlosses = ['logistic']\ntrials = 3\n"
    rows = []
    for name, generator in (("exact", ""), ("own", "generator = 'independent'\nn_hat = 100\n")):
        (tmp_path / f"{name}.toml").write_text(common + generator + axis + compute)
        rows.append(sm.study(tmp_path / f"{name}.toml"))
    text = pd.concat(rows).to_csv(index=False)
    shown = f"""
      measured = readPoints({json.dumps(text)});
      const found = {{}};
      for (const [name, change] of [["exact", {{}}], ["own", {{generator: "independent", n_hat: 100}}], ["logistic", {{loss: "logistic"}}],
                                    ["other", {{n: 41}}]]) {{
        const setting = settingOf({{...BEGIN, n: 40, m: 60, p: 20, ...change}});
        found[name] = pointsHere(setting).map(({{x, y, se}}) => [x, y, se]);
      }}
    """
    document, said = opened(tmp_path, shown + LEAVE.format("found"))
    assert said == []
    found = answer(document)
    for name, frame, loss in (("exact", rows[0], "square"), ("own", rows[1], "square"), ("logistic", rows[0], "logistic")):
        chosen = frame[(frame.kind == "simulated") & (frame.loss == loss)]
        np.testing.assert_allclose(found[name], chosen[["epsilon", "accuracy", "accuracy_se"]], rtol=1e-12)
    assert found["other"] == []
