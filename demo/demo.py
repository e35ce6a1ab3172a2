"""`make demo`: the main job once through, on real nginx and php-fpm, without touching this machine.

It plays the CodeDeploy agent: unpacks revisions, starts their hooks, copies the application. Everything lives in one folder
below /tmp that stands for `/` and is removed at the end. The exit status is 0 only if all was seen as promised.
"""

from __future__ import annotations

import shutil
import socket
import sys
import textwrap
import time
from collections import defaultdict
from pathlib import Path
from typing import List, Tuple

from client import Load, ask
from sandbox import PATH, Ended, Sandbox

VHOST = "config_templates/nginx/conf.d/webapp.conf.j2"
POOL = "config_templates/php-fpm/pool.d/webapp.conf.j2"
PASSWORD = "not-the-real-one"  # deploykit.yml's; it is in the pool's file, and in the changes that were shown
ZONE = "limit_req_zone $binary_remote_addr zone=webapp:1m rate=100r/s;\n"
FAILED = 1
REFUSED = 3
BAD_INPUT = 65
MISSING = 69
NO_TO = defaultdict(lambda: "not deployed", {FAILED: "undone", REFUSED: "refused", BAD_INPUT: "refused"})


class Story:
    """Says what happens, and keeps what was promised beside what was seen."""

    def __init__(self) -> None:
        self.promises: List[Tuple[str, bool, str]] = []
        self.said = ""
        self.rehearsed = False
        self._gap = ""

    def chapter(self, title: str, text: str) -> None:
        print(f"\n\n{title}\n{'=' * len(title)}")
        self._gap = ""
        self.say(text)

    def say(self, text: str) -> None:
        print(self._gap + textwrap.fill(" ".join(text.split()), 100) + "\n", flush=True)
        self._gap = ""

    def show(self, command: str, ended: Ended, most: int = 40) -> None:
        """A command, its output (the last lines of a long one) and how it ended."""
        print(f"{self._gap}    $ {command}")
        self._gap = ""
        self.said += ended.output
        lines = ended.output.splitlines()
        if len(lines) > most:
            print(f"    | ... {len(lines) - most} lines before")
        for line in lines[-most:]:
            print(f"    | {line}")
        print(f"    = exit status {ended.status} after {ended.seconds:.2f} s\n", flush=True)

    def promise(self, what: str, kept: bool, seen: str = "") -> None:
        self.promises.append((what, kept, seen))
        self._gap = "\n"
        print(f"    {'kept' if kept else 'BROKEN'}: {what}" + (f" -- {seen}" if seen else ""), flush=True)

    def summary(self, seconds: float) -> int:
        title = "What was promised, and what was seen"
        print(f"\n\n{title}\n{'=' * len(title)}")
        for what, kept, seen in self.promises:
            print(f"  {'kept  ' if kept else 'BROKEN'}  {what}" + (f" ({seen})" if seen else ""))
        broken = [what for what, kept, _ in self.promises if not kept]
        ending = f"{len(broken)} BROKEN" if broken else "all kept"
        print(f"\n{len(self.promises)} promises, {ending}, {seconds:.0f} seconds.")
        return 1 if broken else 0


def deploy(story: Story, sandbox: Sandbox, archive: Path, names: Tuple[str, ...]) -> Ended:
    """Run hooks of a revision in the agent's order, and stop where the agent would: at the first that fails."""
    for name in names:
        ended = sandbox.hook(name, archive)
        story.show(f"hooks/{name}", ended)
        if ended.status:
            break
        if name == "before_install":
            sandbox.install(archive)
            print("    (Install, the agent's own event: app/ is copied to /var/www/webapp)\n")
    return ended


def edit(archive: Path, name: str, old: str, new: str) -> int:
    """Change one line of a revision's template; its number."""
    path = archive / name
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise SystemExit(f"the demonstration expects {old!r} once in {name}; it has been changed, change demo/demo.py too")
    path.write_text(text.replace(old, new), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def healthy(sandbox: Sandbox) -> bool:
    return ask(sandbox.port, "/health", b"ok webapp") == "ok"


def first_deployment(story: Story, sandbox: Sandbox) -> bool:
    story.chapter(
        "1. A first deployment",
        f"""The machine is the folder {sandbox.root}: there is no nginx.conf and no pool in it, nothing runs in it. A revision
        is unpacked where the agent would unpack it and its hooks are run in the agent's order, each as the agent starts it:
        five variables, a PATH, no HOME, no terminal. Every hook gets "{" ".join(sandbox.options())}"; on a real
        machine it gets nothing at all.""",
    )
    archive = sandbox.new_revision()
    names = ("before_install", "after_install", "application_start", "validate_service")
    done = deploy(story, sandbox, archive, names).status == 0
    story.promise("the first deployment goes through", done)
    story.show(f"GET http://127.0.0.1:{sandbox.port}/health", sandbox.get("/health"))
    story.promise("the application answers through nginx, the socket and PHP", healthy(sandbox))
    return done


def changed_configuration(story: Story, sandbox: Sandbox) -> None:
    story.chapter(
        "2. A change, first looked at, then deployed under load",
        """The next revision changes both services: a header and a zone for request limits in nginx, a number and the database
        password in the pool.""",
    )
    archive = sandbox.new_revision()
    edit(archive, VHOST, "\nserver {\n", f"\n{ZONE}\nserver {{\n")
    name = "    server_name {{ server_name }};\n"
    edit(archive, VHOST, name, f"{name}    add_header X-Content-Type-Options nosniff always;\n")
    edit(archive, POOL, "pm.max_requests = 1000", "pm.max_requests = 500")
    edit(archive, "deploykit.yml", f"db_password: {PASSWORD} ", f"db_password: {PASSWORD}-but-longer ")
    look_first(story, sandbox, archive)
    under_load(story, sandbox, archive)
    once_more(story, sandbox, archive)


def look_first(story: Story, sandbox: Sandbox, archive: Path) -> None:
    story.say("With --dry-run the same decision is made, by the same code, and printed in the place of being carried out.")
    before = (sandbox.fingerprint(), sandbox.generations())
    ended = sandbox.hook("after_install", archive, "--dry-run")
    after = (sandbox.fingerprint(), sandbox.generations())
    story.show("hooks/after_install --dry-run", ended, most=80)
    story.rehearsed = "judge: started and asked" in ended.output
    shown = "+    add_header X-Content-Type-Options" in ended.output and "+pm.max_requests = 500" in ended.output
    story.promise("a dry run shows what would change, line by line", ended.status == 0 and shown)
    story.promise("a dry run changes nothing", before == after, f"hash of all files {before[0]} before, {after[0]} after")


def under_load(story: Story, sandbox: Sandbox, archive: Path) -> None:
    story.say(
        """Now for real, with 12 clients that hardly pause: six ask for a page that keeps PHP busy for 100 ms, the others
        for the front page and for a file. Each request has a connection of its own and its fate is counted. (Install comes
        before: the agent deletes and copies the application in place, which no hook can make atomic.)"""
    )
    old = sandbox.generations()
    deploy(story, sandbox, sandbox.revisions[-2], ("application_stop",))
    deploy(story, sandbox, archive, ("before_install",))
    with Load(sandbox.port) as load:
        time.sleep(0.5)
        ended = deploy(story, sandbox, archive, ("after_install", "application_start", "validate_service"))
        time.sleep(0.5)
    new = sandbox.generations()
    replaced = bool(old) and all(not old[name] & new.get(name, set()) for name in old)
    story.promise("the deployment under load goes through", ended.status == 0)
    story.promise("both services were reloaded", replaced, "new workers")
    story.promise("no request failed meanwhile", load.failed == 0 and load.requests > 0, str(load))


def once_more(story: Story, sandbox: Sandbox, archive: Path) -> None:
    story.say("The same hook again. Files and processes are as they should be, so nothing is written and nothing reloaded.")
    before = sandbox.generations()
    ended = sandbox.hook("after_install", archive)
    story.show("hooks/after_install", ended)
    story.promise(
        "a second run changes nothing", ended.status == 0 and before == sandbox.generations(), f"{ended.seconds:.2f} s"
    )


def refused(story: Story, sandbox: Sandbox, what: str, statuses: Tuple[int, ...], place: str = "") -> None:
    """Deploy the newest revision in the agent's order until a hook says no; then throw that revision away."""
    archive = sandbox.revisions[-1]
    files, generations = sandbox.fingerprint(("etc",)), sandbox.generations()
    ended = deploy(story, sandbox, archive, ("before_install", "after_install"))
    same = files == sandbox.fingerprint(("etc",)) and (ended.status == FAILED or generations == sandbox.generations())
    story.promise(f"{what} is {NO_TO[ended.status]}", ended.status in statuses, f"exit status {ended.status}")
    if place:
        story.promise("the message names the line of the template", place in ended.output, place)
    story.promise("the site is as it was", same and healthy(sandbox), "files, processes and answers")
    sandbox.drop_revision()


def broken_templates(story: Story, sandbox: Sandbox) -> None:
    story.chapter(
        "3. Broken templates", "A misspelt variable first. Nobody wants it to become an empty string in a configuration."
    )
    line = edit(sandbox.new_revision(), VHOST, "{{ max_body | nginx_size }}", "{{ max_bdy | nginx_size }}")
    refused(story, sandbox, "a misspelt variable", (BAD_INPUT,), f"{VHOST}:{line}")
    story.say("Then one that renders well, and that nginx does not understand.")
    line = edit(sandbox.new_revision(), VHOST, "        expires 1h;", "        expirse 1h;")
    refused(story, sandbox, "a directive that nginx does not know", (REFUSED,), f"{VHOST}:{line}")


def wrong_but_valid(story: Story, sandbox: Sandbox) -> None:
    story.chapter(
        "4. What nginx -t and php-fpm -t let through",
        """nginx is pointed at a socket that no pool listens on. Both services call that valid, as the two lines below show;
        live, every page would be a 502.""",
    )
    edit(sandbox.new_revision(), VHOST, "/webapp.sock;", "/webap.sock;")
    story.promise("nginx -t and php-fpm -t accept it", both_accept(story, sandbox, "/webapp.sock;", "/webap.sock;"))
    refused(story, sandbox, "a socket that nobody listens on", whoever_sees_it(story))
    story.say(
        """Now PHP is told to load a file before every page, and that file is not there. No rule can know that: only whoever
        really starts both services from the candidate, in private, and asks for a page, sees it fail."""
    )
    edit(
        sandbox.new_revision(),
        POOL,
        "clear_env = yes",
        "clear_env = yes\nphp_admin_value[auto_prepend_file] = /nowhere/first.php",
    )
    refused(story, sandbox, "a configuration with which PHP cannot answer", whoever_sees_it(story))


def whoever_sees_it(story: Story) -> Tuple[int, ...]:
    """Exit statuses for what only a start shows: where nothing can be started in private, the live proof sees it, later."""
    if story.rehearsed:
        return (REFUSED,)
    story.say(
        """This machine does not let us start services in private (see the notes of the dry run above), so the proof that
        follows the reload is the first to see it: the site is wrong for some seconds, and then all is undone."""
    )
    return (REFUSED, FAILED)


def both_accept(story: Story, sandbox: Sandbox, old: str, new: str) -> bool:
    """Ask the services themselves about the live configuration with one text replaced, in a copy of their folders."""
    copy = sandbox.root / "tmp" / "copy"
    shutil.copytree(sandbox.root / "etc", copy)
    for path in copy.rglob("*.conf"):
        text = path.read_text().replace(f"{sandbox.root}/etc", str(copy)).replace(old, new)
        path.write_text(text.replace(f"{sandbox.root}/run/nginx.pid", f"{copy}/nginx.pid"))
    (fpm_main,) = copy.rglob("php-fpm.conf")
    results = [
        sandbox.ask(["nginx", "-t", "-c", str(copy / "nginx/nginx.conf")]),
        sandbox.ask([sandbox.php_fpm(), "-t", "--fpm-config", str(fpm_main)]),
    ]
    story.show("nginx -t", results[0])
    story.show("php-fpm -t", results[1])
    shutil.rmtree(copy)
    return all(ended.status == 0 for ended in results)


def taken_port(story: Story, sandbox: Sandbox) -> None:
    story.chapter(
        "5. A port that somebody else holds",
        """nginx -t does not see this one either, and a reload that cannot bind "succeeds": nginx goes on with the old
        configuration and tells nobody but its log. So the candidate's addresses are compared with who listens here.""",
    )
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        line = '    listen {{ "127.0.0.1:" if facts.prefix else "" }}{{ port }} default_server;\n'
        more = f"    listen 127.0.0.1:{holder.getsockname()[1]};\n"
        edit(sandbox.new_revision(), VHOST, line, line + more)
        refused(story, sandbox, "a port that is taken", (REFUSED,))


def undone(story: Story, sandbox: Sandbox) -> None:
    story.chapter(
        "6. What only the running nginx knows",
        """A request limit is to count by another key. An nginx that starts with it is content, so is -t, and so is the
        rehearsal; an nginx that already has that zone in its memory refuses to reload, and its exit status is 0. New workers
        are what counts, and there are none: everything is put back, under load.""",
    )
    edit(sandbox.new_revision(), VHOST, ZONE, ZONE.replace("$binary_remote_addr", "$server_name"))
    before = sandbox.fingerprint(("etc",))
    with Load(sandbox.port) as load:
        ended = deploy(story, sandbox, sandbox.revisions[-1], ("after_install",))
    story.promise("a deployment that fails live says so", ended.status == FAILED, f"exit status {ended.status}")
    story.promise("every file is back as it was", before == sandbox.fingerprint(("etc",)), f"hash {before}")
    story.promise("no request failed meanwhile", load.failed == 0 and load.requests > 0, str(load))


def tell(story: Story, sandbox: Sandbox) -> None:
    if first_deployment(story, sandbox):
        changed_configuration(story, sandbox)
        broken_templates(story, sandbox)
        wrong_but_valid(story, sandbox)
        taken_port(story, sandbox)
        undone(story, sandbox)


def main() -> int:
    """Tell the whole story; whatever happens, stop what was started and remove the folder."""
    if not (shutil.which("nginx", path=PATH) and Sandbox.php_fpm()):
        print("The demonstration needs nginx and php-fpm (apt-get install nginx php-fpm, as root).", file=sys.stderr)
        return MISSING
    start = time.monotonic()
    story = Story()
    sandbox = Sandbox()
    try:
        tell(story, sandbox)
    finally:
        left = sandbox.stop()
    story.promise("the database password stands in none of the output above", PASSWORD not in story.said)
    story.promise("nothing is left behind", not left and not sandbox.root.exists(), str(sandbox.root))
    return story.summary(time.monotonic() - start)


if __name__ == "__main__":
    sys.exit(main())
