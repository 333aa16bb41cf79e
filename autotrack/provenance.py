"""Where a run comes from: command line, package versions and the state of the code.

Nothing of the environment's variables is kept: they hold secrets.
"""

from __future__ import annotations

import os
import platform
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from autotrack._version import __version__

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_COMMAND_LETTERS = 2000
_GIT_SECONDS = 0.3


def facts() -> dict[str, Any]:
    """Return host, process, command line and package versions, as far as they are known."""
    command = shlex.join(sys.orig_argv)
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "python": sys.version.split()[0],
        "argv": list(sys.argv),
        "command": command[:_COMMAND_LETTERS] + "…" * (len(command) > _COMMAND_LETTERS),
        "packages": _packages(),
    }


def _packages() -> dict[str, str]:
    versions = {"autotrack": __version__, "python": sys.version.split()[0]}
    for name in ("torch", "numpy", "torchvision"):
        version = getattr(sys.modules.get(name), "__version__", None)
        if version is not None:
            versions[name] = str(version)
    versions["platform"] = f"{platform.system()} {platform.release()} {platform.machine()}"
    return versions


def code_directory() -> Path:
    """Return where the person's code lies: the script's directory, else the working directory."""
    script = Path(sys.argv[0] if sys.argv else "").absolute()
    # a tool such as pytest or a notebook's kernel is started from where Python is installed
    installed = any(script.is_relative_to(prefix) for prefix in {sys.prefix, sys.base_prefix})
    return script.parent if script.is_file() and not installed else Path.cwd()


def commit_of(directory: Path) -> dict[str, Any]:
    """Return `commit` and `branch` ("" when detached) of the git checkout around a directory.

    Read from git's own files, without starting a process; empty where there is none, or where its
    references are kept in a way that is not known here.
    """
    try:
        git = _git_directory(directory)
        return {} if git is None else _head(git)
    except (OSError, ValueError):
        return {}


def is_dirty(directory: Path) -> bool | None:
    """Whether tracked files differ from the commit; None where git does not say so in time."""
    git = shutil.which("git")
    if git is None:
        return None
    # without locks and helpers: looking must change nothing in the person's checkout
    command = [git, "-c", "core.fsmonitor=false", "status", "--porcelain", "--untracked-files=no"]
    try:
        done = subprocess.run(  # noqa: S603 - git itself, with fixed arguments
            command,
            cwd=directory,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_GIT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return bool(done.stdout.strip())


def _git_directory(directory: Path) -> Path | None:
    for folder in (directory, *directory.parents):
        git = folder / ".git"
        if git.is_dir():
            return git
        if git.is_file():
            # a worktree or a submodule: the file says where its directory is
            _, _, place = git.read_text("utf-8").partition("gitdir: ")
            return folder / place.strip()
    return None


def _head(git: Path) -> dict[str, Any]:
    head = (git / "HEAD").read_text("utf-8").strip()
    reference = head.removeprefix("ref: ") if head.startswith("ref: ") else ""
    commit = _commit(git, reference) if reference else head
    if not _COMMIT.fullmatch(commit):
        return {}
    return {"commit": commit, "branch": reference.removeprefix("refs/heads/")}


def _commit(git: Path, reference: str) -> str:
    """Return the commit of a reference, "" where it is not found."""
    common = git / "commondir"
    shared = git / common.read_text("utf-8").strip() if common.is_file() else git
    for place in (git / reference, shared / reference):
        if place.is_file():
            return place.read_text("utf-8").strip()
    packed = shared / "packed-refs"
    if packed.is_file():
        with packed.open(encoding="utf-8") as lines:
            for line in lines:
                commit, _, name = line.strip().partition(" ")
                if name == reference:
                    return commit
    return ""
