"""The hand-written script: the floor that a framework is measured against. Honest and careful, and nothing more."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys

import jinja2
import yaml

NGINX, FPM = os.environ["BENCH_NGINX"], os.environ["BENCH_FPM"]
FPM_BINARY = os.environ["BENCH_FPM_BINARY"]
WORK = os.environ["BENCH_ROOT"] + "/var/lib/script"
RELOAD = {NGINX: (os.environ["BENCH_NGINX_PID"], signal.SIGHUP), FPM: (os.environ["BENCH_FPM_PID"], signal.SIGUSR2)}


def render(values):
    """Every file that is wanted: {(service folder, path below it): bytes}."""
    loader = jinja2.FileSystemLoader(os.environ["BENCH_TEMPLATES"] + "/jinja")
    engine = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined, trim_blocks=True, keep_trailing_newline=True)
    files = {(NGINX, "nginx.conf"): engine.get_template("nginx.conf.j2").render(values).encode()}
    vhost, pool = engine.get_template("vhost.conf.j2"), engine.get_template("pool.conf.j2")
    for site in values["sites"]:
        files[NGINX, f"conf.d/{site['name']}.conf"] = vhost.render(values, site=site).encode()
        files[FPM, f"pool.d/{site['name']}.conf"] = pool.render(values, site=site).encode()
    return files


def differs(path, content):
    try:
        with open(path, "rb") as live:
            return live.read() != content or os.fstat(live.fileno()).st_mode & 0o7777 != 0o644
    except FileNotFoundError:
        return True


def write(path, content):
    if os.path.lexists(path):
        os.unlink(path)  # a hard link to the live file: never write through it
    with open(path, "wb") as new:
        new.write(content)
        os.fchmod(new.fileno(), 0o644)


def stage(changed):
    """The whole tree as it shall be, by hard links and the changed files: {service folder: staged folder}."""
    shutil.rmtree(WORK + "/stage", ignore_errors=True)
    staged = {live: f"{WORK}/stage/{name}" for name, live in (("nginx", NGINX), ("fpm", FPM))}
    for live, copy in staged.items():
        shutil.copytree(live, copy, copy_function=os.link, symlinks=True)
    for (service, name), content in changed.items():
        write(f"{staged[service]}/{name}", content)
    with open(FPM + "/php-fpm.conf", encoding="utf-8") as main:
        write(WORK + "/stage/php-fpm.conf", main.read().replace(FPM, staged[FPM]).encode())
    return staged


def main():
    os.makedirs(WORK, exist_ok=True)
    lock = os.open(WORK + "/lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(75)
    with open(os.environ["BENCH_INPUT"] + "/data.yml", "rb") as stream:
        values = yaml.load(stream, Loader=yaml.CSafeLoader)
    changed = {key: content for key, content in render(values).items() if differs("/".join(key), content)}
    if not changed:
        return
    staged = stage(changed)
    subprocess.run(["nginx", "-q", "-t", "-c", staged[NGINX] + "/nginx.conf"], check=True)
    subprocess.run([FPM_BINARY, "-t", "-y", WORK + "/stage/php-fpm.conf"], check=True)
    for service, name in changed:
        os.replace(f"{staged[service]}/{name}", f"{service}/{name}")
    for service in {service for service, _ in changed}:
        pid_file, number = RELOAD[service]
        with open(pid_file, encoding="ascii") as stream:
            os.kill(int(stream.read()), number)


main()
