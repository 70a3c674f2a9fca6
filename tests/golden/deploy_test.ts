/**
 * Holds the files in deploy/ and .github/ against the code: names of variables, ports, paths, commands, tasks.
 *
 * @module
 */
import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import manifest from "../../deno.json" with { type: "json" };
import { PERMISSIONS, TARGETS } from "../../deploy/targets.ts";
import { parseCommandLine } from "../../lib/app/command_line.ts";
import type { Config } from "../../lib/config/config.ts";
import { loadConfig } from "../../lib/config/config_load.ts";
import { apiApp } from "../fakes/fake_api.ts";

const ROOT = new URL("../../", import.meta.url);
const BINARY = "/usr/local/bin/headwater";
/** The user that distroless images call nonroot. */
const NONROOT = 65532;

// deno-lint-ignore no-explicit-any -- the shape of these files is what is tested
type Yaml = any;

const read = (path: string): string => Deno.readTextFileSync(new URL(path, ROOT));

function readYaml(path: string): Yaml[] {
  return parseAllDocuments(read(path), { merge: true, strict: true, uniqueKeys: true }).map((document) => {
    assert.deepEqual([...document.errors, ...document.warnings], [], path);
    return document.toJS();
  });
}

function configOf(environment: Readonly<Record<string, string>>): Config {
  const { config, warnings } = loadConfig({ environment, readTextFile: () => undefined });
  assert.deepEqual(warnings, []);
  return config;
}

const defaults = configOf({});
/** What a drain takes at most to close who is left, in milliseconds. */
const CLOSING_MS = 4000;
const PORTS = [defaults.listen, defaults.http_api.listen, defaults.http_server.listen].map((listen) =>
  listen[0]?.port
);
const [RTMP_PORT, API_PORT] = PORTS;
const METRICS_PORT = defaults.exporter.listen[0]?.port;
const clusterOf = (config: Config) => Object.values(config.vhost)[0]?.cluster;

const [compose] = readYaml("deploy/compose.yaml");
const services: [string, Yaml][] = Object.entries(compose.services);

for (const [name, service] of services) {
  const environment = Object.fromEntries(
    Object.entries<string>(service.environment).map((
      [key, value],
    ) => [
      key,
      value.replace(/\$\{HEADWATER_HOST:\?[^}]*\}/g, "media.example.com").replace(/\$\{[^}]*\}/g, ""),
    ]),
  );

  Deno.test(`compose.yaml: ${name} has a configuration that names the others, and ports that are listened on`, () => {
    const config = configOf(environment);
    const cluster = clusterOf(config);
    const names = services.map(([each]) => each);
    const isEdge = cluster?.mode === "remote";
    assert.equal(isEdge, name === "edge");
    const others = isEdge ? cluster.origin : cluster?.coworkers ?? [];
    const port = isEdge ? RTMP_PORT : API_PORT;
    assert.deepEqual(others, names.filter((each) => each !== "edge").map((each) => `${each}:${port}`));
    // Where players outside reach this one, and not another.
    const [rtmp] = service.ports.filter((port: string) => port.endsWith(`:${RTMP_PORT}`));
    if (!isEdge) assert.equal(cluster?.advertise, `media.example.com:${rtmp.split(":")[0]}`);
    for (const published of service.ports) {
      assert.ok(PORTS.includes(Number(published.split(":").at(-1))), published);
    }
    assert.ok(parseInt(service.stop_grace_period) * 1000 > config.grace_final_wait_ms);
  });

  Deno.test(`compose.yaml: ${name} may do little`, () => {
    assert.equal(service.read_only, true);
    assert.deepEqual(service.cap_drop, ["ALL"]);
    assert.deepEqual(service.security_opt, ["no-new-privileges:true"]);
    assert.equal(new URL(service.build.context + "/", new URL("deploy/", ROOT)).href, ROOT.href);
    assert.ok(read(service.build.dockerfile));
  });
}

Deno.test("compose.yaml: no two services publish the same port, and the edge has the usual ones", () => {
  const published = services.flatMap(([, { ports }]) => ports.map((port: string) => port.split(":").at(-2)));
  assert.equal(new Set(published).size, published.length);
  const edge = compose.services.edge.ports.map((port: string) => Number(port.split(":").at(-2)));
  assert.deepEqual(edge.toSorted(), PORTS.toSorted());
});

const kinds = ["origin", "edge"].flatMap((name) => readYaml(`deploy/kubernetes/${name}.yaml`));
const named = (kind: string, name: string): Yaml =>
  kinds.find((each) => each.kind === kind && each.metadata.name === name);
const policies = readYaml("deploy/kubernetes/network-policy.yaml");
const workloads = [named("StatefulSet", "headwater-origin"), named("Deployment", "headwater-edge")];

for (const workload of workloads) {
  const { name } = workload.metadata;
  const pod = workload.spec.template;
  const [container] = pod.spec.containers;
  const values: Record<string, string> = Object.fromEntries(
    container.env.map((each: Yaml) => [each.name, each.value ?? "something"]),
  );
  const environment = Object.fromEntries(
    Object.entries(values).map((
      [key, value],
    ) => [
      key,
      value.replace(/\$\((\w+)\)/g, (_, variable) => {
        assert.ok(variable in values, variable);
        return `${name}-0`;
      }),
    ]),
  );

  Deno.test(`kubernetes: ${name} has a configuration and the ports that it listens on`, () => {
    const ours = Object.fromEntries(
      Object.entries(environment).filter(([key]) => key.startsWith("HEADWATER_")),
    );
    const config = configOf(ours);
    assert.deepEqual(container.ports.map((port: Yaml) => port.containerPort), [...PORTS, METRICS_PORT]);
    assert.equal(config.exporter.enabled, true);
    const [program, ...args] = container.lifecycle.preStop.exec.command;
    assert.equal(program, BINARY);
    assert.deepEqual(parseCommandLine(args), { kind: "drain" });
    const drainMs = config.grace_start_wait_ms + config.grace_s * 1000 + CLOSING_MS;
    const stop = drainMs + config.grace_final_wait_ms;
    assert.ok(pod.spec.terminationGracePeriodSeconds * 1000 > stop, "it would be killed while it drains");
  });

  Deno.test(`kubernetes: services give ${name} no variables, and those that they would give stop no start`, () => {
    configOf({ HEADWATER_EDGE_SERVICE_HOST: "10.0.0.1", HEADWATER_PORT: "tcp://10.0.0.1:1935" });
    assert.equal(pod.spec.enableServiceLinks, false);
  });

  Deno.test(`kubernetes: the probes of ${name} ask paths that the API answers, at its port`, async () => {
    const paths = ["startupProbe", "livenessProbe", "readinessProbe"].map((probe) =>
      container[probe].httpGet
    );
    assert.deepEqual(paths.map(({ path }) => path), ["/healthz", "/healthz", "/readyz"]);
    for (const { path, port } of paths) {
      assert.equal(container.ports.find((each: Yaml) => each.name === port).containerPort, API_PORT);
      const response = await apiApp().request(path);
      await response.body?.cancel();
      assert.equal(response.status, 200, path);
    }
    assert.equal(Number(pod.metadata.annotations["prometheus.io/port"]), METRICS_PORT);
    assert.equal(pod.metadata.annotations["prometheus.io/path"], "/metrics");
    for (const probe of ["startupProbe", "livenessProbe", "readinessProbe"]) {
      assert.ok(container[probe].timeoutSeconds > 0, probe);
    }
    const { periodSeconds, failureThreshold } = container.readinessProbe;
    const waitMs = Number(values["HEADWATER_GRACE_START_WAIT_MS"]);
    assert.ok(periodSeconds * failureThreshold * 1000 <= waitMs, "clients are moved before services know");
  });

  Deno.test(`kubernetes: selectors find the pods of ${name}`, () => {
    const { labels } = pod.metadata;
    assert.deepEqual(workload.spec.selector.matchLabels, labels);
    assert.deepEqual(named("PodDisruptionBudget", name).spec.selector.matchLabels, labels);
    const service = named("Service", name);
    assert.deepEqual(service.spec.selector, labels);
    for (const port of service.spec.ports) {
      assert.ok(
        container.ports.some((each: Yaml) =>
          each.name === port.targetPort && each.containerPort === port.port
        ),
      );
    }
  });

  Deno.test(`kubernetes: ${name} does not start without the cluster's secret`, () => {
    const secret = container.env.find((each: Yaml) => each.name === "HEADWATER_VHOST_CLUSTER_SECRET");
    assert.deepEqual(secret.valueFrom, { secretKeyRef: { name: "headwater", key: "cluster-secret" } });
  });

  Deno.test(`kubernetes: a policy lets who must reach ${name} in, and nobody else to its API`, () => {
    const { spec } = policies.find((each) => each.metadata.name === name);
    assert.deepEqual(spec.podSelector, workload.spec.selector);
    const open = (from: Yaml) =>
      spec.ingress.filter((rule: Yaml) => JSON.stringify(rule.from) === JSON.stringify(from))
        .flatMap(({ ports }: Yaml) => ports.map(({ port }: Yaml) => port));
    const isEdge = name === "headwater-edge";
    assert.deepEqual(open(undefined), isEdge ? ["rtmp", "http"] : ["rtmp"]);
    assert.deepEqual(open([{ namespaceSelector: {} }]), ["metrics"]);
    assert.deepEqual(open([{ podSelector: workload.spec.selector }]), isEdge ? [] : ["api"]);
  });

  Deno.test(`kubernetes: ${name} may do little`, () => {
    assert.equal(pod.spec.securityContext.runAsNonRoot, true);
    assert.equal(pod.spec.securityContext.runAsUser, NONROOT);
    assert.equal(pod.spec.automountServiceAccountToken, false);
    assert.deepEqual(container.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
  });

  Deno.test(`kubernetes: ${name} finds the origins by the headless service`, () => {
    const service = named("Service", "headwater-coworkers");
    const { metadata, spec } = workloads[0];
    const ports = service.spec.ports.map((port: Yaml) => port.port);
    const ours = Object.fromEntries(
      Object.entries(environment).filter(([key]) => key.startsWith("HEADWATER_")),
    );
    const cluster = clusterOf(configOf(ours));
    assert.equal(service.spec.clusterIP, "None");
    assert.equal(spec.serviceName, service.metadata.name);
    assert.deepEqual(service.spec.selector, spec.template.metadata.labels);
    const podNames = Array.from({ length: spec.replicas }, (_, index) => `${metadata.name}-${index}`);
    const endpoints = podNames.map((each) => `${each}.${service.metadata.name}:${RTMP_PORT}`);
    if (cluster?.mode === "remote") {
      assert.deepEqual(cluster.origin, endpoints);
    } else {
      assert.deepEqual(cluster?.coworkers, [`${service.metadata.name}:${API_PORT}`]);
      assert.equal(cluster?.advertise, endpoints[0]);
    }
    assert.deepEqual(ports, [RTMP_PORT, API_PORT]);
  });
}

Deno.test("kubernetes: clients of the edges keep their addresses", () => {
  const { type, externalTrafficPolicy } = named("Service", "headwater-edge").spec;
  assert.deepEqual([type, externalTrafficPolicy], ["LoadBalancer", "Local"]);
});

Deno.test("kustomization.yaml names the manifests, and the version", () => {
  const [kustomization] = readYaml("deploy/kubernetes/kustomization.yaml");
  assert.deepEqual(kustomization.resources, ["origin.yaml", "edge.yaml", "network-policy.yaml"]);
  assert.equal(kustomization.images[0].newTag, manifest.version);
});

const dockerfile = read("deploy/Dockerfile");
const instruction = (name: string): string =>
  new RegExp(`^${name}${name.endsWith("=") ? "" : " "}(.*)$`, "m").exec(dockerfile)?.[1] ?? "";

Deno.test("Dockerfile: the image runs the binary as nobody in particular, and asks it for its health", () => {
  assert.deepEqual(JSON.parse(instruction("ENTRYPOINT")), [BINARY]);
  assert.ok(dockerfile.includes(`COPY --from=build /out/headwater ${BINARY}`));
  const [program, ...args] = JSON.parse(instruction("HEALTHCHECK").split(" CMD ")[1] ?? "");
  assert.equal(program, BINARY);
  assert.deepEqual(parseCommandLine(args), { kind: "health" });
  assert.equal(instruction("USER"), `${NONROOT}:${NONROOT}`);
  assert.deepEqual(instruction("EXPOSE").split(" ").map(Number), [...PORTS, METRICS_PORT]);
  assert.equal(instruction("ENV"), "HEADWATER_CONFIG=/etc/headwater/headwater.toml");
  assert.ok(dockerfile.includes("WORKDIR /etc/headwater\nCOPY --from=build /src/conf .\n"));
  assert.equal(instruction("STOPSIGNAL"), "SIGTERM");
  const from = Array.from(dockerfile.matchAll(/^FROM (.*)$/gm), ([, image]) => image);
  assert.deepEqual(from, ["--platform=$BUILDPLATFORM ${DENO_IMAGE} AS build", "${BASE_IMAGE}"]);
  assert.match(instruction("ARG BASE_IMAGE="), /distroless.*:nonroot$/);
});

Deno.test("Dockerfile: it builds for targets that there are, of files that are sent to it", () => {
  for (const [, target = ""] of dockerfile.matchAll(/target=([\w-]+)/g)) {
    assert.ok(TARGETS.some(({ name }) => name === target), target);
  }
  const task = manifest.tasks.compile;
  assert.ok(dockerfile.includes(task), `it runs something else than ${task}`);
  const sent = read("deploy/Dockerfile.dockerignore").match(/(?<=^!).*/gm) ?? [];
  const copied = Array.from(
    dockerfile.matchAll(/^COPY (?!--)(.*) \S+$/gm),
    ([, files = ""]) => files.split(" "),
  );
  assert.deepEqual(copied.flat().toSorted(), sent.toSorted());
});

Deno.test("headwater.service: its commands are the program's, and it may write to its own folders", () => {
  const unit = read("deploy/headwater.service");
  const value = (key: string): string => new RegExp(`^${key}=(.*)$`, "m").exec(unit)?.[1] ?? "";
  const parse = (key: string) => {
    const [program, ...args] = value(key).replace(/^\/usr\/bin\/nohup /, "").split(" ");
    assert.equal(program, BINARY);
    return parseCommandLine(args);
  };
  const configPath = "/etc/headwater/headwater.toml";
  assert.deepEqual(parse("ExecStart"), { kind: "serve", configPath });
  assert.deepEqual(parse("ExecStartPre"), { kind: "check", configPath });
  const reload = Array.from(unit.matchAll(/^ExecReload=(.*)$/gm), ([, command]) => command);
  assert.deepEqual(reload, [value("ExecStartPre"), "/bin/kill -HUP $MAINPID"], "it checks before it reloads");
  assert.match(value("ExecStart"), /^\/usr\/bin\/nohup /);
  const folders = ["LogsDirectory", "RuntimeDirectory"].map(value);
  assert.deepEqual(folders, ["headwater", "headwater"]);
  assert.equal(value("WorkingDirectory"), `/run/${folders[1]}`);
  assert.ok(Number(value("TimeoutStopSec")) * 1000 > defaults.grace_final_wait_ms);
  assert.ok(Number(value("LimitNOFILE")) > defaults.max_connections);
});

for (const name of ["ci", "release"]) {
  Deno.test(`${name}.yml: its tasks are in deno.json, and its Deno is the image's`, () => {
    const text = read(`.github/workflows/${name}.yml`);
    const [workflow] = readYaml(`.github/workflows/${name}.yml`);
    for (const [, task = ""] of text.matchAll(/deno task ([\w:]+)/g)) assert.ok(task in manifest.tasks, task);
    assert.ok(
      instruction("ARG DENO_IMAGE=") === `denoland/deno:${workflow.env.DENO_VERSION}`,
    );
    assert.deepEqual(workflow.permissions, { contents: "read" });
  });
}

Deno.test("release.yml runs each binary that a release has, at home", () => {
  const [{ jobs }] = readYaml(".github/workflows/release.yml");
  const files = jobs.run.strategy.matrix.include.map((each: Yaml) => each.file);
  assert.deepEqual(files, TARGETS.map(({ name, extension }) => `headwater-${name}${extension}`));
  assert.equal(jobs.image.steps.at(-1).with.file, "deploy/Dockerfile");
  assert.equal(jobs.image.steps.at(-1).with.platforms, "linux/amd64,linux/arm64");
  const { id, run } = jobs.image.steps.find(({ run }: Yaml) => run?.includes("imagetools inspect"));
  for (const arg of ["DENO_IMAGE", "BASE_IMAGE"]) {
    assert.ok(run.includes(arg), arg);
    assert.ok(instruction(`ARG ${arg}=`) !== "", arg);
    assert.ok(
      jobs.image.steps.at(-1).with["build-args"].includes(`${arg}=\${{ steps.${id}.outputs.${arg} }}`),
      arg,
    );
  }
});

for (const task of ["start", "dev"] as const) {
  Deno.test(`deno task ${task} may do what the binary may, and no more: so it is tested with the same`, () => {
    const flags = manifest.tasks[task].split(" ").filter((flag) => /^--(allow|deny|no-prompt)/.test(flag));
    assert.deepEqual(flags.toSorted(), PERMISSIONS.toSorted());
  });
}
