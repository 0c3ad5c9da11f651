"""The command line: derive, validate, predict, simulate, sweep, study, advise, explore, report, data, llm.

`python cli.py COMMAND --help` says more.

Only the standard library and Typer are imported here; each command imports what it uses.
"""

from __future__ import annotations

from typing import Annotated

try:
    import typer

    from synthmix.commands import data, llm
    from synthmix.commands.advise import advise
    from synthmix.commands.derive import derive
    from synthmix.commands.explore import explore
    from synthmix.commands.main import Commands, run
    from synthmix.commands.report import report
    from synthmix.commands.study import study
    from synthmix.commands.theory import predict, simulate, sweep
    from synthmix.commands.validate import validate
except KeyboardInterrupt:  # before there is anything to interrupt
    raise SystemExit(130) from None

app = typer.Typer(
    cls=Commands, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
    help="A theory workbench for learning with synthetic data. Derive the formulas, validate the figures and report on them, predict and "
         "simulate settings, study many of them, sweep the solvers, explore the theory in a browser, advise on your data, fetch data, run "
         "language-model pipelines.",
)  # fmt: skip
for command in (derive, validate, predict, simulate, sweep, study, advise, explore, report):
    app.command()(command)
app.add_typer(data.app, name="data")
app.add_typer(llm.app, name="llm")


def _print_version(asked: bool) -> None:
    if asked:
        from synthmix.support.version import build

        typer.echo(f"synthmix {build()}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True,
                                          help="Print the version, with a hash of the sources that compute, and exit.")] = False,
) -> None:  # fmt: skip
    pass


def main() -> None:
    """Run the command line."""
    run(app)


if __name__ == "__main__":
    main()
