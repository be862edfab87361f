"""The browser's database is upgraded by a newer release, in real Chromium, while an older tab is open."""

import re

import pytest
from playwright.sync_api import Page

from tests.web.conftest import Users

pytestmark = pytest.mark.once

FILE = "/web/tokens.css"  # of the same origin: the databases are there without the client
# A database as the first release made it, with data; the connection is closed.
FIRST_RELEASE = """(name) => new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onerror = () => reject(request.error);
    request.onupgradeneeded = () => {
        for (const one of ['state', 'conversations', 'items', 'ids', 'outbox']) request.result.createObjectStore(one);
        request.transaction.objectStore('items').put({ text: 'from the first release' }, 'c/1');
    };
    request.onsuccess = () => {
        request.result.close();
        resolve();
    };
})"""
# This release's storage as `window.storage`, or that of a next one, which adds a collection.
OPEN = """async ([name, isNext]) => {
    const { IndexedDbStorage, UPGRADES } = await import('/web/client/storage/indexeddb.js');
    const upgrades = isNext ? [...UPGRADES, (database) => void database.createObjectStore('blobs')] : UPGRADES;
    window.outdated = 0;
    window.storage = new IndexedDbStorage(name, { upgrades, onOutdated: () => window.outdated++ });
    if (isNext) await window.storage.write([['blobs', 'b', 1]]);
    return await window.storage.get('items', 'c/1');
}"""
USE = "window.storage.get('items', 'c/1').then((item) => item.text, (error) => error.code)"
RAISE_VERSION = """() => new Promise((resolve, reject) => {
    const request = indexedDB.open('sottovoce', 99);
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
        request.result.close();
        resolve(request.result.version);
    };
})"""


def test_upgrade_beside_an_old_tab_keeps_data_and_asks_to_reload(users: Users) -> None:
    person = users("anna").opens(FILE)
    old: Page = person.page
    old.evaluate(FIRST_RELEASE, "upgrade")
    item = {"text": "from the first release"}
    assert old.evaluate(OPEN, ["upgrade", False]) == item
    new = person.another_tab(FILE).page
    assert new.evaluate(OPEN, ["upgrade", True]) == item
    assert old.evaluate("window.outdated") == 1
    assert old.evaluate(USE) == "storage_outdated"
    assert new.evaluate(USE) == "from the first release"
    assert old.evaluate(OPEN, ["upgrade", True]) == item  # as after a reload


def test_page_whose_database_is_newer_asks_to_reload(users: Users) -> None:
    anna = users("anna").registers()
    assert anna.page.evaluate(RAISE_VERSION) == 99
    anna.sees(re.compile("Reload this page"))
