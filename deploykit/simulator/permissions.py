"""``permissions:``, as instructions: for what this deployment copies or makes, and for nothing else."""

from __future__ import annotations

import json
import os
from fnmatch import translate
from typing import List

from deploykit.appspec.spec import Appspec, Permission
from deploykit.simulator.instructions import Builder, Instruction
from deploykit.simulator.model import EventFailed


def add(spec: Appspec, builder: Builder) -> None:
    """Append the instructions of every entry. Raises EventFailed for two entries that meet in one file."""
    for permission in spec.permissions:
        target = builder.place(permission.object)
        if target in builder.copies:
            _for_file(permission, target, builder)
        elif target in builder.folders or os.path.isdir(target):
            for path in matches(permission, target, builder):
                _set(permission, path, builder)


def matches(permission: Permission, folder: str, builder: Builder) -> List[str]:
    """What of this deployment lies below the folder (not the folder itself) and fits: files first, then folders."""
    found: List[str] = []
    for kind, paths in (("file", builder.copies), ("directory", builder.folders)):
        if kind in permission.types:
            found += [path for path in paths if _fits(path, folder, permission)]
    if any(is_default(acl) for acl in permission.acls) and any(path in builder.copies for path in found):
        raise EventFailed(
            "The deployment failed because the -d parameter has been specified to apply an acl setting to a file. This "
            "parameter is supported for directories only. Update the AppSpec file, and then try again."
        )
    return found


def _fits(path: str, folder: str, permission: Permission) -> bool:
    base = folder.rstrip("/") + "/"
    if not path.startswith(base):
        return False
    name = path[len(base) :]
    wanted = permission.pattern == "**" or glob(name, permission.pattern)
    return wanted and not any(glob(name, pattern) for pattern in permission.excepted)


def glob(name: str, pattern: str) -> bool:
    """Does a name fit? ``*`` stands for anything but what lies deeper; no other character is special."""
    import re

    if "/" in name:
        return False
    plain = pattern.replace("[", "[[]").replace("?", "[?]")
    return re.match(translate(plain), name) is not None


def _for_file(permission: Permission, path: str, builder: Builder) -> None:
    if "file" not in permission.types:
        return
    if permission.pattern != "**":
        raise EventFailed(
            f"The deployment failed because the application specification file includes an object ({permission.object}) with "
            f"an invalid pattern ({permission.pattern}), such as a pattern for a file applied to a directory. Correct the "
            "permissions section of the AppSpec file, and then try again."
        )
    if permission.excepted:
        raise EventFailed(
            "The deployment failed because the except parameter for a pattern in the permissions section "
            f"({json.dumps(permission.excepted)}) for the object named {permission.object} contains an invalid format. Update "
            "the AppSpec file, and then try again."
        )
    _set(permission, path, builder)


def _set(permission: Permission, path: str, builder: Builder) -> None:
    if path in builder.permitted:
        raise EventFailed(
            f"The deployment failed because the permissions setting for ({path}) is specified more than once in the "
            "application specification file. Update the files section of the AppSpec file, and then try again."
        )
    builder.permitted[path] = None
    if permission.mode:
        builder.steps.append(Instruction("chmod", path, value=permission.mode))
    if permission.acls:
        builder.steps.append(Instruction("setfacl", path, value=",".join(permission.acls)))
    if permission.context:
        builder.steps.append(Instruction("semanage", path, value=":".join(permission.context)))
    if permission.owner or permission.group:
        builder.steps.append(Instruction("chown", path, value=f"{permission.owner}:{permission.group}"))


def is_default(acl: str) -> bool:
    """Is it an entry for what will be made in a folder later?"""
    return acl.startswith(("d:", "default:"))
