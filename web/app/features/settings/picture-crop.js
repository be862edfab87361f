// @ts-check
import { css, html } from '../../../vendor/lit.js';
import { Element } from '../../ui/element.js';

const SIDE = 256; // what the server takes
const ZOOM_MAX = 4;

/** Choose the square of a picture that is shown: drag or arrow keys move it, the slider makes it larger. */
export class PictureCrop extends Element {
  static properties = { file: { attribute: false }, zoom: { state: true } };
  static styles = [
    super.styles,
    css`
      canvas { display: block; width: 256px; height: 256px; border-radius: 50%; background: var(--desk); touch-action: none; cursor: move; }
      :host { display: grid; justify-items: start; gap: 0.75rem; }
      input { width: 256px; accent-color: var(--accent); }
    `,
  ];

  /** @type {ImageBitmap | null} */
  #image = null;
  #x = 0.5;
  #y = 0.5;

  constructor() {
    super();
    /** @type {File | null} */
    this.file = null;
    this.zoom = 1;
  }

  async firstUpdated() {
    try {
      this.#image = await createImageBitmap(/** @type {File} */ (this.file), { imageOrientation: 'from-image' });
      this.requestUpdate();
    } catch {
      this.dispatchEvent(new Event('failed'));
    }
  }

  get #canvas() {
    return /** @type {HTMLCanvasElement} */ (this.renderRoot.querySelector('canvas'));
  }

  updated() {
    const image = this.#image;
    if (!image) return;
    const side = Math.min(image.width, image.height) / this.zoom;
    const context = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext('2d'));
    context.clearRect(0, 0, SIDE, SIDE);
    context.imageSmoothingQuality = 'high';
    context.drawImage(image, (image.width - side) * this.#x, (image.height - side) * this.#y, side, side, 0, 0, SIDE, SIDE);
  }

  /** @param {number} dx @param {number} dy of the square that is shown, in its sides */
  #move(dx, dy) {
    const image = this.#image;
    if (!image) return;
    const side = Math.min(image.width, image.height) / this.zoom;
    const along = (/** @type {number} */ at, /** @type {number} */ by, /** @type {number} */ length) =>
      length === side ? at : Math.min(1, Math.max(0, at + (by * side) / (length - side)));
    this.#x = along(this.#x, dx, image.width);
    this.#y = along(this.#y, dy, image.height);
    this.requestUpdate();
  }

  /** @param {PointerEvent} event */
  #onPointer(event) {
    if (event.type === 'pointerdown') this.#canvas.setPointerCapture(event.pointerId);
    else if (this.#canvas.hasPointerCapture(event.pointerId)) this.#move(-event.movementX / SIDE, -event.movementY / SIDE);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
    if (!dx && !dy) return;
    event.preventDefault();
    this.#move(dx / 20, dy / 20);
  }

  render() {
    return html`
      <canvas width=${SIDE} height=${SIDE} tabindex="0" role="img" aria-label="Your picture; arrow keys move what is shown" @keydown=${this.#onKey} @pointerdown=${this.#onPointer} @pointermove=${this.#onPointer}></canvas>
      <label>Larger <input type="range" min="1" max=${ZOOM_MAX} step="0.05" .value=${String(this.zoom)} @input=${(/** @type {any} */ event) => (this.zoom = Number(event.target.value))}></label>
      <button class="button main" @click=${() => this.dispatchEvent(new CustomEvent('cropped', { detail: this.#canvas.toDataURL('image/png').split(',')[1] }))}>Use this picture</button>`;
  }
}
customElements.define('sv-picture', PictureCrop);
