"""Which clusters may be talked to, and where the token comes from."""

import os

import pytest

from farm.cluster.jobs.address import check_authentication, check_token_line, parse_address
from farm.cluster.jobs.tokens import find_token
from farm.errors import BadInput


@pytest.mark.parametrize(
    ("text", "url", "loopback"),
    [
        ("localhost", "http://localhost:8265", True),
        ("http://127.0.0.1:9000/", "http://127.0.0.1:9000", True),
        ("http://[::1]:8265", "http://[::1]:8265", True),
        ("127.3.2.1", "http://127.3.2.1:8265", True),
        ("http://10.0.0.7", "http://10.0.0.7:8265", False),
        ("https://ray.example.com/farm", "https://ray.example.com:443/farm", False),
        ("http://localhost.example.com", "http://localhost.example.com:8265", False),
        ("http://0.0.0.0", "http://0.0.0.0:8265", False),
    ],
)
def test_addresses_as_people_write_them(text, url, loopback):
    address = parse_address(text)
    assert (address.url, address.loopback) == (url, loopback)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ray://head:10001", "for Ray Client"),
        ("ftp://head", "not spoken"),
        ("http://user:secret@head", "user and password"),
        ("http://head:port", "no address"),
        ("http://", "no address"),
        ("http://head?x=1", "no address"),
    ],
)
def test_what_is_no_address_is_refused(text, reason):
    with pytest.raises(BadInput, match=reason) as caught:
        parse_address(text)
    assert "secret" not in str(caught.value)


def test_an_open_cluster_elsewhere_is_refused():
    away, here = parse_address("https://ray.example.com"), parse_address("localhost")
    with pytest.raises(BadInput, match="authentication disabled.*--allow-open-cluster"):
        check_authentication(away, "disabled")
    check_authentication(away, "disabled", allow_open_cluster=True)
    check_authentication(away, "token")
    check_authentication(here, "disabled")


def test_a_token_on_a_plain_line_is_refused():
    with pytest.raises(BadInput, match="plain HTTP.*--allow-plain-token"):
        check_token_line(parse_address("http://10.0.0.7"))
    check_token_line(parse_address("http://10.0.0.7"), allow_plain_token=True)
    check_token_line(parse_address("https://10.0.0.7"))
    check_token_line(parse_address("http://localhost:8265"))


def write_token(path, text="x" * 32, mode=0o600):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n")
    path.chmod(mode)
    return path


def test_a_token_is_looked_for_as_ray_does(tmp_path):
    usual = write_token(tmp_path / ".ray" / "auth_token", "usual")
    named = write_token(tmp_path / "named", "named")
    everything = {"RAY_AUTH_TOKEN": "said", "RAY_AUTH_TOKEN_PATH": str(named)}
    assert find_token(everything, tmp_path).value == "said"
    assert find_token({**everything, "RAY_AUTH_TOKEN": ""}, tmp_path).value == "named"
    assert find_token({}, tmp_path).value == "usual"
    usual.unlink()
    assert find_token({}, tmp_path) is None


def test_a_token_is_never_shown(tmp_path):
    token = find_token({"RAY_AUTH_TOKEN": "hush"}, tmp_path)
    assert "hush" not in f"{token!r} {token}"
    assert "RAY_AUTH_TOKEN" in repr(token)


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_a_token_that_others_can_read_is_refused(tmp_path):
    write_token(tmp_path / ".ray" / "auth_token", mode=0o640)
    with pytest.raises(BadInput, match=r"mode 0640.*chmod 600"):
        find_token({}, tmp_path)


@pytest.mark.parametrize("text", ["", "two words", "kö", "a\tb"])
def test_a_damaged_token_is_refused(tmp_path, text):
    write_token(tmp_path / "named", text)
    with pytest.raises(BadInput, match="holds no token") as caught:
        find_token({"RAY_AUTH_TOKEN_PATH": str(tmp_path / "named")}, tmp_path)
    assert not text.strip() or text not in str(caught.value)


def test_a_named_file_that_is_missing_is_an_error(tmp_path):
    with pytest.raises(BadInput, match="no such file"):
        find_token({"RAY_AUTH_TOKEN_PATH": str(tmp_path / "nowhere")}, tmp_path)
