import assert from "node:assert/strict";
import { connectLocally } from "../fakes/local_client.ts";
import { startTestServer } from "../fakes/test_server.ts";

/** What `setNoDelay` is called with on the server's sockets while `use` runs. */
async function calls(serverPort: number, use: () => Promise<void>): Promise<boolean[]> {
  const found: boolean[] = [];
  const probe = await Deno.connect({ hostname: "127.0.0.1", port: serverPort });
  const prototype = Object.getPrototypeOf(probe) as Deno.TcpConn;
  probe.close();
  const { setNoDelay } = prototype;
  prototype.setNoDelay = function (this: Deno.TcpConn, isOn = true): void {
    if ((this.localAddr as Deno.NetAddr).port === serverPort) found.push(isOn);
    setNoDelay.call(this, isOn);
  };
  try {
    await use();
  } finally {
    prototype.setNoDelay = setNoDelay;
  }
  return found;
}

for (const tcpNoDelay of [true, false]) {
  Deno.test(`tcp_nodelay = ${tcpNoDelay} is what a player's socket has`, async () => {
    const { address: { port }, stop } = startTestServer({
      vhost: { __defaultVhost__: { tcp_nodelay: tcpNoDelay } },
    });
    try {
      const found = await calls(port, async () => {
        const player = await connectLocally(port, "live");
        await player.play("a");
        await player.close();
      });
      assert.deepEqual([found.includes(true), found.at(-1)], [true, tcpNoDelay]);
    } finally {
      await stop();
    }
  });
}
