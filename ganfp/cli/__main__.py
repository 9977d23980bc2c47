"""``python -m ganfp.cli`` is ``ganfp``."""

from ganfp.cli import main

main(prog_name="ganfp")
