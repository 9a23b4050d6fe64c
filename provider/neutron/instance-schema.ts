import { z } from "zod";
import { between, interfaceName, ipAddress, macAddress, namespaceName, prefix } from "../model/scalars";

const owner = z.union([z.string(), between(0, 0xffff_fffe)]).optional();
const guestTypes = ["tap", "namespace", "external"] as const;
const guest = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("tap"),
    owner,
    group: owner,
    multiQueue: z.boolean().optional(),
    vnetHeader: z.boolean().optional(),
  }),
  z.strictObject({
    type: z.literal("namespace"),
    name: namespaceName.optional(),
    addressing: z.enum(["static", "dhcp"]).default("static"),
  }),
  z.strictObject({ type: z.literal("external") }),
]);

/** The plain part of the arguments: networks and groups are objects of the program. */
export const instanceSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i, "must be a host name: letters, digits and dashes, at most 63")
    .optional(),
  guest: z.union([z.enum(guestTypes).transform((type) => guest.parse({ type })), guest]).default({ type: "tap" }),
  ports: z
    .array(
      z
        .strictObject({
          id: interfaceName.max(11, "must be 1 to 11 characters").optional(),
          mac: macAddress.optional(),
          addresses: z.array(ipAddress).min(1, "must name an address; without any, leave it out").optional(),
          allowedAddressPairs: z.array(z.strictObject({ address: prefix, mac: macAddress.optional() })).default([]),
          portSecurity: z.boolean().default(true),
          securityGroups: z.array(z.string()).optional(),
        })
        .superRefine(({ portSecurity, securityGroups, allowedAddressPairs }, issues) => {
          if (portSecurity) return;
          const refuse = (path: string) =>
            issues.addIssue({ code: "custom", path: [path], message: "needs portSecurity" });
          if (securityGroups !== undefined) refuse("securityGroups");
          if (allowedAddressPairs.length > 0) refuse("allowedAddressPairs");
        }),
    )
    .min(1, "must have a port"),
});

export type InstancePlan = z.output<typeof instanceSchema>;
export type PortPlanArgs = InstancePlan["ports"][number];
