// @ts-check
import { t } from '../../messages/index.js';

/** @param {string} conversation @returns {import('../../ui/confirm.js').Question} */
export function questionBeforeLeaving(conversation) {
  return {
    heading: t.details.leaveTitle,
    text: t.details.leaveText,
    label: t.details.leaveAction,
    then: { action: 'leaveConversation', detail: { conversation } },
  };
}
