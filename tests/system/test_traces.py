"""Warnings and the ends of logs."""

from __future__ import annotations

import os
from pathlib import Path

from deploykit.system import traces


def test_lines_that_warn() -> None:
    output = """nginx: [warn] conflicting server name "x" on 0.0.0.0:80, ignored
nginx: the configuration file /etc/nginx/nginx.conf syntax is ok
[24-Nov-2026 18:17:11] WARNING: [pool www] pm.start_servers is not set
[24-Nov-2026 18:17:11] NOTICE: fpm is running, pid 4
[24-Nov-2026 18:17:11] NOTICE: [pool www] 'x' is deprecated
PHP Warning:  PHP Startup: Unable to load dynamic library 'x'
PHP:  syntax error, unexpected '=' in /etc/php/php.ini on line 3
PHP:  syntax error, unexpected '=' in /etc/php/php.ini on line 3"""
    lines = output.splitlines()
    assert traces.warnings(output) == [lines[0], lines[2], lines[4], lines[5], lines[6]]


def test_the_last_lines_of_the_newest_error_logs(tmp_path: Path) -> None:
    texts = {"old.log": "old\n", "error.log": "1\n2\n3\n4\n", "fpm.log": "[x] NOTICE: ready\nbad\n"}
    texts.update({"access.log": "GET\n", "empty.log": ""})
    for age, (name, text) in enumerate(texts.items()):
        (tmp_path / name).write_text(text)
        os.utime(tmp_path / name, (1000 + age, 1000 + age))
    assert traces.last_lines([str(tmp_path), "/no-such-folder"]) == ["bad", "2", "3", "4"]
