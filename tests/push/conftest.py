from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..served import Served
from .reported import ACCESS, RUN


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Served]:
    served = Served({"data_dir": tmp_path / "service", "access_token": ACCESS, "run_token": f"ci={RUN}"})
    served.data_dir.mkdir()
    served.start()
    yield served
    served.stop()
