#!/bin/bash
# The careful shell hook: render aside, compare, test the whole staged tree, move what differs, reload what changed, under a lock.
set -euo pipefail

work=$BENCH_ROOT/var/lib/hook
mkdir -p "$work"
exec 9>"$work/lock"
flock -n 9 || exit 75
rm -rf "$work/new" "$work/stage"
mkdir -p "$work/new/nginx/conf.d" "$work/new/fpm/pool.d"

# envsubst must be given its list of variables, or it empties nginx's own $host and $uri.
names() { grep -o '\${[a-z_]*}' "$1" | sort -u | tr -d '\n'; }
templates=$BENCH_TEMPLATES/envsubst
vhost_names=$(names "$templates/vhost.conf")
pool_names=$(names "$templates/pool.conf")

. "$BENCH_INPUT/env/shared.env"
envsubst "$(names "$templates/nginx.conf")" <"$templates/nginx.conf" >"$work/new/nginx/nginx.conf"
for file in "$BENCH_INPUT"/env/site*.env; do
    . "$file"
    limit_line=
    [ "$rate_limit" = true ] && limit_line="    limit_req zone=clients burst=$rate_burst nodelay;"$'\n'
    export limit_line
    envsubst "$vhost_names" <"$templates/vhost.conf" >"$work/new/nginx/conf.d/$name.conf"
    envsubst "$pool_names" <"$templates/pool.conf" >"$work/new/fpm/pool.d/$name.conf"
done

changed_below() {   # changed_below NEW LIVE: paths below NEW whose live file is missing or differs
    LC_ALL=C diff -rq "$1" "$2" | sed -n "s|^Files $1/\(.*\) and $2/.* differ\$|\1|p; s|^Only in $1\(/.*\)\{0,1\}: \(.*\)\$|\1/\2|p" || true
}
changed_nginx=$(changed_below "$work/new/nginx" "$BENCH_NGINX")
changed_fpm=$(changed_below "$work/new/fpm" "$BENCH_FPM")
[ -n "$changed_nginx$changed_fpm" ] || exit 0

mkdir "$work/stage"
cp -al "$BENCH_NGINX" "$work/stage/nginx"
cp -al "$BENCH_FPM" "$work/stage/fpm"
cp -r --remove-destination "$work/new/." "$work/stage/"
sed "s|$BENCH_FPM|$work/stage/fpm|" "$BENCH_FPM/php-fpm.conf" >"$work/stage/php-fpm.conf"
nginx -q -t -c "$work/stage/nginx/nginx.conf"
"$BENCH_FPM_BINARY" -t -y "$work/stage/php-fpm.conf"

replace() {         # replace NEW LIVE CHANGED: by rename, with the mode already right
    [ -n "$3" ] || return 0
    (cd "$1" && printf '%s\n' "$3" | sed 's|^/*||' | tr '\n' '\0' | tee "$work/list" | xargs -0 chmod 0644)
    while IFS= read -r -d '' path; do mv -f "$1/$path" "$2/$path"; done <"$work/list"
}
replace "$work/new/nginx" "$BENCH_NGINX" "$changed_nginx"
replace "$work/new/fpm" "$BENCH_FPM" "$changed_fpm"
[ -z "$changed_nginx" ] || kill -HUP "$(<"$BENCH_NGINX_PID")"
[ -z "$changed_fpm" ] || kill -USR2 "$(<"$BENCH_FPM_PID")"
