import { z } from "zod";
import { connectionArgs } from "./host/connection";

/** What a Host takes: how to reach the machine. */
export const hostArgs = z.strictObject({
  name: z
    .string()
    .regex(/^[\x21-\x7e]{1,64}$/, "must be 1 to 64 printable characters without space")
    .describe(
      "What messages and HOSTNET_DECOMMISSIONED call the machine: one of a stack. Default: the last part of the resource's name after '/'.",
    ),
  ...connectionArgs,
});

/** What a Host tells of its machine. */
export const hostFacts = z.object({
  machineId: z
    .string()
    .describe("Which machine it is, whatever its address: a digest of machine id and firmware uuid."),
  bootId: z.string().describe("The kernel's id of this boot."),
  epoch: z.string().describe("Changes whenever the machine has lost its runtime state: a reboot, a reverted snapshot."),
  owner: z.string().describe("64 random bits in hex, which mark on the machine what this Host's resources own."),
  kernel: z.string().describe("The kernel's release, as `uname -r` has it."),
  tools: z.record(z.string(), z.string()).describe("Versions of the programs that are used, by name."),
  interfaces: z
    .array(
      z.object({
        name: z.string().describe("The device's name."),
        mac: z.string().optional().describe("Its MAC address."),
        type: z.string().describe("Its type, as `ip -d link` has it (bridge, veth, vlan), else nic."),
        managedBy: z.string().optional().describe("Who else manages it; absent where nobody does."),
      }),
    )
    .describe(
      "The devices of the host's own namespace, and who else manages each: networkd, NetworkManager, ifupdown, docker, libvirt.",
    ),
});
