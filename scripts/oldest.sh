#!/bin/sh
# Proves the lower bounds of pyproject.toml: installs the oldest versions that they allow and runs tests of each part.
set -eu
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
.venv/bin/python -m pip install --quiet --disable-pip-version-check --target "$folder/uv" uv
"$folder/uv/bin/uv" venv --quiet --python .venv/bin/python "$folder/venv"
"$folder/uv/bin/uv" pip install --quiet --python "$folder/venv/bin/python" --resolution lowest-direct '.[test]'
"$folder/venv/bin/python" -m pytest -q ${TESTS:-tests/journal tests/source tests/web/test_events.py tests/web/test_logs.py \
    tests/client/test_api.py tests/cli/test_commands.py tests/test_settings.py}
