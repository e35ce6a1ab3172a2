# Sourced by every hook, with $here (the hooks folder) set and the event as $1: finds a Python and becomes
# `deploykit run EVENT`. Only the hook itself need be executable; the agent sees to that.
# shellcheck shell=sh disable=SC2154

PATH=${PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}
export PATH

# The first one wins. None is started to ask for its version, that would cost as much as the work: run.py looks for a
# newer one when it finds itself on an old one.
for python in "${DEPLOYKIT_PYTHON:-}" "$here/../.venv/bin/python" /usr/bin/python3 \
    python3 python3.13 python3.12 python3.11 python3.10 python3.9; do
    command -v -- "$python" >/dev/null 2>&1 && exec "$python" -I -S -X utf8 "$here/../run.py" run "$@" </dev/null
    if [ -n "$python" ] && [ "$python" = "${DEPLOYKIT_PYTHON:-}" ]; then
        echo "deploykit: DEPLOYKIT_PYTHON is $python, and that cannot be run" >&2
        exit 69
    fi
done
echo "deploykit: no python3 found; install Python 3.9 or newer, or name one in DEPLOYKIT_PYTHON" >&2
exit 69
