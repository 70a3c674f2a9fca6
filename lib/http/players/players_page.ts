import { CONSOLE_STYLE } from "../console/console_bundle.ts";
import { PLAYERS_SCRIPT, PLAYERS_STYLE } from "./players_bundle.ts";

/**
 * The page that plays, looking like the console. All that it needs comes from this server.
 *
 * @param nonce Marks the page's own script and style.
 * @param libraryPath Where the player library is.
 */
export function playersPage(nonce: string, libraryPath: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Headwater players</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Cpath d='M3 12c4.5-5 8.5-5 13 0s8.5 5 13 0M3 21c4.5-5 8.5-5 13 0s8.5 5 13 0' fill='none' stroke='%231788a8' stroke-width='4' stroke-linecap='round'/%3E%3C/svg%3E">
<style nonce="${nonce}">${CONSOLE_STYLE}${PLAYERS_STYLE}</style>
</head>
<body>
<header>
  <svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><path d="M3 12c4.5-5 8.5-5 13 0s8.5 5 13 0M3 21c4.5-5 8.5-5 13 0s8.5 5 13 0"/></svg>
  <h1>Headwater</h1>
  <span class="chip">players</span>
  <span class="status" id="status" role="status">stopped</span>
</header>
<main class="players">
  <section aria-label="Player">
    <div class="screen">
      <video id="video" playsinline muted controls></video>
      <p class="hint" id="hint" hidden></p>
      <button class="primary unmute" id="unmute" hidden>Turn sound on</button>
      <div class="notice" id="notice">
        <div class="spinner" id="spinner" hidden></div>
        <p id="notice-text">Choose a stream to play.</p>
        <p class="more" id="notice-more"></p>
        <button class="primary" id="retry" hidden>Play again</button>
      </div>
    </div>
    <div class="bar">
      <h2 id="title">No stream</h2>
      <span class="choice" role="radiogroup" aria-label="Protocol">
        <label><input type="radio" name="protocol" value="http" checked>HTTP-FLV</label>
        <label><input type="radio" name="protocol" value="ws">WebSocket-FLV</label>
      </span>
      <span class="choice" role="radiogroup" aria-label="Delay">
        <label title="Stays close to live; may stutter on a bad network"><input type="radio" name="delay" value="low" checked>Low delay</label>
        <label title="Keeps some seconds in hand"><input type="radio" name="delay" value="smooth">Smooth</label>
      </span>
      <button class="action" id="stop" hidden>Stop</button>
    </div>
    <dl class="facts">
      <div><dt>Picture</dt><dd id="picture">–</dd></div>
      <div><dt>Sound</dt><dd id="sound">–</dd></div>
      <div><dt>Rate</dt><dd id="rate">–</dd></div>
      <div><dt title="What has arrived but is not shown yet">Delay</dt><dd id="delay">–</dd></div>
    </dl>
    <p class="address" id="address" hidden>For other players: <code id="address-text"></code></p>
  </section>
  <aside class="list" aria-label="Streams">
    <h2>Streams <span class="count" id="count"></span></h2>
    <div id="streams"></div>
    <p class="empty" id="empty">Looking for streams…</p>
    <form class="open" id="open">
      <input id="wanted" aria-label="Stream or address" placeholder="live/stream or an address" autocapitalize="off" autocomplete="off" spellcheck="false">
      <button class="action">Play</button>
    </form>
  </aside>
</main>
<script src="${libraryPath}"></script>
<script nonce="${nonce}">${PLAYERS_SCRIPT}</script>
</body>
</html>
`;
}
