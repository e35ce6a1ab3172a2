"""The page in a real browser: tabs by keyboard, narrow and wide, dark and light, on paper, and for a screen reader."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest
from support.browser import Browser, axe, program
from support.reviews import HOSTILE, review

from deploykit.review.page import page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(program() is None, reason="chromium is not installed"),
]
SELECTED = "[...document.querySelectorAll('[role=tab]')].map(t => [t.getAttribute('aria-selected'), t.tabIndex])"
VISIBLE = "[...document.querySelectorAll('[role=tabpanel]')].filter(p => p.checkVisibility()).map(p => p.id)"
FIRST, SECOND = [["true", 0], ["false", -1]], [["false", -1], ["true", 0]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "diff.html"
    path.write_text(page(review()), encoding="utf-8")
    return path


def test_tabs_go_by_keyboard(browser: Browser, shown: Path) -> None:
    browser.open(shown)
    assert browser.ask("document.querySelector('[role=tablist]').getAttribute('aria-label')") == "Environments"
    assert (browser.ask(SELECTED), browser.ask(VISIBLE)) == (FIRST, ["environment-0"])
    browser.press("Tab")
    assert browser.ask("document.activeElement.id") == "tab-0"
    for key, end, panel in [
        ("ArrowRight", SECOND, "environment-1"),
        ("ArrowRight", FIRST, "environment-0"),
        ("ArrowLeft", SECOND, "environment-1"),
        ("Home", FIRST, "environment-0"),
        ("End", SECOND, "environment-1"),
        (" ", SECOND, "environment-1"),
    ]:
        browser.press(key)
        assert (browser.ask(SELECTED), browser.ask(VISIBLE)) == (end, [panel]), key
        assert browser.ask("document.activeElement.getAttribute('aria-controls')") == panel
    browser.press("Tab")
    assert browser.ask("document.activeElement.id") == "environment-1"
    assert browser.ask("document.activeElement.getAttribute('aria-labelledby')") == "tab-1"


def test_a_link_leads_into_its_tab(browser: Browser, shown: Path) -> None:
    browser.open(shown, anchor="#finding-1-0-0")
    assert browser.ask(VISIBLE) == ["environment-1"]
    browser.ask("document.getElementById('tab-0').click()")
    assert browser.ask(VISIBLE) == ["environment-0"]
    assert browser.ask("location.hash") == "#environment-0"


@pytest.mark.parametrize(("width", "beside"), [(1280, True), (390, False)])
def test_side_by_side_where_there_is_room(width: int, beside: bool, browser: Browser, shown: Path) -> None:
    browser.open(shown, width=width)
    place = "(s => { const b = document.querySelector(s).getBoundingClientRect(); return [b.left, b.top]; })"
    old, new = browser.ask(f"{place}('del.row')"), browser.ask(f"{place}('ins.row')")
    assert (new[0] > old[0] + width / 3 and new[1] == old[1]) is beside
    assert (new[0] == old[0] and new[1] > old[1]) is not beside
    assert browser.ask("document.querySelector('.twin').checkVisibility()") is beside
    assert browser.ask("document.documentElement.scrollWidth") == width, "the page scrolls sideways"


def test_lines_after_an_uneven_change_are_level_again(browser: Browser, tmp_path: Path) -> None:
    browser.open(_page(tmp_path, "x"))
    level = "[...document.querySelectorAll('.twin')].every(t => t.offsetTop === t.nextElementSibling.offsetTop)"
    assert browser.ask(level)


@pytest.mark.parametrize("width", [1280, 390])
def test_findings_stand_at_their_lines(width: int, browser: Browser, shown: Path) -> None:
    browser.open(shown, width=width)
    beside = "document.querySelector('ins.row > .finding')"
    assert browser.ask(f"{beside}.checkVisibility() && {beside}.offsetHeight > 20")
    assert "nginx-a-rule" in browser.ask(f"{beside}.innerText")
    assert browser.ask(f"{beside}.parentElement.querySelector('.number').innerText") == "2"
    above = browser.ask("document.querySelector('.file .finding-list').innerText")
    assert "nginx-b-rule" in above
    assert "new" not in above.split()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.skipif(axe() is None, reason="axe-core is not installed: npm install --prefix build/browser axe-core")
def test_nothing_stands_in_the_way_of_anybody(width: int, scheme: str, browser: Browser, tmp_path: Path) -> None:
    script = axe()
    assert script
    for text in ("x", HOSTILE):
        browser.open(_page(tmp_path, text), width=width, scheme=scheme)
        assert browser.judge(script) == []
        browser.ask("document.getElementById('tab-1').click()")
        assert browser.judge(script) == []


def test_dark_and_light_are_the_readers_choice(browser: Browser, shown: Path) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    browser.open(shown, scheme="light")
    light = browser.ask(colour)
    browser.open(shown, scheme="dark")
    assert (light, browser.ask(colour)) == ("rgb(255, 255, 255)", "rgb(13, 17, 23)")


def test_paper_shows_every_environment_on_white(browser: Browser, shown: Path, tmp_path: Path) -> None:
    browser.open(shown, scheme="dark")
    browser.media("print")
    assert browser.ask(VISIBLE) == ["environment-0", "environment-1"]
    assert browser.ask("document.querySelector('.tabs').checkVisibility()") is False
    assert browser.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    browser.paper(tmp_path / "diff.pdf")
    assert (tmp_path / "diff.pdf").read_bytes().startswith(b"%PDF")
    browser.media("screen")


def test_hostile_text_does_nothing(browser: Browser, tmp_path: Path) -> None:
    browser.open(_page(tmp_path, HOSTILE))
    assert browser.ask("document.title").startswith("Rendered configuration: ")
    assert browser.ask("document.images.length") == 0
    assert browser.ask("document.scripts.length") == 1
    assert "<script>document.title='taken'</script>" in browser.ask("document.querySelector('ins.row code').innerText")


def test_without_the_script_everything_is_there(browser: Browser, shown: Path, tmp_path: Path) -> None:
    text = shown.read_text(encoding="utf-8")
    plain = tmp_path / "plain.html"
    plain.write_text(text[: text.index("<script>")] + text[text.index("</script>") + len("</script>") :], encoding="utf-8")
    browser.open(plain)
    assert browser.ask("[...document.querySelectorAll('.panel')].every(p => p.checkVisibility())")
    assert browser.ask("document.querySelectorAll('.tabs a').length") == 2


def _page(folder: Path, text: str) -> Path:
    path = folder / "diff.html"
    path.write_text(page(review(text)), encoding="utf-8")
    return path
