/** The operations of the engine, as its event log names them. */
export type Op =
  | "same"
  | "create"
  | "update"
  | "delete"
  | "replace"
  | "create-replacement"
  | "delete-replaced"
  | "read"
  | "refresh"
  | "discard"
  | "import";

/** What the engine did to one resource, or would do. */
export interface ResourceChange {
  urn: string;
  /** The last part of the URN: the resource's name in the program. */
  name: string;
  /** The last part of the type: `Namespace` of `pulumi-nodejs:dynamic/hostnet:Namespace`. */
  kind: string;
  op: Op;
  /** Paths of the changed properties, sorted, as `a.mtu` or `addresses[0]`. */
  diffs: string[];
  /** Top-level properties that made it a replacement. */
  replaceKeys: string[];
  failed: boolean;
}

export interface Diagnostic {
  severity: string;
  urn?: string;
  message: string;
}

export interface Changes {
  create: number;
  update: number;
  delete: number;
  replace: number;
  same: number;
  /** Every step on a resource of the program, in order; the stack's own are left out. */
  resources: ResourceChange[];
  /** Errors, warnings and infos, without the engine's debug messages. */
  diagnostics: Diagnostic[];
}

interface StepMetadata {
  op: Op;
  urn: string;
  type: string;
  keys?: string[] | null;
  diffs?: string[] | null;
  detailedDiff?: Record<string, unknown> | null;
}

interface EngineEvent {
  summaryEvent?: { resourceChanges?: Record<string, number> };
  resourcePreEvent?: { metadata: StepMetadata };
  resOutputsEvent?: { metadata: StepMetadata };
  resOpFailedEvent?: { metadata: StepMetadata };
  diagnosticEvent?: { severity: string; urn?: string; message: string };
}

/**
 * Reads the engine's event log: one JSON object a line. A last line that is cut off (a killed CLI) is left out.
 * A refresh says what it found when it is done, so the later word on a step counts.
 */
export function parseEvents(text: string): Changes {
  const changes: Changes = { create: 0, update: 0, delete: 0, replace: 0, same: 0, resources: [], diagnostics: [] };
  const steps = new Map<string, ResourceChange>();
  for (const event of lines(text)) {
    if (event.resourcePreEvent) add(event.resourcePreEvent.metadata);
    if (event.resOutputsEvent) add(event.resOutputsEvent.metadata);
    if (event.resOpFailedEvent) add(event.resOpFailedEvent.metadata, true);
    if (event.diagnosticEvent && event.diagnosticEvent.severity !== "debug") {
      const { severity, urn, message } = event.diagnosticEvent;
      changes.diagnostics.push({ severity, ...(urn ? { urn } : {}), message: message.replace(colours, "").trimEnd() });
    }
    // A run may hold a preview and an update: the last summary is that of the update.
    for (const op of ["create", "update", "delete", "replace", "same"] as const) {
      if (event.summaryEvent) changes[op] = event.summaryEvent.resourceChanges?.[op] ?? 0;
    }
  }
  changes.resources = [...steps.values()];
  return changes;

  function add(metadata: StepMetadata, failed = false) {
    if (metadata.type === "pulumi:pulumi:Stack") return;
    // One resource can have several steps in a run: its refresh, its deletion as the old one, its creation as the new.
    const refresh = metadata.op === "refresh" ? "refresh" : "";
    const key = refresh ? `${metadata.urn} refresh` : `${metadata.urn} ${metadata.op}`;
    const known = steps.get(key);
    const paths = metadata.detailedDiff ? Object.keys(metadata.detailedDiff) : (metadata.diffs ?? []);
    steps.set(key, {
      urn: metadata.urn,
      name: metadata.urn.split("::").at(-1) ?? "",
      kind: metadata.type.split(":").at(-1) ?? "",
      op: metadata.op,
      diffs: [...new Set([...(known?.diffs ?? []), ...paths])].sort(),
      replaceKeys: [...new Set([...(known?.replaceKeys ?? []), ...(metadata.keys ?? [])])].sort(),
      failed: failed || (known?.failed ?? false),
    });
  }
}

/** The tags that the engine writes for colours. */
const colours = /<\{%[^%]*%\}>/g;

function* lines(text: string): Generator<EngineEvent> {
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    try {
      yield JSON.parse(line) as EngineEvent;
    } catch {
      return;
    }
  }
}
