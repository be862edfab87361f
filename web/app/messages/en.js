// @ts-check
/**
 * Every English sentence that the client shows. `de.js` has the same keys; `messages.test.js` and the type checker
 * compare them. A person's name is a parameter, never part of a longer string that is put together elsewhere.
 */
import { listIn, pluralIn } from './intl.js';

const plural = pluralIn('en');
const list = listIn('en');

export const en = {
  common: {
    add: 'Add',
    block: 'Block',
    cancel: 'Cancel',
    close: 'Close',
    copied: 'Copied',
    copy: 'Copy',
    logIn: 'Log in',
    logOut: 'Log out',
    message: 'Message',
    newConversation: 'New conversation',
    notEncrypted: 'Not end-to-end encrypted',
    password: 'Password',
    remove: 'Remove',
    save: 'Save',
    saved: 'Saved.',
    start: 'Start',
    today: 'Today',
    tryAgain: 'Try again',
    unknownPerson: 'Unknown participant',
    username: 'Username',
    yesterday: 'Yesterday',
    you: 'You',
    /** In the middle of a sentence, as the object: "Ben added you". */
    youAsObject: 'you',
    /** After "from". */
    youAfterFrom: 'you',
  },

  /** By the machine-readable code of the error. */
  errors: {
    bad_invite: 'This invite is unknown, already used or expired. Ask for a new one.',
    busy: 'The server is busy. Try again in a moment.',
    changed_key: 'A safety number has changed. Choose in the red notice at the top.',
    device_removed:
      'This device was removed from your account. If that wasn’t you, someone has your password: tell the person who runs' +
      ' the server. To use this device again, log out, which deletes the messages here, and log in.',
    forged_key_package:
      'The server sent keys that don’t belong to this person. Nothing was changed. Ask the person who runs the server.',
    has_no_device: 'This person can’t receive end-to-end encrypted messages yet.',
    has_no_device_now:
      'The server shows no device of this person right now. Nothing was sent. Ask them, by phone or in person, to log in to' +
      ' Sottovoce.',
    id_taken: 'This message was already sent.',
    invalid_credentials: 'Wrong username or password.',
    invite_refused: 'You can’t create another invite yet.',
    mistyped_code: 'This code has a mistake. Check each letter.',
    new_readers:
      'Someone joined, or a new device was added, after you wrote this. Tap the name at the top to see who’s here.',
    not_listed: 'This device isn’t confirmed. Confirm it on another device, or with your recovery key.',
    not_a_group: 'The server shows another conversation in its place. Nothing was sent. Try again.',
    number_changed: 'The safety number has changed since you compared it. Compare it again.',
    no_account_key: 'This device doesn’t have your account key. Confirm it first.',
    no_device: 'This device isn’t registered. Log out, then log in again.',
    no_key: 'The key for this conversation isn’t on this device.',
    no_such_code: 'This code is unknown, already used or expired. A code works once, for 24 hours.',
    no_such_conversation: 'This conversation no longer exists.',
    no_such_device: 'This device no longer exists.',
    no_such_invite: 'This invite has already been used or revoked.',
    no_such_message: 'This message no longer exists.',
    no_such_session: 'This session has already ended.',
    no_such_user: 'No one has that username. Check the spelling.',
    not_a_leaf: 'This device isn’t in this conversation.',
    not_allowed: 'Only the owner or an admin of the group can do that.',
    not_here: 'That isn’t possible in this conversation.',
    not_yours: 'You can only change your own messages.',
    other_account_key: 'The server shows another account key than yours. Nothing was changed. Try again.',
    other_account: 'Another account is in use in this browser. Reload the page, and log out there first.',
    other_tabs: 'Close the other Sottovoce tabs, reload this one, and try again.',
    removal_asked: 'Only the server says that someone left. Choose in the red notice at the top.',
    registration_closed: 'Registration is closed.',
    other_person:
      'This name and the person you verified don’t belong together. Nothing was changed. Call the person you know, and ask' +
      ' for their username.',
    self_chat: 'That’s you. Enter someone else’s username.',
    storage_blocked: 'Another tab is using an older version of Sottovoce. Close the other tabs, then reload this page.',
    storage_outdated: 'Sottovoce has been updated in another tab. Reload this page.',
    stranger: 'We can’t tell who added someone here. Choose in the red notice at the top.',
    taken: 'That username is taken. Choose another one.',
    too_long: 'This message is too long.',
    too_many: 'Too many attempts. Wait a little, then try again.',
    too_many_codes: 'You have too many active codes. Revoke one first.',
    unauthenticated: 'Your session has ended. Log in again.',
    unavailable: 'The server can’t save anything right now. Try again in a moment.',
    unlisted_device: 'Someone has a device that they haven’t confirmed. See the red notice at the top.',
    unreachable: 'Can’t reach the server. Check your connection.',
    unreadable_picture: 'This picture can’t be read. Try a PNG or JPEG file.',
    unsendable: 'This message contains characters that can’t be sent.',
    wrong_code:
      'None of your devices shows this code, or its 15 minutes are over. Tap “New code” there. A recovery key doesn’t work' +
      ' here.',
    wrong_password: 'Wrong password. Nothing was changed.',
  },
  unknownError: 'Something went wrong. Try again.',
  /** @param {number} minutes */
  tooManyFor: (minutes) =>
    plural(minutes, {
      one: 'Too many attempts. Try again in # minute.',
      other: 'Too many attempts. Try again in # minutes.',
    }),

  welcome: {
    account: 'Account',
    intro: 'Private, end-to-end encrypted messages on your own server.',
    invited: 'You’ve been invited. Choose a username and a password to join.',
    signUp: 'Sign up',
    createAccount: 'Create account',
    creatingKeys: 'Creating your keys…',
    closed: 'Registration is closed. Ask the person who runs this server for an account.',
    usernameHint: 'This is how people find you. Up to 20 characters, no spaces.',
    /** @param {number} length */
    passwordHint: (length) =>
      `At least ${length} characters, including an uppercase letter, a lowercase letter and a digit.` +
      ' If you forget it, only the person who runs this server can reset it.',
    newDeviceHint:
      'After you log in, confirm this browser with a device that you already use, or with your recovery key. Earlier' +
      ' messages stay on your other devices.',
    inviteCode: 'Invite code',
    invalid:
      'Check your username and password. A username has up to 20 characters and no spaces. A password has at least' +
      ' 8 characters, including an uppercase letter, a lowercase letter and a digit.',
  },

  startFailed: {
    title: 'Sottovoce can’t start in this browser',
    text:
      'The data that is stored in this browser can’t be opened. Sottovoce tries again every few seconds.' +
      ' It often helps to close other tabs, free up disk space, or restart the browser.',
    stillNotWorking: 'Still not working?',
    eraseText:
      'You can erase this device and log in again as a new device. Messages on your other devices are kept.' +
      ' Messages that exist only here will be lost.',
    erase: 'Erase this device',
  },

  sessionExpired: {
    notice: 'You’ve been logged out. Your messages are still here.',
    logInAgain: 'Log in again',
    /** @param {string} name */
    title: (name) => `Log in again as ${name}`,
    text: 'Enter your password to carry on. Nothing here is deleted.',
    logOutAndDelete: 'Log out and delete my messages here',
    logOutTitle: 'Delete your messages here?',
    logOutText: 'This deletes all messages and keys from this device. Messages that exist only here are lost.',
    /** In place of the field for a message. */
    loggedOut: 'You’re logged out.',
  },

  conversations: {
    label: 'Conversations',
    overview: 'Overview',
    requests: 'Message requests',
    empty: 'No conversations yet.',
    start: 'Start a conversation',
    invite: 'Invite someone',
    offline: 'Offline. Connecting…',
    offlineWaiting: 'Offline. Your messages will be sent later.',
    /** @param {number} count */
    unread: (count) => plural(count, { one: '# unread message', other: '# unread messages' }),
    draft: 'Draft:',
    /** @param {string} name @param {string} text */
    said: (name, text) => `${name}: ${text}`,
    /** @param {string} text */
    youSaid: (text) => `You: ${text}`,
    typing: 'typing…',
    /** @param {string[]} names */
    peopleTyping: (names) => `${list(names)} ${plural(names.length, { one: 'is', other: 'are' })} typing…`,
    messageDeleted: 'Message deleted',
    noMessages: 'No messages yet',
    notMember: 'You’re no longer in this conversation',
    select: 'Select a conversation',
    selectText: 'Or start a new one.',
    /** @param {string} name */
    hello: (name) => `Hello, ${name}`,
    helloText: 'Start a conversation with someone whose username you know, or invite someone.',
    /** @param {string[]} names @param {number} more people who are not named */
    titleOfMany: (names, more) => `${names.join(', ')} ${plural(more, { one: 'and # other', other: 'and # others' })}`,
    /** A group with the name of a person. @param {string} name */
    groupNamed: (name) => `Group “${name}”`,
    onlyYou: 'Just you',
    unnamed: 'Conversation',
  },

  conversation: {
    back: 'Back to conversations',
    details: 'Conversation details',
    /** @param {string[]} names */
    members: (names) => list([...names, 'you']),
    encrypted: 'End-to-end encrypted',
    verified: 'Verified',
    safetyNumberChanged: 'Safety number changed',
    aboutEncryption: 'About encryption',
    request: 'Message request',
    /** @param {string} name */
    requestFrom: (name) => `${name} wants to message you.`,
    requestText: 'They won’t know you’ve read this until you accept.',
    accept: 'Accept',
    ignore: 'Ignore',
    acceptFirst: 'Accept the request to reply.',
    notSafe: 'Not safe',
    forged: 'This conversation is not safe.',
    forgedText:
      'The server added someone you can’t see. Nothing you write here is sent. Leave this conversation, and tell the' +
      ' others and the person who runs the server, by phone or in person.',
    unknownParticipant: 'Someone here has no name.',
    unknownParticipantText:
      'They can read what you write: your messages are still sent. Wait a moment for the name. If none appears, write' +
      ' nothing private, and ask the others who it is.',
    /** @param {string[]} names */
    numbersChanged: (names) =>
      names.length === 1
        ? `${names[0]}’s safety number has changed.`
        : `The safety numbers of ${list(names)} have changed.`,
    numbersChangedText:
      'This isn’t the phone number. It changes when someone starts over on a new phone or browser, but also if someone' +
      ' tries to read your messages. Call or meet, and compare before you write anything private.',
    waitsForYou: 'Until then, your messages wait here.',
    /** @param {string} name */
    acceptKey: (name) => `Send to ${name} anyway`,
    /** @param {string[]} names */
    unlistedDevice: (names) => `A device of ${list(names)} isn’t confirmed.`,
    /** @param {string[]} names */
    unlistedDeviceText: (names) =>
      `It may be a stranger’s, so your new messages wait. Call ${list(names)}: they need to open Settings in Sottovoce, and` +
      ' confirm or remove the new device. Then your messages are sent.',
    ownUnlistedDevice: 'One of your devices isn’t confirmed.',
    ownUnlistedDeviceText:
      'Your messages wait here. Confirm the device in Settings if it’s yours, and remove it if not.',
    openSettings: 'Open Settings',
    /** @param {string[]} names */
    strangers: (names) => `We can’t tell who added ${list(names)}.`,
    /** @param {string[]} names */
    strangersText: (names) =>
      `It may have been the server, so your new messages wait. Ask the others by phone or in person who added` +
      ` ${list(names)}, before you choose.`,
    seeMembers: 'See who’s here',
    /** @param {string[]} names */
    acceptStrangers: (names) => `Send my messages to ${list(names)} too`,
    /** @param {string[]} names */
    removalAsked: (names) => `Did ${list(names)} really leave?`,
    /** @param {string[]} names */
    removalAskedText: (names) =>
      `Only the server says so. Your new messages wait. Call ${list(names)} and ask. If not, remove no one, and tell the` +
      ' person who runs the server.',
    agreeText: 'Remove only if you heard it by phone or in person: someone left, or lost their device.',
    /** @param {string[]} names */
    agree: (names) => `Yes – remove ${list(names)}`,
    /** @param {string[]} names */
    remove: (names) => `Remove ${list(names)}`,
    /** @param {string} name */
    verify: (name) => `Compare with ${name}`,
    notMember: 'You’re no longer in this conversation. Its messages stay here until you delete them.',
    deleteHere: 'Delete from this device',
    keyMissing:
      'The key for this conversation isn’t on this device. The server sends each key only once.' +
      ' With a new key you both start over, and all messages here are deleted.',
  },

  newKey: {
    title: 'Create a new key?',
    /** @param {string} name */
    text: (name) =>
      `All messages in this conversation will be deleted, for you and for ${name}. The server could still read new ones.`,
    action: 'Delete messages and create key',
    create: 'Create a key (deletes all messages)',
    createNew: 'Delete all messages and start over',
    done: 'A new key was created. Earlier messages were deleted for both of you.',
  },

  timeline: {
    messages: 'Messages',
    latest: 'Latest messages',
    /** @param {number} count */
    newCount: (count) => plural(count, { one: '# new', other: '# new' }),
    newMessages: 'New messages',
    actions: 'Message actions',
    reply: 'Reply',
    edit: 'Edit',
    goToOriginal: 'Go to original message',
    deleteForMe: 'Delete for me',
    deleteForMeTitle: 'Delete this message for you?',
    deleteForMeText: 'It will be deleted from this device only. Your other devices and everyone else will keep it.',
    deleteForEveryone: 'Delete for everyone',
    deleteForEveryoneTitle: 'Delete this message for everyone?',
    deleteForEveryoneText:
      'It will be deleted from the server and from everyone’s devices the next time they connect.' +
      ' People may already have read it.',
    react: 'React',
    /** @param {string} emoji */
    reactWith: (emoji) => `React with ${emoji}`,
    moreEmoji: 'More emoji',
    notOnDevice: 'That message isn’t on this device.',
  },

  message: {
    sending: 'Sending',
    sent: 'Sent',
    delivered: 'Delivered',
    read: 'Read',
    deleted: 'This message was deleted.',
    deletedQuote: 'Deleted message',
    earlier: 'Earlier message',
    unreadable: 'This message can’t be read: its key isn’t on this device.',
    notEncrypted: 'not encrypted',
    /** @param {string} name */
    foreign: (name) => `${name} hasn’t confirmed the device that sent this. It may be from someone else.`,
    /** Before a text, for a screen reader. */
    unconfirmed: 'from an unconfirmed device',
    foreignOwn: 'You haven’t confirmed the device that sent this. It may be from someone else.',
    edited: 'edited',
    /** @param {string} reason a whole sentence */
    notSent: (reason) => `Not sent. ${reason}`,
    /** Sent without the author when the reason is gone. @param {string} reason a whole sentence */
    waits: (reason) => `Waiting. ${reason}`,
    sendToAll: 'Send to everyone who’s here now',
    /** @param {string} name */
    replyTo: (name) => `reply to ${name}`,
    replyToYou: 'reply to your message',
    replyToEarlier: 'reply to an earlier message',
    /** @param {string} emoji @param {string[]} names */
    reaction: (emoji, names) => `${emoji} from ${list(names)}`,
    discard: 'Delete',
  },

  notices: {
    /** @param {string} name */
    beginning: (name) => `This is the beginning of your conversation with ${name}.`,
    beginningOfGroup: 'This is the beginning of this group.',
    beginningAlone: 'This is the beginning of this conversation.',
    /** @param {string} day as in "today" or "on 5 May 2026" */
    youAddedDevice: (day) => `You added this device ${day}. Earlier messages are on your other devices.`,
    /** @param {string} day */
    youCameBack: (day) => `You added this device ${day}. Earlier messages aren’t on this device.`,
    /** @param {string} day */
    deviceJoined: (day) => `This device joined the group ${day}. Earlier messages aren’t on this device.`,
    today: 'today',
    /** @param {string} date */
    onDay: (date) => `on ${date}`,
    rejoined: 'This device had to rejoin the conversation. Some messages may be missing here.',
    youLeft: 'You left.',
    /** @param {string} name */
    left: (name) => `${name} left.`,
    /** @param {string} name */
    claimedLeft: (name) => `The server says that ${name} left.`,
    /** @param {string} title */
    youNamed: (title) => `You named this group “${title}”.`,
    /** @param {string} name @param {string} title */
    named: (name, title) => `${name} named this group “${title}”.`,
    unreadable: 'A message can’t be read on this device.',
    missing: 'A message was deleted, or the server doesn’t show it.',
    /** @param {string} name */
    joined: (name) => `${name} joined from another device.`,
    youJoined: 'You joined from another device.',
    /** @param {string} name */
    cameBack: (name) => `${name} is back on a new device. Their safety number has changed.`,
    /** @param {string} name */
    cameBackListed: (name) => `${name} is back on a new device.`,
    /** @param {string} name @param {string[]} people */
    added: (name, people) => `${name} added ${list(people)}.`,
    /** @param {string[]} people */
    youAdded: (people) => `You added ${list(people)}.`,
    /** @param {string} name @param {string[]} people */
    removed: (name, people) => `${name} removed ${list(people)}.`,
    /** @param {string[]} people */
    youRemoved: (people) => `You removed ${list(people)}.`,
    /** @param {string[]} names */
    loggedOut: (names) => `${list(names)} logged out.`,
    /** @param {string[]} names */
    gone: (names) =>
      `${list(names)} ${plural(names.length, { one: 'is', other: 'are' })} no longer in this conversation.`,
    /** @param {string[]} names */
    disowned: (names) => `A device that ${list(names)} didn’t confirm was removed.`,
    ownDisowned: 'A device that you didn’t confirm was removed.',
    ownDevice: 'You added a new device. If that wasn’t you, remove it in Settings.',
    /** @param {string[]} names */
    newListedDevice: (names) =>
      plural(names.length, { one: `${list(names)} has a new device.`, other: `${list(names)} have new devices.` }),
    /** @param {string[]} names */
    newDevice: (names) =>
      plural(names.length, {
        one: `${list(names)} has a new device. Their safety number has changed.`,
        other: `${list(names)} have new devices. Their safety numbers have changed.`,
      }),
  },

  notifications: {
    /** @param {string} name */
    newMessage: (name) => `New message from ${name}`,
    /** @param {string} title */
    inGroup: (title) => `Group: ${title}`,
    /** @param {number} count */
    pageTitle: (count) => (count ? `(${count}) Sottovoce` : 'Sottovoce'),
  },

  composer: {
    emoji: 'Emoji',
    editing: 'Editing message',
    /** @param {string} name */
    replyingTo: (name) => `Replying to ${name}`,
    replyingToYourself: 'Replying to yourself',
    cancelReply: 'Cancel reply',
    cancelEdit: 'Cancel edit',
    send: 'Send',
    /** In the empty field. */
    waits: 'Message (will wait)',
    /** In the empty field of a conversation that is not safe. */
    neverSent: 'Nothing is sent here',
  },

  emoji: {
    search: 'Search emoji',
    categories: 'Categories',
    all: 'Emoji',
    groups: {
      smileys: 'Smileys & emotion',
      people: 'People & body',
      nature: 'Animals & nature',
      food: 'Food & drink',
      places: 'Travel & places',
      activities: 'Activities',
      objects: 'Objects',
      symbols: 'Symbols',
      flags: 'Flags',
    },
    none: 'No emoji found.',
  },

  newConversation: {
    ways: 'How to start',
    byName: 'Person',
    group: 'Group',
    byCode: 'Code',
    invite: 'Invite',
    usernameHint: 'Type the exact username. People can’t be searched for.',
    /** @param {string} name */
    notEncrypted: (name) =>
      `${name} can’t get end-to-end encrypted messages yet. Ask ${name} to log in to Sottovoce first.` +
      ' If you write anyway, the server can read it.',
    writeUnencrypted: 'Write so that the server can read it',
    groupName: 'Group name',
    groupNameHint: 'Only members can see it. The server can’t.',
    addMember: 'Add a member',
    members: 'Members',
    /** @param {string} name */
    removeMember: (name) => `Remove ${name}`,
    createGroup: 'Create group',
    noMembers: 'Add at least one person.',
    youAreMember: 'You’re already in the group.',
    code: 'Their code',
    fiveDigits: 'Five digits',
    inviteIntro: 'Invite someone who doesn’t have an account here yet.',
    inviteLimit:
      'You can create one invite a day. For more invites, you need to have talked to more people here.' +
      ' Admins can create as many as they like.',
    inviteNoLimit: 'As an admin, you can create as many invites as you like.',
  },

  shareCodes: {
    showCode: 'Show my code',
    codeQr: 'Your code as a QR code',
    codeText: 'Anyone with this code can message you without sending a request first.',
    createInvite: 'Create invite link',
    inviteQr: 'Your invite as a QR code',
    inviteText: 'Anyone with this link can join and will be connected with you.',
    /** @param {string} code its digits apart, for a screen reader */
    yourCode: (code) => `Your code: ${code}`,
    copyLink: 'Copy link',
    /** @param {string} code */
    copyLinkOf: (code) => `Copy link for ${code}`,
    revoke: 'Revoke',
    /** @param {string} code */
    revokeCode: (code) => `Revoke ${code}`,
    /** @param {string} date */
    worksOnce: (date) => `Works once, until ${date}.`,
    /** @param {string} date */
    validUntil: (date) => `Valid until ${date}`,
    others: 'Also active',
    createAnother: 'Create another',
    localAddress:
      'This link only works on this computer. Open Sottovoce at the network address of this computer,' +
      ' and create the link there.',
  },

  details: {
    label: 'Conversation details',
    group: 'Group',
    groupName: 'Group name',
    participants: 'Participants',
    /** @param {number} count */
    members: (count) => plural(count, { one: '# member', other: '# members' }),
    addMember: 'Add a member',
    addToGroupHint: 'New members can only read messages sent after they join.',
    addToPairHint: 'Adding a third person makes this a group.',
    person: 'Person',
    /** @param {string} name */
    moreAbout: (name) => `More about ${name}`,
    /** @param {string} name */
    about: (name) => `About ${name}`,
    safetyNumber: 'Safety number',
    makeAdmin: 'Make admin',
    removeAdmin: 'Remove as admin',
    /** @param {string} name */
    removeTitle: (name) => `Remove ${name}?`,
    /** @param {string} name */
    removeText: (name) => `${name} will stop receiving messages but will keep the ones already received.`,
    /** @param {string} name */
    blockTitle: (name) => `Block ${name}?`,
    /** @param {string} name */
    blockText: (name) =>
      `You won’t see ${name}’s messages until you unblock them. They won’t be told.` +
      ' You’ll still see each other in groups.',
    leave: 'Leave conversation',
    leaveTitle: 'Leave this conversation?',
    leaveText: 'You’ll stop receiving messages. Your copy stays on this device.',
    leaveAction: 'Leave',
    owner: 'owner',
    admin: 'admin',
    verified: 'Verified',
    safetyNumberChanged: 'Safety number changed',
    /** @param {number} count */
    devices: (count) => plural(count, { one: '# device', other: '# devices' }),
    /** @param {string} name */
    noBio: (name) => `${name} hasn’t written anything about themselves.`,
  },

  trust: {
    /** @param {string} name */
    safetyNumberWith: (name) => `Safety number with ${name}`,
    /** @param {string} name */
    compare: (name) =>
      `Compare these 60 digits with the ones on ${name}’s screen, in person or on a call.` +
      ' If they match, no one is intercepting your messages, not even this server.',
    /** @param {string} name */
    whereToLook: (name) =>
      `${name} opens your conversation and taps the symbol at the top right, then “Safety number”. If one digit differs:` +
      ' write nothing private, and tell the person who runs the server.',
    qrHint: 'For apps that can scan it. Comparing the digits is enough.',
    qr: 'The safety number as a QR code',
    /** @param {string} name */
    isVerified: (name) => `You’ve verified ${name}. You’ll be told if the safety number changes.`,
    hasChanged: 'This number has changed since you verified it. Compare it now.',
    /** The server gives a verified person another name. @param {string} before @param {string} name */
    renamed: (before, name) => `${before} (now “${name}”)`,
    /** The user has verified another person under this name. @param {string} name @param {string} known */
    anotherOfName: (name, known) => `${name} (not the ${known} you verified)`,
    markVerified: 'They match – mark as verified',
    unsafeTitle: 'Not safe right now',
    unsafeText:
      'Something is wrong here. Write nothing private. Close this and read the red notice at the top of the conversation.',
    encryptedTitle: 'End-to-end encrypted',
    encryptedText:
      'Messages can be read only on the devices of the people in this conversation.' +
      ' The server passes them on but can’t read them.',
    metadataText: 'The server does know who talks to whom, when, and how much.',
    verifyText: 'To make sure that no one is impersonating them, verify the safety number with each person:',
    safetyNumber: 'Safety number',
    verified: 'verified',
    changed: 'changed',
    notVerified: 'not verified',
    /** A member who can read nothing here, now. */
    noDevice: 'can’t read messages here now',
    numberChanged: 'A safety number has changed.',
    numberChangedText:
      'This happens when someone starts over on a new phone or browser, and also if someone poses as them. Call or meet' +
      ' them before you share anything private.',
    continueAnyway: 'Continue anyway',
    directTitle: 'Not end-to-end encrypted',
    /** @param {string} name */
    directText: (name) => `Messages between you and ${name} aren’t end-to-end encrypted here.`,
    keyHere:
      'The server made the key, so the person who runs it could read along. Starting over doesn’t make it safer.',
    keyElsewhere: 'The key that this server created for both of you isn’t on this device.',
    keyNone:
      'There is no key for this conversation, so messages are sent as plain text.' +
      ' The person who runs the server can read them.',
    directAdvice: 'Don’t share anything here that the server must not know.',
  },

  linking: {
    title: 'Confirm this device',
    /** @param {string} name */
    text: (name) =>
      `You’re logged in as ${name}. To read and write here, confirm that this device is yours. So someone who only has` +
      ' your password can’t read your messages.',
    withDevice: 'With another device of yours',
    step1: 'Open Sottovoce on a device that you already use.',
    step2: 'Scan this QR code with its camera, or open Settings there and choose “Confirm a device”.',
    step3: 'If you’re asked for a code, enter the one below.',
    qr: 'The code as a QR code',
    makingCode: 'Creating a code…',
    newCode: 'New code',
    codeLife: 'Valid for 15 minutes.',
    withRecoveryKey: 'Or with your recovery key',
    recoveryKey: 'Recovery key',
    recoveryKeyHint: 'The 28 letters and digits that you wrote down or saved. Not the code above.',
    useRecoveryKey: 'Confirm with the recovery key',
    noRecoveryKey: 'This account has no recovery key.',
    wrongRecoveryKey: 'This isn’t your current recovery key. If you made a newer one, use that.',
    isCodeAbove: 'That’s the code from this page, for your other device. Your recovery key is another one.',
    withNeither: 'I have no other device and no recovery key',
    startAgainText:
      'You can’t undo this. Your other devices are logged out, and everyone you talk to sees that your safety number has' +
      ' changed. Your conversations stay, but this device can’t read earlier messages.',
    startAgain: 'Start over with only this device',
    linkTitle: 'Confirm a device',
    linkText:
      'Log in on your new device. It shows a code: enter it here. Confirm only a device that you have in front of you: it' +
      ' can read your messages from then on.',
    linkTextOfWaiting:
      'Enter the code that the new device shows now. Confirm only a device that you have in front of you: it can read your' +
      ' messages from then on.',
    linkTextByLink:
      'Does the device in front of you show this code? If someone sent you a link or a picture of it, close this: their' +
      ' device could read your messages.',
    code: 'Code of the new device',
    codeHint: '28 letters and digits. Upper and lower case make no difference. Not your recovery key.',
    link: 'Confirm',
    linkSame: 'Yes, same code – confirm',
    wasRemoved:
      'The new device was removed from your account before. Log out on the new device, log in there again, and enter the' +
      ' new code that it shows.',
    linked: 'The device is confirmed. It now receives your messages.',
    /** @param {string} name */
    unconfirmed: (name) => `${name} logged in to your account. Was it you?`,
    unconfirmedText:
      'It can’t read anything until you confirm it. If you aren’t sure, remove it and change your password.',
    notLinked: 'Not confirmed. It can’t read your messages.',
    isMine: 'It’s mine – enter its code',
    noKeyYet: 'You have no recovery key yet.',
    noKeyYetText: 'If you lose this device, you need it to get back into your account.',
    saveRecoveryKey: 'Create one now',
    later: 'Remind me in a week',
    recoveryTitle: 'Recovery key',
    recoveryText:
      'Lost all your devices? This key and your password get you back into your account. It doesn’t bring back old' +
      ' messages. Write it down or save it, and show it to no one.',
    recoveryReplaces: 'You already have a recovery key. It stops working when you create a new one.',
    makeRecoveryKey: 'Create a recovery key',
    keepIt: 'Write this key down or save it now. It’s shown only once.',
    print: 'Print',
    saveFile: 'Save as a file',
    hasKept: 'I’ve saved it',
    /** @param {string} name @param {string} host @param {string} key */
    recoverySheet: (name, host, key) =>
      `Sottovoce recovery key\n\nAccount: ${name}\nServer: ${host}\n\n${key}\n\n` +
      'Enter it on a new device after you log in. Keep it secret.\n',
    /** @param {string} name */
    recoveryFile: (name) => `sottovoce-recovery-key-${name}.txt`,
  },

  settings: {
    title: 'Settings',
    choosePicture: 'Choose a picture',
    cropLabel: 'Your picture. Use the arrow keys to move it.',
    zoom: 'Zoom',
    usePicture: 'Use this picture',
    about: 'About you',
    aboutHint: 'Anyone who knows your username can read this, and so can the server.',
    aboutInvalid: 'This text contains characters that can’t be saved.',
    appearance: 'Appearance',
    matchSystem: 'Match system',
    light: 'Light',
    dark: 'Dark',
    language: 'Language',
    languageOfSystem: 'Match browser',
    privacy: 'Privacy',
    receipts: 'Send read receipts',
    receiptsHint: 'In conversations with up to 16 people.',
    typing: 'Send typing indicators',
    typingHint: 'Only people who have the conversation open can see them.',
    thisDevice: 'On this device',
    notifications: 'Show notifications while Sottovoce is open',
    notificationsHint: 'Shows the sender, not the text.',
    blocked: 'Blocked people',
    noneBlocked: 'No blocked people',
    unblock: 'Unblock',
    devices: 'Your devices',
    devicesHint: 'Each device has its own keys. If you lose a device, remove it here.',
    isThisDevice: 'this device',
    /** @param {string} moment */
    addedOn: (moment) => `added ${moment}`,
    /** @param {string} browser @param {string} system */
    deviceName: (browser, system) => `${browser} on ${system}`,
    /** @param {string} name */
    removeDevice: (name) => `Remove ${name}`,
    /** @param {string} name */
    removeDeviceTitle: (name) => `Remove “${name}”?`,
    removeDeviceText: 'It will be logged out and stop receiving messages. Messages already on it stay there.',
    sessions: 'Other sessions',
    /** @param {string} moment */
    session: (moment) => `Another app, since ${moment}`,
    endSession: 'End session',
    changePassword: 'Change password',
    currentPassword: 'Current password',
    newPassword: 'New password',
    savePassword: 'Save new password',
    passwordChanged: 'Your password was changed. Your other sessions have ended.',
    passwordInvalid:
      'A password needs at least 8 characters, including an uppercase letter, a lowercase letter and a digit.',
    logOutTitle: 'Log out?',
    logOutText:
      'This deletes your messages from this device. Is it your only one? Then you need your recovery key to log in again.' +
      ' Without it you start over, and everyone you talk to is warned that your safety number changed.',
    deleteAccount: 'Delete account',
    deleteAccountText:
      'This permanently deletes your account, devices and messages from the server.' +
      ' People keep the messages they’ve already received.',
    deleteAccountAction: 'Delete my account',
  },
};
