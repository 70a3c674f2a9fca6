/// <reference lib="dom" />
import type { ForwardJson } from "../../http/api/forwards_routes.ts";
import { byId, element, setText } from "../dom.ts";
import { bytes, duration } from "./format.ts";
import { cell, type Row, RowList, twoLines } from "./table.ts";

const BADGES = { forwarding: "good", connecting: "wait", waiting: "bad" } as const;

/** The table of streams that are sent on to other servers; hidden where none is. */
export class ForwardsTable {
  readonly #rows = new RowList<ForwardJson>(
    byId("forwards"),
    ({ vhost, app, stream, to, url }) => [vhost, app, stream, to, url].join(" "),
    forwardRow,
  );

  show(forwards: readonly ForwardJson[], nowMs: number): void {
    const { length } = forwards.filter(({ state }) => state === "forwarding");
    byId("forwards-section").hidden = forwards.length === 0;
    setText(byId("forwards-count"), `${length} of ${forwards.length}`);
    this.#rows.show(forwards.map((forward) => ({ ...forward, since_ms: nowMs - forward.since_ms })));
  }
}

/** A row is shown the time that has passed as `since_ms`. */
function forwardRow(): Row<ForwardJson> {
  const row = element("tr");
  const title = cell(row, "title");
  const name = element("span", "name");
  const badge = element("span", "badge");
  title.append(name, badge);
  const target = twoLines(cell(row, "", "To"));
  const age = cell(row, "number", "For");
  const amount = cell(row, "number", "Sent");
  const retries = cell(row, "number", "Retries");
  const error = cell(row, "", "Last error");
  const show = (forward: ForwardJson): void => {
    setText(name, `${forward.app}/${forward.stream}`);
    badge.className = `badge ${BADGES[forward.state]}`;
    setText(badge, forward.state);
    target(forward.to, forward.url);
    setText(age, duration(forward.since_ms / 1000));
    setText(amount, bytes(forward.send_bytes).join(" "));
    setText(retries, String(forward.retries));
    setText(error, forward.last_error ?? "–");
  };
  return { element: row, show };
}
