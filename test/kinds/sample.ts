/**
 * What the laws need to know of a kind to try it: data, one file a kind under samples/. The unit laws check it against
 * the schema; the end-to-end laws apply it to a lab host, look with the host's own tools, and change it behind our back.
 */
export interface Sample {
  /** The kind's name in the registry. */
  kind: string;
  /** Resources that must be there first, in this order. */
  needs?: { kind: string; args: Record<string, unknown> }[];
  /** Root shell commands on the host, before `needs` and after everything is gone again. */
  before?: string;
  after?: string;
  /** What a host with `needs` answers, by the section's key, where what makes the object follows from it. */
  answers?: Record<string, unknown>;
  /** The fewest arguments that are valid. */
  args: Record<string, unknown>;
  /** Root shell command that succeeds when the object is there, and fails when it is not. */
  exists: string;
  /** Root shell command that removes the object, or half of it, behind our back; absent for what cannot be deleted. */
  vanish?: string;
  /** Every argument that is updated in place, by dotted path. */
  updates: Record<string, Update>;
  /** Every identity argument, with another valid value. */
  replaces: Record<string, unknown>;
  /** Other arguments, by path, without which the value in `replaces` is not valid. */
  replacesWith?: Record<string, Record<string, unknown>>;
  /** Arguments that change together with the one in `replaces`, as the new value contradicts them. */
  replacesTogether?: Record<string, Record<string, unknown>>;
  /** Arguments (merged over `args`) that must be refused, the path that the refusal names, and a part of its text. */
  invalid: { args: Record<string, unknown>; path: string; text: RegExp }[];
}

export interface Update {
  /** A valid value that differs from the kernel's default. */
  to: unknown;
  /** Other arguments that it needs, merged over `args` for this update; an undefined one is taken out. */
  with?: Record<string, unknown>;
  /** It is not tried together with others, because one shows in what another prints. */
  apart?: true;
  /** Root shell command that shows the attribute by a tool of the host. */
  shows: string;
  /** What it prints when `to` is set. */
  expect: RegExp;
  /** What it prints again when the argument is taken out of the program; absent where it then stays as it is. */
  removed?: RegExp;
  /** Root shell command that changes it behind our back. */
  drift?: string;
  /** The path at which a refresh shows that change, where it is another one. */
  driftShownAt?: string;
}
