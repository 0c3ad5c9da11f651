"""What MkDocs does beside rendering docs/*.md: pages that are made from the project itself, so that nothing is written twice.

README.md is the first page, CHANGELOG.md and CONTRIBUTING.md have theirs; the notebook is run; the gallery and what the claims catch come
from the records in docs/gallery, the derivation from `cli.py derive --report`, the reference from the documentation of `synthmix`.
"""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

import synthmix
from synthmix.explorer.page import page as explorer
from synthmix.explorer.presets import addresses, presets
from synthmix.figures.kit.report import page as report

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "out" / "derivation.html"
sys.path.insert(0, str(Path(__file__).parent))

import claims  # noqa: E402  (beside this file)
import gallery  # noqa: E402

log = logging.getLogger("mkdocs.hooks")


def on_config(config: MkDocsConfig) -> None:
    """Let mkdocstrings find the package, whatever the checkout is called: a folder `synthmix` of links to the rooms."""
    config["_links"] = tempfile.TemporaryDirectory(prefix="synthmix-docs-")  # removed when the process ends
    package = Path(config["_links"].name) / "synthmix"
    package.mkdir()
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    for name in {"__init__.py", *(package.split(".")[1] for package in packages if "." in package)}:
        (package / name).symlink_to(ROOT / name)
    config.plugins["mkdocstrings"].config.handlers.setdefault("python", {})["paths"] = [config["_links"].name]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made here."""
    made = {
        "index.md": _moved((ROOT / "README.md").read_text()),
        "changelog.md": _moved((ROOT / "CHANGELOG.md").read_text()),
        "contributing.md": _moved((ROOT / "CONTRIBUTING.md").read_text()),
        "gallery.md": gallery.page(),
        "claims.md": claims.page(),
        "derivation.md": _derivation(),
        "explorer.html": explorer(presets()),
        "report.html": report(gallery.reported(), {"the explorer": "explorer.html", "the derivation": "derivation.html"},
                              addresses(presets(), "explorer.html")),
        "api.md": reference(synthmix.__doc__),
        **_notebook(ROOT / "docs" / "first-ten-minutes.ipynb"),
    }
    for sentence in gallery.out_of_date():
        log.warning(sentence)
    for name, content in made.items():
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Put what `--help` of every command prints in the place of a comment `help`."""
    return markdown.replace("<!-- help -->", _help()) if "<!-- help -->" in markdown else markdown


def reference(documentation: str) -> str:
    """The page of the public names: the documentation of the package, section by section, each with the names that it mentions."""
    lines, names = ["# Python", ""], []
    for line in documentation.splitlines():
        if names and not line.startswith(" "):
            lines += ["", *(f"::: synthmix.{name}\n" for name in dict.fromkeys(names))]
            names = []
        section = line and line[0] != " " and not line.endswith(".")
        lines.append(f"\n## {line}\n" if section else line.strip())
        names += [name for name in re.findall(r"`(\w+)`", line) if name in synthmix.__all__ and line.startswith(" ")]
    return "\n".join(lines) + "\n"


def _moved(text: str) -> str:
    """Links of a file in the root as seen from docs/."""
    return re.sub(r"\]\((?:docs/)([^)]+)\)", r"](\1)", text).replace("](CHANGELOG.md)", "](changelog.md)").replace(
        "](CONTRIBUTING.md)", "](contributing.md)")


def _derivation() -> str:
    """The derivation's report, whose formulas are MathML, which needs no script: as Markdown, so that its chapters are in the contents."""
    newest = max(path.stat().st_mtime for path in (ROOT / "derivations").rglob("*.py"))
    if not REPORT.exists() or REPORT.stat().st_mtime < newest:
        subprocess.run([sys.executable, ROOT / "cli.py", "derive", "--check", "--report", REPORT], check=True, stdout=subprocess.DEVNULL)
    body = re.search(r"<body>(.*)</body>", REPORT.read_text(), re.DOTALL).group(1)
    heading = r'<h([1-3])(?: id="([\w-]+)")?>(.*?)</h\1>'
    return re.sub(heading, lambda h: f"\n\n{'#' * int(h[1])} {h[3]}{f' {{ #{h[2]} }}' if h[2] else ''}\n\n", body)


def _help() -> str:
    """What every command prints with --help."""
    import typer

    from synthmix.cli import app

    parts, waiting = [], [("synthmix", typer.main.get_command(app))]
    while waiting:
        name, command = waiting.pop(0)
        inner = getattr(command, "commands", {})
        waiting = [(f"{name} {one}", command) for one, command in inner.items()] + waiting
        if not inner:
            text = command.get_help(command.make_context(name, [], resilient_parsing=True))
            parts.append(f"### {name}\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


def _notebook(path: Path) -> dict[str, str | bytes]:
    """The notebook, run, as a page and its pictures.

    Raises
    ------
    CellExecutionError
        If a cell fails.
    """
    import nbformat
    from nbconvert import MarkdownExporter
    from nbconvert.preprocessors import ExecutePreprocessor

    notebook = nbformat.read(path, as_version=4)
    ExecutePreprocessor(timeout=300, kernel_name="python3").preprocess(notebook, {"metadata": {"path": ROOT}})
    text, resources = MarkdownExporter().from_notebook_node(notebook, {"output_files_dir": path.stem})
    return {f"{path.stem}.md": text, **resources["outputs"]}
