"""Reviews to be written in every format: an ordinary one, a hostile one, and any."""

from __future__ import annotations

from hypothesis import strategies as st

from deploykit.errors import Location
from deploykit.model import Finding
from deploykit.review.model import EnvironmentChange, FileChange, Placed, Review, Row

HOSTILE = (
    "</code></pre></details></script><script>document.title='taken'</script>"
    "<img src=x onerror=\"document.title='taken'\">'\"` `` ``` ```` \u202e\r\n/close\n@all #1 !1 ~x $style ${script} "
    "<!-- deploykit diff -->"
)


def review(text: str = "client_max_body_size 64m;", name: str = "production") -> Review:
    """Two environments that change, one that does not; this text is everywhere."""
    rows = (
        Row(" ", 1, 1, "server {"),
        Row("-", 2, 0, "    client_max_body_size 16m;"),
        Row("-", 3, 0, "    gone;"),
        Row("+", 0, 2, f"    {text}"),
        Row("+", 0, 3, "    password ***;", secret=True),
        Row(" ", 4, 4, "}"),
    )
    beside = Placed(
        Finding("nginx-a-rule", "error", f"wrong: {text}", Location("config_templates/a.j2", 7), f"do {text}"), "/a", 2
    )
    above = Placed(Finding("nginx-b-rule", "info", text, Location("config_templates/a.j2", 90)), "/a", 90, new=False)
    elsewhere = Placed(Finding("pair-a-rule", "warning", text, None))
    other = Placed(Finding("pair-b-rule", "warning", text, None), new=False)
    files = (
        FileChange(
            "replace", f"/etc/nginx/{text}", "nginx", f"config_templates/{text}", "0644 -> 0600", text, (rows,), (beside, above)
        ),
        FileChange("create", "/etc/php/new", "php-fpm", "config_templates/new", "0644", "", ((Row("+", 0, 1, text),),)),
        FileChange("remove", "/etc/nginx/old", "nginx", "", "", text),
    )
    one = EnvironmentChange(name, files, 3, 10, (elsewhere, other), (text,))
    return Review(text, (EnvironmentChange("same"), one, EnvironmentChange(f"staging {text}", files[:1], 5, 10)), (text,))


_words = st.text(st.characters(), max_size=200)
_rows = st.builds(
    Row, st.sampled_from(" -+"), st.integers(0, 9), st.integers(0, 9), _words | st.just("x" * 3000), st.booleans()
)
_files = st.builds(
    FileChange,
    st.sampled_from(["create", "replace", "attributes", "remove"]),
    _words | st.just("/" * 5000),
    st.sampled_from(["nginx", "php-fpm"]),
    _words,
    _words,
    _words,
    st.lists(st.lists(_rows, min_size=1, max_size=30).map(tuple), max_size=3).map(tuple),
)
_findings = st.builds(Placed, st.builds(Finding, _words, st.sampled_from(["error", "info"]), _words), _words, st.integers(0, 9))
_environments = st.builds(
    EnvironmentChange,
    _words | st.just("e" * 5000),
    st.lists(_files, max_size=6).map(tuple),
    findings=st.lists(_findings, max_size=30).map(tuple),
    notes=st.lists(_words, max_size=3).map(tuple),
    problem=st.just("") | _words,
)
ANY = st.builds(Review, _words, st.lists(_environments, max_size=12).map(tuple), st.lists(_words, max_size=3).map(tuple))
