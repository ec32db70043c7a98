"""`gateway convert FILE --to FORMAT -o OUT`: write a file in another format, without a daemon."""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from gateway.cli import Context, read_file
from gateway.cli.text import print_json, print_text
from gateway.errors import Refused, Unconvertible
from gateway.formats import checking

if TYPE_CHECKING:
    from gateway.cli import Commands

_SECONDS = 60.0  # for one file


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("convert", help="write a file in another format")
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--to", required=True, metavar="FORMAT", help="a name that `gateway formats list` shows")
    parser.add_argument("-o", "--output", required=True, metavar="OUT", help="- is standard output")
    parser.add_argument("--language", default="", metavar="LANG", help="en, fr, de or sv; default: the document's")
    parser.add_argument("--pages", metavar="DIR", type=Path, help="a folder with a page template of your own")
    parser.set_defaults(run=run_convert)


def run_convert(context: Context, args: argparse.Namespace) -> int:
    """Read FILE in a worker process, as the daemon does, and write OUT whole or not at all."""
    content = read_file(args.file)
    made, data = asyncio.run(_convert(Path(args.file).name, args.to, args.language, _folder(args.pages), content))
    for note in made["notes"]:
        print(f"gateway: {note}", file=sys.stderr)
    if args.output == "-":
        sys.stdout.buffer.write(data)
        return 0
    write_file(Path(args.output), data)
    facts = {"file": args.output, "media_type": str(made["media_type"]), "size": len(data)}
    if context.json:
        print_json(facts)
    else:
        print_text(f"{args.output}: {facts['media_type']}, {len(data)} bytes")
    return 0


async def _convert(name: str, target: str, language: str, pages: str, content: bytes) -> tuple[Any, bytes]:
    """What the job says and gives; its notes end with how that was checked, if it was written and not passed on."""
    options = {"now": dt.datetime.now(dt.UTC).isoformat(), "pages": pages}
    made, data = await _in_worker("convert", name, target, language, options, blob=content)
    found = checking.unchecked(target)
    if data != content and found.unchecked and checking.is_possible():
        said, _ = await _in_worker("check", target, blob=data, memory=checking.SPACE)
        found = msgspec.convert(said, checking.Check)
    if found.broken:
        rule, text = found.broken[0]
        raise Unconvertible(rule, f"What was written as {target} breaks {rule}: {text}")
    if data != content and found.sentence():
        made["notes"].append(found.sentence())
    return made, data


async def _in_worker(job: str, *args: Any, blob: bytes, memory: int | None = None) -> tuple[Any, bytes]:
    from gateway.workers import Pool

    pool = Pool(1) if memory is None else Pool(1, memory=memory)
    pool.start()
    try:
        return await pool.run(f"gateway.jobs:{job}", *args, blob=blob, timeout=_SECONDS)
    finally:
        await pool.close()


def _folder(path: Path | None) -> str:
    if path is not None and not path.is_dir():
        raise Refused(f"{path} is no folder.", "pages")
    return str(path.absolute()) if path else ""


def write_file(path: Path, data: bytes) -> None:
    """Replace `path` in one step; an old file stays whole when the new one cannot be written."""
    try:
        if path.exists() and not path.is_file():  # a device or a pipe is written to, never replaced
            path.write_bytes(data)
            return
        handle, partial = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with open(handle, "wb") as file:
                file.write(data)
            os.chmod(partial, 0o666 & ~_umask())
            os.replace(partial, path)
        except BaseException:
            os.unlink(partial)
            raise
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror or error}.", "output") from error


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
