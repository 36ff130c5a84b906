/** Dashboards as files. */
import { exported } from "./document-fold.js";

/** The largest file that is read, in bytes: the server takes no larger document. */
const LARGEST = 256 * 1024;

/** Save a dashboard as a file. @param {string} id @param {import("./document-fold.js").Dashboard} board */
export function download(id, board) {
  const url = URL.createObjectURL(new Blob([exported(board)], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${id}.dashboard.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** The text of a chosen file. @param {File} file @throws {Error} it is too large */
export async function textOf(file) {
  if (file.size > LARGEST) throw new Error("The file is larger than 256 KiB, so it is no dashboard.");
  return file.text();
}
