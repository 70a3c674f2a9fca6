/// <reference lib="dom" />
import { byId, element, setText } from "../dom.ts";

export const video = byId("video") as HTMLVideoElement;

export function showStatus(text: string, kind: "" | "good" | "bad"): void {
  setText(byId("status"), text);
  byId("status").className = `status ${kind}`;
}

/** What is said over the picture, besides its text. */
export interface NoticeOptions {
  readonly more?: string;
  /** Something turns. */
  readonly busy?: boolean;
  /** There is a button to play again. */
  readonly again?: boolean;
}

/** Over the picture; undefined: nothing. */
export function showNotice(text: string | undefined, options: NoticeOptions = {}): void {
  byId("notice").hidden = text === undefined;
  if (text !== undefined) setText(byId("notice-text"), text);
  setText(byId("notice-more"), options.more ?? "");
  byId("spinner").hidden = !options.busy;
  byId("retry").hidden = !options.again;
}

export function hide(...ids: readonly ("hint" | "unmute" | "stop")[]): void {
  for (const id of ids) byId(id).hidden = true;
}

/** Takes away what is known of what is not played (yet). */
export function clearFacts(...ids: readonly ("picture" | "sound" | "rate" | "delay")[]): void {
  for (const id of ids) setText(byId(id), "–");
}

/** A fact of what is played; undefined: none. */
export function showFact(id: "picture" | "sound", fact: readonly [string, string] | undefined): void {
  if (fact === undefined) setText(byId(id), "none");
  else byId(id).replaceChildren(fact[0], element("small", "", fact[1]));
}

/** Which of the radio buttons of a name is chosen. */
export function chosen(name: "protocol" | "delay"): string {
  return document.querySelector<HTMLInputElement>(`input[name=${name}]:checked`)?.value ?? "";
}

export function chooseSocket(): void {
  const input = document.querySelector<HTMLInputElement>("input[value=ws]");
  if (input !== null) input.checked = true;
}
