"""The launcher: ``python3 -I -S run.py run AfterInstall``, from any folder, with or without an installation.

Beside it lies the package. Its libraries are in ``vendor/`` (a bundle), in ``.venv/`` (a checkout) or, when neither is there,
where this interpreter keeps its own. ``-I -S`` leaves everything else out of ``sys.path``: what runs on an instance is what
the bundle holds. This file must parse on every Python that calls itself python3, so that it can say what is wrong there.

A bundle has a manifest, and nothing of it is imported before it was compared with that: every file by its SHA-256 the first
time, after that the stamps (size, inode, times) of the files that are run. docs/bundle.md says what this is good for.
"""

import os
import sys

OLDEST = (3, 9)
NEWEST_MINOR = 19
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TOOL_MISSING = 69
ALTERED = 65
MANIFEST = "MANIFEST.sha256"
MARKER = "MANIFEST.checked"
VERIFIER = "deploykit/bundle/verify.py"
# They run from the archive of the revision before; failing there would fail every deployment from now on.
FORGIVING = ("ApplicationStop", "BeforeBlockTraffic", "AfterBlockTraffic")


def newer_pythons():
    """Paths of programs called python3.N in PATH that are new enough and do start, newest first."""
    import subprocess

    folders = os.environ["PATH"].split(os.pathsep)
    for minor in range(NEWEST_MINOR, OLDEST[1] - 1, -1):
        for folder in folders:
            path = os.path.join(folder, "python%d.%d" % (OLDEST[0], minor))  # noqa: UP031
            if os.access(path, os.X_OK) and subprocess.call([path, "-c", "pass"], stderr=subprocess.PIPE) == 0:
                yield path


def start_again_or_give_up(launcher):
    """This Python is too old: become a newer one if there is one, else say so in one line and end with 69."""
    for python in newer_pythons():
        start_isolated(python, launcher)
    message = "deploykit: needs Python %d.%d or newer, and %s is %d.%d; install one or name it in DEPLOYKIT_PYTHON\n"
    sys.stderr.write(message % (OLDEST + (sys.executable,) + tuple(sys.version_info[:2])))  # noqa: RUF005
    sys.exit(TOOL_MISSING)


def start_isolated(python, launcher):
    """Become this launcher, run by ``python`` and by nothing else that is installed."""
    os.execv(python, [python, "-I", "-S", "-X", "utf8", launcher] + sys.argv[1:])  # noqa: RUF005


def speak_utf8():
    """One encoding whatever the locale says, line by line: the agent reads both streams into one log."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
        getattr(sys, name).reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)


def give_up(message, status):
    """One line, and the end: with 0 where a failure would only do harm."""
    event = sys.argv[2] if sys.argv[1:2] == ["run"] and len(sys.argv) > 2 else ""
    if event in FORGIVING:
        message += "; nothing was run, and %s never fails a deployment" % event  # noqa: UP031
        status = 0
    sys.stderr.write("deploykit: " + message + "\n")
    sys.exit(status)


def stamps(here):
    """What later hooks compare: a row for the manifest and for each file that they may run, without Python's own caches."""
    rows = []
    folders = ["deploykit", "vendor/lib", "vendor/" + os.uname()[4]]
    for name in (MANIFEST, "run.py"):
        seen = os.lstat(here + "/" + name)
        rows.append((name, seen.st_size, seen.st_ino, seen.st_mtime_ns, seen.st_ctime_ns))
    while folders:
        folder = folders.pop()
        with os.scandir(here + "/" + folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != "__pycache__":
                        folders.append(folder + "/" + entry.name)
                    continue
                seen = entry.stat(follow_symlinks=False)
                rows.append((folder + "/" + entry.name, seen.st_size, seen.st_ino, seen.st_mtime_ns, seen.st_ctime_ns))
    rows.sort()
    return repr(rows).encode("utf-8", "surrogateescape")


def checked_before(here, seen):
    """Did an earlier hook find every file of this archive as it was bundled, and are those that are run still the same?"""
    try:
        opened = os.open(here + "/" + MARKER, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(opened, "rb") as marker:
            owner = os.fstat(opened)
            # Whoever owns the archive may vouch for it; nobody else, and nobody through a file that others can write.
            ours = owner.st_uid in (0, os.geteuid(), os.stat(here).st_uid) and not owner.st_mode & 0o022
            return ours and marker.read() == seen
    except OSError:
        return False


def difference(here):
    """The first thing that is not as it was bundled, in words; ``""`` when all is. Loads nothing that it has not compared."""
    import hashlib

    try:
        with open(here + "/" + MANIFEST, "rb") as file:
            manifest = file.read()
        with open(here + "/" + VERIFIER, "rb") as file:
            program = file.read()
    except OSError as error:
        return "%s: %s" % (os.path.relpath(error.filename, here), error.strerror.lower())  # noqa: UP031
    line = hashlib.sha256(program).hexdigest() + "  " + VERIFIER + "\n"
    if line.encode() not in manifest:
        return VERIFIER + " has been changed since the bundle was built"
    verifier = {"__name__": "verify"}
    exec(compile(program, VERIFIER, "exec"), verifier)
    return verifier["difference"](here)


def remember(here, seen):
    """Leave the mark that later hooks look for. Where that cannot be, no bytecode is left either: it would be refused then."""
    path = here + "/" + MARKER
    try:
        opened = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        with open(opened, "wb") as marker:
            marker.write(seen)
        os.rename(path + ".new", path)
    except OSError:
        sys.dont_write_bytecode = True


def check_bundle(here):
    """End with one line unless this is the bundle that was built, on a machine that it was built for."""
    try:
        seen = stamps(here)
    except OSError:
        seen = b""  # something is missing: it will be named
    if seen and checked_before(here, seen):
        return
    found = difference(here)
    if found:
        give_up("refused: " + found, ALTERED)
    if not seen:
        built_for = " and ".join(name for name in sorted(os.listdir(here + "/vendor")) if name in ("aarch64", "x86_64"))
        give_up("this bundle is for %s, and this machine is %s" % (built_for, os.uname()[4]), TOOL_MISSING)  # noqa: UP031
    remember(here, seen)


def find_libraries(here):
    """Put the package and its libraries behind the standard library: a bundle's, a checkout's, or this interpreter's."""
    sys.path.append(here)
    pure = os.path.join(here, "vendor", "lib")
    if os.path.isdir(pure):
        sys.path.extend([pure, os.path.join(here, "vendor", os.uname()[4])])
        return
    version = "python%d.%d" % sys.version_info[:2]  # noqa: UP031
    checkout = os.path.join(here, ".venv", "lib", version, "site-packages")
    if os.path.isdir(checkout):
        sys.path.append(checkout)
    elif sys.flags.no_site:
        import site

        site.main()


def main():
    """Make this Python fit to run the package, then let it: returns the exit status."""
    launcher = os.path.abspath(__file__)
    if not os.environ.get("PATH"):
        os.environ["PATH"] = DEFAULT_PATH
    if sys.version_info < OLDEST:
        start_again_or_give_up(launcher)
    here = os.path.dirname(launcher)
    if os.path.lexists(os.path.join(here, MANIFEST)):
        if not (sys.flags.isolated and sys.flags.no_site) and sys.executable:
            start_isolated(sys.executable, launcher)
        speak_utf8()
        check_bundle(here)
    else:
        speak_utf8()
    find_libraries(here)
    from deploykit import cli

    # Never by the working folder: the agent may start a hook in another deployment's archive.
    return cli.main(bundle=here)


if __name__ == "__main__":
    sys.exit(main())
