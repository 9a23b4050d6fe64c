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
  expect(forEyes([drift("unread", { why: "the host is away" })])).not.toContain("pulumi up");
});
