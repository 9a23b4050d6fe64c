import { decommissioned, type HostRef, reachIfSame } from "./host/reach";
import { forgetEpoch } from "./ledger";
import { asOfNow } from "./owners";

/** The Hosts of all that this run deletes, and of what it has not yet told the engine is done. */
const all = new Set<HostRef>();
const underWay = new Set<HostRef>();

export async function deleting<T>(host: HostRef, remove: () => Promise<T>): Promise<T> {
  all.add(host);
  underWay.add(host);
  try {
    return await remove();
  } finally {
    underWay.delete(host);
  }
}

/**
 * What is deleted may be in the state of an engine that was ended, and a plain `up` would call it unchanged. Without its
 * epoch a Host counts as rebooted, so that all on it is looked at again. One that was interrupted has recorded what was done.
 */
export const afterKill = () => forgetEpochs(all);
export const afterInterrupt = () => forgetEpochs(underWay);

async function forgetEpochs(hosts: Set<HostRef>): Promise<void> {
  const byOwner = new Map(
    [...hosts].filter((host) => !decommissioned(host)).map((host) => [host.owner, asOfNow(host)]),
  );
  const each = [...byOwner.values()].map(async (host) => {
    const machine = await reachIfSame(host);
    await machine?.write([forgetEpoch(host.owner)], []);
  });
  await Promise.allSettled(each);
}
