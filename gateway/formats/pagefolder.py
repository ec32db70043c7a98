"""A company's own template of the page: `invoice.typ` in its folder, with the files beside it, set as ours is.

It sees its folder, `page.json` and our template as `builtin.typ`: no file outside, no package, no network.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from gateway.errors import Refused

MAX_FILES = 500
_FIELD = "pages"
_PLACE = re.compile(r"┌─ (.+?):(\d+):\d+")
# typst fetches packages over HTTPS whatever the folder says; workers have no network where that can be had, and
# this holds everywhere: a proxy at a port where nobody may listen (RFC 6335 §6, port 0).
_NO_NETWORK = dict.fromkeys(("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"), "http://127.0.0.1:0")
_EXCEPTIONS = ("no_proxy", "NO_PROXY")


def template(folder: Path, name: str) -> bytes | None:
    """The company's template `name` in `folder`; None when it has none.

    Refused when it cannot be read, or when something in the folder leads out of it.
    """
    file = folder / name
    if not os.path.lexists(file):
        return None
    try:
        _check_inside(folder)
        return file.read_bytes()
    except OSError as error:
        raise Refused(f"{error.filename or file} cannot be read: {error.strerror}.", _FIELD) from error


def _check_inside(folder: Path) -> None:
    home = folder.resolve()
    count = 0
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            count += 1
            path = Path(place, name)
            if count > MAX_FILES:
                raise Refused(f"{folder} has more than {MAX_FILES} files; keep there what the page needs.", _FIELD)
            if path.is_symlink() and not path.resolve().is_relative_to(home):
                raise Refused(f"{path} leads out of the folder {folder}; only what is inside it can be used.", _FIELD)


def compiled(
    compile_: Callable[..., bytes], folder: Path, name: str, own: bytes, files: Mapping[str, bytes | str]
) -> bytes:
    """What `compile_`, the method of a `typst.Compiler`, makes of the template `own`.

    Refused, with file and line, when it is broken.
    """
    import typst  # a large library that only workers need

    try:
        with _without_network():
            return compile_({**files, "main.typ": own}, root=str(folder), format="pdf", pdf_standards=["a-3b"])
    except typst.TypstError as error:
        raise Refused(_sentence(error.message, error.diagnostic, folder, name), _FIELD) from error
    except RuntimeError as error:  # what the binding itself says, such as a file that is no text
        raise Refused(f"{folder / name}: {error}.", _FIELD) from error


def _sentence(message: str, diagnostic: str, folder: Path, name: str) -> str:
    found = _PLACE.search(diagnostic)
    where = str(folder / name)
    if found:
        file = Path(found[1])
        inside = file.name if file.name == "main.typ" else os.path.relpath(file, folder) if file.is_absolute() else ""
        inside = inside or found[1].removeprefix(f"{os.path.relpath(folder)}/")
        where = f"{folder / (name if inside == 'main.typ' else inside)}, line {found[2]}"
    if message.startswith("failed to download package"):
        message = "packages cannot be fetched; copy the files into the folder"
    return f"The page's template {where}: {message.strip().rstrip('.')}."


@contextlib.contextmanager
def _without_network() -> Iterator[None]:
    """Whatever asks for a package in here is refused a connection at once."""
    before = {name: os.environ.get(name) for name in (*_NO_NETWORK, *_EXCEPTIONS)}
    try:
        for name in _EXCEPTIONS:
            os.environ.pop(name, None)
        os.environ.update(_NO_NETWORK)
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
