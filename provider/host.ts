import { createHash, randomBytes } from "node:crypto";
import type { z } from "zod";
import { machine } from "./host/batch";
import { machineIdentity } from "./host/identity";
import { decommissioned, type HostRef, reachIfSame } from "./host/reach";
import type { Seen } from "./host/seen";
import type { Machine } from "./host/types";
import { hostArgs, type hostFacts } from "./host-args";
import { forgetOwner, ledgersSection, readEpoch, recordEpoch, recordMissingNetns } from "./ledger";
import { warn } from "./log";
import { HostnetError } from "./model/errors";
import { devicesOnHost, managerSections } from "./model/managers";
import { hasUnknown } from "./model/unknown";
import { meet, reachedBy } from "./owners";
import { validate } from "./validate";

type Inputs = z.output<typeof hostArgs> & { __provider?: string };
type Outputs = HostRef & z.output<typeof hostFacts> & { __provider?: string };

/** The machines that answer in this run by their id, with the Host that is on each: clones are told apart by nothing. */
const machines = new Map<string, { owner: string; name: string }>();

/** Names of the Hosts of the program: a refresh asks for the diff of those too that it has no longer. */
const declared = new Set<string>();

function check(_olds: unknown, news: Inputs) {
  declared.add(news.name);
  const { __provider, ...args } = news;
  const checked = validate(hostArgs, args);
  const failures = checked.failures.map(({ path, reason }) => ({ property: "", reason: `${path}: ${reason}` }));
  return { inputs: { ...(checked.value ?? args), __provider }, failures };
}

/**
 * The only diff that looks at a machine: so a plain `up` sees a reboot. A machine that does not answer is warned of
 * and no more: one dead host of forty must not block the rest.
 */
async function diff(_id: string, olds: Outputs, news: Inputs): Promise<{ changes?: boolean }> {
  const isOn = (machineId: string) => machines.set(machineId, { owner: olds.owner, name: olds.name });
  if (hasUnknown(news) || decommissioned(news)) {
    isOn(olds.machineId);
    if (decommissioned(news)) reachedBy(olds.machineId, news);
    return {};
  }
  try {
    const { found, seen } = await look(news);
    const machineId = machineIdentity(found.facts, news.identity);
    reachedBy(machineId, news);
    // Who has been on it before has the older right; the others may have changed places.
    if (machineId === olds.machineId || !machines.has(machineId)) isOn(machineId);
    return machineId !== olds.machineId || epochOf(found, seen, olds.owner) !== olds.epoch ? { changes: true } : {};
  } catch (error) {
    isOn(olds.machineId);
    warn(error instanceof Error ? error.message : String(error));
    return {};
  }
}

async function create(news: Inputs) {
  const owner = randomBytes(8).toString("hex");
  return { id: `Host/${owner}`, outs: await settle(news, owner) };
}

async function update(_id: string, olds: Outputs, news: Inputs) {
  if (decommissioned(news)) return { outs: { ...olds, ...news } };
  return { outs: await settle(news, olds.owner, olds) };
}

/** Refresh changes nothing here: what a Host knows of its machine's epoch is compared by the next `up`, and only there. */
async function read(id: string, olds: Outputs) {
  if (!decommissioned(olds)) await reachIfSame(olds);
  meet(olds);
  return { id, props: olds };
}

async function remove(_id: string, olds: Outputs): Promise<void> {
  if (decommissioned(olds)) return;
  const found = await reachIfSame(olds);
  if (!found) return;
  const seen = await found.observe([ledgersSection]);
  const { owner } = machines.get(olds.machineId) ?? {};
  if (owner === olds.owner) machines.delete(olds.machineId);
  const { failure } = await found.write(forgetOwner(seen, olds.owner, owner === olds.owner ? undefined : owner), []);
  if (failure) throw new HostnetError("STEP_FAILED", failure.result.stderr, { host: olds.name });
}

export const host = { check, diff, create, update, read, delete: remove };

async function look(connection: Inputs): Promise<{ found: Machine; seen: Seen }> {
  const found = await machine(connection);
  return { found, seen: await found.observe([ledgersSection]) };
}

/** Writes a new token into the ledger, and looks before only where a known one may still be there. */
async function settle(news: Inputs, owner: string, olds?: Outputs): Promise<Omit<Outputs, "__provider">> {
  const found = await machine(news);
  const { facts } = found;
  const machineId = machineIdentity(facts, news.identity);
  const twin = machines.get(machineId);
  // Of one name it is the Host that this one replaces.
  if (twin && twin.owner !== owner && twin.name !== news.name && declared.has(twin.name)) {
    throw new HostnetError("CONFLICT", `is the same machine as ${twin.name}, or a clone with its machine id`, {
      host: news.name,
      remedy: 'Declare one Host for it; give a clone a machine id of its own, or set identity: "hostKey" on both.',
    });
  }
  machines.set(machineId, { owner, name: news.name });
  meet({ machineId, owner });
  reachedBy(machineId, news);
  if (!facts.tools.ip) {
    throw new HostnetError("MISSING_TOOL", "the host has no ip", {
      host: news.name,
      remedy: "On Debian: apt install iproute2",
    });
  }
  const sections = [ledgersSection, ...managerSections];
  const before = olds?.machineId === machineId ? await found.observe(sections) : undefined;
  const { seen, failure } =
    before && olds?.epoch === epochOf(found, before, owner)
      ? { seen: before, failure: undefined }
      : await found.write([recordEpoch(owner, randomBytes(8).toString("hex")), recordMissingNetns(owner)], sections);
  if (failure) throw new HostnetError("STEP_FAILED", failure.result.stderr, { host: news.name });
  const outputs = {
    ...news,
    machineId,
    bootId: facts.bootId,
    epoch: epochOf(found, seen, owner),
    owner,
    kernel: facts.kernel,
    tools: facts.versions,
    interfaces: devicesOnHost(seen),
  };
  return JSON.parse(JSON.stringify(outputs));
}

const epochOf = (found: Machine, seen: Seen, owner: string) =>
  createHash("sha256")
    .update(`${found.facts.bootId}/${readEpoch(seen, owner) ?? ""}`)
    .digest("hex")
    .slice(0, 16);
