"""``ganfp``: make the book, train one GAN, ask an attributor about images."""

import click

from ganfp import processes
from ganfp.cli import attribution, classes, explore, folders, models, pages, plan, stores
from ganfp.cli.words import printable


class _Commands(click.Group):
    """Expected errors end with one line that says what to do, not with a traceback."""

    def invoke(self, context: click.Context):
        try:
            return super().invoke(context)
        except (click.exceptions.Exit, click.Abort):  # click's own way to end, which are RuntimeErrors
            raise
        except (ValueError, OSError, LookupError, RuntimeError, ImportError, ArithmeticError, MemoryError) as error:
            if context.params.get("debug"):
                raise
            notes = "".join(f"\n  {note}" for note in getattr(error, "__notes__", ()))
            raise click.ClickException(printable(f"{error or type(error).__name__}{notes}")) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="ganfp")
def main(debug: bool) -> None:
    """Reproduce "Attributing Fake Images to GANs" (Yu, Davis, Fritz, ICCV 2019) as a book."""
    processes.quiet()


for _module in (pages, models, attribution, folders, explore, stores, classes, plan):
    for _command in _module.COMMANDS:
        main.add_command(_command)
