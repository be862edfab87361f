"""All services of the domain. Every API gets the same ones."""

from collections.abc import Callable
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Services:
    """The services, the repositories, the hub and the clock."""

    accounts: Accounts
    chat_codes: ChatCodes
    contacts: Contacts
    conversations: Conversations
    device_lists: DeviceLists
    devices: Devices
    groups: Groups
    hub: Hub
    invites: Invites
    key_packages: KeyPackages
    limits: Limits
    links: Links
    messages: Messages
    pending_keys: PendingKeys
    pictures: Pictures
    repositories: Repositories
    now: Callable[[], datetime]
