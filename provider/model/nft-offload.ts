import type { Step } from "./command";
import type { FirewallArgs } from "./nft-args";
import { blockKey, type Line, type Table } from "./nft-table";

const flag = "flags offload";

const offloading = ({ flowtables = {} }: FirewallArgs) => Object.entries(flowtables).filter(([, one]) => one.offload);

/** Without the flag: the devices of a namespace of its own, in which the normal form is asked for, cannot offload. */
export const withoutOffload = (want: FirewallArgs): FirewallArgs => ({
  ...want,
  flowtables:
    want.flowtables &&
    Object.fromEntries(Object.entries(want.flowtables).map(([name, one]) => [name, { ...one, offload: false }])),
});

/** The normal form with the flag again. */
export function withOffload(want: FirewallArgs, normal: Table): Table {
  for (const [name] of offloading(want)) {
    const block = normal.blocks.get(blockKey("flowtable", name));
    block?.definition.push(flag);
    block?.definition.sort();
  }
  return normal;
}

/** $0 names the argument; the devices follow. The kernel says of one whether it can, and of several not which cannot. */
const ask = `for device; do
  printf 'add table inet hostnet-offload
add flowtable inet hostnet-offload one { hook ingress priority 0; devices = { "%s" }; ${flag}; }
' "$device" | nft -c -f - 2>&1 | grep -q 'not supported' && unable="$unable $device"
done
[ -z "$unable" ] && exit
echo "$0:$unable cannot take over flows: leave offload out, or give network cards whose driver can" >&2
exit 1`;

/** Before flowtables are made: fails, with nothing changed, for devices that cannot take over flows. */
export const offloadChecks = (want: FirewallArgs, lines: Line[]): Step[] =>
  offloading(want)
    .filter(([name]) => lines.some(({ path }) => path === `flowtables.${name}`))
    .map(([name, { devices }]) => ({
      argv: ["sh", "-c", ask, `flowtables.${name}.devices`, ...devices],
      namespace: want.namespace,
    }));
