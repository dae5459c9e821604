"""The clusters that a user knows by name."""

import pytest

from farm.cluster.jobs.profiles import Profile, load_profiles
from farm.errors import BadInput

FILE = """
default: studio
clusters:
  studio: {url: "http://localhost:8265", out: "s3://data", environment: {AWS_REGION: eu-central-1}}
  home: {url: "http://10.0.0.7", allow_plain_token: true}
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "clusters.yaml"
    monkeypatch.setenv("DIGIDOUBLE_CLUSTERS", str(path))
    return path


def test_profiles_are_found_by_name_and_by_default(file):
    file.write_text(FILE)
    profiles = load_profiles()
    assert profiles.find(None).out == "s3://data"
    assert profiles.find("home").allow_plain_token
    assert profiles.find("http://other:1").url == "http://other:1"
    assert profiles.find("localhost") == Profile(url="localhost")
    with pytest.raises(BadInput, match="no cluster 'studoi'.*did you mean 'studio'"):
        profiles.find("studoi")


def test_no_file_is_no_profiles(file):
    assert load_profiles().clusters == {}
    with pytest.raises(BadInput, match="which cluster"):
        load_profiles().find(None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("clusters: {a: {url: x, token: hush}}", "clusters.a.token: no secrets in this file"),
        ("clusters: {a: {url: x, auth_token: hush}}", "no secrets"),
        ("clusters: {a: {ulr: x, url: x}}", "unknown key 'clusters.a.ulr'; did you mean 'url'"),
        ("clusters: {a: {}}", "clusters.a.url: field required"),
        ("clusters: [", "not valid YAML"),
    ],
)
def test_a_wrong_file_is_one_line(file, text, reason):
    file.write_text(text)
    with pytest.raises(BadInput, match=reason) as caught:
        load_profiles()
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "hush" not in str(caught.value)
