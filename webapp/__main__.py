"""`python -m webapp` is `jobtail`."""

from .cli.main import main

main()
