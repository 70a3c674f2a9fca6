import { withDeadline } from "../fakes/deadline.ts";
import { findProgram } from "./programs.ts";
import type { TestScope } from "./test_scope.ts";

/** Nothing is asked of any other machine. */
const OPTIONS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Names of other machines, so to speak: what a browser trusts its own machine with, it keeps from them.
  "--host-resolver-rules=MAP *.example 127.0.0.1",
  // Those of the tests sign themselves.
  "--ignore-certificate-errors",
  "--remote-debugging-port=0",
  "--window-size=1280,900",
  "--autoplay-policy=document-user-activation-required",
];
const START_DEADLINE_MS = 30_000;
const POLL_MS = 100;

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** What a page wrote to its console, or failed with. */
export type ConsoleText = string;

/** One page in a headless Chromium of its own, driven by the DevTools protocol. */
export class ChromiumPage {
  /** Errors and warnings of the page. */
  readonly complaints: ConsoleText[] = [];
  /** URLs that the page has asked for. */
  readonly requested: string[] = [];
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, { resolve: (answer: Answer) => void }>();
  #sessionId: string | undefined;
  #nextId = 1;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
  }

  /** Opens a URL in a new browser that ends with the scope. */
  static async open(
    scope: TestScope,
    url: string,
    size: { readonly width: number; readonly height: number } = { width: 1280, height: 900 },
  ): Promise<ChromiumPage> {
    const socket = new WebSocket(await startBrowser(scope));
    await withDeadline(
      new Promise((resolve, reject) => {
        socket.onopen = resolve;
        socket.onerror = reject;
      }),
      "Chromium's DevTools",
    );
    scope.onClose(() =>
      new Promise<void>((resolve) => {
        socket.onclose = () => resolve();
        socket.close();
      })
    );
    const page = new ChromiumPage(socket);
    const { targetId } = await page.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await page.send("Target.attachToTarget", { targetId, flatten: true });
    page.#sessionId = String(sessionId);
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await page.send(`${domain}.enable`);
    await page.send("Emulation.setDeviceMetricsOverride", { ...size, deviceScaleFactor: 1, mobile: false });
    await page.send("Page.navigate", { url });
    await page.until(`location.href !== "about:blank" && document.readyState === "complete"`);
    return page;
  }

  /** Sends a command; resolves to its result. */
  async send(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const id = this.#nextId++;
    const answer = new Promise<Answer>((resolve) => this.#waiting.set(id, { resolve }));
    const session = this.#sessionId === undefined ? {} : { sessionId: this.#sessionId };
    this.#socket.send(JSON.stringify({ id, method, params, ...session }));
    const { result, error } = await withDeadline(answer, `the answer to ${method}`);
    if (error !== undefined) throw new Error(`Cannot ${method}: ${error.message}`);
    return result ?? {};
  }

  /** The value of an expression in the page. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", {
      expression,
      returnByValue: true,
      awaitPromise: true,
    });
    if (exceptionDetails !== undefined) {
      throw new Error(`Cannot evaluate ${expression}: ${JSON.stringify(exceptionDetails)}`);
    }
    return (result as { value: T }).value;
  }

  /** Waits until an expression in the page is true. */
  async until(expression: string, milliseconds: number = 20_000): Promise<void> {
    const deadline = performance.now() + milliseconds;
    while (!(await this.evaluate<boolean>(`Boolean(${expression})`))) {
      if (performance.now() > deadline) {
        const text = await this.evaluate<string>("document.body?.innerText");
        throw new Error(`Cannot wait longer for ${expression}\n${this.complaints.join("\n")}\n${text}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Clicks where the element is, as a person does, so that it counts as one's wish. */
  async click(selector: string): Promise<void> {
    const { x, y } = await this.#centerOf(selector);
    for (const type of ["mousePressed", "mouseReleased"]) {
      await this.send("Input.dispatchMouseEvent", { type, x, y, button: "left", clickCount: 1 });
    }
  }

  /** A PNG of an element. */
  async screenshot(selector: string): Promise<Uint8Array> {
    const clip = await this.evaluate<Record<string, number>>(
      `(({ x, y, width, height }) => ({ x: x + scrollX, y: y + scrollY, width, height, scale: 1 }))` +
        `(document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect())`,
    );
    const { data } = await this.send("Page.captureScreenshot", { format: "png", clip });
    return Uint8Array.from(atob(String(data)), (character) => character.charCodeAt(0));
  }

  #centerOf(selector: string): Promise<{ x: number; y: number }> {
    return this.evaluate(
      `(({ x, y, width, height }) => ({ x: x + width / 2, y: y + height / 2 }))` +
        `(document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect())`,
    );
  }

  #take(answer: Answer): void {
    if (answer.id !== undefined) {
      this.#waiting.get(answer.id)?.resolve(answer);
      this.#waiting.delete(answer.id);
      return;
    }
    const params = JSON.stringify(answer.params);
    if (answer.method === "Runtime.exceptionThrown" || answer.method === "Log.entryAdded") {
      this.complaints.push(params);
    } else if (answer.method === "Network.requestWillBeSent") {
      this.requested.push((answer.params as { request: { url: string } }).request.url);
    }
  }
}

/** A second browser with the first one's profile would only open a tab there, and end. */
let browsers = 0;

/** Starts Chromium; resolves to its DevTools address. */
async function startBrowser(scope: TestScope): Promise<string> {
  const location = findProgram("chromium");
  if (location === undefined) throw new Error("Cannot start chromium: there is none");
  const child = new Deno.Command(location.path, {
    args: [...OPTIONS, `--user-data-dir=${scope.path(`chromium-${++browsers}`)}`, "about:blank"],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let stderr = "";
  const { promise: address, resolve: found } = Promise.withResolvers<string>();
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      stderr += text;
      const match = /DevTools listening on (ws:\S+)/.exec(stderr);
      if (match?.[1] !== undefined) found(match[1]);
    }
  })();
  scope.onClose(async () => {
    child.kill("SIGKILL");
    await Promise.all([child.status, reading]);
  });
  return await withDeadline(address, () => `Chromium's start\n${stderr}`, START_DEADLINE_MS);
}
