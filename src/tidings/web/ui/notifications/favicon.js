import { effect } from "@preact/signals";
import { unread } from "./state.js";

/** Pixels of each side of the icon. The mark's drawing has 32. */
const SIZE = 64;
const RED = "#B3261E";

const link = /** @type {HTMLLinkElement} */ (document.querySelector('link[rel="icon"]'));
const plain = { href: link.href, type: link.type };

/** @returns {HTMLCanvasElement} the mark with a dot of 11 pixels in a ring of 2, at the top right */
function drawn() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE;
  const draw = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  draw.scale(SIZE / 32, SIZE / 32);
  draw.fillStyle = "#0B686E";
  draw.beginPath();
  draw.roundRect(0, 0, 32, 32, 7.5);
  draw.fill();
  Object.assign(draw, { lineWidth: 2.5, lineCap: "round", lineJoin: "round", strokeStyle: "#fff" });
  draw.stroke(new Path2D("M16 9.5v7.5"));
  draw.stroke(new Path2D("M6.5 22c2.4 0 2.4 2.5 4.75 2.5S13.6 22 16 22s2.4 2.5 4.75 2.5S23.1 22 25.5 22"));
  draw.strokeStyle = "#8FE3DE";
  draw.stroke(new Path2D("M6.5 9h19"));
  dot(draw, 7.5, "destination-out", RED);
  dot(draw, 5.5, "source-over", RED);
  return canvas;
}

/** @param {CanvasRenderingContext2D} draw @param {number} radius @param {GlobalCompositeOperation} how @param {string} colour */
function dot(draw, radius, how, colour) {
  draw.globalCompositeOperation = how;
  draw.fillStyle = colour;
  draw.beginPath();
  draw.arc(25, 7, radius, 0, 2 * Math.PI);
  draw.fill();
}

/** Put a dot on the tab's icon while something is unread. */
export function start() {
  effect(() => {
    const some = unread.value > 0;
    if (!some) Object.assign(link, plain);
    else if (link.href === plain.href)
      drawn().toBlob((png) => {
        if (png && unread.value > 0) Object.assign(link, { href: URL.createObjectURL(png), type: "image/png" });
      });
  });
}
