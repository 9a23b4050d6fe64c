/** The public API, and nothing else. (`export type` on a line of its own: the SDK's TypeScript 3.8 reads no other.) */
export type { ErrorCode } from "./model/errors";
export { codes, HostnetError } from "./model/errors";
export * as neutron from "./neutron";
export * from "./resources";
