/** An address outside that is a guest's. */
export interface FloatingPlan {
  address: string;
  fixed: string;
}

export interface RouterPlan {
  /** The device that leads outside, and the router's own address there. */
  external: { device: string; address: string };
  /** Whether guests without a floating IP go out under the router's address. */
  snat: boolean;
  floating: FloatingPlan[];
}

/**
 * Address translation of a router, in a table `ip` of its namespace. A flow keeps its translation for life, whatever
 * becomes of the rule: so `guard` looks at every packet, and drops those of a floating IP that is not this guest's now.
 */
export function routerTable({ external, snat, floating }: RouterPlan) {
  const { device, address } = external;
  const nat = (hook: "prerouting" | "output" | "postrouting", priority: number, rules: string[]) => ({
    type: "nat" as const,
    hook,
    priority,
    policy: "accept" as const,
    rules,
  });
  return {
    chains: {
      prerouting: nat("prerouting", -100, ["dnat to ip daddr map @floating-in"]),
      output: nat("output", -100, ["dnat to ip daddr map @floating-in"]),
      postrouting: nat("postrouting", 100, [
        // A guest that calls a floating IP of its own router: the answer must come back here to be translated.
        `oifname != "${device}" ct status dnat snat to ${address}`,
        `oifname "${device}" snat to ip saddr map @floating-out`,
        ...(snat ? [`oifname "${device}" snat to ${address}`] : []),
      ]),
      guard: {
        type: "filter" as const,
        hook: "forward" as const,
        priority: 0,
        policy: "accept" as const,
        rules: [
          "ct status dnat ct original ip daddr . ct reply ip saddr != @floating-pairs drop",
          `ct status snat ct reply ip daddr != ${address} ct reply ip daddr . ct original ip saddr != @floating-pairs drop`,
        ],
      },
    },
    sets: {
      "floating-pairs": {
        type: "ipv4_addr . ipv4_addr",
        elements: floating.map((one) => `${one.address} . ${one.fixed}`),
      },
    },
    maps: {
      "floating-in": {
        type: "ipv4_addr : ipv4_addr",
        elements: floating.map((one) => `${one.address} : ${one.fixed}`),
      },
      "floating-out": {
        type: "ipv4_addr : ipv4_addr",
        elements: floating.map((one) => `${one.fixed} : ${one.address}`),
      },
    },
  };
}
