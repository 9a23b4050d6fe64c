import { tenantFlows, tunnelFlows } from "../../provider/neutron/flows";

const flowsOf = (type: "gre" | "vxlan", vlan: number, tunnelId: number) =>
  tenantFlows(type, { vlan, tunnelId, ports: ["t"] });

test("another VLAN, tunnel id or type of tunnel has another flow that learns, and with the old one goes what it learned", () => {
  const learning = (...args: Parameters<typeof flowsOf>) =>
    JSON.stringify(flowsOf(...args).filter(({ actions }) => actions.startsWith("learn(")));
  const all = [
    learning("gre", 11, 100),
    learning("gre", 12, 100),
    learning("gre", 11, 101),
    learning("vxlan", 11, 100),
  ];
  expect(new Set(all).size).toBe(4);
  // One that is every network's would stay.
  expect(tunnelFlows("gre").filter(({ actions }) => actions.includes("learn("))).toEqual([]);
});
