#!/bin/sh
# Install what the benchmark compares: everything goes into one cache folder, nothing into the checkout.
#   benchmarks/setup.sh [floor] [pyinfra] [ansible] [puppet] [bash]     default: all of them
# A contender that cannot be installed is named in one line and skipped by run.py. Exit status: 0, or 1 without the floor.
set -u

CACHE=${DEPLOYKIT_BENCH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/deploykit-bench}
PYTHON=${DEPLOYKIT_BENCH_PYTHON:-/usr/bin/python3}
mkdir -p "$CACHE" || exit 1

say() { printf 'setup: %s\n' "$*"; }

packages() {    # install Debian packages; quietly false without root or apt
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >"$CACHE/apt.log" 2>&1 && return
    apt-get update -q >>"$CACHE/apt.log" 2>&1
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >>"$CACHE/apt.log" 2>&1
}

venv() {        # venv NAME PROBE REQUIREMENT...: PROBE is imported to see whether the folder is already right
    name=$1 probe=$2; shift 2
    "$CACHE/$name/bin/python" -c "import $probe" 2>/dev/null && { say "$name: already there"; return; }
    "$PYTHON" -c 'import ensurepip' 2>/dev/null || packages python3-venv
    "$PYTHON" -m venv --clear "$CACHE/$name" >"$CACHE/$name.log" 2>&1 &&
        "$CACHE/$name/bin/python" -m pip install -q --disable-pip-version-check "$@" >>"$CACHE/$name.log" 2>&1 &&
        say "$name: installed" || { say "$name: SKIPPED, see $CACHE/$name.log"; return 1; }
}

program() {     # program NAME COMMAND PACKAGE
    command -v "$2" >/dev/null && { say "$1: already there"; return; }
    packages "$3" && say "$1: installed" || { say "$1: SKIPPED, no $2 (Debian package $3)"; return 1; }
}

status=0
for part in ${*:-floor bash pyinfra ansible puppet}; do
    case $part in
        floor)   venv floor 'jinja2, yaml, psutil, sh, crossplane' 'jinja2>=3.1.6,<4' 'pyyaml>=6' 'psutil>=5.9' 'sh>=2.0,<2.4' \
                     'crossplane>=0.5.8,<0.6' || status=1 ;;
        bash)    program bash envsubst gettext-base ;;
        pyinfra) venv pyinfra 'pyinfra, yaml' 'pyinfra>=3,<4' 'pyyaml>=6' ;;
        ansible) venv ansible ansible 'ansible-core>=2.19,<2.20' ;;
        puppet)  program puppet puppet puppet ;;
        *)       say "no such part: $part"; exit 64 ;;
    esac
done
exit $status
