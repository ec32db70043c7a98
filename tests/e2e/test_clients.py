"""Real clients hand a PDF in, with AUTH and over TLS; and the certificate of the running gateway is changed."""

from __future__ import annotations

import email
import email.policy
import json
import re
import signal
import smtplib
import socket
import ssl
import subprocess
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import argon2
import pytest

from gateway import resources
from tests.certificates import Authority, authority
from tests.e2e.gateway import Gateway, until
from tests.e2e.programs import lacking, needs, run

INTEROP = Path(__file__).resolve().parents[1] / "interop"
PAGE = resources.read_bytes("samples/invoice-papeterie.pdf")
NUMBER, CUSTOMER = "0020881", "kund@kopare.example"
EXTRA = """
[[listener]]
address = "127.0.0.1:0"
tls = "starttls"
certificate = "cert.pem"
key = "key.pem"

[[listener]]
address = "127.0.0.1:0"
tls = "implicit"
certificate = "cert.pem"
key = "key.pem"

[[source]]
name = "sap"
match = {{ user = "sap" }}
password_hash = "{hashed}"
plain_auth = {{ reason = "a client of the tests without TLS", expires = 2999-12-31 }}
"""


class Door:
    """A gateway with its certificate authority, and the ports of its listeners."""

    def __init__(self, gateway: Gateway, ca: Authority) -> None:
        self.gateway = gateway
        self.ca = ca
        self.clear, self.starttls, self.implicit = (each["port"] for each in gateway.cli("status")["listeners"])
        self.sources: set[str] = set()
        self._seen: set[bytes] = set()

    def mail(self, name: str) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "erp@seller.example", "x@gateway.example", name
        message.set_content(f"handed in by {name}")
        message.add_attachment(PAGE, maintype="application", subtype="pdf", filename=f"{name}.pdf")
        return message

    def file(self, name: str) -> Path:
        file = self.gateway.folder / f"{name}.eml"
        file.write_bytes(self.mail(name).as_bytes().replace(b"\n", b"\r\n"))
        return file

    def page(self) -> Path:
        file = self.gateway.folder / "page.pdf"
        file.write_bytes(PAGE)
        return file

    def delivered(self, source: str = "sap") -> None:
        """One more PDF has gone out, to the customer alone and byte for byte as it was handed in, by the user of
        `source` or from its network."""
        self.sources.add(source)
        (new,) = until(lambda: set(self.gateway.captured()) - self._seen, 10.0)
        self._seen.add(new)
        message = email.message_from_bytes(new, policy=email.policy.default)
        assert (message["Delivered-To"], message["To"]) == (CUSTOMER, CUSTOMER)
        assert [part.get_payload(decode=True) for part in message.walk() if part.get_filename()] == [PAGE]
        assert {each["source"] for each in self.gateway.documents()} == self.sources


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("clients")
    ca = authority(folder)
    hashed = argon2.PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1).hash("secret")
    running = Gateway(folder / "gateway", extra=EXTRA.format(hashed=hashed))
    ca.server_files(running.folder, "127.0.0.1")
    try:
        running.start()
        running.cli("recipients", "add", "--number", NUMBER, "--email", CUSTOMER)
        yield Door(running, ca)
        running.stop()
    finally:
        running.end()


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_smtplib(door: Door, tls: str) -> None:
    context = door.ca.client_context()
    if tls == "implicit":
        client: smtplib.SMTP = smtplib.SMTP_SSL("127.0.0.1", door.implicit, context=context, timeout=30)
    else:
        client = smtplib.SMTP("127.0.0.1", door.starttls, timeout=30)
        client.starttls(context=context)
    with client:
        client.login("sap", "secret")
        client.send_message(door.mail(f"smtplib-{tls}"))
    door.delivered()


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_curl(door: Door, tls: str, mechanism: str) -> None:
    needs("curl")
    place = f"smtps://127.0.0.1:{door.implicit}" if tls == "implicit" else f"smtp://127.0.0.1:{door.starttls}"
    run(
        "curl", "-sS", "--ssl-reqd", "--cacert", door.ca.file, "--user", "sap:secret",
        "--login-options", f"AUTH={mechanism}", "--mail-from", "erp@seller.example",
        "--mail-rcpt", "x@gateway.example", "--upload-file", door.file(f"curl-{tls}-{mechanism}"), place,
    )  # fmt: skip
    door.delivered()


@pytest.mark.parametrize(("tls", "mechanism"), [("starttls", "PLAIN"), ("starttls", "LOGIN"), ("implicit", "PLAIN")])
def test_swaks(door: Door, tls: str, mechanism: str) -> None:
    needs("swaks")
    if "=== TLS supported" not in run("swaks", "--support"):
        lacking("swaks speaks no TLS here: Debian's libnet-ssleay-perl is not installed")
    way = ("--tls-on-connect", door.implicit) if tls == "implicit" else ("--tls", door.starttls)
    run(
        "swaks", way[0], "--server", f"127.0.0.1:{way[1]}", "--tls-verify", "--tls-ca-path", door.ca.file,
        "--auth", mechanism, "--auth-user", "sap", "--auth-password", "secret", "--from", "erp@seller.example",
        "--to", "x@gateway.example", "--data", door.file(f"swaks-{tls}-{mechanism}"),
    )  # fmt: skip
    door.delivered()


@pytest.mark.parametrize(("tls", "mechanism"), [("starttls", "plain"), ("starttls", "login"), ("implicit", "plain")])
def test_msmtp(door: Door, tls: str, mechanism: str) -> None:
    needs("msmtp")
    start, port = ("off", door.implicit) if tls == "implicit" else ("on", door.starttls)
    run(
        "msmtp", "--host=127.0.0.1", f"--port={port}", "--tls=on", f"--tls-starttls={start}",
        f"--tls-trust-file={door.ca.file}", f"--auth={mechanism}", "--user=sap", "--passwordeval=echo secret",
        "--from=erp@seller.example", "x@gateway.example", stdin=door.mail(f"msmtp-{tls}-{mechanism}").as_bytes(),
    )  # fmt: skip
    door.delivered()


def test_smtp_source(door: Door) -> None:
    """Postfix's load generator knows neither TLS nor AUTH: it is let in by its network."""
    file = door.gateway.folder / "smtp-source.eml"
    file.write_bytes(door.mail("smtp-source").as_bytes())
    run(
        needs("smtp-source"), "-m", "1", "-s", "1", "-f", "erp@seller.example", "-t", "x@gateway.example",
        "-F", file, f"127.0.0.1:{door.clear}",
    )  # fmt: skip
    door.delivered("local")


NODE = """
const [port, secure, pdf] = process.argv.slice(2);
const transport = require('nodemailer').createTransport({
  host: '127.0.0.1', port: Number(port), secure: secure === 'implicit', requireTLS: true,
  auth: { user: 'sap', pass: 'secret' }, tls: { ca: require('fs').readFileSync(process.argv[5]) },
});
transport.sendMail({ from: 'erp@seller.example', to: 'x@gateway.example', subject: 'node', text: secure,
  attachments: [{ filename: 'node.pdf', path: pdf }] }).catch((error) => { console.error(error); process.exit(1); });
"""


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_nodemailer(door: Door, tls: str) -> None:
    needs("node")
    if not (INTEROP / "node_modules" / "nodemailer").is_dir():
        lacking("nodemailer is not installed: npm ci in tests/interop")
    port = door.implicit if tls == "implicit" else door.starttls
    run("node", "-e", NODE, "node", str(port), tls, door.page(), door.ca.file, folder=INTEROP)
    door.delivered()


RELAY_SCRIPT = Path("/usr/share/nmap/scripts/smtp-open-relay.nse")
RELAYED = Path(__file__).resolve().parents[1] / "conversations" / "relay-listed.smtp"
PHPMAILER = Path("/usr/share/php/libphp-phpmailer/autoload.php")
PHP = """
[, $library, $port, $secure, $mechanism, $page, $authority] = $argv;
require $library;
$mail = new PHPMailer\\PHPMailer\\PHPMailer(true);
$mail->isSMTP();
$mail->Host = '127.0.0.1';
$mail->Port = (int) $port;
$mail->SMTPSecure = $secure;
$mail->SMTPOptions = ['ssl' => ['cafile' => $authority]];
$mail->SMTPAuth = true;
$mail->AuthType = $mechanism;
$mail->Username = 'sap';
$mail->Password = 'secret';
$mail->CharSet = 'utf-8';
$mail->setFrom('erp@seller.example', 'Été');
$mail->addAddress('x@gateway.example');
$mail->Subject = 'PHP';
$mail->Body = $mechanism;
$mail->addAttachment($page, 'php.pdf');
$mail->send();
"""


@pytest.mark.parametrize(("tls", "mechanism"), [("tls", "PLAIN"), ("tls", "LOGIN"), ("ssl", "LOGIN")])
def test_phpmailer(door: Door, tls: str, mechanism: str) -> None:
    needs("php")
    if not PHPMAILER.is_file():
        lacking("PHPMailer is not installed: Debian's libphp-phpmailer")
    port = door.implicit if tls == "ssl" else door.starttls
    run("php", "-r", PHP, "--", PHPMAILER, str(port), tls, mechanism, door.page(), door.ca.file)
    door.delivered()


def test_a_wrong_password_hands_nothing_in(door: Door) -> None:
    with (
        smtplib.SMTP_SSL("127.0.0.1", door.implicit, context=door.ca.client_context(), timeout=30) as client,
        pytest.raises(smtplib.SMTPAuthenticationError),
    ):
        client.login("sap", "sceret")
    assert "wrong password" in door.gateway.text()
    assert "sceret" not in door.gateway.text()


def test_openssl_finds_no_weak_version(door: Door) -> None:
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = door.ca.client_context()
        context.minimum_version = context.maximum_version = version
        with socket.create_connection(("127.0.0.1", door.implicit), timeout=10) as raw:
            context.wrap_socket(raw, server_hostname="127.0.0.1").close()
    needs("openssl")
    for version in ("-tls1", "-tls1_1"):
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{door.implicit}", version, "-cipher", "ALL:@SECLEVEL=0"],
            input=b"", capture_output=True, timeout=30,
        )  # fmt: skip
        assert done.returncode != 0, done.stdout


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_testssl_finds_no_weak_version(door: Door, tmp_path: Path, tls: str) -> None:
    program = needs("testssl", "testssl.sh")
    way = ["-t", "smtp", f"127.0.0.1:{door.starttls}"] if tls == "starttls" else [f"127.0.0.1:{door.implicit}"]
    found = tmp_path / "found.json"
    run(
        program, "--quiet", "--color", "0", "--warnings", "batch", "--nodns", "none", "--jsonfile", found, "-p", *way,
        folder=tmp_path,
    )  # fmt: skip
    versions = {each["id"]: (each["severity"], each["finding"]) for each in json.loads(found.read_text())}
    for weak in ("SSLv2", "SSLv3", "TLS1", "TLS1_1"):
        assert versions[weak][0] in ("OK", "INFO"), versions
        assert versions[weak][1].startswith("not offered"), versions
    for strong in ("TLS1_2", "TLS1_3"):
        assert versions[strong][1].startswith("offered"), versions


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that relays to whom the envelope names, at whose door users may log in; no source lists us."""
    user = EXTRA[EXTRA.index("[[source]]") :].format(hashed=argon2.PasswordHasher(1, 8, 1).hash("secret"))
    running = Gateway(tmp_path_factory.mktemp("stranger") / "gateway", recipients="envelope", extra=user)
    running.file.write_text(running.file.read_text().replace("127.0.0.0/8", "127.0.0.9/32"))
    try:
        running.start()
        yield running
        assert running.cli("status")["documents"]["sent"] == 0
        assert running.captured() == []
        running.stop()
    finally:
        running.end()


def nmap(gateway: Gateway, script: str | Path) -> str:
    """What a script of nmap says of the gateway, with all that went over the wire."""
    return run("nmap", "-Pn", "-n", "-p", str(gateway.port), "--script-trace", "--script", f"+{script}", "127.0.0.1")


def test_nmap_finds_no_open_relay(stranger: Gateway) -> None:
    needs("nmap")
    said = nmap(stranger, "smtp-open-relay")
    assert "Server isn't an open relay, authentication needed" in said, said


def test_nmap_finds_no_open_relay_in_any_of_its_sixteen_ways(stranger: Gateway, tmp_path: Path) -> None:
    """Its script gives up when it is asked to log in; one that does not is refused sixteen times."""
    needs("nmap")
    if not RELAY_SCRIPT.is_file():
        lacking("nmap's scripts are not where Debian has them")
    stubborn = tmp_path / "smtp-open-relay.nse"
    stubborn.write_text(RELAY_SCRIPT.read_text().replace('string.match(response, "530")', "false"))
    said = nmap(stranger, stubborn)
    assert "Server doesn't seem to be an open relay, all tests failed" in said, said
    assert len(re.findall(r"(?m)^.*MAIL FROM:<", said)) == 16, said


def test_whom_a_listed_client_names_gets_nothing(door: Door) -> None:
    """The addresses of a relay test, RCPT for RCPT taken as they are: the document alone says who gets it."""
    named = [line[3:].partition(":")[2] for line in RELAYED.read_text().splitlines() if line.startswith("C: RCPT TO:")]
    assert len(named) == 13  # the first four of the sixteen ways differ in MAIL only
    with smtplib.SMTP("127.0.0.1", door.clear, timeout=30) as client:
        client.ehlo()
        assert client.docmd("MAIL FROM:<erp@seller.example>")[0] == 250
        assert {client.docmd(f"RCPT TO:{address}")[0] for address in named} == {250, 553}
        assert client.data(door.mail("named").as_bytes())[0] == 250
    door.delivered("local")


def serial(door: Door) -> str:
    with (
        socket.create_connection(("127.0.0.1", door.implicit), timeout=10) as raw,
        door.ca.client_context().wrap_socket(raw, server_hostname="127.0.0.1") as secured,
    ):
        certificate = secured.getpeercert()
        assert certificate is not None
        return str(certificate["serialNumber"])


def test_sighup_reads_the_certificates_again(door: Door) -> None:
    before = serial(door)
    door.ca.server_files(door.gateway.folder, "127.0.0.1")
    assert serial(door) == before
    assert door.gateway.process is not None
    door.gateway.process.send_signal(signal.SIGHUP)
    until(lambda: serial(door) != before)


def test_sources_list_shows_what_the_clients_did(door: Door) -> None:
    with smtplib.SMTP("127.0.0.1", door.clear, timeout=30) as client:
        client.login("sap", "secret")
        client.sendmail("erp@seller.example", "x@gateway.example", b"Subject: none\r\n\r\nno document\r\n")
    (sap,) = [source for source in door.gateway.cli("sources", "list") if source["name"] == "sap"]
    (quirk,) = [quirk for quirk in sap["quirks"] if quirk["name"] == "auth_in_clear"]
    assert quirk["count"] >= 1
    assert [relaxation["name"] for relaxation in sap["relaxations"]] == ["plain_auth"]
    assert f"auth_in_clear {quirk['count']} ({quirk['last_seen'][:10]})" in door.gateway.run("sources", "list").stdout
