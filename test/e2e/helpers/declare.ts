import { host } from "./lab";

/** The text of a `new hostnet.Host(…)` for a lab host, for a test's program; `extra` is more of its arguments. */
export function declareHost(name: string, extra: Record<string, unknown> = {}): string {
  const { address, port, user, privateKeyPath, knownHostsPath } = host(name);
  const args = { address, port, user, privateKeyPath, knownHostsPath, ...extra };
  return `new hostnet.Host(${JSON.stringify(name)}, ${JSON.stringify(args)})`;
}

/** A program in JavaScript: the imports, a host called `host`, and the rest. */
export const onOneHost = (name: string, rest: string, extra: Record<string, unknown> = {}): string => `
const pulumi = require("@pulumi/pulumi");
const hostnet = require("pulumi-hostnet");
const host = ${declareHost(name, extra)};
${rest}
`;
