// @ts-check
/** Styles that many components share. */
import { css } from '../../vendor/lit.js';

export const shared = css`
  * { box-sizing: border-box; }
  :host([hidden]) { display: none; }
  h1, h2, h3 { margin: 0; font: italic 500 var(--large)/1.2 var(--display); letter-spacing: -0.01em;
    text-wrap: balance; }
  p { margin: 0; }
  p, li, dd, .hint { text-wrap: pretty; overflow-wrap: break-word; }
  a { color: var(--accent); }
  button, input, textarea, select { font: inherit; color: inherit; }
  button { cursor: pointer; }
  button:disabled { cursor: default; opacity: 0.55; }
  :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
  .soft { color: var(--soft); }
  .small { font-size: var(--small); }
  .letters { font: 500 1.15rem/1.7 ui-monospace, "DejaVu Sans Mono", monospace; text-align: center;
    box-sizing: content-box; max-width: 20ch; margin-inline: auto; overflow-wrap: anywhere; user-select: all; }
  .plain { padding: 0; border: 0; background: none; text-align: inherit; }
  .unseen { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden;
    clip-path: inset(50%); white-space: nowrap; }

  .button { display: inline-flex; align-items: center; justify-content: center; gap: 0.5rem; min-height: var(--touch);
    padding: 0.3rem 1.1rem; border: 1px solid var(--edge); border-radius: var(--round); background: transparent;
    font-weight: 600;
    transition: background var(--quick); }
  .button:not(.main):hover:not(:disabled) { background: var(--hover); }
  .button.main { border-color: var(--accent); background: var(--accent); color: var(--on-accent); }
  .button.main:hover:not(:disabled) { filter: brightness(1.12); }
  .button.bad { border-color: var(--bad); color: var(--bad); }
  .icon { display: inline-grid; place-items: center; flex: none; width: var(--touch); height: var(--touch); padding: 0;
    border: 0; border-radius: 50%; background: transparent; color: var(--soft); transition: background var(--quick); }
  .icon:hover:not(:disabled) { background: var(--hover); color: var(--ink); }

  label, .label { display: block; font-weight: 600; }
  .field { display: grid; gap: 0.3rem; }
  .field input, .field textarea, .field select { width: 100%; min-height: var(--touch); padding: 0.5rem 0.8rem;
    border: 1px solid var(--edge); border-radius: 0.6rem; background: var(--sheet); }
  .field .hint { color: var(--soft); font-size: var(--small); font-weight: 400; }
  .wrong { padding: 0.6rem 0.8rem; border-radius: 0.6rem; background: var(--bad-soft); color: var(--bad); }
  .explained { padding: 0.6rem 0.8rem; border-radius: 0.6rem; background: var(--accent-soft); }
  .stack { display: grid; gap: 1rem; align-content: start; }
  .stack > .button:not(.main) { justify-self: start; }
  .row { display: flex; align-items: center; gap: 0.75rem; flex-wrap: wrap; }
  .grow { flex: 1; min-width: 0; }
  .cut { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .list { display: grid; margin: 0; padding: 0; list-style: none; }
  .list > li { display: flex; align-items: center; gap: 0.75rem; min-height: 3.25rem; padding: 0.35rem 0;
    border-top: 1px solid var(--line); }
  .list > li:first-child { border-top: 0; }
`;
