"""The launcher: ``python3 -I -S run.py run AfterInstall``, from any folder, with or without an installation.

Beside it lies the package. Its libraries are in ``vendor/`` (a bundle), in ``.venv/`` (a checkout) or, when neither is there,
where this interpreter keeps its own. ``-I -S`` leaves everything else out of ``sys.path``: what runs on an instance is what
the bundle holds. This file must parse on every Python that calls itself python3, so that it can say what is wrong there.
"""

import os
import sys

OLDEST = (3, 9)
NEWEST_MINOR = 19
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TOOL_MISSING = 69


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
        os.execv(python, [python, "-I", "-S", "-X", "utf8", launcher] + sys.argv[1:])  # noqa: RUF005
    message = "deploykit: needs Python %d.%d or newer, and %s is %d.%d; install one or name it in DEPLOYKIT_PYTHON\n"
    sys.stderr.write(message % (OLDEST + (sys.executable,) + tuple(sys.version_info[:2])))  # noqa: RUF005
    sys.exit(TOOL_MISSING)


def speak_utf8():
    """One encoding whatever the locale says, line by line: the agent reads both streams into one log."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)


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
    speak_utf8()
    here = os.path.dirname(launcher)
    find_libraries(here)
    from deploykit import cli

    # Never by the working folder: the agent may start a hook in another deployment's archive.
    return cli.main(bundle=here)


if __name__ == "__main__":
    sys.exit(main())
