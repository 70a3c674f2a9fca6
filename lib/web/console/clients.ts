/// <reference lib="dom" />
import type { ClientJson } from "../../http/api/clients_routes.ts";
import { byId, element, messageOf, setText } from "../dom.ts";
import { kickClient, LIMIT } from "./api.ts";
import { bytes, duration, rate } from "./format.ts";
import { cell, type Row, RowList, twoLines } from "./table.ts";

/** How long a button asks whether it is meant, or says that it failed. */
const ARMED_MS = 4000;

/** The stream whose clients alone are shown. */
export interface ClientFilter {
  readonly id: string;
  readonly name: string;
}

/** The table of clients. */
export class ClientsTable {
  readonly #rows: RowList<ClientJson>;

  /** @param refresh Called after a client was disconnected. */
  constructor(refresh: () => void) {
    this.#rows = new RowList(byId("clients"), ({ id }) => id, (id) => clientRow(id, refresh));
  }

  show(clients: readonly ClientJson[], filter: ClientFilter | undefined): void {
    const shown = filter === undefined ? clients : clients.filter((client) => client.stream === filter.id);
    setText(byId("tile-clients"), String(clients.length));
    setText(byId("clients-count"), shown.length + (clients.length === LIMIT ? " or more" : ""));
    byId("filter").hidden = filter === undefined;
    setText(byId("filter"), filter === undefined ? "" : `of ${filter.name}`);
    byId("clients-empty").hidden = shown.length > 0;
    this.#rows.show(shown);
  }
}

function clientRow(id: string, refresh: () => void): Row<ClientJson> {
  const row = element("tr");
  const title = cell(row, "title");
  const badge = element("span", "badge");
  title.append(element("span", "name", id), badge);
  const stream = cell(row, "", "Stream");
  const address = twoLines(cell(row, "", "Address"));
  const age = cell(row, "number", "Connected");
  const speed = cell(row, "number", "Rate");
  const amount = cell(row, "number", "Transferred");
  const jumps = cell(row, "number", "Jumps");
  cell(row, "last").append(kickButton(id, refresh));
  const show = (client: ClientJson): void => {
    badge.className = `badge ${client.publish ? "good" : "water"}`;
    setText(badge, client.type);
    setText(stream, client.url.replace(/^\//, ""));
    address(client.ip, client.pageUrl);
    setText(age, duration(client.alive));
    setText(speed, rate(client.publish ? client.kbps.recv_30s : client.kbps.send_30s).join(" "));
    setText(amount, bytes(client.publish ? client.recv_bytes : client.send_bytes).join(" "));
    setText(jumps, client.publish ? "–" : String(client.jumps));
  };
  return { element: row, show };
}

/** Takes two clicks, so that nobody is disconnected by a slip. */
function kickButton(id: string, refresh: () => void): HTMLElement {
  const kick = element("button", "action kick", "Kick");
  let disarm: ReturnType<typeof setTimeout> | undefined;
  const calm = (): void => {
    clearTimeout(disarm);
    disarm = undefined;
    kick.classList.remove("armed");
    setText(kick, "Kick");
  };
  kick.onclick = async () => {
    if (disarm === undefined) {
      kick.classList.add("armed");
      setText(kick, "Sure?");
      disarm = setTimeout(calm, ARMED_MS);
      return;
    }
    calm();
    kick.disabled = true;
    try {
      await kickClient(id);
    } catch (error) {
      setText(kick, "Failed");
      kick.title = messageOf(error);
      disarm = setTimeout(calm, ARMED_MS);
    }
    kick.disabled = false;
    refresh();
  };
  return kick;
}
