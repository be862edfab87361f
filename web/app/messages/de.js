// @ts-check
/** Every German sentence that the client shows, under the keys of `en.js`. People are addressed as "du". */
import { listIn, pluralIn } from './intl.js';

const plural = pluralIn('de');
const list = listIn('de');

/** @satisfies {import('./index.js').Messages} */
export const de = {
  common: {
    add: 'Hinzufügen',
    block: 'Blockieren',
    cancel: 'Abbrechen',
    close: 'Schließen',
    copied: 'Kopiert',
    copy: 'Kopieren',
    logIn: 'Anmelden',
    logOut: 'Abmelden',
    message: 'Nachricht',
    newConversation: 'Neue Unterhaltung',
    notEncrypted: 'Nicht Ende-zu-Ende-verschlüsselt',
    password: 'Passwort',
    remove: 'Entfernen',
    save: 'Speichern',
    saved: 'Gespeichert.',
    start: 'Starten',
    today: 'Heute',
    tryAgain: 'Erneut versuchen',
    unknownPerson: 'Unbekannte Person',
    username: 'Benutzername',
    yesterday: 'Gestern',
    you: 'Du',
    youAsObject: 'dich',
    youAfterFrom: 'dir',
  },

  errors: {
    bad_invite: 'Diese Einladung ist unbekannt, schon benutzt oder abgelaufen. Bitte um eine neue.',
    busy: 'Der Server ist ausgelastet. Versuche es gleich noch einmal.',
    changed_key: 'Eine Sicherheitsnummer hat sich geändert. Entscheide im roten Hinweis oben.',
    device_removed:
      'Dieses Gerät wurde aus deinem Konto entfernt. Warst du das nicht, kennt jemand dein Passwort: Sag es der Person, die' +
      ' den Server betreibt. Um das Gerät wieder zu benutzen, melde dich ab, was die Nachrichten hier löscht, und wieder an.',
    forged_key_package:
      'Der Server hat Schlüssel geliefert, die nicht zu dieser Person gehören. Nichts wurde geändert. Frag die Person, die den Server betreibt.',
    has_no_device: 'Diese Person kann noch keine Ende-zu-Ende-verschlüsselten Nachrichten empfangen.',
    has_no_device_now:
      'Der Server zeigt gerade kein Gerät dieser Person. Es wurde nichts gesendet. Bitte sie am Telefon oder persönlich, sich' +
      ' bei Sottovoce anzumelden.',
    id_taken: 'Diese Nachricht wurde schon gesendet.',
    invalid_credentials: 'Benutzername oder Passwort ist falsch.',
    invite_refused: 'Du kannst noch keine weitere Einladung erstellen.',
    mistyped_code: 'In diesem Code ist ein Fehler. Prüfe jedes Zeichen.',
    new_readers:
      'Seit du das geschrieben hast, ist jemand dazugekommen oder ein Gerät wurde hinzugefügt. Tippe oben auf den Namen, um' +
      ' zu sehen, wer hier ist.',
    not_listed:
      'Dieses Gerät ist nicht bestätigt. Bestätige es auf einem anderen Gerät oder mit deinem Wiederherstellungsschlüssel.',
    not_a_group:
      'Der Server zeigt an dieser Stelle eine andere Unterhaltung. Es wurde nichts gesendet. Versuche es noch einmal.',
    number_changed: 'Die Sicherheitsnummer hat sich seit deinem Vergleich geändert. Vergleiche sie noch einmal.',
    no_account_key: 'Dieses Gerät hat deinen Kontoschlüssel nicht. Bestätige es zuerst.',
    no_device: 'Dieses Gerät ist nicht registriert. Melde dich ab und wieder an.',
    no_key: 'Der Schlüssel dieser Unterhaltung ist nicht auf diesem Gerät.',
    no_such_code: 'Dieser Code ist unbekannt, schon benutzt oder abgelaufen. Ein Code gilt einmal und 24 Stunden lang.',
    no_such_conversation: 'Diese Unterhaltung gibt es nicht mehr.',
    no_such_device: 'Dieses Gerät gibt es nicht mehr.',
    no_such_invite: 'Diese Einladung wurde schon benutzt oder widerrufen.',
    no_such_message: 'Diese Nachricht gibt es nicht mehr.',
    no_such_session: 'Diese Sitzung ist schon beendet.',
    no_such_user: 'Niemand hat diesen Benutzernamen. Prüfe die Schreibweise.',
    not_a_leaf: 'Dieses Gerät ist nicht in dieser Unterhaltung.',
    not_allowed: 'Das können nur der Eigentümer und die Admins der Gruppe.',
    not_here: 'Das geht in dieser Unterhaltung nicht.',
    not_yours: 'Du kannst nur deine eigenen Nachrichten ändern.',
    other_account_key:
      'Der Server zeigt einen anderen Kontoschlüssel als deinen. Es wurde nichts geändert. Versuche es noch einmal.',
    other_account: 'In diesem Browser ist ein anderes Konto angemeldet. Lade die Seite neu und melde es zuerst ab.',
    other_tabs: 'Schließe die anderen Tabs mit Sottovoce, lade diesen neu und versuche es noch einmal.',
    removal_asked:
      'Nur der Server sagt, dass jemand diese Unterhaltung verlassen hat. Entscheide im roten Hinweis oben.',
    registration_closed: 'Die Registrierung ist geschlossen.',
    other_person:
      'Dieser Name und die Person, die du überprüft hast, gehören nicht zusammen. Es wurde nichts geändert. Ruf die Person' +
      ' an, die du kennst, und frag nach ihrem Benutzernamen.',
    self_chat: 'Das bist du selbst. Gib einen anderen Benutzernamen ein.',
    storage_blocked:
      'Ein anderer Tab nutzt eine ältere Version von Sottovoce. Schließe die anderen Tabs und lade diese Seite neu.',
    storage_outdated: 'Sottovoce wurde in einem anderen Tab aktualisiert. Lade diese Seite neu.',
    stranger: 'Wir können nicht feststellen, wer hier jemanden hinzugefügt hat. Entscheide im roten Hinweis oben.',
    taken: 'Dieser Benutzername ist vergeben. Wähle einen anderen.',
    too_long: 'Diese Nachricht ist zu lang.',
    too_many: 'Zu viele Versuche. Warte ein wenig und versuche es dann noch einmal.',
    too_many_codes: 'Du hast zu viele gültige Codes. Widerrufe zuerst einen.',
    unauthenticated: 'Deine Sitzung ist beendet. Melde dich wieder an.',
    unavailable: 'Der Server kann gerade nichts speichern. Versuche es gleich noch einmal.',
    unlisted_device: 'Jemand hat ein Gerät, das nicht bestätigt ist. Lies den roten Hinweis oben.',
    unreachable: 'Der Server ist nicht erreichbar. Prüfe deine Verbindung.',
    unreadable_picture: 'Dieses Bild ist nicht lesbar. Versuche es mit einer PNG- oder JPEG-Datei.',
    unsendable: 'Diese Nachricht enthält Zeichen, die nicht gesendet werden können.',
    wrong_code:
      'Keines deiner Geräte zeigt diesen Code, oder seine 15 Minuten sind um. Tippe dort auf „Neuer Code“. Ein' +
      ' Wiederherstellungsschlüssel gilt hier nicht.',
    wrong_password: 'Das Passwort ist falsch. Es wurde nichts geändert.',
  },
  unknownError: 'Etwas ist schiefgelaufen. Versuche es noch einmal.',
  tooManyFor: (minutes) =>
    plural(minutes, {
      one: 'Zu viele Versuche. Versuche es in # Minute noch einmal.',
      other: 'Zu viele Versuche. Versuche es in # Minuten noch einmal.',
    }),

  welcome: {
    account: 'Konto',
    intro: 'Private, Ende-zu-Ende-verschlüsselte Nachrichten auf deinem eigenen Server.',
    invited: 'Du bist eingeladen. Wähle einen Benutzernamen und ein Passwort, um mitzumachen.',
    signUp: 'Registrieren',
    createAccount: 'Konto erstellen',
    creatingKeys: 'Deine Schlüssel werden erstellt …',
    closed: 'Die Registrierung ist geschlossen. Frag die Person, die diesen Server betreibt, nach einem Konto.',
    usernameHint: 'So finden dich andere. Bis zu 20 Zeichen, keine Leerzeichen.',
    passwordHint: (length) =>
      `Mindestens ${length} Zeichen, darunter ein Großbuchstabe, ein Kleinbuchstabe und eine Ziffer.` +
      ' Wenn du es vergisst, kann es nur die Person zurücksetzen, die diesen Server betreibt.',
    newDeviceHint:
      'Bestätige diesen Browser nach der Anmeldung mit einem Gerät, das du schon benutzt, oder mit deinem' +
      ' Wiederherstellungsschlüssel. Frühere Nachrichten bleiben auf deinen anderen Geräten.',
    inviteCode: 'Einladungscode',
    invalid:
      'Prüfe Benutzernamen und Passwort. Ein Benutzername hat bis zu 20 Zeichen und keine Leerzeichen.' +
      ' Ein Passwort hat mindestens 8 Zeichen, darunter ein Großbuchstabe, ein Kleinbuchstabe und eine Ziffer.',
  },

  startFailed: {
    title: 'Sottovoce kann in diesem Browser nicht starten',
    text:
      'Die Daten, die in diesem Browser gespeichert sind, lassen sich nicht öffnen. Sottovoce versucht es alle paar' +
      ' Sekunden erneut. Oft hilft es, andere Tabs zu schließen, Speicherplatz freizugeben oder den Browser neu zu' +
      ' starten.',
    stillNotWorking: 'Geht es immer noch nicht?',
    eraseText:
      'Du kannst dieses Gerät leeren und dich als neues Gerät wieder anmelden. Nachrichten auf deinen anderen Geräten' +
      ' bleiben erhalten. Nachrichten, die es nur hier gibt, gehen verloren.',
    erase: 'Dieses Gerät leeren',
  },

  sessionExpired: {
    notice: 'Du wurdest abgemeldet. Deine Nachrichten sind noch hier.',
    logInAgain: 'Wieder anmelden',
    title: (name) => `Wieder anmelden als ${name}`,
    text: 'Gib dein Passwort ein, um weiterzumachen. Hier wird nichts gelöscht.',
    logOutAndDelete: 'Abmelden und meine Nachrichten hier löschen',
    logOutTitle: 'Deine Nachrichten hier löschen?',
    logOutText:
      'Das löscht alle Nachrichten und Schlüssel von diesem Gerät. Nachrichten, die es nur hier gibt, gehen verloren.',
    loggedOut: 'Du bist abgemeldet.',
  },

  conversations: {
    label: 'Unterhaltungen',
    overview: 'Übersicht',
    requests: 'Nachrichtenanfragen',
    empty: 'Noch keine Unterhaltungen.',
    start: 'Unterhaltung beginnen',
    invite: 'Jemanden einladen',
    offline: 'Offline. Verbindung wird hergestellt …',
    offlineWaiting: 'Offline. Deine Nachrichten werden später gesendet.',
    unread: (count) => plural(count, { one: '# ungelesene Nachricht', other: '# ungelesene Nachrichten' }),
    draft: 'Entwurf:',
    said: (name, text) => `${name}: ${text}`,
    youSaid: (text) => `Du: ${text}`,
    typing: 'schreibt …',
    peopleTyping: (names) => `${list(names)} ${plural(names.length, { one: 'schreibt', other: 'schreiben' })} …`,
    messageDeleted: 'Nachricht gelöscht',
    noMessages: 'Noch keine Nachrichten',
    notMember: 'Du bist nicht mehr in dieser Unterhaltung',
    select: 'Wähle eine Unterhaltung',
    selectText: 'Oder beginne eine neue.',
    hello: (name) => `Hallo, ${name}`,
    helloText: 'Beginne eine Unterhaltung mit jemandem, dessen Benutzernamen du kennst, oder lade jemanden ein.',
    titleOfMany: (names, more) =>
      `${names.join(', ')} ${plural(more, { one: 'und # weitere Person', other: 'und # weitere' })}`,
    groupNamed: (name) => `Gruppe „${name}“`,
    onlyYou: 'Nur du',
    unnamed: 'Unterhaltung',
  },

  conversation: {
    back: 'Zurück zu den Unterhaltungen',
    details: 'Details der Unterhaltung',
    members: (names) => list([...names, 'du']),
    encrypted: 'Ende-zu-Ende-verschlüsselt',
    verified: 'Überprüft',
    safetyNumberChanged: 'Sicherheitsnummer geändert',
    aboutEncryption: 'Über die Verschlüsselung',
    request: 'Nachrichtenanfrage',
    requestFrom: (name) => `${name} möchte dir schreiben.`,
    requestText: 'Erst wenn du annimmst, erfährt die andere Person, dass du das gelesen hast.',
    accept: 'Annehmen',
    ignore: 'Ignorieren',
    acceptFirst: 'Nimm die Anfrage an, um zu antworten.',
    notSafe: 'Nicht sicher',
    forged: 'Diese Unterhaltung ist nicht sicher.',
    forgedText:
      'Der Server hat jemanden hinzugefügt, den du nicht siehst. Was du hier schreibst, wird nicht gesendet. Verlasse' +
      ' diese Unterhaltung, und sag es den anderen und der Person, die den Server betreibt, am Telefon oder persönlich.',
    unknownParticipant: 'Jemand hier hat keinen Namen.',
    unknownParticipantText:
      'Diese Person kann mitlesen: Deine Nachrichten werden weiter gesendet. Warte einen Moment auf den Namen. Erscheint' +
      ' keiner, schreib nichts Vertrauliches, und frag die anderen, wer es ist.',
    numbersChanged: (names) =>
      names.length === 1
        ? `Die Sicherheitsnummer von ${names[0]} hat sich geändert.`
        : `Die Sicherheitsnummern von ${list(names)} haben sich geändert.`,
    numbersChangedText:
      'Das ist nicht die Telefonnummer. Sie ändert sich, wenn jemand mit einem neuen Telefon oder Browser neu beginnt, aber' +
      ' auch, wenn jemand mitlesen will. Ruf an oder triff dich, und vergleiche, bevor du etwas Vertrauliches schreibst.',
    waitsForYou: 'Bis dahin warten deine Nachrichten hier.',
    acceptKey: (name) => `Trotzdem an ${name} senden`,
    unlistedDevice: (names) => `Ein Gerät ist nicht bestätigt (${list(names)}).`,
    unlistedDeviceText: (names) =>
      `Es kann jemand Fremdem gehören, darum warten neue Nachrichten. Ruf ${list(names)} an: Das neue Gerät muss dort, in` +
      ' den Einstellungen von Sottovoce, bestätigt oder entfernt werden. Dann werden deine Nachrichten gesendet.',
    ownUnlistedDevice: 'Eines deiner Geräte ist nicht bestätigt.',
    ownUnlistedDeviceText:
      'Deine Nachrichten warten hier. Bestätige das Gerät in den Einstellungen, wenn es deins ist, sonst entferne es.',
    openSettings: 'Einstellungen öffnen',
    strangers: (names) => `Wir können nicht feststellen, wer ${list(names)} hinzugefügt hat.`,
    strangersText: (names) =>
      `Vielleicht war es der Server, darum warten neue Nachrichten. Frag die anderen am Telefon oder persönlich, wer` +
      ` ${list(names)} hinzugefügt hat, bevor du entscheidest.`,
    seeMembers: 'Wer hier ist',
    acceptStrangers: (names) => `Meine Nachrichten auch an ${list(names)} senden`,
    removalAsked: (names) =>
      `${plural(names.length, { one: 'Hat', other: 'Haben' })} ${list(names)} die Unterhaltung wirklich verlassen?`,
    removalAskedText: (names) =>
      `Das sagt nur der Server. Neue Nachrichten warten. Ruf ${list(names)} an, und frag nach. Wenn nicht, entferne` +
      ' niemanden, und sag es der Person, die den Server betreibt.',
    agreeText:
      'Entferne nur, wenn du es am Telefon oder persönlich erfahren hast: Jemand ist gegangen oder hat das Gerät verloren.',
    agree: (names) => `Ja – ${list(names)} entfernen`,
    remove: (names) => `${list(names)} entfernen`,
    verify: (name) => `Mit ${name} vergleichen`,
    notMember: 'Du bist nicht mehr in dieser Unterhaltung. Ihre Nachrichten bleiben hier, bis du sie löschst.',
    deleteHere: 'Von diesem Gerät löschen',
    keyMissing:
      'Der Schlüssel dieser Unterhaltung ist nicht auf diesem Gerät. Der Server gibt jeden Schlüssel nur einmal' +
      ' heraus. Mit einem neuen Schlüssel fangt ihr beide von vorn an, und alle Nachrichten hier werden gelöscht.',
  },

  newKey: {
    title: 'Neuen Schlüssel erstellen?',
    text: (name) =>
      `Alle Nachrichten dieser Unterhaltung werden gelöscht, bei dir und bei ${name}. Neue könnte der Server trotzdem lesen.`,
    action: 'Nachrichten löschen und Schlüssel erstellen',
    create: 'Schlüssel erstellen (löscht alle Nachrichten)',
    createNew: 'Alle Nachrichten löschen und neu beginnen',
    done: 'Ein neuer Schlüssel wurde erstellt. Frühere Nachrichten wurden bei euch beiden gelöscht.',
  },

  timeline: {
    messages: 'Nachrichten',
    latest: 'Neueste Nachrichten',
    newCount: (count) => plural(count, { one: '# neue', other: '# neue' }),
    newMessages: 'Neue Nachrichten',
    actions: 'Aktionen für die Nachricht',
    reply: 'Antworten',
    edit: 'Bearbeiten',
    goToOriginal: 'Zur ursprünglichen Nachricht',
    deleteForMe: 'Für mich löschen',
    deleteForMeTitle: 'Diese Nachricht für dich löschen?',
    deleteForMeText: 'Sie wird nur auf diesem Gerät gelöscht. Deine anderen Geräte und alle anderen behalten sie.',
    deleteForEveryone: 'Für alle löschen',
    deleteForEveryoneTitle: 'Diese Nachricht für alle löschen?',
    deleteForEveryoneText:
      'Sie wird auf dem Server gelöscht und auf allen Geräten, sobald sie sich das nächste Mal verbinden.' +
      ' Vielleicht hat sie schon jemand gelesen.',
    react: 'Reagieren',
    reactWith: (emoji) => `Mit ${emoji} reagieren`,
    moreEmoji: 'Weitere Emojis',
    notOnDevice: 'Diese Nachricht ist nicht auf diesem Gerät.',
  },

  message: {
    sending: 'Wird gesendet',
    sent: 'Gesendet',
    delivered: 'Zugestellt',
    read: 'Gelesen',
    deleted: 'Diese Nachricht wurde gelöscht.',
    deletedQuote: 'Gelöschte Nachricht',
    earlier: 'Frühere Nachricht',
    unreadable: 'Diese Nachricht ist nicht lesbar: Ihr Schlüssel ist nicht auf diesem Gerät.',
    notEncrypted: 'nicht verschlüsselt',
    foreign: (name) => `${name} hat das Gerät nicht bestätigt, das dies gesendet hat. Es kann von jemand anderem sein.`,
    unconfirmed: 'von einem nicht bestätigten Gerät',
    foreignOwn: 'Du hast das Gerät nicht bestätigt, das dies gesendet hat. Es kann von jemand anderem sein.',
    edited: 'bearbeitet',
    notSent: (reason) => `Nicht gesendet. ${reason}`,
    waits: (reason) => `Wartet. ${reason}`,
    sendToAll: 'An alle senden, die jetzt hier sind',
    replyTo: (name) => `Antwort an ${name}`,
    replyToYou: 'Antwort auf deine Nachricht',
    replyToEarlier: 'Antwort auf eine frühere Nachricht',
    reaction: (emoji, names) => `${emoji} von ${list(names)}`,
    discard: 'Löschen',
  },

  notices: {
    beginning: (name) => `Hier beginnt deine Unterhaltung mit ${name}.`,
    beginningOfGroup: 'Hier beginnt diese Gruppe.',
    beginningAlone: 'Hier beginnt diese Unterhaltung.',
    youAddedDevice: (day) =>
      `Du hast dieses Gerät ${day} hinzugefügt. Frühere Nachrichten sind auf deinen anderen Geräten.`,
    youCameBack: (day) => `Du hast dieses Gerät ${day} hinzugefügt. Frühere Nachrichten sind nicht auf diesem Gerät.`,
    deviceJoined: (day) =>
      `Dieses Gerät ist der Gruppe ${day} beigetreten. Frühere Nachrichten sind nicht auf diesem Gerät.`,
    today: 'heute',
    onDay: (date) => `am ${date}`,
    rejoined: 'Dieses Gerät musste der Unterhaltung neu beitreten. Hier können Nachrichten fehlen.',
    youLeft: 'Du hast die Unterhaltung verlassen.',
    left: (name) => `${name} hat die Unterhaltung verlassen.`,
    claimedLeft: (name) => `Laut Server hat ${name} die Unterhaltung verlassen.`,
    youNamed: (title) => `Du hast diese Gruppe „${title}“ genannt.`,
    named: (name, title) => `${name} hat diese Gruppe „${title}“ genannt.`,
    unreadable: 'Eine Nachricht ist auf diesem Gerät nicht lesbar.',
    missing: 'Eine Nachricht wurde gelöscht, oder der Server zeigt sie nicht.',
    joined: (name) => `${name} ist mit einem anderen Gerät beigetreten.`,
    youJoined: 'Du bist mit einem anderen Gerät beigetreten.',
    cameBack: (name) => `${name} ist mit einem neuen Gerät zurück. Die Sicherheitsnummer hat sich geändert.`,
    cameBackListed: (name) => `${name} ist mit einem neuen Gerät zurück.`,
    added: (name, people) => `${name} hat ${list(people)} hinzugefügt.`,
    youAdded: (people) => `Du hast ${list(people)} hinzugefügt.`,
    removed: (name, people) => `${name} hat ${list(people)} entfernt.`,
    youRemoved: (people) => `Du hast ${list(people)} entfernt.`,
    loggedOut: (names) => `${list(names)} ${plural(names.length, { one: 'hat', other: 'haben' })} sich abgemeldet.`,
    gone: (names) =>
      `${list(names)} ${plural(names.length, { one: 'ist', other: 'sind' })} nicht mehr in dieser Unterhaltung.`,
    /** @param {string[]} names */
    disowned: (names) => `Ein Gerät, das nicht bestätigt war (${list(names)}), wurde entfernt.`,
    ownDisowned: 'Ein Gerät, das du nicht bestätigt hast, wurde entfernt.',
    ownDevice: 'Du hast ein neues Gerät hinzugefügt. Wenn du das nicht warst, entferne es in den Einstellungen.',
    newListedDevice: (names) =>
      plural(names.length, { one: `${list(names)} hat ein neues Gerät.`, other: `${list(names)} haben neue Geräte.` }),
    newDevice: (names) =>
      plural(names.length, {
        one: `${list(names)} hat ein neues Gerät. Die Sicherheitsnummer hat sich geändert.`,
        other: `${list(names)} haben neue Geräte. Ihre Sicherheitsnummern haben sich geändert.`,
      }),
  },

  notifications: {
    newMessage: (name) => `Neue Nachricht von ${name}`,
    inGroup: (title) => `Gruppe: ${title}`,
    pageTitle: (count) => (count ? `(${count}) Sottovoce` : 'Sottovoce'),
  },

  composer: {
    emoji: 'Emoji',
    editing: 'Nachricht bearbeiten',
    replyingTo: (name) => `Antwort an ${name}`,
    replyingToYourself: 'Antwort an dich selbst',
    cancelReply: 'Antwort abbrechen',
    cancelEdit: 'Bearbeiten abbrechen',
    send: 'Senden',
    waits: 'Nachricht (wartet)',
    neverSent: 'Hier wird nichts gesendet',
  },

  emoji: {
    search: 'Emoji suchen',
    categories: 'Kategorien',
    all: 'Emojis',
    groups: {
      smileys: 'Smileys und Gefühle',
      people: 'Menschen und Körper',
      nature: 'Tiere und Natur',
      food: 'Essen und Trinken',
      places: 'Reisen und Orte',
      activities: 'Aktivitäten',
      objects: 'Gegenstände',
      symbols: 'Symbole',
      flags: 'Flaggen',
    },
    none: 'Kein Emoji gefunden.',
  },

  newConversation: {
    ways: 'Wie du beginnst',
    byName: 'Person',
    group: 'Gruppe',
    byCode: 'Code',
    invite: 'Einladung',
    usernameHint: 'Gib den genauen Benutzernamen ein. Nach Personen kann man nicht suchen.',
    notEncrypted: (name) =>
      `${name} kann noch keine Ende-zu-Ende-verschlüsselten Nachrichten empfangen. Bitte ${name}, sich zuerst bei` +
      ' Sottovoce anzumelden. Schreibst du trotzdem, kann der Server mitlesen.',
    writeUnencrypted: 'So schreiben, dass der Server mitlesen kann',
    groupName: 'Name der Gruppe',
    groupNameHint: 'Nur Mitglieder sehen ihn, der Server nicht.',
    addMember: 'Mitglied hinzufügen',
    members: 'Mitglieder',
    removeMember: (name) => `${name} entfernen`,
    createGroup: 'Gruppe erstellen',
    noMembers: 'Füge mindestens eine Person hinzu.',
    youAreMember: 'Du bist schon in der Gruppe.',
    code: 'Code der anderen Person',
    fiveDigits: 'Fünf Ziffern',
    inviteIntro: 'Lade jemanden ein, der hier noch kein Konto hat.',
    inviteLimit:
      'Du kannst eine Einladung am Tag erstellen. Für weitere Einladungen musst du hier mit mehr Menschen' +
      ' geschrieben haben. Admins können beliebig viele erstellen.',
    inviteNoLimit: 'Als Admin kannst du beliebig viele Einladungen erstellen.',
  },

  shareCodes: {
    showCode: 'Meinen Code zeigen',
    codeQr: 'Dein Code als QR-Code',
    codeText: 'Wer diesen Code hat, kann dir ohne Anfrage schreiben.',
    createInvite: 'Einladungslink erstellen',
    inviteQr: 'Deine Einladung als QR-Code',
    inviteText: 'Wer diesen Link hat, kann beitreten und wird mit dir verbunden.',
    yourCode: (code) => `Dein Code: ${code}`,
    copyLink: 'Link kopieren',
    copyLinkOf: (code) => `Link für ${code} kopieren`,
    revoke: 'Widerrufen',
    revokeCode: (code) => `${code} widerrufen`,
    worksOnce: (date) => `Gilt einmal, bis ${date}.`,
    validUntil: (date) => `Gültig bis ${date}`,
    others: 'Ebenfalls gültig',
    createAnother: 'Weiteren Code erstellen',
    localAddress:
      'Dieser Link funktioniert nur auf diesem Computer. Öffne Sottovoce unter der Netzwerkadresse dieses Computers' +
      ' und erstelle den Link dort.',
  },

  details: {
    label: 'Details der Unterhaltung',
    group: 'Gruppe',
    groupName: 'Name der Gruppe',
    participants: 'Beteiligte',
    members: (count) => plural(count, { one: '# Mitglied', other: '# Mitglieder' }),
    addMember: 'Mitglied hinzufügen',
    addToGroupHint: 'Neue Mitglieder können nur Nachrichten lesen, die nach ihrem Beitritt gesendet werden.',
    addToPairHint: 'Mit einer dritten Person wird daraus eine Gruppe.',
    person: 'Person',
    moreAbout: (name) => `Mehr zu ${name}`,
    about: (name) => `Über ${name}`,
    safetyNumber: 'Sicherheitsnummer',
    makeAdmin: 'Zum Admin machen',
    removeAdmin: 'Als Admin entfernen',
    removeTitle: (name) => `${name} entfernen?`,
    removeText: (name) => `${name} erhält keine neuen Nachrichten mehr, behält aber die bisherigen.`,
    blockTitle: (name) => `${name} blockieren?`,
    blockText: (name) =>
      `Du siehst keine Nachrichten von ${name} mehr, bis du die Blockierung aufhebst. ${name} erfährt davon nichts.` +
      ' In Gruppen seht ihr euch weiterhin.',
    leave: 'Unterhaltung verlassen',
    leaveTitle: 'Diese Unterhaltung verlassen?',
    leaveText: 'Du erhältst keine Nachrichten mehr. Deine Kopie bleibt auf diesem Gerät.',
    leaveAction: 'Verlassen',
    owner: 'Eigentümer',
    admin: 'Admin',
    verified: 'Überprüft',
    safetyNumberChanged: 'Sicherheitsnummer geändert',
    devices: (count) => plural(count, { one: '# Gerät', other: '# Geräte' }),
    noBio: (name) => `${name} hat noch nichts über sich geschrieben.`,
  },

  trust: {
    safetyNumberWith: (name) => `Sicherheitsnummer mit ${name}`,
    compare: (name) =>
      `Vergleiche diese 60 Ziffern mit denen auf dem Bildschirm von ${name}, am besten persönlich oder am Telefon.` +
      ' Stimmen sie überein, liest niemand mit, auch nicht dieser Server.',
    whereToLook: (name) =>
      `${name} öffnet eure Unterhaltung und tippt auf das Symbol oben rechts, dann auf „Sicherheitsnummer“. Weicht auch nur` +
      ' eine Ziffer ab: Schreib nichts Vertrauliches, und sag es der Person, die den Server betreibt.',
    qrHint: 'Für Apps, die ihn scannen können. Es genügt, die Ziffern zu vergleichen.',
    qr: 'Die Sicherheitsnummer als QR-Code',
    isVerified: (name) => `Du hast ${name} überprüft. Ändert sich die Sicherheitsnummer, wirst du gewarnt.`,
    hasChanged: 'Diese Nummer hat sich geändert, seit du sie überprüft hast. Vergleiche sie jetzt.',
    /** The server gives a verified person another name. @param {string} before @param {string} name */
    renamed: (before, name) => `${before} (jetzt „${name}“)`,
    anotherOfName: (name, known) => `${name} (nicht der Kontakt „${known}“, den du überprüft hast)`,
    markVerified: 'Stimmt überein – als überprüft merken',
    unsafeTitle: 'Gerade nicht sicher',
    unsafeText:
      'Hier stimmt etwas nicht. Schreib nichts Vertrauliches. Schließ das hier, und lies den roten Hinweis oben in der' +
      ' Unterhaltung.',
    encryptedTitle: 'Ende-zu-Ende-verschlüsselt',
    encryptedText:
      'Nachrichten sind nur auf den Geräten der Menschen in dieser Unterhaltung lesbar.' +
      ' Der Server leitet sie weiter, kann sie aber nicht lesen.',
    metadataText: 'Der Server weiß allerdings, wer wann mit wem schreibt und wie viel.',
    verifyText:
      'Damit sich niemand als eine dieser Personen ausgeben kann, vergleiche mit jeder von ihnen die' +
      ' Sicherheitsnummer:',
    safetyNumber: 'Sicherheitsnummer',
    verified: 'überprüft',
    changed: 'geändert',
    notVerified: 'nicht überprüft',
    noDevice: 'kann hier gerade nichts lesen',
    numberChanged: 'Eine Sicherheitsnummer hat sich geändert.',
    numberChangedText:
      'Das geschieht, wenn jemand auf einem neuen Telefon oder Browser neu beginnt, aber auch, wenn sich jemand als diese' +
      ' Person ausgibt. Ruf an oder triff dich, bevor du etwas Vertrauliches schreibst.',
    continueAnyway: 'Trotzdem fortfahren',
    directTitle: 'Nicht Ende-zu-Ende-verschlüsselt',
    directText: (name) => `Nachrichten zwischen dir und ${name} sind hier nicht Ende-zu-Ende-verschlüsselt.`,
    keyHere:
      'Den Schlüssel hat der Server gemacht. Wer ihn betreibt, könnte also mitlesen. Neu zu beginnen macht es nicht' +
      ' sicherer.',
    keyElsewhere: 'Der Schlüssel, den dieser Server für euch beide erstellt hat, ist nicht auf diesem Gerät.',
    keyNone:
      'Für diese Unterhaltung gibt es keinen Schlüssel, deshalb werden Nachrichten im Klartext gesendet.' +
      ' Wer den Server betreibt, kann sie lesen.',
    directAdvice: 'Schreibe hier nichts, was der Server nicht wissen darf.',
  },

  linking: {
    title: 'Dieses Gerät bestätigen',
    text: (name) =>
      `Du bist als ${name} angemeldet. Um hier zu lesen und zu schreiben, bestätige, dass dieses Gerät dir gehört. So kann` +
      ' jemand, der nur dein Passwort hat, deine Nachrichten nicht lesen.',
    withDevice: 'Mit einem anderen Gerät von dir',
    step1: 'Öffne Sottovoce auf einem Gerät, das du schon benutzt.',
    step2: 'Scanne diesen QR-Code mit dessen Kamera, oder öffne dort die Einstellungen und wähle „Gerät bestätigen“.',
    step3: 'Wirst du nach einem Code gefragt, gib den von hier ein.',
    qr: 'Der Code als QR-Code',
    makingCode: 'Der Code wird erstellt …',
    newCode: 'Neuer Code',
    codeLife: 'Gilt 15 Minuten.',
    withRecoveryKey: 'Oder mit deinem Wiederherstellungsschlüssel',
    recoveryKey: 'Wiederherstellungsschlüssel',
    recoveryKeyHint: 'Die 28 Buchstaben und Ziffern, die du aufgeschrieben oder gespeichert hast. Nicht der Code oben.',
    useRecoveryKey: 'Mit dem Schlüssel bestätigen',
    noRecoveryKey: 'Dieses Konto hat keinen Wiederherstellungsschlüssel.',
    wrongRecoveryKey:
      'Das ist nicht dein aktueller Wiederherstellungsschlüssel. Hast du einen neueren erstellt, nimm den.',
    isCodeAbove:
      'Das ist der Code von dieser Seite, für dein anderes Gerät. Dein Wiederherstellungsschlüssel ist ein anderer.',
    withNeither: 'Ich habe kein anderes Gerät und keinen Schlüssel',
    startAgainText:
      'Das lässt sich nicht rückgängig machen. Deine anderen Geräte werden abgemeldet, und alle, mit denen du schreibst,' +
      ' erfahren, dass sich deine Sicherheitsnummer geändert hat. Deine Unterhaltungen bleiben, aber dieses Gerät kann' +
      ' frühere Nachrichten nicht lesen.',
    startAgain: 'Nur mit diesem Gerät neu beginnen',
    linkTitle: 'Gerät bestätigen',
    linkText:
      'Melde dich auf deinem neuen Gerät an. Es zeigt einen Code: Gib ihn hier ein. Bestätige nur ein Gerät, das du vor' +
      ' dir hast: Es kann ab dann deine Nachrichten lesen.',
    linkTextOfWaiting:
      'Gib den Code ein, den das neue Gerät gerade zeigt. Bestätige nur ein Gerät, das du vor dir hast: Es kann ab dann' +
      ' deine Nachrichten lesen.',
    linkTextByLink:
      'Zeigt das Gerät vor dir diesen Code? Hat dir jemand einen Link oder ein Bild davon geschickt, schließe das hier:' +
      ' Ein fremdes Gerät könnte dann deine Nachrichten lesen.',
    code: 'Code des neuen Geräts',
    codeHint: '28 Buchstaben und Ziffern. Groß- und Kleinschreibung ist egal. Nicht dein Wiederherstellungsschlüssel.',
    link: 'Bestätigen',
    linkSame: 'Ja, gleicher Code – bestätigen',
    wasRemoved:
      'Das neue Gerät wurde schon einmal aus deinem Konto entfernt. Melde dich auf dem neuen Gerät ab und wieder an, und gib' +
      ' den neuen Code ein, den es zeigt.',
    linked: 'Das Gerät ist bestätigt. Es empfängt jetzt deine Nachrichten.',
    unconfirmed: (name) => `${name} hat sich bei deinem Konto angemeldet. Warst du das?`,
    unconfirmedText:
      'Es kann nichts lesen, solange du es nicht bestätigst. Bist du nicht sicher, entferne es und ändere dein Passwort.',
    notLinked: 'Nicht bestätigt. Es kann deine Nachrichten nicht lesen.',
    isMine: 'Meins – Code eingeben',
    noKeyYet: 'Du hast noch keinen Wiederherstellungsschlüssel.',
    noKeyYetText: 'Verlierst du dieses Gerät, brauchst du ihn, um wieder in dein Konto zu kommen.',
    saveRecoveryKey: 'Jetzt erstellen',
    later: 'In einer Woche erinnern',
    recoveryTitle: 'Wiederherstellungsschlüssel',
    recoveryText:
      'Alle Geräte verloren? Mit diesem Schlüssel und deinem Passwort kommst du wieder in dein Konto. Alte Nachrichten' +
      ' bringt er nicht zurück. Schreib ihn auf, oder speichere ihn, und zeig ihn niemandem.',
    recoveryReplaces: 'Du hast schon einen. Er gilt nicht mehr, sobald du einen neuen erstellst.',
    makeRecoveryKey: 'Schlüssel erstellen',
    keepIt: 'Schreib diesen Schlüssel auf, oder speichere ihn jetzt. Er wird nur einmal gezeigt.',
    print: 'Drucken',
    saveFile: 'Als Datei speichern',
    hasKept: 'Ich habe ihn aufbewahrt',
    recoverySheet: (name, host, key) =>
      `Sottovoce-Wiederherstellungsschlüssel\n\nKonto: ${name}\nServer: ${host}\n\n${key}\n\n` +
      'Gib ihn auf einem neuen Gerät nach der Anmeldung ein. Halte ihn geheim.\n',
    recoveryFile: (name) => `sottovoce-wiederherstellung-${name}.txt`,
  },

  settings: {
    title: 'Einstellungen',
    choosePicture: 'Bild auswählen',
    cropLabel: 'Dein Bild. Mit den Pfeiltasten verschiebst du es.',
    zoom: 'Zoom',
    usePicture: 'Dieses Bild verwenden',
    about: 'Über dich',
    aboutHint: 'Das können alle lesen, die deinen Benutzernamen kennen, und auch der Server.',
    aboutInvalid: 'Dieser Text enthält Zeichen, die nicht gespeichert werden können.',
    appearance: 'Darstellung',
    matchSystem: 'Wie das System',
    light: 'Hell',
    dark: 'Dunkel',
    language: 'Sprache',
    languageOfSystem: 'Wie der Browser',
    privacy: 'Privatsphäre',
    receipts: 'Lesebestätigungen senden',
    receiptsHint: 'In Unterhaltungen mit bis zu 16 Personen.',
    typing: 'Tipp-Anzeige senden',
    typingHint: 'Nur für Personen sichtbar, die die Unterhaltung gerade geöffnet haben.',
    thisDevice: 'Auf diesem Gerät',
    notifications: 'Benachrichtigungen zeigen, solange Sottovoce geöffnet ist',
    notificationsHint: 'Zeigt den Absender, nicht den Text.',
    blocked: 'Blockierte Personen',
    noneBlocked: 'Keine blockierten Personen',
    unblock: 'Freigeben',
    devices: 'Deine Geräte',
    devicesHint: 'Jedes Gerät hat eigene Schlüssel. Wenn du ein Gerät verlierst, entferne es hier.',
    isThisDevice: 'dieses Gerät',
    addedOn: (moment) => `hinzugefügt: ${moment}`,
    deviceName: (browser, system) => `${browser} auf ${system}`,
    removeDevice: (name) => `${name} entfernen`,
    removeDeviceTitle: (name) => `„${name}“ entfernen?`,
    removeDeviceText:
      'Das Gerät wird abgemeldet und erhält keine Nachrichten mehr. Nachrichten, die schon darauf sind, bleiben dort.',
    sessions: 'Andere Sitzungen',
    session: (moment) => `Andere App, seit: ${moment}`,
    endSession: 'Sitzung beenden',
    changePassword: 'Passwort ändern',
    currentPassword: 'Aktuelles Passwort',
    newPassword: 'Neues Passwort',
    savePassword: 'Neues Passwort speichern',
    passwordChanged: 'Dein Passwort wurde geändert. Deine anderen Sitzungen sind beendet.',
    passwordInvalid:
      'Ein Passwort braucht mindestens 8 Zeichen, darunter ein Großbuchstabe, ein Kleinbuchstabe und eine Ziffer.',
    logOutTitle: 'Abmelden?',
    logOutText:
      'Das löscht deine Nachrichten von diesem Gerät. Ist es dein einziges? Dann brauchst du deinen' +
      ' Wiederherstellungsschlüssel, um dich wieder anzumelden. Ohne ihn beginnst du neu, und alle, mit denen du schreibst,' +
      ' werden gewarnt, dass sich deine Sicherheitsnummer geändert hat.',
    deleteAccount: 'Konto löschen',
    deleteAccountText:
      'Dein Konto, deine Geräte und deine Nachrichten werden endgültig vom Server gelöscht.' +
      ' Andere behalten die Nachrichten, die sie schon erhalten haben.',
    deleteAccountAction: 'Mein Konto löschen',
  },
};
