"""What certificates say of mirrors: made here by an issuer of our own."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from tests.authoring.conftest import change

from wallflower.campaign.edge.authoring import read_campaign
from wallflower.campaign.edge.build import packaged_page
from wallflower.campaign.edge.lint import lint
from wallflower.campaign.edge.lint_certificates import linked, not_judged, read_certificates
from wallflower.errors import Fault

LAKE, HILL = "blue-lake.example", "red-hill.test"
DAY = datetime(2026, 11, 1, tzinfo=UTC)
ISSUER = Ed25519PrivateKey.generate()


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@dataclass(frozen=True)
class Asked:
    """A certificate as somebody asked for it."""

    names: tuple[str, ...]
    key: Ed25519PrivateKey
    day: datetime = DAY
    organisation: str = ""

    def pem(self) -> bytes:
        parts = [x509.NameAttribute(NameOID.COMMON_NAME, self.names[0])]
        if self.organisation:
            parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, self.organisation))
        names = x509.SubjectAlternativeName([*map(_name, self.names)])
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name(parts))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An issuer")]))
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(self.day)
            .not_valid_after(self.day + timedelta(days=90))
            .add_extension(names, critical=False)
            .sign(ISSUER, None)
        )
        return made.public_bytes(Encoding.PEM)


ONE = Asked((LAKE,), Ed25519PrivateKey.generate())
OTHER = Asked((HILL,), Ed25519PrivateKey.generate(), DAY + timedelta(days=9))


@pytest.fixture
def mirrors(folder: Path) -> Path:
    """A campaign with two mirrors that have nothing in common."""
    change(folder, "campaign.toml", "mirrors = []", f'mirrors = ["https://{LAKE}", "{HILL}"]')
    (folder / "certificates").mkdir()
    return folder


def _found(folder: Path, asked: Sequence[Asked]) -> list[str]:
    for number, one in enumerate(asked, 1):
        (folder / "certificates" / f"{number}.pem").write_bytes(one.pem())
    authored = read_campaign(folder)
    return [what for what, _ in linked(authored, read_certificates(authored))]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ([ONE, OTHER], []),
        ([replace(ONE, names=(LAKE, HILL))], [f"1.pem is one certificate for {LAKE} and {HILL}"]),
        ([ONE, replace(OTHER, key=ONE.key)], ["1.pem and 2.pem are for one key"]),
        ([ONE, replace(OTHER, day=DAY)], ["1.pem and 2.pem come from one issuer on one day"]),
        (
            [replace(ONE, organisation="Office"), OTHER],
            ["1.pem says who it is for: Office"],
        ),
    ],
)
def test_certificates_that_lead_to_each_other_or_to_people_are_found(
    mirrors: Path, asked: list[Asked], said: list[str]
) -> None:
    assert _found(mirrors, asked) == said


def test_a_mirror_whose_certificate_nobody_put_there_is_not_judged(mirrors: Path) -> None:
    assert _found(mirrors, [ONE]) == []
    authored = read_campaign(mirrors)
    (line,) = not_judged(authored, read_certificates(authored))
    assert HILL in line


def test_a_star_in_a_certificate_is_every_mirror_right_below_it(folder: Path) -> None:
    lake, hill = f"www.{LAKE}", f"www.{HILL}"
    listed = f'mirrors = ["https://{lake}", "{hill}", "https://{LAKE}"]'
    change(folder, "campaign.toml", "mirrors = []", listed)
    (folder / "certificates").mkdir()
    both = replace(ONE, names=(f"*.{LAKE}", f"*.{HILL}"))
    assert _found(folder, [both]) == [f"1.pem is one certificate for {lake} and {hill}"]
    authored = read_campaign(folder)
    (line,) = not_judged(authored, read_certificates(authored))
    assert line.startswith(f"the certificate of {LAKE}:"), "the star is no name by itself"


def test_mirrors_without_names_are_known_by_their_addresses(folder: Path) -> None:
    ips = "192.0.2.7", "2001:db8::1"
    change(
        folder,
        "campaign.toml",
        "mirrors = []",
        f'mirrors = ["http://{ips[0]}", "http://[{ips[1]}]"]',
    )
    (folder / "certificates").mkdir()
    assert _found(folder, [replace(ONE, names=ips)]) == [
        f"1.pem is one certificate for {ips[0]} and {ips[1]}"
    ]
    authored = read_campaign(folder)
    assert list(not_judged(authored, read_certificates(authored))) == []


@pytest.mark.parametrize("bad", [b"", b"nothing", ONE.pem()[:-40]])
def test_what_is_no_certificate_is_said_with_its_name(mirrors: Path, bad: bytes) -> None:
    (mirrors / "certificates" / "bad.pem").write_bytes(bad)
    with pytest.raises(Fault, match=r"bad\.pem is no certificate"):
        read_certificates(read_campaign(mirrors))


def test_a_key_of_an_unknown_kind_is_said_with_the_name_of_its_file(mirrors: Path) -> None:
    made = x509.load_pem_x509_certificate(ONE.pem()).public_bytes(Encoding.DER)
    key = ONE.key.public_key().public_bytes_raw()
    at = made.index(key)
    # Before the key stand its kind and two bytes; the kind's last byte is another here, as GOST's.
    other = made[: at - 4] + b"\x7f" + made[at - 3 :]
    pem = f"-----BEGIN CERTIFICATE-----\n{b64encode(other).decode()}\n-----END CERTIFICATE-----"
    (mirrors / "certificates" / "gost.pem").write_text(pem)
    with pytest.raises(Fault, match=r"gost\.pem has a key or a name of a kind"):
        read_certificates(read_campaign(mirrors))


def test_a_lint_opens_each_certificate_once(mirrors: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _found(mirrors, [ONE, OTHER])
    opened: list[str] = []
    load = x509.load_pem_x509_certificates

    def counted(data: bytes) -> list[x509.Certificate]:
        opened.append("one")
        return load(data)

    monkeypatch.setattr(x509, "load_pem_x509_certificates", counted)
    report = lint(read_campaign(mirrors), packaged_page())
    assert [finding for finding in report.findings if finding.rule == "certificates"] == []
    assert len(opened) == 2
