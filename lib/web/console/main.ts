/// <reference lib="dom" />
/**
 * What the console does: reads the API every two seconds while it is looked at, and fills the page in.
 *
 * @module
 */
import { byId, messageOf, setText } from "../dom.ts";
import { getClients, getForwards, getStreams, getSummary } from "./api.ts";
import { type ClientFilter, ClientsTable } from "./clients.ts";
import { ClusterCards } from "./cluster.ts";
import { ClusterStreams } from "./cluster_streams.ts";
import { ForwardsTable } from "./forwards.ts";
import { StreamsTable } from "./streams.ts";
import { SummaryTiles } from "./summary.ts";

const POLL_MS = 2000;

const summaryTiles = new SummaryTiles();
const clusterCards = new ClusterCards();
const clusterStreams = new ClusterStreams(refreshCluster);
const forwardsTable = new ForwardsTable();
const clientsTable = new ClientsTable(refresh);
const streamsTable = new StreamsTable(({ id, name }) => {
  filter = filter?.id === id ? undefined : { id, name };
  refresh();
});
let filter: ClientFilter | undefined;
let isBusy = false;
let isClustered = false;

byId("filter").onclick = () => {
  filter = undefined;
  refresh();
};
document.addEventListener("visibilitychange", refreshIfVisible);
setInterval(refreshIfVisible, POLL_MS);
refresh();

function refreshIfVisible(): void {
  if (!document.hidden) refresh();
}

async function refresh(): Promise<void> {
  if (isBusy) return;
  isBusy = true;
  try {
    const [summary, { streams }, { clients }, { forwards }, nodes] = await Promise.all([
      getSummary(),
      getStreams(),
      getClients(),
      getForwards(),
      clusterCards.ask(),
    ]);
    if (!streams.some((stream) => stream.id === filter?.id)) filter = undefined;
    summaryTiles.show(summary);
    streamsTable.show(streams);
    clientsTable.show(clients, filter);
    forwardsTable.show(forwards, summary.data.now_ms);
    if (nodes !== undefined) {
      clusterCards.show(nodes, summary.data.now_ms);
      isClustered = nodes.length > 1;
    }
    clusterStreams.show(isClustered ? await clusterStreams.get() : undefined);
    showStatus("good", "up to date");
  } catch (error) {
    showStatus("bad", error instanceof TypeError ? "no answer" : messageOf(error));
  }
  isBusy = false;
}

/** What was typed or sorted by is shown at once. */
async function refreshCluster(): Promise<void> {
  clusterStreams.show(await clusterStreams.get());
}

function showStatus(className: "good" | "bad", text: string): void {
  byId("status").className = `status ${className}`;
  setText(byId("status"), text);
}
