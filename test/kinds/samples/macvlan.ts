import type { Sample, Update } from "../sample";

/** What macvlan and macvtap share: `type` is the word of `ip link`. */
export function macvlanSample(kind: string, type: string): Sample {
  const device = `s-${type}`;
  const parent = `s-${type}-up`;
  const place = `s-${type}-ns`;
  const shows = `ip -d link show dev ${device}`;
  const set = (words: string) => `ip link set dev ${device} type ${type} ${words}`;
  const option = (to: unknown, expect: RegExp, removed: RegExp, drift: string, more: object = {}): Update => ({
    to,
    shows,
    expect,
    removed,
    drift: set(drift),
    ...more,
  });
  return {
    kind,
    needs: [
      { kind: "Namespace", args: { name: place } },
      { kind: "Dummy", args: { name: parent, mtu: 1480 } },
      { kind: "Dummy", args: { name: `${parent}2`, up: false } },
    ],
    args: { name: device, parent },
    exists: `ip -d link show dev ${device} | grep -qw '${type} mode'`,
    vanish: `ip link del dev ${device}`,
    updates: {
      mode: option("private", /mode private/, /mode bridge/, "mode vepa"),
      sources: option(
        ["02:00:00:00:00:0B", "02:00:00:00:00:0a"],
        /remotes \(2\).*02:00:00:00:00:0[ab]/,
        /remotes \(0\)/,
        "macaddr add 02:00:00:00:00:0c",
        { with: { mode: "source" } },
      ),
      nodst: option(true, /mode source nodst/, /mode source (?!nodst)/, "mode source flag null", {
        with: { mode: "source" },
      }),
      nopromisc: option(true, /mode passthru nopromisc/, /mode passthru (?!nopromisc)/, "mode passthru flag null", {
        with: { mode: "passthru" },
      }),
      broadcastQueueLength: option(77, /bcqueuelen 77/, /bcqueuelen 1000/, "bcqueuelen 78"),
      mtu: { to: 1400, shows, expect: /mtu 1400/, removed: /mtu 1480/, drift: `ip link set dev ${device} mtu 1300` },
    },
    replaces: { name: `${device}2`, namespace: place, parent: `${parent}2`, parentNamespace: place },
    replacesWith: { parentNamespace: { namespace: place } },
    invalid: [
      { args: { mode: "switch" }, path: "mode", text: /one of "bridge"/ },
      { args: { sources: ["02:00:00:00:00:0a"] }, path: "sources", text: /mode: "source"/ },
      { args: { nopromisc: true }, path: "nopromisc", text: /mode: "passthru"/ },
      { args: { nodst: true }, path: "nodst", text: /mode: "source"/ },
      { args: { parentNamespace: place }, path: "parentNamespace", text: /needs `namespace`/ },
      { args: { parent: undefined }, path: "parent", text: /required/ },
    ],
  };
}

export const macvlan: Sample = macvlanSample("Macvlan", "macvlan");
