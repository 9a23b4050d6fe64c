import type { Seen } from "../host/seen";
import type { Section } from "./command";

/** Where something is, after its name. */
export const placeWords = (namespace: string | undefined) =>
  namespace === undefined ? "" : ` in namespace ${namespace}`;

/** Where something is missing. */
export const placeOrHost = (namespace: string | undefined) =>
  namespace === undefined ? "on the host" : `in namespace ${namespace}`;

/** The names under /run/netns: the proof that a namespace is there or absent. */
export const namespacesSection: Section = { key: "netns", argv: ["ip", "-j", "netns", "list"] };

/** What `ip netns list` says of a name whose namespace just goes, or left its file behind; the list is complete all the same. */
const harmless = /Peer netns reference is invalid/;

/** The names of all namespaces. Throws READ_FAILED. */
export const namespacesOf = (seen: Seen): string[] =>
  seen.json<{ name: string }[]>("netns", harmless).map(({ name }) => name);

/** The host's own namespace and those with a name. Throws READ_FAILED. */
export const placesOf = (seen: Seen): (string | undefined)[] => [undefined, ...namespacesOf(seen)];

/** True for the host's own namespace and for one that `ip netns` lists. Throws READ_FAILED. */
export function namespaceExists(seen: Seen, namespace: string | undefined): boolean {
  if (namespace === undefined) return true;
  return namespacesOf(seen).includes(namespace);
}

/** The sections of something inside a namespace: its own, and what proves that the namespace is there. */
export function inNamespace(namespace: string | undefined, ...sections: Section[]): Section[] {
  if (namespace === undefined) return sections;
  return [
    namespacesSection,
    ...sections.map((section) => ({ ...section, key: `${section.key}@${namespace}`, namespace })),
  ];
}

/** The key under which `inNamespace` asked. */
export const keyIn = (key: string, namespace: string | undefined) =>
  namespace === undefined ? key : `${key}@${namespace}`;

/** By which numbers a namespace calls others; asked after its links, whose reading gives the numbers out. */
export const namespaceIdsSection: Section = { key: "netnsids", argv: ["ip", "-j", "netns", "list-id"] };

/** The namespaces that may be meant by a number within `namespace`; the host's own has no name. Throws READ_FAILED. */
export function otherNamespaces(seen: Seen, namespace: string | undefined, id?: number): (string | undefined)[] {
  const ids = seen.json<{ nsid: number; name?: string }[]>(keyIn("netnsids", namespace));
  const known = ids.find(({ nsid }) => nsid === id);
  if (known?.name !== undefined) return [known.name];
  // A namespace that has a name is called by it, if the number was there when that was asked.
  const unnamed = known ? [] : namespacesOf(seen).filter((name) => !ids.some((item) => item.name === name));
  return [...unnamed.filter((name) => name !== namespace), ...(namespace === undefined ? [] : [undefined])];
}
