import { CONSOLE_SCRIPT, CONSOLE_STYLE } from "./console_bundle.ts";

/**
 * The console as one page: nothing of it comes from elsewhere, so a compiled binary needs no files beside it.
 *
 * @param nonce Marks the page's own script and style; what has another mark, or none, is not run.
 * @param playersPort Port of the players' page on this host, if there is one.
 */
export function consolePage(nonce: string, playersPort: number | undefined): string {
  return `<!DOCTYPE html>
<html lang="en" data-players-port="${playersPort ?? ""}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Headwater</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Cpath d='M3 12c4.5-5 8.5-5 13 0s8.5 5 13 0M3 21c4.5-5 8.5-5 13 0s8.5 5 13 0' fill='none' stroke='%231788a8' stroke-width='4' stroke-linecap='round'/%3E%3C/svg%3E">
<style nonce="${nonce}">${CONSOLE_STYLE}</style>
</head>
<body>
<header>
  <svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><path d="M3 12c4.5-5 8.5-5 13 0s8.5 5 13 0M3 21c4.5-5 8.5-5 13 0s8.5 5 13 0"/></svg>
  <h1>Headwater</h1>
  <span class="chip" id="version"></span>
  <span class="server" id="server"></span>
  <span class="status" id="status" role="status">connecting</span>
</header>
<main>
  <section class="tiles" aria-label="This server">
    <div class="tile"><h2>Streams</h2><p id="tile-streams">–</p><small id="tile-streams-note"></small></div>
    <div class="tile"><h2>Clients</h2><p id="tile-clients">–</p><small id="tile-clients-note"></small></div>
    <div class="tile wide in"><h2>Coming in</h2><p id="tile-in">–</p><small id="tile-in-note"></small><svg id="chart-in" viewBox="0 0 120 36" preserveAspectRatio="none" aria-hidden="true"><path class="area"/><path class="line"/></svg></div>
    <div class="tile wide out"><h2>Going out</h2><p id="tile-out">–</p><small id="tile-out-note"></small><svg id="chart-out" viewBox="0 0 120 36" preserveAspectRatio="none" aria-hidden="true"><path class="area"/><path class="line"/></svg></div>
    <div class="tile"><h2>Processor</h2><p id="tile-cpu">–</p><small id="tile-cpu-note"></small></div>
    <div class="tile"><h2>Memory</h2><p id="tile-memory">–</p><small id="tile-memory-note"></small></div>
  </section>
  <section id="nodes-section" hidden>
    <h2>Cluster <span class="count" id="nodes-count"></span></h2>
    <div class="nodes" id="nodes"></div>
  </section>
  <section id="cluster-streams-section" hidden>
    <h2>Streams of the cluster <span class="count" id="cluster-streams-count"></span> <input class="search" id="cluster-search" type="search" maxlength="200" placeholder="Search" aria-label="Search streams of the cluster"></h2>
    <div class="table">
    <table>
      <thead class="sortable"><tr id="cluster-heading"></tr></thead>
      <tbody id="cluster-streams"></tbody>
    </table>
    <p class="empty" id="cluster-streams-empty" hidden></p>
    <p class="pages" id="cluster-pages" hidden><button id="cluster-back">Back</button> <span id="cluster-place"></span> <button id="cluster-on">Next</button></p>
    </div>
    <p class="silent" id="cluster-silent"></p>
  </section>
  <section>
    <h2>Streams here <span class="count" id="streams-count"></span></h2>
    <div class="table">
    <table>
      <thead><tr><th>Stream</th><th>Video</th><th>Audio</th><th class="number">Frames/s</th><th class="number">In</th><th class="number">Out</th><th class="number">Clients</th><th><span class="away">Play</span></th></tr></thead>
      <tbody id="streams"></tbody>
    </table>
    <p class="empty" id="streams-empty" hidden>Nothing is being published or waited for. Send a stream to <code id="publish-hint"></code>.</p>
    </div>
  </section>
  <section id="forwards-section" hidden>
    <h2>Forwards <span class="count" id="forwards-count"></span></h2>
    <div class="table">
    <table>
      <thead><tr><th>Stream</th><th>To</th><th class="number">For</th><th class="number">Sent</th><th class="number">Retries</th><th>Last error</th></tr></thead>
      <tbody id="forwards"></tbody>
    </table>
    </div>
  </section>
  <section>
    <h2>Clients <span class="count" id="clients-count"></span> <button class="filter" id="filter" hidden></button></h2>
    <div class="table">
    <table>
      <thead><tr><th>Client</th><th>Stream</th><th>Address</th><th class="number">Connected</th><th class="number">Rate</th><th class="number">Transferred</th><th class="number">Jumps</th><th><span class="away">Disconnect</span></th></tr></thead>
      <tbody id="clients"></tbody>
    </table>
    <p class="empty" id="clients-empty" hidden>No one is connected.</p>
    </div>
  </section>
  <p class="foot">Rates of streams and clients are averages over 30 seconds. The same numbers: <a href="/api/v1/">API</a> · <a href="/metrics">metrics</a></p>
</main>
<script nonce="${nonce}">${CONSOLE_SCRIPT}</script>
</body>
</html>
`;
}
