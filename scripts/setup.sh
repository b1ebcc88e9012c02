#!/bin/sh
# Makes .venv with what is needed, unless it is there already: `scripts/setup.sh` for the service alone,
# `scripts/setup.sh test` for the tests, linters and type checker too.
set -eu
cd "$(dirname "$0")/.."
kind=${1:-run}

right() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for name in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 python; do
        if [ -n "$name" ] && command -v "$name" >/dev/null 2>&1 && right "$name"; then
            command -v "$name"
            return
        fi
    done
    echo "jobtail needs Python 3.11 or newer: install it, or name it: make PYTHON=/path/to/python3" >&2
    return 1
}

make_venv() {
    rm -rf .venv
    "$python" -m venv .venv >/dev/null 2>&1 && return
    rm -rf .venv
    # Debian keeps what venv needs in a package of its own.
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "installing python3-venv"
        export DEBIAN_FRONTEND=noninteractive
        { apt-get install -qq -y python3-venv || { apt-get update -qq && apt-get install -qq -y python3-venv; }; } \
            >/dev/null
        "$python" -m venv .venv
    else
        echo "Python can't make a virtual environment here; on Debian and Ubuntu: sudo apt install python3-venv" >&2
        return 1
    fi
}

python=$(find_python)
case $kind in
    test) what='.[test,check]' ;;
    *) what='.' ;;
esac
stamp="$kind $("$python" -V) $(cksum <pyproject.toml)"
for held in "$kind" test; do
    # What serves the tests serves the rest.
    if [ -x .venv/bin/jobtail ] && right .venv/bin/python && [ -f ".venv/.stamp-$held" ] &&
        [ "$(cat ".venv/.stamp-$held")" = "$held ${stamp#"$kind "}" ]; then
        exit 0
    fi
done

if ! right .venv/bin/python || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    echo "making .venv with $("$python" -V)"
    make_venv
fi
echo "installing what jobtail needs ($kind)"
.venv/bin/python -m pip install --quiet --disable-pip-version-check -e "$what"
printf '%s' "$stamp" >".venv/.stamp-$kind"
