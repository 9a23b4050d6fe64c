// Two projects: `unit` needs neither root nor a lab; `e2e` drives the real CLI against the lab (tools/test.ts brings it up).
const transform = {
  "^.+\\.ts$": [
    "@swc/jest",
    // ignoreDynamic keeps `await import("execa")`, which is ESM only, a real import().
    { jsc: { target: "es2022", parser: { syntax: "typescript" } }, module: { type: "commonjs", ignoreDynamic: true } },
  ],
};
// execa's signal handling outlives a test file; jest's clean-up of globals would recurse through it without end.
const testEnvironmentOptions = { globalsCleanup: "off" };
const common = {
  transform,
  testEnvironment: "node",
  testEnvironmentOptions,
  extensionsToTreatAsEsm: [],
  modulePathIgnorePatterns: ["<rootDir>/dist"],
};

// Written, and not yet seen green as a whole on a quiet machine: `npm run test:pending`, no part of `npm test`.
const pending = ["import", "laws/import", "seed/(?:dhcp|lldp|managed-nic|neutron|tap|udp-vpn)"].map(
  (name) => `/test/e2e/${name}\\.test\\.ts$`,
);

module.exports = {
  // A busy machine is no failure: what must end in time has a deadline of its own.
  testTimeout: 60_000,
  projects: [
    {
      ...common,
      displayName: "unit",
      testMatch: ["<rootDir>/test/**/*.test.ts"],
      testPathIgnorePatterns: ["<rootDir>/test/e2e/"],
    },
    {
      ...common,
      displayName: "e2e",
      testMatch: ["<rootDir>/test/e2e/*.test.ts", "<rootDir>/test/e2e/{helpers,seed}/*.test.ts"],
      testPathIgnorePatterns: pending,
    },
    {
      ...common,
      displayName: "pending",
      testRegex: pending,
    },
    // Every attribute of every kind on the lab's hosts, in this process; alone: `npm run test:laws`.
    {
      ...common,
      displayName: "laws",
      testMatch: ["<rootDir>/test/e2e/laws/*.test.ts"],
      testPathIgnorePatterns: pending,
    },
  ],
};
