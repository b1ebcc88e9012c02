"""Every block of every document is run as it is written where there is an access token: those of the README in bash and
in zsh, the others in zsh."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .documents import RUN, TOKEN, Block, Site, opened, run_as_written


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("documents"), TOKEN) as site:
        yield site


@pytest.mark.parametrize("block", RUN, ids=str)
def test_a_block_runs_as_it_is_written_with_a_token(block: Block, site: Site, tmp_path: Path) -> None:
    run_as_written(block, site, tmp_path)
