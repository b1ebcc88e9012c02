"""`jobtail` with few descriptors: `python -m tests.abuse.limited serve`."""

from __future__ import annotations

import resource

from webapp.cli.main import main

DESCRIPTORS = 128

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    main()
