// @ts-check
import { css, html } from '../../vendor/lit.js';
import { hueOf, initialsOf } from '../format.js';
import { Element } from './element.js';
import { icon } from './icon.js';

/**
 * The picture of a person, or initials on a colour that is always the same. A group has a drawing: anyone can name a
 * group like a person.
 */
export class Avatar extends Element {
  static properties = { of: {}, name: {}, picture: {}, group: { type: Boolean }, size: { type: Number } };
  static styles = [
    super.styles,
    css`
      :host { display: block; flex: none; }
      div, img { display: grid; place-items: center; width: 100%; height: 100%; border-radius: 50%;
        object-fit: cover; font-weight: 700; user-select: none; }
      .c0 { background: light-dark(#cfe3df, #1f4a48); color: light-dark(#0a474d, #bfe8e1); }
      .c1 { background: light-dark(#f2dcc6, #5a3a20); color: light-dark(#6d3a0c, #f8d3ae); }
      .c2 { background: light-dark(#e3d8ec, #44325a); color: light-dark(#4b2d6b, #ddc9f2); }
      .c3 { background: light-dark(#d6e3c8, #35481f); color: light-dark(#34500f, #d0e6b0); }
      .c4 { background: light-dark(#f3d5d5, #5a2b30); color: light-dark(#7a1f2b, #f7c5c9); }
      .c5 { background: light-dark(#d3e0f0, #25405e); color: light-dark(#17406f, #bcd8f5); }
    `,
  ];

  constructor() {
    super();
    this.of = this.name = this.picture = '';
    this.group = false;
    this.size = 44;
  }

  updated() {
    Object.assign(this.style, { width: `${this.size}px`, height: `${this.size}px`, fontSize: `${this.size * 0.38}px` });
  }

  render() {
    if (this.picture) return html`<img src=${this.picture} alt="">`;
    const shown = this.group ? icon('people', this.size * 0.55) : initialsOf(this.name);
    return html`<div class="c${hueOf(this.of, 6)}" aria-hidden="true">${shown}</div>`;
  }
}
customElements.define('sv-avatar', Avatar);
