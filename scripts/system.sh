#!/bin/sh
# What the tests use beside Python: a browser, PostgreSQL, nginx with nchan, HAProxy, Caddy, Apache, curl, OpenSSL, Node, zsh.
# As root on Debian or Ubuntu what is missing is installed; else a sentence says what to install, and the tests that need it
# are skipped.
set -u

have() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }

missing=''
have chromium || have chromium-browser || have google-chrome || missing="$missing chromium"
have initdb || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
have pgbouncer || missing="$missing pgbouncer"
have nginx || missing="$missing nginx"
have haproxy || missing="$missing haproxy"
have caddy || missing="$missing caddy"
have apache2 || missing="$missing apache2"
have curl || missing="$missing curl"
have openssl || missing="$missing openssl"
[ -e /usr/share/nginx/modules-available/mod-nchan.conf ] || [ -e /usr/lib/nginx/modules/ngx_nchan_module.so ] ||
    missing="$missing libnginx-mod-nchan"
have node || missing="$missing nodejs"
have npm || missing="$missing npm"
have zsh || missing="$missing zsh"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >/dev/null 2>&1
    # One by one: that one is not to be had must not cost the others.
    for package in $missing; do
        apt-get install -qq -y --no-install-recommends "$package" >/dev/null 2>&1 ||
            echo "$package can't be installed here: the tests that need it are skipped" >&2
    done
elif [ "$(uname)" = Darwin ]; then
    echo "Some tests are skipped without:$missing. Install: brew install postgresql pgbouncer nginx haproxy caddy node; brew install --cask chromium" >&2
else
    echo "Some tests are skipped without:$missing. Install them: sudo apt install$missing" >&2
fi
exit 0
