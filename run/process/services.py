"""Build the domain services on top of the repositories. Only the package `run` imports both."""

from collections.abc import Callable
from datetime import datetime

from chat.accounts.accounts import Accounts
from chat.accounts.chat_codes import ChatCodes
from chat.accounts.contacts import Contacts
from chat.accounts.invites import Invites
from chat.accounts.pictures import Pictures
from chat.delivery.hub import Hub
from chat.direct.conversations import Conversations
from chat.direct.messages import Messages
from chat.direct.pending_keys import PendingKeys
from chat.identity.device_lists import DeviceLists
from chat.identity.links import Links
from chat.limits import Limits
from chat.mls.devices import Devices
from chat.mls.groups import Groups
from chat.mls.key_packages import KeyPackages
from chat.repositories import Repositories
from chat.services import Services
from crypto.conversation_keys import KeyWrapper
from crypto.hashing import Hashing
from crypto.tokens import Tokens
from run.config.settings import Settings
from store import (
    accounts,
    chat_codes,
    contacts,
    conversations,
    device_lists,
    devices,
    groups,
    invites,
    key_packages,
    limits,
    links,
    messages,
    pending_keys,
    sessions,
)
from store.database.pool import Database
from store.writer.queue import WriteQueue


def build_services(
    settings: Settings,
    tokens: Tokens,
    key_wrapper: KeyWrapper,
    database: Database,
    hub: Hub,
    queue: WriteQueue,
    hashing: Hashing,
    now: Callable[[], datetime],
) -> Services:
    """Build all services. `tokens` signs session tokens, `key_wrapper` wraps pending keys."""
    rate_limits = Limits(limits.Limits(database), settings.rate_limits)
    account_store = accounts.Accounts(database)
    contact_store = contacts.Contacts(database)
    conversation_store = conversations.Conversations(database)
    group_store = groups.Groups(database, queue)
    message_store = messages.Messages(database)
    device_store = devices.Devices(database)
    session_store = sessions.Sessions(database)
    accounts_ = Accounts(account_store, session_store, hashing, tokens, rate_limits, now, settings.registration)
    return Services(
        accounts=accounts_,
        chat_codes=ChatCodes(chat_codes.ChatCodes(database), now, settings.code_life),
        contacts=Contacts(contact_store, now),
        conversations=Conversations(conversation_store),
        device_lists=DeviceLists(device_lists.DeviceLists(database), device_store, accounts_, now),
        devices=Devices(device_store, now),
        groups=Groups(group_store, queue),
        hub=hub,
        invites=Invites(invites.Invites(database), now, settings.invite_life),
        key_packages=KeyPackages(key_packages.KeyPackages(database), now),
        limits=rate_limits,
        links=Links(links.Links(database), now),
        messages=Messages(queue, message_store, now),
        pending_keys=PendingKeys(pending_keys.PendingKeys(database, key_wrapper)),
        pictures=Pictures(account_store, hashing),
        repositories=Repositories(account_store, contact_store, conversation_store, group_store, message_store),
        now=now,
    )
