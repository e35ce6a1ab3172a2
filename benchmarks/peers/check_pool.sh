#!/bin/sh
# Test one pool file by itself: for tools that validate file by file.
conf=$BENCH_WORK/pool.$$.conf
trap 'rm -f "$conf"' EXIT
printf '[global]\nerror_log = /dev/null\ninclude = %s\n' "$1" >"$conf"
"$BENCH_FPM_BINARY" -t -y "$conf" || exit
