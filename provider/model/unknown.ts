/**
 * What the engine passes in preview for a value that is known only later, at any depth and whatever the type
 * (pulumi/pulumi sdk/nodejs/runtime/rpc.ts and pkg/resource/plugin/rpc.go; a Node program always yields the first).
 */
const sentinels = new Set([
  "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** The sentinel that Node programs yield. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export function isUnknown(value: unknown): boolean {
  return typeof value === "string" && sentinels.has(value);
}

/** True when the value is unknown or holds something unknown. A resource where none may stand leads round in circles. */
export function hasUnknown(value: unknown): boolean {
  if (value === null || typeof value !== "object") return isUnknown(value);
  const proto = Object.getPrototypeOf(value);
  const isPlain = Array.isArray(value) || proto === null || Object.getPrototypeOf(proto) === null;
  return isPlain && Object.values(value).some(hasUnknown);
}
