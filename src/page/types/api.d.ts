// What the API answers, by the names of its description. Not served: only scripts/page-types reads it.

import type { components } from "./openapi";

/** The name of a schema of docs/openapi.json. */
export type SchemaName = keyof components["schemas"];

/** The schema of this name. */
export type Schema<Name extends SchemaName> = components["schemas"][Name];
