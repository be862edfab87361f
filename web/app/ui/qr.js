// @ts-check
import { css, html, svg } from '../../vendor/lit.js';
import { encode } from '../../vendor/uqr.js';
import { Element } from './element.js';

const BORDER = 3;

/** A QR code: dark on light in every theme, because cameras need that. */
export class Qr extends Element {
  static properties = { text: {}, label: {} };
  static styles = [
    super.styles,
    css`
      :host { display: block; width: 13rem; max-width: 100%; }
      svg { display: block; width: 100%; height: auto; border-radius: 0.6rem; background: #fff; }
    `,
  ];

  constructor() {
    super();
    this.text = this.label = '';
  }

  render() {
    const { data, size } = encode(this.text, { border: BORDER });
    const path = data.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : ''))).join('');
    return html`<svg role="img" aria-label=${this.label} viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges">
      ${svg`<path d=${path} fill="#16242a"/>`}
    </svg>`;
  }
}
customElements.define('sv-qr', Qr);
