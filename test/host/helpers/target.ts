import type { Target } from "../../../provider/host/target";

/** A target with everything left out that a test does not speak of. */
export function target(over: Partial<Target> = {}): Target {
  return {
    name: "host1",
    transport: "ssh2",
    address: "127.0.0.1",
    hostKeyName: "127.0.0.1",
    port: 22,
    user: "tester",
    privateKeyPaths: [],
    identitiesOnly: false,
    hostKeys: [],
    knownHostsPaths: [],
    jumpHosts: [],
    become: "none",
    connectTimeoutMs: 20_000,
    commandTimeoutMs: 20_000,
    alias: "127.0.0.1",
    ...over,
  };
}
