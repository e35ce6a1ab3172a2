"""Our cutting of words against nginx itself, by what its error messages quote."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from deploykit.parsers.nginx_lexer import Lexer

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")

pytestmark = [pytest.mark.services, pytest.mark.skipif(not NGINX, reason="nginx is not installed")]

PIECES = ["a", "b", '"', '"', "'", "'", "\\", "$", "{", "}", ";", " ", " ", "\n", "\t", "#", "${x}", "$a", '\\"', "\\'", "\\\\"]
PIECES += ["\\n", "\\t", "é", "(", ")", ".", "\r\n", "/", "="]
STARTS = ["load_module ", "load_module ", "", 'load_module "', "load_module '"]
ENDS = [";", '";', "';", "", " ;", " x;\n"]


def texts(seed: int, count: int) -> list[str]:
    chance = random.Random(seed)
    return [
        chance.choice(STARTS) + "".join(chance.choice(PIECES) for _ in range(chance.randint(0, 8))) + chance.choice(ENDS)
        for _ in range(count)
    ]


def first_word(text: str) -> str:
    """What nginx would say of the first statement, judged by our words (``...`` for what it need not agree in)."""
    lexer = Lexer(text)
    statement = next(lexer.statements())
    if lexer.faults:
        return "unexpected ... in FILE:..."
    if not statement.end:
        return 'no "events" section in configuration'
    return f"{complaint([word.text for word in statement.words], statement.end)} in FILE:{statement.line}"


def complaint(words: list[str], end: str) -> str:
    if not words:
        return f'unexpected "{end}"'
    if words[0] != "load_module":
        return f'unknown directive "{words[0]}"'
    if end == "{":
        return 'directive "load_module" is not terminated by ";"'
    if len(words) != 2:
        return 'invalid number of arguments in "load_module" directive'
    path = words[1] if words[1].startswith("/") else f".../{words[1]}"
    return f'dlopen() "{path}" failed ...'


def told(text: str, folder: Path) -> str:
    main = folder / "nginx.conf"
    main.write_bytes(text.encode())
    command = [str(NGINX), "-t", "-e", "stderr", "-p", f"{folder}/", "-c", str(main)]
    ran = subprocess.run(command, capture_output=True, timeout=60, check=False)
    output = ran.stderr.decode("utf-8", "surrogateescape")
    match = re.search(r"\[emerg\] (?:[0-9]+#[0-9]+: )?([\s\S]*?)\nnginx: configuration file", output)
    return match.group(1).replace(str(main), "FILE") if match else output


@pytest.mark.parametrize("seed", range(2))
def test_nginx_cuts_the_same_words(seed: int, tmp_path: Path) -> None:
    for text in texts(seed, 100):
        expected, real = first_word(text), told(text, tmp_path)
        pattern = re.escape(expected).replace(re.escape("..."), "[\\s\\S]*")
        assert re.match(pattern + r"\Z", real), f"{text!r}: we {expected!r}, nginx {real!r}"
