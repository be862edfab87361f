"""Device lists: the test vector of docs/PROTOCOL.md, and that there is one encoding of each list."""

import contextlib
import json
import re
from base64 import b64decode
from hashlib import sha256
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from chat.errors import Invalid
from chat.identity.device_lists import OMITTED_MAX, check_publication
from chat.model.identity import PublicationFacts, SignedDeviceList
from chat.model.ids import DeviceId
from crypto.device_lists import BadDeviceList, DeviceList, check_signature, parse_device_list
from testing.tree import ROOT

PROTOCOL = (ROOT / "docs" / "PROTOCOL.md").read_text()
VECTORS = [json.loads(block) for block in re.findall(r"```json device list\n(.*?)\n```", PROTOCOL, re.DOTALL)]
LISTS = st.builds(
    DeviceList,
    st.uuids(),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1),
    st.dictionaries(st.integers(0, 2**64 - 1), st.binary(min_size=32, max_size=32), min_size=1, max_size=16),
)


def test_protocol_has_a_vector_of_a_device_list() -> None:
    assert VECTORS


@pytest.mark.parametrize("vector", VECTORS)
def test_device_list_of_the_protocol_is_encoded_and_signed(vector: dict[str, str | int | dict[str, str]]) -> None:
    raw = {name: b64decode(value) for name, value in vector.items() if isinstance(value, str) and name != "user"}
    devices = {int(device, 16): b64decode(key) for device, key in dict(vector["devices"]).items()}  # type: ignore[arg-type]
    found = DeviceList(UUID(str(vector["user"])), int(str(vector["counter"])), int(str(vector["not_after"])), devices)
    assert found.encode() == raw["device_list"]
    assert parse_device_list(raw["device_list"]) == found
    key = Ed25519PrivateKey.from_private_bytes(raw["account_key_seed"])
    assert key.public_key().public_bytes_raw() == raw["account_key"]
    assert key.sign(raw["device_list"]) == raw["signature"]
    check_signature(raw["account_key"], raw["device_list"], raw["signature"])


@pytest.mark.parametrize(("count", "fits"), [(0, False), (1, True), (16, True), (17, False)])
def test_device_list_has_1_to_16_devices(count: int, fits: bool) -> None:
    data = DeviceList(UUID(int=1), 1, 2, {device: bytes(32) for device in range(count)}).encode()
    with contextlib.nullcontext() if fits else pytest.raises(BadDeviceList, match="1 to 16"):
        assert len(parse_device_list(data).devices) == count


@pytest.mark.parametrize(("before", "fits"), [(OMITTED_MAX - 1, True), (OMITTED_MAX, False)])
def test_account_key_omits_at_most_1024_devices(before: int, fits: bool) -> None:
    keys = [nth.to_bytes(32) for nth in range(before + 2)]
    omitted, stays, leaves = keys[:before], keys[-1], keys[-2]
    found = DeviceList(UUID(int=1), 2, 2, {1: stays})
    facts = PublicationFacts(b"key", 1, {DeviceId(1): stays}, [stays, leaves], omitted)
    signed = SignedDeviceList(b"key", b"", b"")
    with contextlib.nullcontext() if fits else pytest.raises(Invalid, match="at most 1,024 devices"):
        check_publication(signed, found, facts, is_confirmed=False)
    same = structs.replace(facts, listed=[stays])
    check_publication(signed, found, same, is_confirmed=False)


@given(LISTS)
def test_device_list_parsed_is_the_one_encoded(one: DeviceList) -> None:
    assert parse_device_list(one.encode()) == one


@given(st.binary(max_size=800))
def test_device_list_of_any_bytes_is_refused_or_has_one_encoding(data: bytes) -> None:
    with contextlib.suppress(BadDeviceList):
        assert parse_device_list(data).encode() == data


@pytest.mark.parametrize(("key", "signature"), [(31, 64), (32, 63), (32, 65), (0, 0)])
def test_signature_of_wrong_length_or_value_is_refused(key: int, signature: int) -> None:
    with pytest.raises(BadDeviceList):
        check_signature(bytes(key), b"signed", bytes(signature))


def test_code_of_the_protocol_is_base32_with_a_checksum() -> None:
    """A second implementation of the codes; web/client/trust/secret-code.js is the first."""
    (block,) = re.findall(r"```json code\n(.*?)\n```", PROTOCOL, re.DOTALL)
    vector = json.loads(block)
    secret = b64decode(vector["secret"])
    bits = int.from_bytes(secret) << 12 | int.from_bytes(sha256(secret).digest()[:2]) >> 4
    letters = "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[bits >> shift & 31] for shift in range(135, -1, -5))
    assert vector["code"] == "-".join(re.findall(".{4}", letters))
