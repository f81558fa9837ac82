"""`python -m wallflower`."""

from wallflower.cli import main

main()
