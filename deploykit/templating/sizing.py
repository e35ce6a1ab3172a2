"""How many php-fpm workers fit into the machine: one formula, printed with its inputs."""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, NamedTuple, Tuple

from deploykit.templating.values import FilterError, defined, kind_of

# A measured worker is rounded up to this many MiB, and memory down, so that a small drift changes no file.
_STEP_MB = 8
_USUAL_CHILD_MB = 40


class Sizing(NamedTuple):
    """What may be chosen.

    memory_share: part of the memory that is for php-fpm. per_child_mb: memory of one worker in MiB, 0 takes the fact
    ``php_worker_mb`` (measured) or else 40. reserve_mb: MiB for everything else, taken off first. per_core_cap: workers
    that one core can have at most, 0 for no limit.
    """

    memory_share: float = 0.5
    per_child_mb: int = 0
    reserve_mb: int = 256
    per_core_cap: int = 12


def children(facts: Mapping[str, object], sizing: Sizing) -> Tuple[int, str]:
    """How many workers (at least 1), and the formula with its inputs as one line of text.

    facts: ``memory_mb`` (all memory of the machine, MiB), ``cores`` and, where known, ``php_worker_mb``. FilterError when one
    is missing or an input makes no sense.
    """
    _refuse_nonsense(sizing)
    memory = _fact(facts, "memory_mb") // _STEP_MB * _STEP_MB
    child, origin = _child(facts, sizing)
    fitting = max(1, int((memory - sizing.reserve_mb) * sizing.memory_share / child))
    text = f"({memory} MB - {sizing.reserve_mb} MB) x {sizing.memory_share:g} / {child} MB ({origin}) = {fitting}"
    if not sizing.per_core_cap:
        return fitting, text
    cores = _fact(facts, "cores")
    most = max(1, sizing.per_core_cap * cores)
    return min(fitting, most), f"{text}, at most {sizing.per_core_cap} x {cores} cores = {most}: {min(fitting, most)}"


def _child(facts: Mapping[str, object], sizing: Sizing) -> Tuple[int, str]:
    """Memory of one worker in MiB, and where the figure is from."""
    if sizing.per_child_mb:
        return sizing.per_child_mb, "as set"
    if facts.get("php_worker_mb"):
        return -(-_fact(facts, "php_worker_mb") // _STEP_MB) * _STEP_MB, "measured"
    return _USUAL_CHILD_MB, "assumed"


def _fact(facts: Mapping[str, object], name: str) -> int:
    value = facts.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
        raise FilterError(f'php_children: the fact "{name}" is not known here', "write the number of workers as a variable")
    return -int(-value // 1)


def _refuse_nonsense(sizing: Sizing) -> None:
    for name, value in sizing._asdict().items():
        defined(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            raise FilterError(f"php_children: {name} takes a number from 0 on, not {kind_of(value)}")
    if not 0 < sizing.memory_share <= 1:
        raise FilterError("php_children: memory_share is a part of the memory, above 0 and up to 1")


def functions(facts: Mapping[str, object]) -> Dict[str, Callable[..., object]]:
    """``php_children`` and ``php_children_formula`` for templates, with the keyword arguments of Sizing."""

    def php_children(**chosen: float) -> int:
        return children(facts, _sizing(chosen))[0]

    def php_children_formula(**chosen: float) -> str:
        return children(facts, _sizing(chosen))[1]

    return {"php_children": php_children, "php_children_formula": php_children_formula}


def _sizing(chosen: Mapping[str, Any]) -> Sizing:
    unknown = [name for name in chosen if name not in Sizing._fields]
    if unknown:
        raise FilterError(f'php_children knows no "{unknown[0]}"', "it takes " + ", ".join(Sizing._fields))
    return Sizing(**chosen)
