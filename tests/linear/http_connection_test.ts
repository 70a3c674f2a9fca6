import { HttpServer } from "../../lib/http/server/http_server.ts";
import { ConnectionLimits } from "../../lib/net/connection_limits.ts";
import { Entrance } from "../../lib/net/entrance.ts";
import { FakeClock } from "../fakes/fake_clock.ts";
import { MemoryDuplex } from "../fakes/memory_duplex.ts";
import { cutEvery } from "../fakes/read_messages.ts";
import { testGrowth } from "./growth.ts";
import { fill } from "./inputs.ts";

/** Requests that come in pieces while the first waits for its answer, up to the answer of the last. */
function requestsAhead(pieceBytes: number): (size: number) => () => Promise<void> {
  return (size) => {
    const request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    const count = Math.floor(size / request.length);
    const pieces = cutEvery(new TextEncoder().encode(fill(request, count * request.length)), pieceBytes);
    return async () => {
      const bounds = { maxConnections: 10, maxConnectionsPerIp: 0 };
      const clock = new FakeClock();
      const server = new HttpServer({
        clock,
        entrance: new Entrance({ limits: new ConnectionLimits(() => bounds), clock }),
        limits: () => ({ maxBodyBytes: 100, sendTimeoutMs: 5000 }),
        onFault: (error) => {
          throw error;
        },
        onRefused: () => {},
      });
      const connection = new MemoryDuplex();
      const isAllThere = Promise.withResolvers<void>();
      let answered = 0;
      server.accept(connection.duplex, async () => {
        await isAllThere.promise;
        answered++;
        return { response: new Response(null, { status: 204 }) };
      });
      for (const piece of pieces) connection.send(piece);
      while (connection.unreadBytes > 0) await Promise.resolve();
      isAllThere.resolve();
      while (answered < count) await connection.read();
      connection.leave();
      await server.close();
    };
  };
}

testGrowth([{
  name: "HTTP requests ahead of an answer",
  size: 1024,
  kinds: { "in one piece": requestsAhead(16_384), "byte by byte": requestsAhead(1) },
}]);
