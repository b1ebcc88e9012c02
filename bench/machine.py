"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path


def describe() -> list[str]:
    cpu = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    nginx = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=False).stderr.strip()
    packages = ("uvicorn", "uvloop", "httptools", "starlette", "sse-starlette", "orjson", "google-re2")
    return [
        f"{cpu[1] if cpu else platform.machine()}, {os.cpu_count()} cores, {int(memory[1]) >> 20 if memory else 0} GiB,"
        f" Linux {platform.release()}, load {os.getloadavg()[0]:.1f} at the end",
        f"CPython {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in packages),
        f"{nginx.removeprefix('nginx version: ')} with nchan, one worker; servers on core 0, the load on core 1",
    ]
