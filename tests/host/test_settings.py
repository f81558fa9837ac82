"""A wrong configuration is a Fault that names the file and the field, and never a secret."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from wallflower.errors import Fault
from wallflower.host.settings import Settings, load_settings
from wallflower.wire.record import Pace


def settings_of(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "mix-a.toml"
    path.write_text(text, "utf-8")
    return load_settings(path)


def test_fields_tables_and_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.token").write_text("tok\n")
    (tmp_path / "record.key").write_bytes(b"\0\1\xff")
    text = 'port = 1\nkey = "record.key"\n[source]\nurl = "u"\ntoken = "a.token"\n'
    settings = settings_of(tmp_path, text)
    assert settings.get("port", int) == 1
    assert settings.table("source").get("url", str) == "u"
    assert settings.table("source").secret("token") == "tok"
    assert settings.file("key") == b"\0\1\xff"


@pytest.mark.parametrize("text", ["", 'port = "7600"', "port = 1.5", "port = []", "port = true"])
def test_a_field_that_is_missing_or_of_another_kind_is_named_with_its_file(
    tmp_path: Path, text: str
) -> None:
    with pytest.raises(Fault, match=r"mix-a\.toml has no usable 'port'"):
        settings_of(tmp_path, text).get("port", int)


@pytest.mark.parametrize("port", [-1, 0, 65536, 65536 + 7600])
def test_a_port_that_cannot_be_is_refused_and_not_taken_for_another(
    tmp_path: Path, port: int
) -> None:
    with pytest.raises(Fault, match=r"mix-a\.toml has a port that cannot be"):
        settings_of(tmp_path, f'host = "h"\nport = {port}').address()


def test_the_first_and_the_last_port_can_be(tmp_path: Path) -> None:
    for port in (1, 65535):
        assert settings_of(tmp_path, f'host = "h"\nport = {port}').address() == ("h", port)


def test_a_field_of_a_table_is_named_with_its_file(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "[source]\n")
    with pytest.raises(Fault, match=r"mix-a\.toml has no usable 'url'"):
        settings.table("source").get("url", str)
    with pytest.raises(Fault, match=r"mix-a\.toml has no usable 'board'"):
        settings.table("board")


def test_what_root_made_for_another_user_is_not_called_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(tmp_path, 'key = "record.key"\n')

    def refuse(*_: object) -> NoReturn:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(Fault, match=r"mix-a\.toml cannot be read by the user.*chown"):
        load_settings(settings.path)
    with pytest.raises(Fault, match=r"record\.key cannot be read by the user.*chown"):
        settings.file("key")


def test_a_configuration_that_is_not_there_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="wallflower new"):
        load_settings(tmp_path / "nothing.toml")


def test_broken_toml_names_the_file_and_the_line(tmp_path: Path) -> None:
    with pytest.raises(Fault, match=r"mix-a\.toml is not valid TOML \(.*line 2"):
        settings_of(tmp_path, "port = 1\nport 2\n")


def test_brackets_without_end_are_a_fault_and_no_traceback(tmp_path: Path) -> None:
    with pytest.raises(Fault, match=r"mix-a\.toml is not TOML that can be read"):
        settings_of(tmp_path, "port = " + "[" * 100_000)


def test_a_configuration_that_is_not_text_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "mix-a.toml"
    path.write_bytes(b"port = \xff\xfe")
    with pytest.raises(Fault, match=r"mix-a\.toml"):
        load_settings(path)


@pytest.mark.parametrize("end", ["", "/", "//"])
def test_an_address_has_no_slash_at_its_end_whoever_wrote_one(tmp_path: Path, end: str) -> None:
    settings = settings_of(tmp_path, f'url = "http://board.example/under{end}"')
    assert settings.url("url") == "http://board.example/under"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Fault, match=r"record\.key cannot be read"):
        settings_of(tmp_path, 'key = "record.key"').file("key")


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"caf\xc3\xa9", b"\xff\xfe", b"caf\nfee", b"caf fee", b"caf\x7f"]
)
def test_a_token_that_no_header_can_carry_is_a_fault_that_does_not_repeat_it(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "a.token").write_bytes(content)
    with pytest.raises(Fault, match=r"a\.token") as fault:
        settings_of(tmp_path, 'token = "a.token"').secret("token")
    assert "caf" not in str(fault.value)


@pytest.mark.parametrize("length", [0, 5, 31, 33])
def test_a_key_of_another_length_is_a_fault_that_names_its_file(
    tmp_path: Path, length: int
) -> None:
    (tmp_path / "drop.key").write_bytes(bytes(length))
    with pytest.raises(Fault, match=r"drop\.key is no key"):
        settings_of(tmp_path, 'drop_key = "drop.key"').seed("drop_key")
    (tmp_path / "drop.key").write_bytes(bytes(32))
    assert settings_of(tmp_path, 'drop_key = "drop.key"').seed("drop_key") == bytes(32)


def test_without_a_pace_time_is_real(tmp_path: Path) -> None:
    assert settings_of(tmp_path, "").pace() == Pace(1, 1, 0)


def test_a_pace_is_read_and_a_part_of_one_refused(tmp_path: Path) -> None:
    whole = "[pace]\ndays = 100\nhums = 60\nanchor_ms = 5\n"
    assert settings_of(tmp_path, whole).pace() == Pace(100, 60, 5)
    with pytest.raises(Fault, match="'hums'"):
        settings_of(tmp_path, "[pace]\ndays = 100\nanchor_ms = 5\n").pace()
