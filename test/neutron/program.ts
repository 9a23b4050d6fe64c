import * as pulumi from "@pulumi/pulumi";
import { Host } from "../../provider";
import { kinds } from "../../provider/kinds";
import { check } from "../../provider/lifecycle";

export interface Registered {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}

let registered: Registered[] = [];

/** For `beforeAll`: the SDK's engine of tests, which answers each registration with the inputs. */
export function useMocks() {
  // The SDK takes a stack trace for each of its promises, and jest translates each by its source maps.
  Error.stackTraceLimit = 0;
  pulumi.runtime.setMocks({
    newResource: ({ type, name, inputs }) => {
      registered.push({ type: type.split(":").at(-1) ?? "", name, inputs });
      return { id: `id-${name}`, state: { ...inputs, machineId: "m", owner: "0123456789abcdef", epoch: "e" } };
    },
    call: () => ({}),
  });
}

/** What a program registers, by kind and name, once all of it has been. Throws for two of one name, as the engine would. */
export async function registrations(program: () => void): Promise<Map<string, Registered>> {
  registered = [];
  program();
  await pulumi.runtime.disconnect();
  const all = registered.map((one) => [`${one.type} ${one.name}`, one] as const);
  const twice = all.find(([key], at) => all.findIndex(([other]) => other === key) < at);
  if (twice) throw new Error(`duplicate resource URN: ${twice[0]}`);
  return new Map(all);
}

/** What the kinds refuse in preview of what a program registers. */
export const refusals = (all: Map<string, Registered>) =>
  [...all].flatMap(([key, { type, inputs }]) => {
    const kind = (kinds as Partial<typeof kinds>)[type];
    return kind ? check(kind, inputs as never).failures.map(({ reason }) => `${key}: ${reason}`) : [];
  });

/** The resources that are not the same in both programs: gone, new, or with other inputs. */
export function differences(before: Map<string, Registered>, after: Map<string, Registered>) {
  const keys = [...before.keys()];
  return {
    gone: keys.filter((key) => !after.has(key)),
    changed: keys.filter((key) => after.has(key) && text(before.get(key)) !== text(after.get(key))),
    added: [...after.keys()].filter((key) => !before.has(key)),
  };
}

const text = (one: Registered | undefined) => JSON.stringify(one?.inputs);

export const host = (name: string) => new Host(name, { address: "192.0.2.1" });
