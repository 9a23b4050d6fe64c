import { afterInterrupt, afterKill, deleting } from "../provider/deletions";
import type { HostRef } from "../provider/host/reach";
import { show } from "../provider/model/command";

const written: string[] = [];
jest.mock("../provider/host/batch", () => ({
  machine: async ({ name }: HostRef) => {
    if (name === "away") throw new Error("no route to host");
    return {
      facts: { machineId: "x", bootId: "b" },
      write: async (steps: { argv: string[] }[]) => {
        written.push(...steps.map((step) => `${name}: ${show(step)}`));
        return {};
      },
    };
  },
}));
jest.mock("../provider/host/identity", () => ({ machineIdentity: () => "m1" }));

const hostRef = (name: string, more: Partial<HostRef> = {}) =>
  ({ name, machineId: "m1", owner: `0-${name}`, epoch: "e", address: "192.0.2.1", ...more }) as HostRef;

test("a Host has no epoch any more when an ended engine may not know what was deleted from it, and else keeps it", async () => {
  await afterKill();
  const release: (() => void)[] = [];
  const begin = (host: HostRef) => deleting(host, () => new Promise<void>((resolve) => release.push(resolve)));
  const hosts = [hostRef("n1"), hostRef("n1"), hostRef("n2"), hostRef("away"), hostRef("other", { machineId: "m2" })];
  const all = [...hosts, hostRef("scrapped", { decommissioned: true })].map(begin);
  await expect(deleting(hostRef("n3"), () => Promise.reject(new Error("refused")))).rejects.toThrow("refused");
  const gone = (...names: string[]) => names.map((name) => `${name}: rm -f /run/pulumi-hostnet/0-${name}/epoch`);
  expect(written).toEqual([]);
  await afterInterrupt();
  expect(written.splice(0)).toEqual(gone("n1", "n2"));
  for (const done of release) done();
  await Promise.all(all);
  await afterInterrupt();
  expect(written).toEqual([]);
  await afterKill();
  expect(written).toEqual(gone("n1", "n2", "n3"));
});
