"""The page of an advice in a browser: no request, nothing on the console, and what it shows is what the record says."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from test_models import gaussians, table

from synthmix.advice.among import advise_among
from synthmix.advice.plan import Plan
from synthmix.advice.report import page, write
from synthmix.advice.result import Advice
from synthmix.support.errors import BadInput
from synthmix.support.records import plain

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PLAN = Plan(120, 0.2, 0.3, 0.9)
ASK = """<script>
const record = JSON.parse(document.getElementById('record').textContent), marks = [];
for (const mark of document.querySelectorAll('[data-key][data-y]'))
  marks.push([mark.dataset.key, mark.dataset.x ? Number(mark.dataset.x) : null, Number(mark.dataset.y),
              mark.querySelector('title').textContent]);
const text = key => document.querySelector(`[data-key=${key}]`).textContent;
const words = Object.fromEntries(['verdict', 'reason', 'snippet'].map(key => [key, text(key)]));
const out = document.createElement('pre');
out.id = 'answer';
out.textContent = JSON.stringify({record, marks, words, wide: document.documentElement.scrollWidth, window: window.innerWidth,
  paper: getComputedStyle(document.body).backgroundColor, requests: performance.getEntriesByType('resource').map(one => one.name)});
document.body.append(out);
</script></body>"""


@cache
def advice() -> Advice:
    rng = np.random.default_rng(0)
    real = table(*gaussians(rng, 40, p=8, apart=0.6))
    made = [table(*gaussians(rng, 120, p=8, apart=apart)) for apart in (0.6, 0.2)]
    made[0] = replace(made[0], score=np.abs(made[0].X).max(axis=1))
    plan = Plan(120, 0.2, 0.3, 0.9, self_fitted=False)
    return advise_among(real, [("good <b>.npz", plan, made[0]), ("poor.npz", plan, made[1])])[0]


def opened(folder: Path, *flags: str, width: int = 1000) -> tuple[dict, list[str]]:
    path = folder / "report.html"
    path.write_text(page(advice(), PLAN).replace("</body>", ASK), encoding="utf-8")
    done = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", f"--user-data-dir={folder / 'profile'}",
         f"--window-size={width},900", *flags, "--dump-dom", path.as_uri()], capture_output=True, text=True, timeout=200, check=True,
    )  # fmt: skip
    found = json.loads(html.unescape(re.search(r'<pre id="answer">(.*?)</pre>', done.stdout, re.DOTALL)[1]))
    return found, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def test_the_page_needs_nothing_else() -> None:
    text = page(advice(), PLAN)
    assert not re.search(r"""(src|href)=["'](?!data:)|@import|url\(|fetch\(|https?://""", text) and text.count("<script") == 1
    assert "good &lt;b&gt;.npz" in text and "<b>.npz" not in text.split("id='record'")[0]


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
def test_what_a_browser_shows_is_the_record(tmp_path: Path) -> None:
    found, console = opened(tmp_path)
    record = found["record"]
    assert console == [] and found["requests"] == [] and record == json.loads(json.dumps(plain(advice().as_dict())))
    assert found["words"]["verdict"].lower() == record["verdict"] and found["words"]["reason"] == record["reason"]
    assert found["words"]["snippet"] == record["snippet"]
    base, kinds = record["baseline"]["accuracy"], set()
    for key, x, y, says in found["marks"]:
        steps = key.split("/")
        kinds.add((steps[0], steps[-1] if not steps[-1].isdigit() else ""))
        if steps[0] == "yours":
            continue
        value = record
        for step in steps[:-1] if steps[-1] == "gain" and steps[0] == "curve" else steps:
            value = value[int(step)] if isinstance(value, list) else value[step]
        if steps[0] == "curve":
            assert x == pytest.approx(record["curve"][int(steps[1])]["m"])
            value = 100 * (value["accuracy"] - base) if steps[-1] == "gain" else value
        elif key == "measured/gain":
            value = 100 * value
        assert y == pytest.approx(value, abs=1e-12) and says
    assert ("thresholds", "accuracy") in kinds and record["threshold"] in [one["score"] for one in record["thresholds"]]
    assert {("curve", "gain"), ("curve", "accuracy"), ("curve", "plain"), ("measured", "gain")} <= kinds


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
def test_in_the_dark_and_on_a_phone(tmp_path: Path) -> None:
    light, _ = opened(tmp_path, width=500)  # the narrowest that a headless window may be
    dark, console = opened(tmp_path, "--blink-settings=preferredColorScheme=0", width=500)
    assert light["paper"] == "rgb(255, 255, 255)" and dark["paper"] == "rgb(22, 24, 27)" and console == []
    assert light["wide"] <= light["window"] <= 500


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
def test_a_phone_shows_all_of_a_line(tmp_path: Path) -> None:
    """A picture of a phone's screen, 390 wide, two for one: nothing but paper at both edges, and ink between."""
    image = pytest.importorskip("PIL.Image")
    path = tmp_path / "report.html"
    frame = "<body style='margin:0'><iframe src='report.html' style='width:390px;height:844px;border:0'></iframe></body>"
    write(advice(), PLAN, path)
    (tmp_path / "phone.html").write_text(frame)
    subprocess.run([BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={tmp_path / 'profile'}",
                    "--force-device-scale-factor=2", "--window-size=500,900", f"--screenshot={tmp_path / 'phone.png'}",
                    (tmp_path / "phone.html").as_uri()], capture_output=True, timeout=200, check=True)  # fmt: skip
    seen = np.asarray(image.open(tmp_path / "phone.png").convert("L"))[:1688, :780]
    assert seen.shape == (1688, 780) and (seen[:, 40:740] < 128).any(axis=1).mean() > 0.1
    for edge in (seen[:, :16], seen[:, -16:]):
        assert (edge > 200).all()


def test_a_page_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(BadInput, match="cannot write"):
        write(advice(), PLAN, tmp_path / "taken" / "report.html")
