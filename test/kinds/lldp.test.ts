import { lldp } from "../../provider/kinds/lldp";
import { answers } from "./answers";
import { hostAnswers } from "./recorded/services";
import { Bench } from "./steps";

const bench = new Bench(lldp, { namespace: "blue", systemName: "node a", devices: ["e1"], txInterval: 2, cdp: true });
const name = "hostnet-lldp:blue";
const folder = `/run/pulumi-hostnet/services/${name}`;
const configuration = (interval: string) => ({
  configuration: [
    {
      config: [
        {
          "tx-delay": [{ value: interval }],
          "tx-hold": [{ value: "4" }],
          "iface-pattern": [{ value: "e1" }],
          hostname: [{ value: "node a" }],
        },
      ],
    },
  ],
});
/** `lldpcli -f json0 show neighbors details` of lldpd 1.0.16. */
const neighbors = {
  lldp: [
    {
      interface: [
        {
          ...{ name: "e1", via: "LLDP", rid: "1", age: "0 day, 00:00:05" },
          chassis: [
            {
              id: [{ type: "mac", value: "9e:00:71:94:78:bc" }],
              name: [{ value: "node b" }],
              descr: [{ value: "x, y" }],
              "mgmt-ip": [{ value: "10.0.0.2" }, { value: "fd00::2" }],
            },
          ],
          port: [{ id: [{ type: "ifname", value: "e2" }], descr: [{ value: "uplink" }] }],
        },
      ],
    },
  ],
};

/** The host after `up`; lldpd shows a title instead of its command line. */
function running(interval = "2", log = "[INFO/lldpctl] lldpd should resume operations", more = {}) {
  const files: Record<string, string> = { log };
  for (const { argv, stdin } of bench.plan({}, more)) {
    if (stdin !== undefined) files[(argv.at(-1) ?? "").slice(folder.length + 1)] = stdin;
  }
  return hostAnswers(name, files, "lldpd: monitor.", {
    "lldp:blue:configuration": configuration(interval),
    "lldp:blue:neighbors details": neighbors,
  });
}

test("has a socket and a file of its own, and is started with them", () => {
  const { services } = running();
  expect(services).toContain(
    `ExecStart=/usr/bin/env ip netns exec blue lldpd -d -u ${folder}/data/socket -O ${folder}/data/config -c\n`,
  );
  expect(services).toContain('data/config:configure system hostname "node a"\n');
  expect(services).toContain("data/config:configure system interface pattern e1\n");
});

test("is proven when it says that it does what is declared, and tells its neighbours", () => {
  expect(bench.steps(running())).toEqual([]);
  expect(bench.look(running())?.facts).toMatchObject({
    pid: 189,
    neighbors: [
      {
        ...{ device: "e1", protocol: "LLDP", chassis: "9e:00:71:94:78:bc", systemName: "node b", port: "e2" },
        ...{ systemDescription: "x, y", portDescription: "uplink", managementAddresses: ["10.0.0.2", "fd00::2"] },
      },
    ],
  });
});

test("what `lldpcli configure` changed is named, and it is started again", () => {
  expect(bench.look(running("7"))?.args).toMatchObject({ txInterval: 7, running: true, systemName: "node a" });
  expect(bench.steps(running("7"))).toContain(`systemctl restart ${name}.service`);
});

test("the agent type is read with the capitals that lldpd gives it", () => {
  const more = { agentType: "nearest-non-tpmr-bridge" };
  const told = configuration("2");
  Object.assign(told.configuration[0]?.config[0] ?? {}, { "lldp-agent-type": [{ value: "nearest non-TPMR bridge" }] });
  const seen = { ...running(undefined, undefined, more), "lldp:blue:configuration": told };
  expect(bench.steps(seen, more)).toEqual([]);
});

test("is waited for until it has read its file", () => {
  expect(bench.look(running("30", "[INFO/main] protocol LLDP enabled"))?.pending).toMatch(/^lldpd to come up/);
});

test("its chroot goes with the last lldpd, and stays while another runs", () => {
  const seen = running();
  expect(bench.removal(seen)).toContain("rm -rf /run/lldpd");
  const foreign = {
    ...seen,
    processes: `${seen.processes}\n    300       1 4026531840 Wed Nov 25 11:00:40 2026 lldpd: monitor.`,
  };
  expect(bench.removal(foreign)).not.toContain("rm -rf /run/lldpd");
});

test("is listed, whosever it is, and described as it runs; somebody else's lldpd is not", () => {
  const sections = [...(lldp.survey?.(undefined, answers([], {})) ?? []), ...lldp.observe(bench.want())];
  const seen = answers(sections, running() as never);
  expect(lldp.list?.(seen, "blue")).toEqual([{ namespace: "blue" }]);
  expect(lldp.list?.(seen, undefined)).toEqual([]);
  const found = lldp.asOurs?.(lldp.find({ namespace: "blue", running: true } as never, seen) as never);
  expect(found?.args).toMatchObject({ running: true, systemName: "node a", cdp: true });
  const { services: _, ...foreign } = running();
  expect(lldp.list?.(answers(sections, foreign as never), "blue")).toEqual([]);
});
