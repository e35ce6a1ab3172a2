#!/bin/sh
# Test one vhost file by itself, as far as one file can be: for tools that validate file by file.
conf=$BENCH_WORK/vhost.$$.conf
trap 'rm -f "$conf"' EXIT
cat >"$conf" <<END
pid $BENCH_WORK/vhost.$$.pid; error_log stderr error; events {}
http { server_names_hash_bucket_size 128; limit_req_zone \$binary_remote_addr zone=clients:1m rate=1r/s; include $1; }
END
ln -sf "$BENCH_NGINX/fastcgi_params" "$BENCH_WORK/fastcgi_params"
nginx -q -t -c "$conf" || exit
