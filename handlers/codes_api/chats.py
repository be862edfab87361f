"""/api/chats and /api/chats/codes: from a chat code to a conversation."""

from handlers.codes_api.schemas import CodeBody, CodeCreated, ConversationAnswer
from handlers.http.endpoint import Call


async def create_code(call: Call) -> CodeCreated:
    """Create a chat code."""
    return CodeCreated("Chat code created successfully", await call.services.chat_codes.create(call.account))


async def delete_code(call: Call, body: CodeBody) -> ConversationAnswer:
    """Delete a chat code of the account."""
    await call.services.chat_codes.delete(call.account, body.code)
    return ConversationAnswer("Chat code deleted successfully", None)


async def start(call: Call, body: CodeBody) -> ConversationAnswer:
    """Start a conversation with the owner of a chat code, which is used up."""
    conversation_id = await call.services.chat_codes.redeem(call.account, body.code)
    return ConversationAnswer("Conversation created successfully", conversation_id)
