"""A second implementation of the safety numbers of docs/PROTOCOL.md; both agree with its test vectors."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from typing import Any

import pytest

from testing.tree import ROOT

PROTOCOL = (ROOT / "docs" / "PROTOCOL.md").read_text()
VECTORS: list[dict[str, Any]] = [
    json.loads(block) for block in re.findall(r"```json (?:account )?safety number\n(.*?)\n```", PROTOCOL, re.DOTALL)
]
SCRIPT = """
const { accountSafetyNumber, safetyNumber } = await import(process.argv[1]);
for (const { users } of JSON.parse(process.argv[2])) {
  const [one, other] = users.map(({ id, thumbprints, account_key: key }) => ({ user: id, thumbprints, key }));
  console.log(JSON.stringify(await (one.key ? accountSafetyNumber : safetyNumber)(one, other)));
}
"""


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def thumbprint(key: bytes) -> str:
    jwk = f'{{"crv":"Ed25519","kty":"OKP","x":"{base64url(key)}"}}'
    return base64url(hashlib.sha256(jwk.encode()).digest())


def version(user: dict[str, Any]) -> str:
    return "2" if "account_key" in user else "1"


def keys_of(user: dict[str, Any]) -> list[str]:
    return [user["account_key"]] if "account_key" in user else sorted(user["thumbprints"])


def half(user: dict[str, Any]) -> str:
    keys = "\n".join([version(user), user["id"], *keys_of(user)]).encode()
    result = keys
    for _ in range(5200):
        result = hashlib.sha512(result + keys).digest()
    return "".join(f"{int.from_bytes(result[at : at + 5], 'big') % 100_000:05d}" for at in range(0, 30, 5))


def test_protocol_has_vectors_of_both_versions() -> None:
    assert sorted(version(vector["users"][0]) for vector in VECTORS) == ["1", "1", "1", "2"]


@pytest.mark.parametrize("vector", VECTORS)
def test_safety_number_follows_the_specification(vector: dict[str, Any]) -> None:
    for user in vector["users"]:
        if "keys" in user:
            assert user["thumbprints"] == sorted(thumbprint(bytes.fromhex(key)) for key in user["keys"])
    lower, higher = sorted(vector["users"], key=lambda user: str(user["id"]))
    digits = half(lower) + half(higher)
    assert vector["digits"] == " ".join(re.findall(".{5}", digits))
    assert vector["qr"] == f"SOTTOVOCE:{version(lower)}:{lower['id']}:{higher['id']}:{digits}"


@pytest.mark.once
def test_safety_number_of_the_client_equals_the_vectors() -> None:
    assert shutil.which("node"), "Node 20 is needed to run the client's code"
    (module,) = [
        file
        for folder in ("core", "client")
        for file in (ROOT / "web" / folder).rglob("*.js")
        if "export function safetyNumber" in file.read_text()
    ]
    words = ["node", "--input-type=module", "-e", SCRIPT, module.as_uri(), json.dumps(VECTORS)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert answers == [{"digits": vector["digits"], "qr": vector["qr"]} for vector in VECTORS]
