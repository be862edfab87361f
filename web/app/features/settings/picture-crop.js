// @ts-check
import { css, html } from '../../../vendor/lit.js';
import { t } from '../../messages/index.js';
import { Element } from '../../ui/element.js';

const SIDE = 256; // pixels, as the server stores it
const ZOOM_MAX = 4;

/** Choose the square of a picture that is shown: drag or arrow keys move it, the slider zooms. */
export class PictureCrop extends Element {
  static properties = { file: { attribute: false }, zoom: { state: true } };
  static styles = [
    super.styles,
    css`
      canvas { display: block; width: 256px; height: 256px; border-radius: 50%; background: var(--desk);
        touch-action: none; cursor: move; }
      :host { display: grid; justify-items: start; gap: 0.75rem; }
      input { width: 256px; accent-color: var(--accent); }
    `,
  ];

  /** @type {ImageBitmap | null} */
  #image = null;
  /** Where the square is between the left and the right end, and between top and bottom: 0 to 1. */
  #x = 0.5;
  #y = 0.5;

  constructor() {
    super();
    /** @type {File | null} */
    this.file = null;
    this.zoom = 1;
  }

  firstUpdated() {
    void this.#load();
  }

  async #load() {
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
    const [left, top] = [(image.width - side) * this.#x, (image.height - side) * this.#y];
    const context = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext('2d'));
    context.clearRect(0, 0, SIDE, SIDE);
    context.imageSmoothingQuality = 'high';
    context.drawImage(image, left, top, side, side, 0, 0, SIDE, SIDE);
  }

  /** @param {number} dx @param {number} dy in sides of the square */
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
    else if (this.#canvas.hasPointerCapture(event.pointerId))
      this.#move(-event.movementX / SIDE, -event.movementY / SIDE);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = moves[/** @type {keyof typeof moves} */ (event.key)];
    if (!move) return;
    event.preventDefault();
    this.#move(move[0] / 20, move[1] / 20);
  }

  /** @param {InputEvent} event */
  #onZoom(event) {
    this.zoom = Number(/** @type {HTMLInputElement} */ (event.target).value);
  }

  #use() {
    const [, image] = this.#canvas.toDataURL('image/png').split(',');
    this.dispatchEvent(new CustomEvent('cropped', { detail: image }));
  }

  render() {
    return html`
      <canvas width=${SIDE} height=${SIDE} tabindex="0" role="img" aria-label=${t.settings.cropLabel}
        @keydown=${this.#onKey} @pointerdown=${this.#onPointer} @pointermove=${this.#onPointer}></canvas>
      <label>${t.settings.zoom} <input type="range" min="1" max=${ZOOM_MAX} step="0.05" .value=${String(this.zoom)}
        @input=${this.#onZoom}></label>
      <button class="button main" @click=${this.#use}>${t.settings.usePicture}</button>`;
  }
}
customElements.define('sv-picture-crop', PictureCrop);
