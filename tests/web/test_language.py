"""The language of the page: the browser's, or the one of the settings."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import DESKTOP, PHONE, Users
from tests.web.person import PASSWORD, Person

pytestmark = pytest.mark.once

GERMAN = {"locale": "de-DE"}

# Every text that is seen or heard, in the shadow roots too.
TEXTS = """() => {
    const found = [];
    const walk = (node) => {
        if (node.nodeType === Node.TEXT_NODE) found.push(node.data.trim());
        if (node.nodeType === Node.ELEMENT_NODE) {
            if (['SCRIPT', 'STYLE', 'NOSCRIPT'].includes(node.tagName)) return;
            if (node.tagName === 'OPTION') return;  // a language has its own name
            for (const name of ['aria-label', 'title', 'placeholder', 'alt']) {
                const text = node.getAttribute(name);
                if (text) found.push(text.trim());
            }
            if (node.shadowRoot) walk(node.shadowRoot);
        }
        for (const child of node.childNodes) walk(child);
    };
    walk(document.body);
    return found.filter((text) => /\\p{L}{2}/u.test(text));
}"""
# Words that German does not have.
ENGLISH = re.compile(
    r"\b(the|and|you|your|with|from|this|that|is|are|isn|not|can|will|device|message|messages|conversation|settings"
    r"|password|username|add|new|close|send|reply|group|today|typing|search|back|more)\b",
    re.IGNORECASE,
)


def english_texts(page: Page) -> list[str]:
    return [text for text in page.evaluate(TEXTS) if ENGLISH.search(text)]


def is_german(person: Person) -> None:
    for size in (PHONE, DESKTOP):
        person.page.set_viewport_size(size)
        assert english_texts(person.page) == [], size
    expect(person.page.locator("html")).to_have_attribute("lang", "de")


def chooses_language(person: Person, value: str) -> None:
    person.page.locator("sv-settings #language").select_option(value)


def test_german_browser_shows_german_screens(users: Users) -> None:
    anna, ben = users("anna", **GERMAN), users("ben", **GERMAN)
    page = anna.page
    for person in (anna, ben):
        person.opens()
        expect(person.page.get_by_role("tab", name="Registrieren")).to_be_visible()
        is_german(person)
        person.page.get_by_label("Benutzername").fill(person.name)
        person.page.get_by_label("Passwort").fill(PASSWORD)
        person.page.get_by_role("button", name="Konto erstellen").click()
        expect(person.page.get_by_role("button", name="Einstellungen")).to_be_visible()
        is_german(person)

    page.get_by_role("button", name="Neue Unterhaltung").first.click()
    for tab in ("Gruppe", "Code", "Einladung", "Person"):
        page.get_by_role("tab", name=tab).click()
        is_german(anna)
    page.get_by_label("Benutzername").fill("niemand_da")
    page.get_by_role("button", name="Starten").click()
    expect(page.get_by_role("alert")).to_have_text("Niemand hat diesen Benutzernamen. Prüfe die Schreibweise.")
    page.get_by_label("Benutzername").fill(ben.name)
    page.get_by_role("button", name="Starten").click()
    field = page.get_by_role("textbox", name="Nachricht")
    field.fill("Guten Tag")
    page.keyboard.press("Enter")
    ben.listed(anna.name).click()
    expect(ben.page.get_by_role("button", name="Annehmen")).to_be_visible()
    is_german(ben)
    ben.page.get_by_role("button", name="Annehmen").click()
    expect(anna.message("Guten Tag").get_by_role("img", name="Gelesen", exact=True)).to_be_visible()
    expect(page.get_by_text("Heute", exact=True)).to_be_visible()
    is_german(anna)

    anna.message("Guten Tag").hover()
    anna.message("Guten Tag").get_by_role("button", name="Aktionen für die Nachricht").click()
    expect(page.get_by_role("menuitem", name="Für alle löschen")).to_be_visible()
    is_german(anna)
    page.keyboard.press("Escape")
    page.locator("#emoji").click()
    expect(page.get_by_role("button", name="grinsendes Gesicht", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("#lock").click()
    page.get_by_role("button", name="Sicherheitsnummer").click()
    expect(page.get_by_role("img", name="als QR-Code")).to_be_visible()
    is_german(anna)
    page.keyboard.press("Escape")
    page.locator("#details").click()
    expect(page.get_by_role("button", name="Unterhaltung verlassen")).to_be_visible()
    is_german(anna)
    page.locator("sv-details #close").click()
    page.evaluate("location.hash = ''")
    page.get_by_role("button", name="Einstellungen").click()
    expect(page.get_by_role("listitem").filter(has_text="dieses Gerät")).to_be_visible()
    is_german(anna)


def test_language_of_settings_reaches_every_tab_and_stays(users: Users) -> None:
    anna = users("anna").registers()
    html = anna.page.locator("html")
    expect(html).to_have_attribute("lang", "en")
    assert english_texts(anna.page) != [], "the search for English finds nothing, so its silence means nothing"
    other = anna.another_tab()
    other.is_home()
    anna.opens_settings()
    chooses_language(anna, "de")
    expect(anna.page.get_by_role("heading", name="Einstellungen")).to_be_visible()
    expect(anna.page.get_by_role("listitem").filter(has_text="dieses Gerät")).to_be_visible()
    is_german(anna)
    expect(other.page.get_by_role("button", name="Einstellungen")).to_be_visible()
    is_german(other)
    other.page.close()
    anna.page.reload()
    expect(anna.page.get_by_role("button", name="Neue Unterhaltung").first).to_be_visible()
    is_german(anna)
    anna.page.get_by_role("button", name="Einstellungen").click()
    expect(anna.page.locator("sv-settings #language")).to_have_value("de")
    chooses_language(anna, "system")
    expect(anna.page.get_by_role("heading", name="Settings")).to_be_visible()
    expect(html).to_have_attribute("lang", "en")


def test_unknown_browser_language_shows_english(users: Users) -> None:
    anna = users("anna", locale="fr-FR").opens()
    expect(anna.page.get_by_role("button", name="Create account")).to_be_visible()
    expect(anna.page.locator("html")).to_have_attribute("lang", "en")
