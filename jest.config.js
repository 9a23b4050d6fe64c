// `unit` needs neither root nor a lab; `e2e` drives the real CLI against it (tools/test.ts brings it up), `laws` the kinds.
const transform = {
  "^.+\\.ts$": [
    "@swc/jest",
    // ignoreDynamic keeps `await import("execa")`, which is ESM only, a real import().
    { jsc: { target: "es2022", parser: { syntax: "typescript" } }, module: { type: "commonjs", ignoreDynamic: true } },
  ],
};
// execa's signal handling outlives a test file; jest's clean-up of globals would recurse through it without end.
const testEnvironmentOptions = { globalsCleanup: "off" };
const setupFiles = ["<rootDir>/test/e2e/helpers/lab-of-worker.ts"];
const common = {
  transform,
  testEnvironment: "node",
  testEnvironmentOptions,
  extensionsToTreatAsEsm: [],
  modulePathIgnorePatterns: ["<rootDir>/dist"],
};

module.exports = {
  // A busy machine is no failure: what must end in time has a deadline of its own.
  testTimeout: 60_000,
  // jest leaves a processor free, which of two is half of them.
  maxWorkers: "100%",
  testSequencer: "<rootDir>/test/e2e/longest-first.js",
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
      setupFiles,
      testMatch: ["<rootDir>/test/e2e/*.test.ts", "<rootDir>/test/e2e/{helpers,seed}/*.test.ts"],
    },
    // Every attribute of every kind on the lab's hosts, in this process; alone: `npm run test:laws`.
    {
      ...common,
      displayName: "laws",
      setupFiles,
      testMatch: ["<rootDir>/test/e2e/laws/*.test.ts"],
    },
  ],
};
