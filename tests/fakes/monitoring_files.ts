import { parse } from "yaml";

const read = (path: string): string =>
  Deno.readTextFileSync(new URL(`../../deploy/${path}`, import.meta.url));

/** One query of the dashboard, and the panel that it belongs to. */
export interface DashboardQuery {
  readonly panel: string;
  readonly expr: string;
}

// deno-lint-ignore no-explicit-any -- the shape of these files is what is tested
type Untyped = any;

/** deploy/grafana/headwater.json. */
export function dashboard(): Untyped {
  return JSON.parse(read("grafana/headwater.json"));
}

/** Its queries as Prometheus would get them: variables of Grafana replaced. */
export function dashboardQueries(): DashboardQuery[] {
  return dashboard().panels.flatMap((panel: Untyped) =>
    (panel.targets ?? []).map(({ expr }: Untyped) => ({
      panel: panel.title,
      expr: expr.replaceAll("$__rate_interval", "5m").replaceAll("$job", "headwater").replaceAll(
        "$instance",
        ".+",
      ),
    }))
  );
}

/** The rules of deploy/prometheus/alerts.yaml. */
export function alertRules(): { readonly alert: string; readonly expr: string }[] {
  return parse(read("prometheus/alerts.yaml")).groups.flatMap(({ rules }: Untyped) => rules);
}
