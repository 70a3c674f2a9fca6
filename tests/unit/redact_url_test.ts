import assert from "node:assert/strict";
import { redactUrl } from "../../lib/http/redact_url.ts";

const CASES: readonly { url: string; value: string }[] = [
  { url: "", value: "" },
  { url: "rtmp://127.0.0.1/live", value: "rtmp://127.0.0.1/live" },
  { url: "rtmp://127.0.0.1:1935/a/b?token=x", value: "rtmp://127.0.0.1:1935/a/b" },
  { url: "rtmp://h/live?vhost=v.com&token=x", value: "rtmp://h/live?vhost=v.com" },
  { url: "rtmp://h/live?token=x;domain=v.com", value: "rtmp://h/live?domain=v.com" },
  { url: "rtmp://h/live?token=x?vhost=v.com", value: "rtmp://h/live?vhost=v.com" },
  { url: "rtmp://h/live?vhost=v.com/stream", value: "rtmp://h/live" },
  { url: "rtmp://h/live?myvhost=secret", value: "rtmp://h/live" },
  { url: "rtmp://user:pass@h/live", value: "rtmp://h/live" },
  { url: "rtmp://user:p@ss@h/live", value: "rtmp://h/live" },
  { url: "rtmp://h/live@home", value: "rtmp://h/live@home" },
  { url: "https://h/page#token=x", value: "https://h/page" },
  { url: "live?token=x", value: "live" },
];

for (const { url, value } of CASES) {
  Deno.test(`redactUrl() makes '${url}' '${value}'`, () => {
    assert.equal(redactUrl(url), value);
  });
}
