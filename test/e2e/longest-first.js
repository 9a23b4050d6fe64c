const Sequencer = require("@jest/test-sequencer").default;

/** What takes minutes goes first, so that no worker of two is left with it in the end; the rest as jest has it. */
const long = [
  "laws/n1",
  "laws/n2",
  "laws/import-n1",
  "laws/import-n2",
  "examples",
  "seed/managed-nic",
  "seed/neutron",
  "import",
  "survival",
];

const rank = ({ path }) => {
  const at = long.findIndex((name) => path.endsWith(`/e2e/${name}.test.ts`));
  return at < 0 ? long.length : at;
};

module.exports = class extends Sequencer {
  sort(tests) {
    return [...super.sort(tests)].sort((a, b) => rank(a) - rank(b));
  }
};
