// @ts-check
/** Line drawings on a grid of 24. They are hidden from screen readers: the button around one has a label. */
import { html, svg } from '../../vendor/lit.js';

/** @type {Record<string, unknown>} */
const DRAWINGS = {
  back: svg`<path d="M15 5l-7 7 7 7"/>`,
  plus: svg`<path d="M12 5v14M5 12h14"/>`,
  send: svg`<path d="M5 12h13M12 5l7 7-7 7"/>`,
  close: svg`<path d="M6 6l12 12M18 6L6 18"/>`,
  more: svg`<circle cx="12" cy="5.5" r="1"/><circle cx="12" cy="12" r="1"/><circle cx="12" cy="18.5" r="1"/>`,
  lock: svg`<rect x="5.5" y="10.5" width="13" height="9" rx="2"/><path d="M8.5 10.5V8a3.5 3.5 0 0 1 7 0v2.5"/>`,
  open: svg`<rect x="5.5" y="10.5" width="13" height="9" rx="2"/><path d="M8.5 10.5V8a3.5 3.5 0 0 1 6.6-1.6"/>`,
  shield: svg`<path d="M12 3.5l7 2.5v5.5c0 4.5-3 7.5-7 9-4-1.5-7-4.5-7-9V6z"/><path d="M9 12l2.2 2.2L15.2 10"/>`,
  alarm: svg`<path d="M12 4l9 15.5H3z"/><path d="M12 10v4.5M12 17v.2"/>`,
  smile: svg`<circle cx="12" cy="12" r="8.5"/><path d="M8.5 14c1.8 2.4 5.2 2.4 7 0M9 9.5v.2M15 9.5v.2"/>`,
  reply: svg`<path d="M10 7l-5 5 5 5"/><path d="M5 12h9a5 5 0 0 1 5 5v1"/>`,
  edit: svg`<path d="M5 19l1-4L16 5l3 3L9 18z"/>`,
  bin: svg`<path d="M5 7h14M10 7V5h4v2M7 7l1 12h8l1-12"/>`,
  copy: svg`
    <rect x="8.5" y="8.5" width="10.5" height="10.5" rx="2"/>
    <path d="M15.5 8.5V6.5a2 2 0 0 0-2-2h-7a2 2 0 0 0-2 2v7a2 2 0 0 0 2 2h2"/>`,
  settings: svg`
    <path d="M4 7.5h8M17 7.5h3M4 16.5h3M12 16.5h8"/><circle cx="14.5" cy="7.5" r="2.5"/>
    <circle cx="9.5" cy="16.5" r="2.5"/>`,
  people: svg`
    <circle cx="9" cy="9" r="3.2"/><path d="M3.5 19c.5-3.5 2.8-5 5.5-5s5 1.5 5.5 5"/>
    <path d="M15.5 6.2a3 3 0 0 1 0 5.7M17 14.4c2 .6 3.2 2.1 3.5 4.6"/>`,
  down: svg`<path d="M6 10l6 6 6-6"/>`,
  clock: svg`<circle cx="12" cy="12" r="8"/><path d="M12 8v4.5l3 1.5"/>`,
  once: svg`<path d="M6 12.5l4 4 8-9"/>`,
  twice: svg`<path d="M3 12.5l4 4 7.5-9"/><path d="M11.5 15.5l1.2 1 8-9"/>`,
  qr: svg`
    <rect x="4.5" y="4.5" width="6" height="6"/><rect x="13.5" y="4.5" width="6" height="6"/>
    <rect x="4.5" y="13.5" width="6" height="6"/><path d="M13.5 13.5h2.5v2.5M19.5 13.5v6h-6"/>`,
  note: svg`<path d="M5 5h14v10l-4 4H5z"/><path d="M15 19v-4h4"/>`,
};

/** @param {string} name */
export function icon(name, size = 22) {
  return html`<svg aria-hidden="true" width=${size} height=${size} viewBox="0 0 24 24" fill="none" stroke="currentColor"
    stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round">${DRAWINGS[name]}</svg>`;
}
