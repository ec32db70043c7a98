"""The configuration file: every mistake is one sentence, every key is explained, every path has one meaning."""

from __future__ import annotations

import ast
import os
import re
import shutil
from pathlib import Path

import pytest

from gateway import cli, config
from gateway.config import regexes
from gateway.errors import ConfigError
from gateway.model import Pattern

ROOT = Path(__file__).resolve().parents[2]
CASES = sorted((ROOT / "tests" / "bad_config").iterdir())
_PRIVATE = {"key-no-pem"}  # cases whose files are not readable to others: the fault is another


def written(folder: Path, text: str) -> Path:
    file = folder / "gateway.toml"
    file.write_text(text, encoding="utf-8")
    return file


# --- mistakes ---


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_mistake_is_one_sentence(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(case, tmp_path / "c")
    for file in folder.iterdir():
        file.chmod(0o600 if case.name.partition("-")[2] in _PRIVATE else 0o644)
    monkeypatch.chdir(folder)
    assert cli.main(["-c", "gateway.toml", "check"]) == 1
    said = capsys.readouterr().err.replace(f"{folder}/", "")
    assert said == (case / "expected-error").read_text(encoding="utf-8")


def refusals(module: str) -> list[str]:
    """The longest fixed piece of every text in the code of `module` that is long enough to be a sentence."""
    tree = ast.parse((ROOT / "gateway" / "config" / f"{module}.py").read_text(encoding="utf-8"))
    pieces = []
    for call in ast.walk(tree):
        if isinstance(call, ast.Raise | ast.Return | ast.Assign) or (
            isinstance(call, ast.Call) and getattr(call.func, "attr", "") in ("fail", "append")
        ):
            for text in ast.walk(call):
                if isinstance(text, ast.JoinedStr):
                    fixed = [part.value for part in text.values if isinstance(part, ast.Constant)]
                    pieces.append(max(fixed, key=len, default=""))
    return [piece.strip() for piece in pieces if " " in piece.strip()]


def test_every_refusal_has_a_case() -> None:
    shown = "\n".join((case / "expected-error").read_text(encoding="utf-8") for case in CASES)
    modules = ("loading", "keeping", "relaying", "doors", "mails", "table", "files", "regexes")
    found = [piece for module in modules for piece in refusals(module)]
    assert len(found) > 40
    elsewhere = {"is not ours to read and write."}  # root may read everything, so this one is shown below
    assert {piece for piece in found if piece not in shown} == elsewhere


def test_without_any_file_the_sentence_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GATEWAY_CONFIG", raising=False)
    if Path("/etc/gateway/gateway.toml").exists():
        pytest.skip("this machine has a gateway")
    with pytest.raises(ConfigError, match="make one with: gateway init DIR"):
        config.find()


# --- finding ---


def test_option_then_environment_then_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf").mkdir()
    written(tmp_path / "conf", "")
    monkeypatch.setenv("GATEWAY_CONFIG", "/env/gateway.toml")
    assert config.find("/opt/g.toml") == Path("/opt/g.toml")
    assert config.find(None) == Path("/env/gateway.toml")
    monkeypatch.delenv("GATEWAY_CONFIG")
    assert config.find(None) == Path("conf/gateway.toml")
    assert config.load().file == tmp_path / "conf" / "gateway.toml"


# --- what a right file means ---


def test_paths_start_at_the_files_folder_wherever_we_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "etc").mkdir()
    written(
        tmp_path / "etc",
        """
        [gateway]
        database = "sqlite:../lib/gateway.db"
        admin_socket = "/run/gateway/admin.sock"
        [dkim]
        keys = [{ selector = "GW1", file = "keys/gw1.pem" }]
        [[source]]
        name = "scanner"
        match = { folder = "drop/../scans/" }
        [relay]
        password_file = "p"
        user = "u"
        """,
    )
    monkeypatch.chdir(tmp_path)
    loaded = config.load(Path("etc/gateway.toml"))
    etc = tmp_path / "etc"
    assert loaded.file == etc / "gateway.toml"
    assert loaded.gateway.database == f"sqlite:{etc}/../lib/gateway.db"
    assert loaded.gateway.admin_socket == Path("/run/gateway/admin.sock")
    assert loaded.dkim == (config.DkimKey(selector="gw1", file=etc / "keys/gw1.pem"),)
    assert loaded.sources[0].folder == etc / "scans"
    assert loaded.relay.password_file == etc / "p"
    assert loaded.relay.directory == etc / "var/outbox"


def test_an_empty_file_has_the_defaults(tmp_path: Path) -> None:
    loaded = config.load(written(tmp_path, ""))
    assert loaded.gateway == config.Gateway(
        database=f"sqlite:{tmp_path}/var/gateway.db",
        admin_socket=tmp_path / "var/admin.sock",
        pages=tmp_path / "pages",
    )
    assert loaded.sender == config.Sender(domain="pageroonline.com", default_prefix="noreply")
    assert (loaded.dkim, loaded.listeners, loaded.sources) == ((), (), ())
    assert loaded.relay == config.Relay(directory=tmp_path / "var/outbox")


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("127.0.0.1:2525", "127.0.0.1", 2525), ("[::1]:0", "::1", 0), ("localhost:25", "localhost", 25)],
)
def test_addresses_of_listeners(tmp_path: Path, text: str, host: str, port: int) -> None:
    loaded = config.load(written(tmp_path, f'[[listener]]\naddress = "{text}"\n'))
    assert (loaded.listeners[0].host, loaded.listeners[0].port) == (host, port)


def test_two_listeners_may_both_take_any_port(tmp_path: Path) -> None:
    text = '[[listener]]\naddress = "127.0.0.1:0"\n' * 2
    assert len(config.load(written(tmp_path, text)).listeners) == 2


@pytest.mark.parametrize(
    ("text", "size"),
    [('"50MiB"', 50 << 20), ('"50 MB"', 50_000_000), ('"2048"', 2048), ("4096", 4096), ('"64kib"', 65536)],
)
def test_sizes(tmp_path: Path, text: str, size: int) -> None:
    assert config.load(written(tmp_path, f"[[listener]]\nmax_size = {text}\n")).listeners[0].max_size == size


def test_sources(tmp_path: Path) -> None:
    loaded = config.load(
        written(
            tmp_path,
            r"""
            [[source]]
            name = "erp"
            company = "Nordwind AB"
            match = { networks = ["10.0.0.0/8", "::1", "192.0.2.7"] }
            recipients = "envelope"
            duplicates = "accept"
            max_connections = 7

            [[source]]
            name = "scanner"
            match.folder = "drop"
            stable = 0.5
            trigger = [".OK", ".trg"]
            max_size = "1MiB"
            file_name = '(?P<type>[a-z]+)_(?P<customer_number>\d+)'
            [source.fields]
            customer_number = { label = ["Kundnummer", "Kundnr"], page = -1, area = [1, 2, 3.5, 4] }
            number = [{ regex = 'Faktura\s+(\d+)' }, { label = "Nr" }, { area = [1, 2, 3, 4] }]
            """,
        )
    )
    erp, scanner = loaded.sources
    assert erp == config.Source(
        name="erp",
        company="Nordwind AB",
        networks=("10.0.0.0/8", "::1/128", "192.0.2.7/32"),
        recipients="envelope",
        duplicates="accept",
        max_connections=7,
    )
    assert scanner == config.Source(
        name="scanner",
        folder=tmp_path / "drop",
        stable=0.5,
        trigger=(".ok", ".trg"),
        max_size=1 << 20,
        file_name=r"(?P<type>[a-z]+)_(?P<customer_number>\d+)",
        patterns=(
            Pattern(field="customer_number", label=("Kundnummer", "Kundnr"), page=-1, area=(1, 2, 3.5, 4)),
            Pattern(field="number", regex=r"Faktura\s+(\d+)"),
            Pattern(field="number", label=("Nr",)),
            Pattern(field="number", area=(1, 2, 3, 4)),
        ),
    )


def test_retention(tmp_path: Path) -> None:
    kept = config.load(written(tmp_path, "")).retention
    assert kept == config.Retention(content_days=90, rows_days=400, done_days=90)
    text = "[retention]\ncontent_days = 30\nrows_days = 0\ndone_days = 7\n"
    kept = config.load(written(tmp_path, text)).retention
    assert kept == config.Retention(content_days=30, rows_days=0, done_days=7)


def test_a_network_inside_another_sources_is_no_mistake(tmp_path: Path) -> None:
    text = "".join(
        f'[[source]]\nname = "{name}"\nmatch = {{ networks = ["{network}"] }}\n'
        for name, network in (("all", "10.0.0.0/8"), ("sap", "10.1.0.0/16"))
    )
    assert len(config.load(written(tmp_path, text)).sources) == 2


@pytest.mark.parametrize("host", ["smtp://127.0.0.1:2525", "smtp://[::1]:2525", "smtp://localhost"])
def test_a_password_may_go_in_clear_within_the_machine(tmp_path: Path, host: str) -> None:
    text = f'[relay]\nmode = "smarthost"\nhost = "{host}"\ntls = "none"\nuser = "u"\npassword_file = "p"\n'
    assert config.load(written(tmp_path, text)).relay.user == "u"


# --- regular expressions ---


@pytest.mark.parametrize(
    "pattern",
    [
        r"(\d{1,30})",
        r"Nr[.:]?\s*(\S+)",
        r"(?:INV|CR)-?(\d+)",
        r"([A-Z]{2}\d+)(?:-\d+)?",
        r"[+*]+(\p{L}+)",
        r"\((\d+)\)",
    ],
)
def test_ordinary_expressions_are_good(pattern: str) -> None:
    assert regexes.check(pattern)[0] == 1 + ("(?:" not in pattern and pattern.count("(") > 2)


@pytest.mark.parametrize(
    "pattern",
    [r"(a+)+", r"(?:a*)*b(c)", r"((?:\w+\s*)+):", r"(x|xy)*", r"((a{2,}){50})", r"(?:(?:a+)b)+(c)", r"(\d+)*?"],
)
def test_expressions_that_may_take_for_ever_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="for ever"):
        regexes.check(pattern)


# --- files ---


def test_files_that_only_we_can_read_are_good(tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    for name in ("gw1.pem", "password"):
        (tmp_path / name).touch(0o600)
    loaded = config.load(
        written(
            tmp_path,
            """
            dkim.keys = [{ selector = "gw1", file = "gw1.pem" }]
            [[source]]
            name = "d"
            match = { folder = "drop" }
            [relay]
            user = "u"
            password_file = "password"
            """,
        )
    )
    assert config.check_files(loaded) == []
    assert config.check_keys(loaded) == []
    (tmp_path / "gw1.pem").chmod(0o640)  # root:gateway, as a package would have it
    assert config.check_files(loaded) == []


def test_a_missing_key_does_not_forbid_to_start(tmp_path: Path) -> None:
    loaded = config.load(written(tmp_path, 'dkim.keys = [{ selector = "gw1", file = "gw1.pem" }]\n'))
    assert config.check_files(loaded) == []
    assert len(config.check_keys(loaded)) == 1


def test_a_drop_folder_of_others_forbids_to_start(tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir(mode=0)
    loaded = config.load(written(tmp_path, '[[source]]\nname = "d"\nmatch = { folder = "drop" }\n'))
    before = os.geteuid()
    try:
        os.seteuid(before or 65534)  # root may read everything
        assert config.check_files(loaded) == [f'source "d": the folder {tmp_path}/drop is not ours to read and write.']
    finally:
        os.seteuid(before)


def test_embedded_defaults_need_no_file(tmp_path: Path) -> None:
    made = config.embedded_defaults(tmp_path)
    assert made.file is None
    assert made.gateway.database == f"sqlite:{tmp_path}/gateway.db"
    assert [(listener.host, listener.port) for listener in made.listeners] == [("127.0.0.1", 2525)]
    assert [(source.name, source.networks, source.folder) for source in made.sources] == [
        ("local", ("127.0.0.0/8", "::1/128"), None),
        ("dropbox", (), tmp_path / "drop"),
    ]
    assert (made.relay.mode, made.relay.directory) == ("capture", tmp_path / "outbox")
    assert [key.selector for key in made.dkim] == ["gw1", "gw2"]


# --- what is written about it ---


def keys_of(table: str) -> list[str]:
    return [key for key in config.KEYS[table] if table or key]


def uncommented(text: str) -> str:
    return re.sub(r"(?m)^#(?=[a-z_]+ =|\[)", "", text).replace("keys = []\n", "")


def test_the_shipped_file_is_right_as_it_stands_and_with_every_comment_taken_away(tmp_path: Path) -> None:
    text = (ROOT / "conf" / "gateway.toml").read_text(encoding="utf-8")
    assert config.load(written(tmp_path, text)).sources[0].name == "local"
    full = config.load(written(tmp_path, uncommented(text)))
    assert [source.name for source in full.sources] == ["local", "sap", "scanner"]
    assert (len(full.sources[2].patterns), full.relay.user) == (8, "gateway")
    bare = config.load(written(tmp_path, ""))
    assert (full.gateway, full.sender) == (bare.gateway, bare.sender)  # what is commented out are the defaults
    assert full.listeners[0] == config.Listener()


def test_every_key_stands_in_the_shipped_file() -> None:
    text = (ROOT / "conf" / "gateway.toml").read_text(encoding="utf-8")
    for table in config.KEYS:
        for key in keys_of(table):
            assert re.search(rf"(?m)(^|[{{,] ?|^\[+(source\.)?){key}( =|\])", uncommented(text)), f"{table}.{key}"


def test_every_key_is_documented() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    for table in config.KEYS:
        heading = {"dkim.keys": "dkim", "source.match": "source", "source.plain_auth": "source"}.get(table, table)
        if not heading:
            continue
        name = "source.fields" if heading.startswith("source.fields") else heading
        part = text.split(f"## `[{name}]`")[-1].split(f"## `[[{name}]]`")[-1].split("\n## ")[0]
        for key in keys_of(table):
            assert f"`{key}`" in part, f"{table}.{key}"
