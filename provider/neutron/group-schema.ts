import { z } from "zod";
import { between, family, prefix } from "../model/scalars";

const portRange = z.union([
  between(1, 65535),
  z
    .string()
    .regex(/^\d{1,5}-\d{1,5}$/, "must be a port, or a range as '8000-8080'")
    .refine((text) => {
      const [first = 0, last = 0] = text.split("-").map(Number);
      return first >= 1 && first <= last && last <= 65535;
    }, "must be a range of ports from 1 to 65535, as '8000-8080'"),
]);

const ported = ["tcp", "udp", "sctp", "dccp", "udplite"];
const icmp = ["icmp", "icmpv6"];

/** One rule of a security group. */
export const groupRule = z
  .strictObject({
    direction: z.enum(["ingress", "egress"]),
    ethertype: z.enum(["IPv4", "IPv6"]).optional(),
    protocol: z
      .union([z.enum(["tcp", "udp", "icmp", "icmpv6", "sctp", "dccp", "udplite", "esp", "ah", "gre"]), between(1, 255)])
      .optional(),
    ports: portRange.optional(),
    icmpType: between(0, 255).optional(),
    icmpCode: between(0, 255).optional(),
    remoteCidr: prefix.optional(),
    remoteGroup: z.string().optional(),
  })
  .superRefine((rule, issues) => {
    const { protocol, remoteCidr } = rule;
    const refuse = (path: string, message: string) => issues.addIssue({ code: "custom", path: [path], message });
    if (rule.ports !== undefined && !ported.includes(String(protocol)))
      refuse("ports", `need protocol ${ported.join(", ")}`);
    if (rule.icmpType !== undefined && !icmp.includes(String(protocol)))
      refuse("icmpType", "needs protocol icmp or icmpv6");
    if (rule.icmpCode !== undefined && rule.icmpType === undefined) refuse("icmpCode", "needs icmpType");
    if (remoteCidr && rule.remoteGroup !== undefined)
      refuse("remoteGroup", "must not be given together with remoteCidr");
    const versions = [
      ...(rule.ethertype ? [{ IPv4: 4, IPv6: 6 }[rule.ethertype]] : []),
      ...(remoteCidr ? [family(remoteCidr)] : []),
      ...(icmp.includes(String(protocol)) ? [protocol === "icmp" ? 4 : 6] : []),
    ];
    if (new Set(versions).size > 1) refuse("ethertype", "must fit the protocol and remoteCidr");
  });
