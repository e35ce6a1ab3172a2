"""Write YAML, for the filters to_yaml and to_nice_yaml."""

from __future__ import annotations


def dump_yaml(value: object, nice: bool) -> str:
    """YAML text of maps, lists, text, numbers, bools and null, keys sorted. nice: one entry a line, indented by 4."""
    import yaml

    if nice:
        return yaml.safe_dump(value, allow_unicode=True, default_flow_style=False, indent=4)
    return yaml.safe_dump(value, allow_unicode=True, default_flow_style=None)
