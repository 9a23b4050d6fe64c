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

/** What a run did, or would do. The counts are of the program's own resources that did not fail. */
export interface Changes {
  create: number;
  update: number;
  delete: number;
  replace: number;
  same: number;
  failed: number;
  /** Every step on a resource of the program, in order; the stack and its default provider are left out. */
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
  resourcePreEvent?: { metadata: StepMetadata };
  resOutputsEvent?: { metadata: StepMetadata };
  resOpFailedEvent?: { metadata: StepMetadata };
  diagnosticEvent?: { severity: string; urn?: string; message: string };
}

/**
 * Reads the engine's event log: one JSON object a line. A last line that is cut off (a killed CLI) is left out.
 *
 * A replacement has three steps (`delete-replaced`, `replace`, `create-replacement`) and counts once. `refresh` tells
 * what it found by the op of its result (`same`, `update`, `delete`); within `up --refresh` that op is `refresh`, with
 * the drift in `diffs`, and the step that mends it follows.
 */
export function parseEvents(text: string): Changes {
  const steps = new Map<string, ResourceChange>();
  const refreshing = new Set<string>();
  const diagnostics: Diagnostic[] = [];
  for (const event of lines(text)) {
    const begun = event.resourcePreEvent?.metadata;
    if (begun?.op === "refresh") refreshing.add(begun.urn);
    else if (begun) add(begun);
    const ended = event.resOutputsEvent?.metadata;
    if (ended) add(ended, refreshing.delete(ended.urn));
    const failed = event.resOpFailedEvent?.metadata;
    if (failed) add(failed, refreshing.delete(failed.urn), true);
    if (event.diagnosticEvent && event.diagnosticEvent.severity !== "debug") {
      const { severity, urn, message } = event.diagnosticEvent;
      diagnostics.push({ severity, ...(urn ? { urn } : {}), message: message.replace(colours, "").trimEnd() });
    }
  }
  const resources = [...steps.values()];
  const count = (op: Op) => resources.filter((each) => each.op === op && !each.failed).length;
  return {
    create: count("create"),
    update: count("update"),
    delete: count("delete"),
    replace: count("replace"),
    same: count("same"),
    failed: resources.filter(({ failed }) => failed).length,
    resources,
    diagnostics,
  };

  function add(metadata: StepMetadata, isRefresh = false, failed = false) {
    if (isOfEngine(metadata.type)) return;
    const key = `${metadata.urn} ${isRefresh ? "refresh" : ""} ${metadata.op}`;
    const paths = metadata.detailedDiff ? Object.keys(metadata.detailedDiff) : (metadata.diffs ?? []);
    const known = steps.get(key);
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

/** Whether a type is the engine's own: the stack and the default provider are in every state and summary. */
export function isOfEngine(type: string): boolean {
  return type === "pulumi:pulumi:Stack" || type.startsWith("pulumi:providers:");
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
