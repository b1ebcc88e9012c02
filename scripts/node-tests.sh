#!/bin/sh
# The page's modules, tested without a browser.
set -eu
cd "$(dirname "$0")/.."
if ! command -v node >/dev/null 2>&1; then
    echo "node is not here: the tests of the page's modules are skipped" >&2
    exit 0
fi
tests=$(find tests -name '*.test.mjs' -o -name '*.test.js' | sort)
[ -n "$tests" ] || exit 0
out=$(mktemp)
trap 'rm -f "$out"' EXIT
# shellcheck disable=SC2086
if node --test $tests >"$out" 2>&1; then
    echo "the page's modules: $(sed -n 's/^. pass //p' "$out") tests passed"
else
    cat "$out"
    exit 1
fi
