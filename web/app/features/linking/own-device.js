// @ts-check
/** A device of the account: how it is called, and how it is removed. */
import { t } from '../../messages/index.js';

/** Devices name themselves in English, e.g. "Firefox on Linux". @param {string} name */
export function deviceLabel(name) {
  const [, browser, system] = /^(\w+) on (\w+)$/.exec(name) ?? [];
  return browser && system ? t.settings.deviceName(browser, system) : name;
}

/** @param {string} id @param {string} name @param {boolean} [isInSettings] @returns {import('../../ui/confirm.js').Question} */
export function removal(id, name, isInSettings = false) {
  return {
    heading: t.settings.removeDeviceTitle(name),
    text: t.settings.removeDeviceText,
    label: t.common.remove,
    then: { action: 'revokeDevice', detail: { id, isInSettings } },
  };
}
