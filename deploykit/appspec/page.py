"""``docs/appspec.md``, made of the catalogue: ``python -m deploykit.appspec.page > docs/appspec.md``."""

from __future__ import annotations

import sys
from typing import Iterable, List

from deploykit.appspec.catalogue import RULES, Rule

_TOP = """\
# Rules about appspec.yml

Made by `python -m deploykit.appspec.page`; a test says when it is out of date.

deploykit reads `appspec.yml` the way the two CodeDeploy agents read it: version 1 (Ruby, YAML 1.1 by Psych 4) and version 2
(Rust, YAML 1.2 by serde_yaml). Either of them may be on a machine, so that a file should please both.

- `error`: an agent rejects the file, and with it every event of the deployment, or does something else than it says.
- `warning`: it works, and may still surprise. `info`: good to know.
- *bundle* and *machine*: the rule needs the files of the bundle, or the accounts of the machine.

In the examples `<LF>`, `<CR>`, `<TAB>` and `<BOM>` stand for the characters of these names.
"""


def page() -> str:
    """The whole page, ending in a line end."""
    lints = [rule for rule in RULES.values() if not rule.id.startswith("appspec-rejected-")]
    refusals = [rule for rule in RULES.values() if rule.id.startswith("appspec-rejected-")]
    parts = [_TOP, "## What the agents pass over or take otherwise\n", *_table(lints)]
    parts += [
        "\n## What an agent rejects\n",
        "The first reason that the agent itself would give is reported, once per agent.\n",
    ]
    return "\n".join([*parts, *_table(refusals), ""])


def _table(rules: Iterable[Rule]) -> List[str]:
    rows = ["| rule | severity | agents | what it detects | example |", "|---|---|---|---|---|"]
    for rule in rules:
        what = rule.what + (f" (*{rule.needs}*)" if rule.needs else "")
        example = rule.example.replace("|", "\\|")
        rows.append(
            f"| `{rule.id}` | {rule.severity} | {', '.join(rule.agents)} | {what.replace('|', chr(92) + '|')} | `{example}` |"
        )
    return rows


if __name__ == "__main__":
    sys.stdout.write(page())
