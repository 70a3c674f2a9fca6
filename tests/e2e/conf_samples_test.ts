import assert from "node:assert/strict";
import { loadConfig, type LoadedConfig } from "../../lib/config/config_load.ts";
import { checkHealth } from "../../lib/app/health.ts";
import { Node } from "../../lib/app/node.ts";
import { Ports } from "../../lib/app/ports.ts";

const CONF = new URL("../../conf/", import.meta.url);
/** Any free port, for those of the sample. */
const environment = {
  HEADWATER_LISTEN: "127.0.0.1:0",
  HEADWATER_HTTP_API_LISTEN: "127.0.0.1:0",
  HEADWATER_HTTP_SERVER_LISTEN: "127.0.0.1:0",
};

const samples = Array.from(Deno.readDirSync(CONF), ({ name }) => name).filter((name) =>
  name.endsWith(".toml")
);

for (const sample of samples.toSorted()) {
  Deno.test(`conf/${sample} starts a server whose health can be asked`, async () => {
    const { config, warnings } = load(sample);
    assert.deepEqual(warnings, []);
    const node = new Node(config);
    const ports = new Ports(config);
    try {
      await node.start(ports);
      const [address] = ports.addresses.httpApi;
      assert.ok(address !== undefined, "it has no HTTP API");
      const [configured] = config.http_api.listen;
      const listen = [{ ...configured, literal: "", hostname: address.hostname, port: address.port }];
      assert.equal(await checkHealth({ ...config, http_api: { ...config.http_api, listen } }), undefined);
    } finally {
      await node.stop();
    }
  });
}

function load(sample: string): LoadedConfig {
  const path = new URL(sample, CONF).pathname;
  return loadConfig({ path, environment, readTextFile: (file) => Deno.readTextFileSync(file) });
}
