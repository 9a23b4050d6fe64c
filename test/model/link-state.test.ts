import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { linkSections, linkState } from "../../provider/model/link-state";
import { answers } from "../kinds/answers";

test("IPv6 is read of every device, also of one whose name begins with a dot", () => {
  const root = mkdtempSync(join(tmpdir(), "hostnet-proc-"));
  const devices = { default: 0, lo: 0, "eth0.7": 1, ".dot": 0, "..x": 1 };
  for (const [device, off] of Object.entries(devices)) {
    mkdirSync(join(root, device));
    writeFileSync(join(root, device, "disable_ipv6"), `${off}\n`);
  }
  const sections = linkSections(undefined, { ipv6: true });
  const [program = "", ...words] = sections.find(({ key }) => key === "ipv6")?.argv ?? [];
  const real = "/proc/sys/net/ipv6/conf";
  const { stdout } = spawnSync(
    program,
    words.map((word) => word.replaceAll(real, root)),
    { encoding: "utf8" },
  );
  rmSync(root, { recursive: true });
  const links = Object.keys(devices).map((ifname) => ({ ifname, flags: [] }));
  const seen = answers(sections, { links, ipv6: stdout.replaceAll(root, real) });
  const isOff = (device: string) => Number(linkState(seen, undefined, device)?.ipv6Disabled);
  expect(Object.keys(devices).map((device) => [device, isOff(device)])).toEqual(Object.entries(devices));
});

test("what is read of a host is gone through once, however many resources ask", () => {
  const names = Array.from({ length: 200 }, (_, i) => `p${i}`);
  const sections = linkSections(undefined, { ipv6: true });
  const seen = answers(sections, {
    links: names.map((ifname) => ({ ifname, flags: [] })),
    ipv6: names.map((name) => `/proc/sys/net/ipv6/conf/${name}/disable_ipv6:1\n`).join(""),
  });
  const asked = jest.spyOn(seen, "result");
  const states = names.map((name) => linkState(seen, undefined, name));
  expect(states.map((state) => state?.ipv6Disabled)).toEqual(names.map(() => true));
  expect(asked.mock.calls.length).toBeLessThan(5);
  // A device with thousands of addresses has as many resources that look at all of them.
  expect(linkState(seen, undefined, "p1")).toBe(states[1]);
});
