"""A candidate in private: what is accepted, what is refused, and in which words."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Iterator

import pytest
from support.trial_site import NGINX, PHP, POOL, SITE, Site, look, new_site

from deploykit.errors import Refused
from deploykit.model import Probe, Trial, TrialFile, TrialResult, TrialService
from deploykit.system.namespace import Kernel
from deploykit.system.trial import rehearse, resolve

pytestmark = [
    pytest.mark.services,
    pytest.mark.root,
    pytest.mark.skipif(not (NGINX and PHP), reason="nginx and php-fpm are not installed"),
    pytest.mark.skipif(os.geteuid() != 0, reason="the real paths can be covered by root only"),
    # xdist's own threads; the program itself has none
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


@pytest.fixture
def site() -> Iterator[Site]:
    made = new_site()
    try:
        yield made
    finally:
        shutil.rmtree(made.root)


def judged(site: Site, trial: Trial, kernel: Kernel | None = None) -> TrialResult:
    """The result; the live tree is as it was, in all its bytes and times."""
    before = site.look()
    result = rehearse(trial, kernel)
    assert site.look() == before
    assert result.judge == "namespace"
    return result


def the_problem(result: TrialResult, kind: str) -> str:
    assert [problem.kind for problem in result.problems] == [kind]
    return result.problems[0].output


def test_a_good_candidate_is_started_and_answers(site: Site) -> None:
    result = judged(site, site.trial(site.file("etc/php/pool.d/app.conf", POOL + "php_admin_value[memory_limit] = 64M\n")))
    assert result.rehearsed
    assert (result.problems, result.warnings, result.notes) == ((), (), ())
    assert result.seconds < 10


def test_a_syntax_error_is_told_with_its_place(site: Site) -> None:
    trial = site.trial(site.file("etc/nginx/sites-enabled/app", SITE.replace("root {root}", "rooot {root}")))
    result = judged(site, trial)
    assert not result.rehearsed
    assert f'unknown directive "rooot" in {site.root}/etc/nginx/sites-enabled/app:3' in the_problem(result, "nginx-test")


def test_both_services_are_judged_when_both_are_wrong(site: Site) -> None:
    bad = (site.file("etc/nginx/conf", "x;"), site.file("etc/nginx/nginx.conf", "nonsense;\n"))
    result = judged(site, site.trial(*bad, site.file("etc/php/pool.d/app.conf", POOL + "nokey = 1\n")))
    assert [problem.kind for problem in result.problems] == ["nginx-test", "fpm-test"]
    assert f"[{site.root}/etc/php/pool.d/app.conf:10] unknown entry 'nokey'" in result.problems[1].output


def test_another_socket_than_nginx_asks_for(site: Site) -> None:
    """Both -t pass here."""
    result = judged(site, site.trial(site.file("etc/php/pool.d/app.conf", POOL.replace("app.sock", "other.sock"))))
    assert [problem.kind for problem in result.problems] == ["fastcgi-address", "probe"]
    assert result.problems[0].output == f"unix:{site.root}/run/php/app.sock: no such file: no pool listens there"
    first, *log = result.problems[1].output.splitlines()
    assert first == f"GET http://127.0.0.1:{site.port}/index.php answered 502, expected 200"
    assert "connect() to unix:" in log[0]


def test_a_socket_that_the_workers_may_not_open(site: Site) -> None:
    pool = POOL.replace("owner = www-data", "owner = root").replace("listen.group = www-data", "listen.group = root")
    result = judged(site, site.trial(site.file("etc/php/pool.d/app.conf", pool), probes=()))
    assert "app.sock: permission denied" in the_problem(result, "fastcgi-address")


def test_nobody_listens_at_a_port(site: Site) -> None:
    trial = site.trial(addresses=("127.0.0.1:9", "[::1]:9", "192.0.2.1:9000", "app.test.invalid:9000"), probes=())
    result = judged(site, trial)
    assert result.problems[0].output == "127.0.0.1:9: connection refused: nobody listens there"
    assert [note.split()[0] for note in result.notes] == ["192.0.2.1:9000", "app.test.invalid:9000"]


def test_a_listen_folder_that_is_missing(site: Site) -> None:
    """php-fpm -t passes here, and php-fpm would be dead after the reload."""
    result = judged(site, site.trial(site.file("etc/php/pool.d/app.conf", POOL.replace("run/php/", "run/nowhere/"))))
    assert "unable to bind listening socket" in the_problem(result, "fpm-test")


def test_a_removed_file_that_is_still_included(site: Site) -> None:
    result = judged(site, site.trial(removals=(f"{site.root}/etc/nginx/fastcgi.conf",)))
    assert f'open() "{site.root}/etc/nginx/fastcgi.conf" failed' in the_problem(result, "nginx-test")


def test_a_removed_link_is_out_of_the_glob(site: Site) -> None:
    trial = site.trial(removals=(f"{site.root}/etc/nginx/sites-enabled/app",))
    assert "connection refused" in the_problem(judged(site, trial), "probe").lower()


def test_a_new_vhost_with_logs_in_a_folder_that_comes_with_it(site: Site) -> None:
    text = SITE.replace("root {root}/www;", "access_log {root}/var/log/nginx/new/access.log;").replace(":{port}", ":81")
    new = site.file("etc/nginx/sites-enabled/new", text)
    assert "var/log/nginx/new/access.log" in the_problem(judged(site, site.trial(new)), "nginx-test")
    trial = site.trial(new)
    assert judged(site, replace(trial, private=(*trial.private, f"{site.root}/var/log/nginx/new"))).problems == ()


def test_a_covered_folder_that_is_not_there_yet(site: Site) -> None:
    extra = site.file("conf/deep/extra.conf", "add_header X-Extra yes;\n")
    text = SITE.replace("root {root}/www;", "root {root}/www; include {root}/conf/deep/*.conf;")
    trial = site.trial(extra, site.file("etc/nginx/sites-enabled/app", text))
    result = judged(site, replace(trial, covered=(*trial.covered, f"{site.root}/conf/deep")))
    assert (result.problems, result.rehearsed) == ((), True)


def test_a_target_that_is_a_link_is_replaced_and_not_followed(site: Site) -> None:
    live = (site.root / "etc/nginx/sites-available/app").read_bytes()
    trial = site.trial(site.file("etc/nginx/sites-enabled/app", SITE.replace("static", "candidate")))
    result = judged(site, replace(trial, probes=(site.probe("/", body="candidate"),)))
    assert result.problems == ()
    assert (site.root / "etc/nginx/sites-available/app").read_bytes() == live


def test_a_folder_behind_a_link_is_refused_with_its_name(site: Site) -> None:
    (site.root / "elsewhere").mkdir()
    (site.root / "etc/nginx/linked").symlink_to(site.root / "elsewhere")
    with pytest.raises(Refused, match="etc/nginx/linked is a symbolic link to") as refused:
        rehearse(site.trial(site.file("etc/nginx/linked/deep/x.conf", "")))
    assert "elsewhere" in refused.value.hint
    assert list((site.root / "elsewhere").iterdir()) == []


def test_a_covered_folder_behind_a_link_is_refused(site: Site) -> None:
    (site.root / "link").symlink_to(site.root / "etc")
    with pytest.raises(Refused, match="link is a symbolic link"):
        rehearse(replace(site.trial(site.file("link/nginx/x", "")), covered=(f"{site.root}/link/nginx",)))


@pytest.mark.parametrize("name", ["outside.conf", "etc/nginx/../../outside.conf"])
def test_a_target_outside_the_covered_folders_is_refused(site: Site, name: str) -> None:
    before = site.look()
    with pytest.raises(Refused, match="not below a folder that is tried out"):
        rehearse(site.trial(site.file(name, "")))
    assert site.look() == before


def test_a_folder_in_the_place_of_a_target_is_refused(site: Site) -> None:
    with pytest.raises(Refused, match="is a folder, not a file"):
        rehearse(site.trial(site.file("etc/nginx/sites-enabled", "")))


def test_a_missing_folder_of_the_whole_machine_is_too_broad(site: Site) -> None:
    with pytest.raises(Refused, match="/ is too broad"):
        rehearse(replace(site.trial(), covered=("/no-such-folder/etc",)))


def test_without_overlays_the_folders_are_copied(site: Site) -> None:
    class NoOverlay(Kernel):
        def mount(self, source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
            if kind == "overlay":
                raise OSError(19, "No such device", "mount overlay")
            super().mount(source, target, kind, flags, options)

    trial = site.trial(site.file("etc/nginx/sites-enabled/app", SITE), removals=(f"{site.root}/etc/nginx/sites-available/app",))
    result = judged(site, trial, NoOverlay())
    assert (result.problems, result.rehearsed) == ((), True)
    assert "mount overlay: ENODEV" in result.notes[0]


def test_wrong_answers_are_told_precisely(site: Site) -> None:
    probes = (
        site.probe("/", expect=(404, 410), host="example.com"),
        site.probe("/empty"),
        site.probe("/", body="something else"),
        Probe("http", url="http://127.0.0.1:9/"),
        Probe("fastcgi", address=f"unix:{site.root}/run/php/app.sock", path="/ping", body="pang"),
    )
    result = judged(site, site.trial(probes=probes))
    said = [problem.output.splitlines()[0] for problem in result.problems]
    base = f"GET http://127.0.0.1:{site.port}"
    assert said[:3] == [
        f"{base}/ (Host: example.com) answered 200, expected 404 or 410",
        f"{base}/empty answered 200 with an empty body",
        f"{base}/ answered 200, but 'something else' is not in the body",
    ]
    assert said[3].startswith("GET http://127.0.0.1:9/ got no answer: Connection refused")
    assert said[4].endswith("/run/php/app.sock answered 200, but 'pang' is not in the body")
    assert [problem.service for problem in result.problems] == ["nginx"] * 4 + ["php-fpm"]


def test_a_ping_by_fastcgi_and_a_page_by_a_unix_socket(site: Site) -> None:
    listen = SITE.replace("127.0.0.1:{port}", "unix:{root}/run/web.sock")
    probes = (
        Probe("fastcgi", address=f"unix:{site.root}/run/php/app.sock", path="/ping", body="pong"),
        Probe("http", url=f"http://unix:{site.root}/run/web.sock:/index.php", body="page of"),
    )
    assert judged(site, site.trial(site.file("etc/nginx/sites-enabled/app", listen), probes=probes)).problems == ()


def test_pages_by_tls_at_the_real_paths_of_key_and_certificate(site: Site) -> None:
    folder = site.root / "etc/nginx/tls"
    folder.mkdir()
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-days", "2"]
    subprocess.run([*make, "-keyout", folder / "key.pem", "-out", folder / "crt.pem"], check=True, capture_output=True)
    tls = "ssl; ssl_certificate {root}/etc/nginx/tls/crt.pem; ssl_certificate_key {root}/etc/nginx/tls/key.pem;"
    text = SITE.replace("{port};", "{port} " + tls)
    probe = Probe("http", url=f"https://127.0.0.1:{site.port}/index.php", body="page of")
    assert judged(site, site.trial(site.file("etc/nginx/sites-enabled/app", text), probes=(probe,))).problems == ()


def test_a_probe_by_a_name_is_not_asked(site: Site) -> None:
    result = judged(site, site.trial(probes=(Probe("http", url="http://www.test.invalid/"),)))
    assert result.problems == ()
    assert "no DNS in the private network finds www.test.invalid" in result.notes[0]


def test_warnings_of_a_good_start(site: Site) -> None:
    result = judged(site, site.trial(site.file("etc/nginx/sites-enabled/second", SITE)))
    assert result.problems == ()
    assert [(warning.kind, warning.service) for warning in result.warnings] == [("nginx-test-warning", "nginx")]
    assert f'conflicting server name "" on 127.0.0.1:{site.port}' in result.warnings[0].output


def test_every_address_of_this_machine_can_be_bound_and_no_other(site: Site) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.connect(("192.0.2.1", 9)) if _has_route() else wire.bind(("127.0.0.1", 0))  # nothing is sent
        own = wire.getsockname()[0]
    mine = site.file("etc/nginx/sites-enabled/own", f"server {{{{ listen {own}:80; }}}}\n")
    assert judged(site, site.trial(mine)).problems == ()
    other = site.file("etc/nginx/sites-enabled/own", "server {{ listen 192.0.2.77:80; }}\n")
    assert "bind() to 192.0.2.77:80 failed" in the_problem(judged(site, site.trial(other)), "nginx-test")


def _has_route() -> bool:
    return any(line.split()[1] == "00000000" for line in Path("/proc/net/route").read_text().splitlines()[1:])


UPSTREAM = "server {{ listen 127.0.0.1:81; location / {{ proxy_pass http://db.test.invalid:8080/x; }} }}\n"


def test_names_are_looked_up_outside(site: Site) -> None:
    asked = []

    def resolver(name: str) -> tuple[str, ...]:
        asked.append(name)
        return ("192.0.2.1", "2001:db8::1")

    text = UPSTREAM + UPSTREAM.replace("db.", "cache.").replace(":81", ":82")
    before = site.look()
    result = rehearse(site.trial(site.file("etc/nginx/sites-enabled/proxy", text)), resolver=resolver)
    assert (result.problems, result.rehearsed) == ((), True)
    assert asked == ["db.test.invalid", "cache.test.invalid"]
    assert site.look() == before


def test_a_name_that_nobody_knows_is_an_error(site: Site) -> None:
    trial = site.trial(site.file("etc/nginx/sites-enabled/proxy", UPSTREAM))
    result = rehearse(trial, resolver=lambda name: ())
    assert 'host not found in upstream "db.test.invalid"' in the_problem(result, "nginx-test")


def test_resolve_asks_the_live_machine() -> None:
    assert "127.0.0.1" in resolve("localhost")
    assert resolve("no such name") == ()


def test_one_service_alone(site: Site) -> None:
    result = judged(site, site.trial(services=(site.nginx,)))
    assert (result.problems, result.rehearsed) == ((), True)
    assert "answered 502, expected 200: php-fpm was not part of this trial" in result.notes[0]
    result = judged(site, site.trial(services=(site.fpm,)))
    assert (result.problems, result.notes, result.rehearsed) == ((), (), True)


def test_a_service_that_is_not_installed_is_left_out(site: Site) -> None:
    missing = replace(site.fpm, start=("/usr/sbin/php-fpm0.1",))
    result = judged(site, site.trial(services=(site.nginx, missing), probes=()))
    assert result.notes == ("php-fpm is not installed here (/usr/sbin/php-fpm0.1): it was not tried out",)
    assert rehearse(site.trial(services=(missing,))).judge == "none"


@pytest.mark.skipif(not Path("/etc/nginx/sites-enabled").is_dir() or "8.2" not in PHP, reason="no Debian 12 with PHP 8.2")
def test_the_real_folders_of_this_machine() -> None:
    """The distribution's own configuration, one file more; ``-t`` alone would leave a pid file and logs here."""
    folders = ("/etc/nginx", "/etc/php", "/var/log/nginx", "/var/lib/nginx", "/run/php")
    before = [list(look(folder)) for folder in folders], os.listdir("/run"), os.listdir("/var/log")
    argv = (PHP, "--fpm-config", "/etc/php/8.2/fpm/php-fpm.conf")
    trial = Trial(
        files=(TrialFile("/etc/nginx/conf.d/dk.conf", b"server { listen 127.0.0.1:8088; access_log /var/log/nginx/dk.log; }"),),
        removals=(),
        covered=("/etc/nginx", "/etc/php"),
        private=("/run", "/var/log", "/var/lib/nginx", "/tmp"),
        visible=(),
        services=(
            TrialService("nginx", (NGINX, "-t"), (NGINX,), "/run/nginx.pid"),
            TrialService("php-fpm", (*argv, "-t"), (*argv, "--daemonize"), "/run/php/php8.2-fpm.pid"),
        ),
        addresses=("unix:/run/php/php8.2-fpm.sock",),
        user="www-data",
        probes=(Probe("http", url="http://127.0.0.1:8088/", expect=(200, 403, 404)),),
    )
    result = rehearse(trial)
    assert (result.problems, result.rehearsed) == ((), True)
    assert ([list(look(folder)) for folder in folders], os.listdir("/run"), os.listdir("/var/log")) == before


def test_the_live_services_are_not_disturbed(site: Site) -> None:
    """The same ports, sockets and pid files are taken outside."""
    subprocess.run(site.fpm.start, check=True, capture_output=True)
    subprocess.run(site.nginx.start, check=True, capture_output=True)
    masters = [int(Path(service.pid_file).read_text()) for service in (site.nginx, site.fpm)]
    try:
        before = site.look()
        trial = site.trial(site.file("etc/nginx/sites-enabled/app", SITE.replace("static", "other")))
        assert judged(site, trial).problems == ()
        assert site.look() == before
        assert [int(Path(service.pid_file).read_text()) for service in (site.nginx, site.fpm)] == masters
        with socket.create_connection(("127.0.0.1", site.port), 5) as wire:
            wire.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert wire.makefile("rb").read().endswith(b"static\n")
    finally:
        for pid in masters:
            os.kill(pid, 15)
        _until_gone(masters)


def _until_gone(pids: list[int]) -> None:
    import time

    until = time.monotonic() + 10
    while any(Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids):
        assert time.monotonic() < until
        time.sleep(0.02)
