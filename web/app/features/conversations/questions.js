// @ts-check
/** Questions before a conversation is left, or someone is removed from it. */
import { t } from '../../messages/index.js';

/** @typedef {import('../../ui/confirm.js').Question} Question */

/** @param {string} conversation @returns {Question} */
export function questionBeforeLeaving(conversation) {
  return {
    heading: t.details.leaveTitle,
    text: t.details.leaveText,
    label: t.details.leaveAction,
    then: { action: 'leaveConversation', detail: { conversation } },
  };
}

/** @param {string} conversation @param {string} user @param {string} name @returns {Question} */
export function questionBeforeRemoval(conversation, user, name) {
  return {
    heading: t.details.removeTitle(name),
    text: t.details.removeText(name),
    label: t.common.remove,
    then: { action: 'removeMember', detail: { conversation, user } },
  };
}

/**
 * The server alone says that they left.
 * @param {string} conversation @param {{ id: string, name: string }[]} people @returns {Question}
 */
export function questionBeforeAgreeing(conversation, people) {
  return {
    heading: t.conversation.removalAsked(people.map(({ name }) => name)),
    text: t.conversation.agreeText,
    label: t.common.remove,
    then: { action: 'agreeToRemovals', detail: { conversation, users: people.map(({ id }) => id) } },
  };
}
