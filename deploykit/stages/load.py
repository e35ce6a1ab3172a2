"""deploykit.yml, read and checked as a whole."""

from __future__ import annotations

from deploykit.config.document import Config
from deploykit.config.schema import read_document
from deploykit.config.source import read_file
from deploykit.errors import InvalidInput, Location
from deploykit.system.port import Readable

NAME = "deploykit.yml"


def load(bundle: str, machine: Readable) -> Config:
    """Read ``deploykit.yml`` of a bundle (an absolute folder).

    Raises InvalidInput, with all errors of the file in ``more``, when it is missing or wrong. Variables in files of their own
    (an environment's, the machine's) are read in ``resolve``, when it is known which ones count.
    """
    node = read_file(f"{bundle}/{NAME}", NAME, machine)
    if node is None:
        hint = f"{bundle} is taken for the bundle; deploykit docs shows an example of the file"
        raise InvalidInput("there is no such file", at=Location(NAME), hint=hint)
    return read_document(node)
