import * as hostnet from "pulumi-hostnet";

/** A machine as `hostnet lab status --json` prints it. */
interface Machine {
  name: string;
  address: string;
  port: number;
  user: string;
  privateKeyPath: string;
  knownHostsPath: string;
  interfaces: { underlay: string; external: string };
}

/**
 * The examples run on the lab's machines: `npm start` hands them over in HOSTNET_LAB. On your own machines, write
 * `new hostnet.Host("node1", { address: "192.0.2.11", user: "ops" })` instead.
 */
export const machines: Machine[] = JSON.parse(process.env.HOSTNET_LAB || "[]");

export function labHost(index: number): hostnet.Host {
  const machine = machines[index];
  if (!machine) throw new Error("HOSTNET_LAB names no such machine: run `hostnet lab up`, or deploy by `npm start`");
  const { name, address, port, user, privateKeyPath, knownHostsPath } = machine;
  return new hostnet.Host(name, { address, port, user, privateKeyPath, knownHostsPath });
}
