import { deepEqual, doesNotMatch, equal, match } from "node:assert/strict";
import { MESSAGE_TYPE } from "../../lib/wire/message_type.ts";
import { connectLocally } from "../fakes/local_client.ts";
import { ChromiumPage } from "./chromium.ts";
import { apiOf, originOf, restartProcess, startClusterProcesses } from "./cluster_nodes.ts";
import { mediaFile } from "./media_files.ts";
import { startEncoder } from "./players.ts";
import { programTest } from "./program_test_case.ts";
import { publishArguments } from "./publish_file.ts";
import type { ServerProcess } from "./server_process.ts";
import type { TestScope } from "./test_scope.ts";

const WIDTHS = [{ width: 1280, height: 900 }, { width: 390, height: 844 }] as const;

interface NodeCard {
  readonly title: string;
  readonly state: string;
  readonly lines: readonly string[];
}

function openConsole(scope: TestScope, server: ServerProcess, size?: typeof WIDTHS[number]) {
  return ChromiumPage.open(scope, `http://${apiOf(server)}/console/`, size);
}

function nodeCards(page: ChromiumPage): Promise<NodeCard[]> {
  return page.evaluate(`[...document.querySelectorAll("#nodes > *")].map((card) => ({
    title: card.querySelector("h3 span").textContent,
    state: card.querySelector(".badge").textContent,
    lines: [...card.querySelectorAll("p:not([hidden])")].map((line) => line.textContent),
  }))`);
}

/** Waits until the page has asked so many times more. */
async function awaitPolls(page: ChromiumPage, count: number): Promise<void> {
  const polls =
    `performance.getEntriesByType("resource").filter(({ name }) => name.endsWith("/summaries")).length`;
  const first = await page.evaluate<number>(polls);
  await page.until(`${polls} >= ${first + count}`);
}

/** What the page says is words and numbers, and it is as wide as the window. */
async function assertReadable(page: ChromiumPage): Promise<void> {
  doesNotMatch(
    await page.evaluate<string>("document.body.innerText"),
    /\[object|undefined|NaN|null|Infinity/,
  );
  equal(
    await page.evaluate("document.documentElement.scrollWidth > innerWidth"),
    false,
    "it scrolls sideways",
  );
  deepEqual(page.complaints.filter((text) => !text.includes("favicon")), []);
}

for (const size of WIDTHS) {
  programTest(
    ["chromium", "ffmpeg"],
    `the console shows a cluster, ${size.width} pixels wide`,
    async (scope) => {
      const servers = await startClusterProcesses(scope);
      const [a, b, c] = servers;
      scope.start(
        "ffmpeg",
        "-stream_loop",
        "-1",
        ...publishArguments(await mediaFile("av.flv"), a.url("live/a")),
      );
      await a.line(({ message }) => message === "Publish started");
      const page = await openConsole(scope, a, size);
      await page.until(`document.querySelectorAll("#nodes .badge.good").length === 2`);
      equal(await page.evaluate(`document.getElementById("nodes-count").textContent`), "3 of 3 up");
      const cards = await nodeCards(page);
      deepEqual(cards.map(({ title }) => title), [a, b, c].map(originOf));
      deepEqual(cards.map(({ state }) => state), ["this node", "up", "up"]);
      match(cards[0]?.lines.join("\n") ?? "", /^vid-\w+ · version [\d.]+\n1 stream · 1 client$/);
      match(
        cards[1]?.lines.join("\n") ?? "",
        new RegExp(`^API ${apiOf(b)}\nvid-\\w+ · version [\\d.]+\n0 streams · 0 clients · [\\d.]+ ms away$`),
      );
      await page.until(`document.querySelectorAll("#cluster-streams tr").length === 1`);
      const shown = await page.evaluate<string>(`document.getElementById("cluster-streams").innerText`);
      match(shown, /live\/a\s*live/);
      match(shown, /H264 320×240|H264 \d+×\d+/);
      match(shown, /this node/);
      await awaitPolls(page, 3);
      equal((await nodeCards(page)).length, 3, "each node has one card, however often it was asked for");
      await assertReadable(page);

      await page.evaluate(`{
        const search = document.getElementById("cluster-search");
        search.value = "no such stream";
        search.oninput();
      }`);
      await page.until(`document.querySelectorAll("#cluster-streams tr").length === 0`);
      match(
        await page.evaluate<string>(`document.getElementById("cluster-streams-empty").textContent`),
        /No stream has “no such stream” in its name/,
      );
      await c.kill();
      await page.until(`document.querySelector("#nodes .node.down")`);
      await page.until(`document.getElementById("cluster-silent").textContent !== ""`);
      const [, second, third, ...others] = await nodeCards(page);
      deepEqual([second?.state, third?.state, others], ["up", "down", []]);
      match(third?.lines.at(-1) ?? "", /^for \d+ s · \S/);
      equal(await page.evaluate(`document.getElementById("nodes-count").textContent`), "2 of 3 up");
      await assertReadable(page);

      await restartProcess(scope, c, servers);
      await page.until(`document.querySelectorAll("#nodes .badge.good").length === 2`);
      equal((await nodeCards(page)).length, 3, "a node that comes back has its card again");
      await assertReadable(page);
    },
  );
}

programTest(["chromium"], "the console of a server outside a cluster shows none", async (scope) => {
  const page = await openConsole(scope, await scope.startServer());
  await page.until(`document.getElementById("status").textContent === "up to date"`);
  equal(await page.evaluate(`document.getElementById("nodes-section").hidden`), true);
  await assertReadable(page);
});

programTest(
  ["chromium"],
  "the console shows whatever streams are called, and disconnects a client",
  async (scope) => {
    // They send no more than a header.
    const config = "[vhost.__defaultVhost__.publish]\nnormal_timeout = 600_000";
    const server = await scope.startServer({ config });
    const names = [`<img/src=x/onerror=alert(1)>`, `a"b'c&amp;d`, "é😀\u202eright", "__proto__"];
    for (const name of names) {
      const publisher = await connectLocally(server.port("rtmp"), "live");
      scope.onClose(() => publisher.close());
      await publisher.publish(name);
      await publisher.send(MESSAGE_TYPE.audio, 0, Uint8Array.of(0xaf, 0, 0x12, 0x10));
    }
    const page = await openConsole(scope, server);
    await page.until(`document.querySelectorAll("#streams tr").length === ${names.length}`);
    const shown = await page.evaluate<string[]>(
      `[...document.querySelectorAll("#streams .name")].map((name) => name.textContent)`,
    );
    deepEqual(shown.toSorted(), names.map((name) => `live/${name}`).toSorted());
    await assertReadable(page);

    await page.click("#clients .kick");
    await page.until(`document.querySelector("#clients .kick").textContent === "Sure?"`);
    await page.click("#clients .kick");
    await server.line(({ message, reason }) => message === "Connection closed" && reason === "kicked");
    await page.until(`document.querySelectorAll("#clients tr").length === ${names.length - 1}`);
    equal(await page.evaluate(`document.querySelectorAll("#streams tr").length`), names.length - 1);
    await assertReadable(page);
  },
);

programTest(
  ["chromium"],
  "the console shows forwards, without their keys",
  async (scope) => {
    const second = await scope.startServer();
    const server = await scope.startServer({
      config: `[vhost.__defaultVhost__.forward]
enabled = true
destination = ["127.0.0.1:${second.port("rtmp")}"]
[vhost.__defaultVhost__.forward.targets.nobody]
url = "rtmp://127.0.0.1:9/live"
key = "the-secret-key"`,
    });
    const page = await openConsole(scope, server, WIDTHS[1]);
    await awaitPolls(page, 1);
    equal(await page.evaluate(`document.getElementById("forwards-section").hidden`), true);
    await startEncoder(scope, server.port("rtmp"), "a");
    const badges = `[...document.querySelectorAll("#forwards .badge")].map(({ textContent }) => textContent)`;
    await page.until(`${badges}.includes("forwarding") && ${badges}.includes("waiting")`);
    equal(await page.evaluate(`document.getElementById("forwards-count").textContent`), "1 of 2");
    const text = await page.evaluate<string>(`document.getElementById("forwards").innerText`);
    match(text, new RegExp(`rtmp://127\\.0\\.0\\.1:${second.port("rtmp")}/live/a`));
    match(text, /rtmp:\/\/127\.0\.0\.1:9\/live\/\*\*\*/);
    doesNotMatch(text, /the-secret-key/);
    await assertReadable(page);
  },
);
