#!/bin/sh
# Proves the lower bounds of pyproject.toml: installs the oldest versions that they allow and runs tests of each part.
# `make oldest TESTS='tests/web tests/client'` runs others; the ones below touch each dependency within seconds. Where the
# versions can't be fetched it exits with $UNREACHABLE (1).
set -eu
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fetch() {
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --target "$folder/uv" uv &&
        "$folder/uv/bin/uv" venv --quiet --python .venv/bin/python "$folder/venv" &&
        "$folder/uv/bin/uv" pip install --quiet --python "$folder/venv/bin/python" --resolution lowest-direct '.[test]'
}

fetch || {
    echo "the oldest versions can't be fetched here" >&2
    exit "${UNREACHABLE:-1}"
}
"$folder/venv/bin/python" -m pytest -n 2 --dist loadfile ${TESTS:-tests/web/test_metrics.py tests/web/test_download.py \
    tests/web/test_static.py tests/client/test_api.py tests/cli/test_help.py tests/journal/test_redact.py \
    tests/source/test_fused.py}
