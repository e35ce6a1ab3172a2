"""The job for pyinfra on the local machine. files.template has no validation: the test can only follow the write."""

import os

import yaml
from pyinfra.operations import files, server
from pyinfra.operations.util import any_changed

NGINX, FPM = os.environ["BENCH_NGINX"], os.environ["BENCH_FPM"]
TEMPLATES = os.environ["BENCH_TEMPLATES"] + "/jinja"

with open(os.environ["BENCH_INPUT"] + "/data.yml", "rb") as stream:
    values = yaml.load(stream, Loader=yaml.CSafeLoader)
sites = values.pop("sites")

nginx = [files.template(src=f"{TEMPLATES}/nginx.conf.j2", dest=f"{NGINX}/nginx.conf", mode="644", **values)]
pools = []
for site in sites:
    vhost, pool = f"{NGINX}/conf.d/{site['name']}.conf", f"{FPM}/pool.d/{site['name']}.conf"
    nginx.append(files.template(src=f"{TEMPLATES}/vhost.conf.j2", dest=vhost, mode="644", site=site, **values))
    pools.append(files.template(src=f"{TEMPLATES}/pool.conf.j2", dest=pool, mode="644", site=site, **values))

tests = [f"nginx -q -t -c {NGINX}/nginx.conf", f"{os.environ['BENCH_FPM_BINARY']} -t -y {FPM}/php-fpm.conf"]
server.shell(name="test", commands=tests, _if=any_changed(*nginx, *pools))
server.shell(name="reload nginx", commands=[f"kill -HUP $(cat {os.environ['BENCH_NGINX_PID']})"], _if=any_changed(*nginx))
server.shell(name="reload php-fpm", commands=[f"kill -USR2 $(cat {os.environ['BENCH_FPM_PID']})"], _if=any_changed(*pools))
