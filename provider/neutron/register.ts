import * as pulumi from "@pulumi/pulumi";

/**
 * A component's arguments are looked at in its constructor, which runs in preview: what is wrong is refused before
 * anything is registered. The error goes without a stack: Node 20 and 22 take a minute to print the SDK's
 * (nodejs/node#64011, seen).
 */
export function refuse(title: string, text: string): never {
  const message = `${title}: ${text}`;
  throw Object.assign(new pulumi.RunError(message), { stack: message });
}

/** Each thing of a cloud that only one may have: names, numbers, addresses. */
export class Register {
  private readonly taken = new Map<string, string>();

  /** Enters `key`; throws RunError when another has it. */
  take(key: string, title: string, path: string): void {
    const other = this.taken.get(key);
    if (other !== undefined && other !== title)
      refuse(title, `${path}: ${key} is taken by ${other}; choose another [CONFLICT]`);
    if (other !== undefined) refuse(title, `${path}: ${key} is given twice [CONFLICT]`);
    this.taken.set(key, title);
  }
}
