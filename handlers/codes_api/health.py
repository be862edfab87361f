"""/api/health: liveness."""

from handlers.http.answers import Text
from handlers.http.endpoint import Call


async def health(_call: Call) -> Text:
    """Report that the process runs. Readiness is `/healthz`."""
    return Text("ok :)")
