"""Users of a server in another process, created through HTTP only."""

import asyncio
import secrets
from dataclasses import dataclass

import httpx
from websockets.asyncio.client import ClientConnection

from testing.server import NO_TLS, PATIENCE_S, connect


@dataclass
class User:
    """A user with a session."""

    address: str
    id: int
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """The Authorization header."""
        return {"Authorization": f"Bearer {self.token}"}

    async def opens(self, conversation_id: str) -> ClientConnection:
        """Open a socket of the codes API."""
        url = f"{self.address.replace('http', 'ws')}/api/chats/ws?chatId={conversation_id}"
        return await connect(url, self.headers)


async def register(address: str) -> User:
    """Register a user with a random name at the codes API."""
    name = secrets.token_hex(8)
    body = {"username": name, "email": f"{name}@example.com", "password": "Secret1pass"}
    async with httpx.AsyncClient(base_url=address, verify=NO_TLS, timeout=PATIENCE_S) as client:
        answer = await client.post("/api/auth/register", json=body)
        assert answer.status_code == 201, answer.text
        return User(address, answer.json()["id"], answer.cookies["Authorization"])


async def pair(address: str) -> tuple[User, User, str]:
    """Register two users and open their direct conversation; return them and its id."""
    one, other = await asyncio.gather(register(address), register(address))
    async with httpx.AsyncClient(base_url=address, verify=NO_TLS, timeout=PATIENCE_S) as client:
        code = (await client.post("/api/chats/codes", headers=one.headers)).json()["code"]
        answer = await client.post("/api/chats", headers=other.headers, json={"code": code})
        assert answer.status_code == 201, answer.text
        return one, other, answer.json()["conversation_id"]


async def all_messages(reader: User, other: User) -> list[str]:
    """Return the texts of a direct conversation, oldest first, through the invites API."""
    async with httpx.AsyncClient(base_url=reader.address, verify=NO_TLS, timeout=PATIENCE_S) as client:
        answer = await client.get("/allmessages", params={"user_id": other.id}, headers=reader.headers)
        assert answer.status_code == 200, answer.text
        return [message["message"] for message in answer.json()]
