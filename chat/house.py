"""All verbs of the house, as every door gets them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chat.accounts import Accounts
from chat.codes import Codes
from chat.conversations import Conversations
from chat.devices import Devices
from chat.groups import Groups
from chat.hub import Hub
from chat.invites import Invites
from chat.key_packages import KeyPackages
from chat.keys import Keys
from chat.limits import Limits
from chat.messages import Messages
from chat.people import People
from chat.pictures import Pictures


@dataclass(frozen=True)
class Chat:
    accounts: Accounts
    codes: Codes
    conversations: Conversations
    devices: Devices
    groups: Groups
    hub: Hub
    invites: Invites
    key_packages: KeyPackages
    keys: Keys
    limits: Limits
    messages: Messages
    people: People
    pictures: Pictures
    now: Callable[[], datetime]
