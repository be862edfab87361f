// @ts-check
/** The events that the leading worker sends to every tab. */

/** The client's own events that are forwarded unchanged. */
export const FORWARDED = /** @type {const} */ ([
  'conversation',
  'item',
  'waiting',
  'sent',
  'dropped',
  'failed',
  'typing',
  'ready',
  'offline',
  'logged out',
  'message',
  'me',
  'emptied',
  'gone',
  'rewound',
  'standing',
  'unconfirmed',
]);

/**
 * @typedef {Pick<import('../client/events.d.ts').ClientEvents, (typeof FORWARDED)[number]>} ForwardedEvents
 *
 * @typedef {object} OwnEvents the events of the worker itself
 * @property {object} leads a worker has begun to lead
 * @property {import('./page.js').Snapshot} snapshot
 * @property {import('./page.js').Settings} settings
 * @property {{ recovery: import('./page.js').Recovery }} recovery
 * @property {{ error: { code: string, message: string } }} problem
 *
 * @typedef {ForwardedEvents & OwnEvents} WorkerEvents the details, by the name of the event
 * @typedef {<Name extends keyof WorkerEvents>(event: Name, detail: WorkerEvents[Name]) => void} Emit
 */
