"""What goes wrong slowly, on real keys and certificates; only the DNS is made up."""

from __future__ import annotations

from pathlib import Path

import dns.exception
import pytest

from gateway import config, signing
from gateway.admin.health import show_health
from gateway.admin.running import Running
from gateway.store import Store
from tests.certificates import authority


@pytest.fixture
def running(store: Store, tmp_path: Path) -> Running:
    key = tmp_path / "gw1.pem"
    key.write_bytes(signing.generate("ed25519"))
    key.chmod(0o600)
    return Running(store=store, config=config.Config(dkim=(config.DkimKey(selector="gw1", file=key),)))


@pytest.mark.parametrize("state", ["published", "different", "missing", "unknown"])
async def test_dkim_record_is_compared_with_the_key(running: Running, state: str) -> None:
    (key,) = running.config.dkim
    _, value = signing.dns_record(signing.load_key(key.selector, key.file), "pageroonline.com")

    async def ask(name: str) -> str | None:
        assert name == "gw1._domainkey.pageroonline.com"
        if state == "unknown":
            raise dns.exception.Timeout
        right = value.replace("v=DKIM1; ", "v = DKIM1;t=s; ")
        return {"published": right[:-4] + " " + right[-4:], "different": "v=DKIM1; p=AAAA", "missing": None}[state]

    (found,) = (await show_health(running, ask))["dkim"]
    assert found == {"selector": "gw1", "name": "gw1._domainkey.pageroonline.com", "state": state}


async def test_key_that_cannot_be_read_is_unknown(running: Running) -> None:
    running.config.dkim[0].file.unlink()

    async def ask(name: str) -> str | None:
        raise AssertionError("nothing to compare with")

    assert (await show_health(running, ask))["dkim"][0]["state"] == "unknown"


async def test_disk_and_certificates(store: Store, tmp_path: Path) -> None:
    good, _ = authority(tmp_path).server_files(tmp_path, "gateway.example.net")
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    listeners = tuple(config.Listener(certificate=file, key=file) for file in (good, bad, good))
    found = await show_health(Running(store=store, config=config.Config(listeners=listeners)))
    assert found["certificates"] == [{"file": str(good), "days": 1}, {"file": str(bad), "days": None}]
    assert 0 < found["disk"]["free"] < found["disk"]["total"]
