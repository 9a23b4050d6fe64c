import { createServer } from "node:net";

/** Below the kernel's range for outgoing connections, so that a port found free stays so. */
const first = 22101;

/**
 * The port that the n-th machine (from 0) had before it died, as stacks know it by that; else its usual one. Another if
 * something else listens there.
 */
export async function choosePort(index: number, before?: number, isFree = portIsFree): Promise<number> {
  if (before && (await isFree(before))) return before;
  // Steps of 4 keep the machines' choices apart, though all choose at the same time.
  for (let port = first + index; port < first + 400; port += 4) if (await isFree(port)) return port;
  throw new Error(`No free port for the lab between ${first} and ${first + 400} on 127.0.0.1.`);
}

export function portIsFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}
