import { forEyes } from "../../provider/cli/drift";
import type { Drift } from "../../provider/drift-report";

const drift = (what: Drift["what"], more: Partial<Drift> = {}): Drift => ({
  ...{ host: "n1", kind: "LinuxBridge", name: "br0", what },
  ...more,
});

test("what differs is followed by the way back, once", () => {
  const changed = drift("changed", { path: "mtu", declared: 1400, live: 1500 });
  expect(forEyes([changed, drift("gone"), drift("rebooted")]).split("\n\n")).toEqual([
    expect.stringContaining("n1    LinuxBridge  br0   mtu"),
    "`pulumi up --refresh` makes it as declared again.",
  ]);
  expect(forEyes([drift("foreign")])).toMatch(
    /not marked as this stack's\)\n\n`pulumi up --refresh` refuses .*`adopt: true`.*delete it on the host/s,
  );
  for (const what of ["unread", "idle"] as const) {
    expect(forEyes([drift(what, { why: "the host is away" })])).toMatch(/the host is away$/);
  }
});

test("a name with dots in a path stands as it is", () => {
  const sysctl = drift("changed", { path: "sysctls.net\\.ipv4\\.ip_forward", declared: 1, live: 0 });
  expect(forEyes([sysctl])).toContain("sysctls.net.ipv4.ip_forward");
});

test("a long value makes its own line longer, and no other", () => {
  const rules = { kind: "Firewall", path: "chains.i.rules", declared: "accept ".repeat(50), live: "[]" };
  const long = drift("changed", rules);
  const mtu = drift("changed", { path: "mtu", declared: 1400, live: 1500 });
  const lines = forEyes([long, mtu]).split("\n");
  expect(lines[1]).toContain(rules.declared);
  expect(lines[2]?.length).toBeLessThan(80);
});
