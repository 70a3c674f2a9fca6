import { findDirective, type SrsDirective } from "./srs_parser.ts";

/** Keys of SRS 1 and 2 that stood in the vhost and moved into a section: the section and the name there. */
const MOVED: Readonly<Record<string, readonly [section: string, name: string]>> = {
  ...movedTo("play", [
    "time_jitter",
    "mix_correct",
    "atc",
    "atc_auto",
    "mw_latency",
    "gop_cache",
    "gop_cache_max_frames",
    "queue_length",
    "send_min_interval",
    "reduce_sequence_header",
  ]),
  ...movedTo("cluster", ["mode", "origin", "token_traverse", "vhost", "debug_srs_upnode"]),
  "publish_1stpkt_timeout": ["publish", "firstpkt_timeout"],
  "publish_normal_timeout": ["publish", "normal_timeout"],
  "refer_play": ["refer", "play"],
  "refer_publish": ["refer", "publish"],
};

function movedTo(section: string, names: string[]): Record<string, readonly [string, string]> {
  return Object.fromEntries(names.map((name) => [name, [section, name] as const]));
}

/**
 * Rewrites the directives of older SRS versions into today's (`srs_config_transform_vhost`). What an old directive
 * says replaces what a section says. The `rtmp` block of SRS 7 is what stands outside of blocks in every version before.
 */
export function modernizeDirectives(root: SrsDirective[]): SrsDirective[] {
  return root.flatMap((directive) => {
    // SRS 7 has a block of its own for what stood beside all others.
    if (directive.name === "rtmp" && directive.isBlock === true) return directive.children;
    if (directive.name === "http_stream") return { ...directive, name: "http_server" };
    return directive.name === "vhost" ? { ...directive, children: modernizeVhost(directive) } : directive;
  });
}

function modernizeVhost(vhost: SrsDirective): SrsDirective[] {
  const old = vhost.children.filter(isOld);
  const children = vhost.children.filter((child) => !isOld(child)).map((child) => {
    if (child.name === "http") return { ...child, name: "http_static" };
    const { name, args, position } = child;
    if (name === "forward" && child.children.length === 0 && args.length > 0) {
      const parts = [
        { name: "enabled", args: ["on"], children: [], position },
        { name: "destination", args, children: [], position },
      ];
      return { name, args: [], children: parts, position };
    }
    return { ...child, children: [...child.children] };
  });
  for (const directive of old) moveInto(children, directive);
  return children;
}

function isOld({ name, children }: SrsDirective): boolean {
  return Object.hasOwn(MOVED, name) || name === "mr" || (name === "refer" && children.length === 0);
}

function moveInto(vhost: SrsDirective[], directive: SrsDirective): void {
  const { name, args, children, position } = directive;
  if (name === "mr") {
    const enabled = findDirective(children, "enabled");
    const latency = findDirective(children, "latency");
    if (enabled !== undefined) set(vhost, "publish", { ...enabled, name: "mr" });
    if (latency !== undefined) set(vhost, "publish", { ...latency, name: "mr_latency" });
    return;
  }
  const [section, key] = MOVED[name] ?? ["refer", "all"];
  set(vhost, section, { name: key, args, children: [], position });
  if (section === "refer") set(vhost, section, { name: "enabled", args: ["on"], children: [], position });
}

function set(vhost: SrsDirective[], sectionName: string, directive: SrsDirective): void {
  let section = findDirective(vhost, sectionName);
  if (section === undefined) {
    section = { name: sectionName, args: [], children: [], position: directive.position };
    vhost.push(section);
  }
  section.children = [
    directive,
    ...section.children.filter((child) => child.name !== directive.name),
  ];
}
