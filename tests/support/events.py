"""Bundles with steps for an event, run without any service: what events that are steps only have in common."""

from __future__ import annotations

from pathlib import Path

from support.site import Result, Site

STEPS = "events:\n  {event}:\n    - run: [touch, {mark}]\n"
FAILING = "events:\n  {event}:\n    - run: [sh, -c, 'echo the reason >&2; exit 7']\n"


def with_steps(site: Site, text: str, event: str) -> Path:
    """Add steps to the bundle of revision ``one``; returns the file that a step makes when it runs."""
    mark = Path(site.folder, f"{event}.ran")
    config = Path(site.bundle("one"), "deploykit.yml")
    config.write_text(config.read_text("utf-8") + text.format(event=event, mark=mark), "utf-8")
    return mark


def runs_its_steps(event: str) -> None:
    """The steps run in a real run, and are only shown in a dry one."""
    with Site() as site:
        mark = with_steps(site, STEPS, event)
        shown = site.run(f"run {event} --dry-run", "one")
        assert (shown.status, mark.exists()) == (0, False)
        assert "step: run (deploykit.yml:" in shown.output
        done = site.run(f"run {event}", "one")
        assert (done.status, mark.exists()) == (0, True), done.output


def has_nothing_to_do_by_default(event: str) -> None:
    """On a machine where nothing runs and nothing was ever deployed."""
    with Site() as site:
        result = site.run(f"run {event}", "one")
        assert result.status == 0
        assert result.output == f"{event} (test): no steps, nothing to do\n"


def fails_with_its_step(event: str) -> Result:
    """A step that fails fails the event, with its place and its last words."""
    with Site() as site:
        with_steps(site, FAILING, event)
        result = site.run(f"run {event}", "one")
    assert result.status == 1
    assert "deploykit.yml:13:" in result.output
    assert "ended with status 7: the reason" in result.output
    return result


def never_fails(event: str) -> None:
    """What is run from a previous revision would block every later deployment."""
    with Site() as site:
        with_steps(site, FAILING, event)
        result = site.run(f"run {event}", "one")
        assert (result.status, "ended with status 7: the reason" in result.output) == (0, True)
        Path(site.bundle("one"), "deploykit.yml").write_text("services: [", "utf-8")
        broken = site.run(f"run {event}", "one")
        assert (broken.status, "deploykit.yml:" in broken.output) == (0, True)
        assert "never fails a deployment" in broken.output
