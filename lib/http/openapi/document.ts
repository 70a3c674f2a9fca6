import * as z from "zod/mini";
import { type Operation, OPERATIONS, type Parameter } from "./operations.ts";

/** A JSON object of the document. */
export type Json = { readonly [name: string]: unknown };

export interface DocumentOptions {
  /** Paths, as Hono writes them, with their methods. */
  readonly resources: ReadonlyMap<string, readonly string[]>;
  readonly version: string;
  /** Whether the API asks for credentials. */
  readonly hasAuth: boolean;
}

const ENVELOPE = z.object({ code: z.literal(0), server: z.string(), service: z.string(), pid: z.string() });
const BARE_ENVELOPE = z.object({ code: z.literal(0) });
const ERROR = z.object({ code: z.number(), message: z.string() });

/**
 * The API as an OpenAPI 3.1 document, of the routes that there are and the schemas of their answers.
 *
 * Source: https://spec.openapis.org/oas/v3.1.0
 */
export function openApiDocument({ resources, version, hasAuth }: DocumentOptions): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  const groups = new Set<string>();
  for (const [path, methods] of resources) {
    const item: Record<string, unknown> = {};
    for (const method of methods) {
      const operation = OPERATIONS[`${method} ${path}`];
      if (operation === undefined) continue;
      groups.add(operation.group);
      item[method.toLowerCase()] = operationJson(method, path, operation);
    }
    if (Object.keys(item).length > 0) paths[path.replaceAll(/:(\w+)/g, "{$1}")] = item;
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Headwater",
      version,
      description:
        "SRS's HTTP API and more. What SRS answers with status 200 and a code that is not 0 is so here too, with the reason in words; " +
        "all other refusals have their HTTP status as code.",
    },
    servers: [{ url: "/" }],
    tags: [...groups].map((name) => ({ name })),
    paths,
    components: {
      schemas: { Error: schemaJson(ERROR, "output") },
      securitySchemes: {
        basic: { type: "http", scheme: "basic" },
        bearer: { type: "http", scheme: "bearer" },
      },
    },
    ...(hasAuth ? { security: [{ basic: [] }, { bearer: [] }] } : {}),
  };
}

function operationJson(method: string, path: string, operation: Operation): Json {
  const { group, summary, query = {}, body, isGuarded = false } = operation;
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  return {
    tags: [group],
    summary,
    operationId: `${method.toLowerCase()}${
      path.replaceAll(/[^A-Za-z0-9]+(\w?)/g, (_, letter: string) => letter.toUpperCase())
    }`,
    ...(isGuarded
      ? { description: "A change, or for those only who may change something: see http_api.auth." }
      : {}),
    parameters: [
      ...inPath,
      ...Object.entries(query).map(([name, parameter]) => parameterJson(name, parameter)),
    ],
    ...(body === undefined ? {} : {
      requestBody: {
        required: true,
        content: { "application/json": { schema: schemaJson(body, "input") } },
      },
    }),
    responses: {
      "200": { description: "Done.", content: contentJson(operation) },
      default: {
        description: "Refused: the HTTP status as code, or SRS's number with status 200, and why.",
        content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
      },
    },
  };
}

function contentJson({ answer, contentType = "application/json", isBare = false }: Operation): Json {
  if (answer === undefined) return { [contentType]: { schema: { type: "string" } } };
  if (isDocument(answer)) return { [contentType]: { schema: schemaJson(answer, "output") } };
  const allOf = [schemaJson(isBare ? BARE_ENVELOPE : ENVELOPE, "output"), schemaJson(answer, "output")];
  return { [contentType]: { schema: { allOf: allOf.map(open) } } };
}

/** Whether an answer is no envelope at all. */
function isDocument(answer: z.ZodMiniType): boolean {
  return !(answer instanceof z.ZodMiniObject) || "status" in answer.shape;
}

/** Of an object that is told in two parts, neither part forbids the other's fields; later versions may have more. */
function open(schema: Json): Json {
  const { additionalProperties: _, ...rest } = schema;
  return rest;
}

function parameterJson(name: string, { about, schema, isRequired = false }: Parameter): Json {
  return {
    name,
    in: "query",
    description: about,
    ...(isRequired ? { required: true } : {}),
    // What is coerced comes as text, and means what it is coerced to.
    schema: schemaJson(schema, "output"),
  };
}

function schemaJson(schema: z.ZodMiniType, io: "input" | "output"): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io });
  return json;
}
