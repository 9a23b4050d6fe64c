import type { Link } from "./workloads";

/** How to log in on a host of the benchmark, in the words of the Host resource. */
export interface Login {
  name: string;
  address: string;
  port: number;
  user: string;
  privateKeyPath: string;
  knownHostsPath: string;
}

/** What the processes that the benchmark starts have to know. */
export interface Spec {
  hosts: Login[];
  links: Link[];
}

const variable = "HOSTNET_BENCH";

export const specEnv = (spec: Spec): Record<string, string> => ({ [variable]: JSON.stringify(spec) });

export function specFromEnv(): Spec {
  const text = process.env[variable];
  if (!text) throw new Error(`${variable} is not set: this is started by \`npm run bench\` alone`);
  return JSON.parse(text) as Spec;
}
