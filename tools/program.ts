import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { transformSync } from "@swc/core";
import { kinds } from "../provider/kinds";
import { kindOfType } from "../provider/protocol";
import type { StateResource } from "../provider/state";
import { validate } from "../provider/validate";
import { root } from "./root";

/** What the examples take for the lab's machines, which need not run. */
const machines = ["n1", "n2"].map((name, index) => ({
  ...{ name, address: "127.0.0.1", port: 2201 + index, user: "lab", privateKeyPath: "", knownHostsPath: "" },
  interfaces: { management: "eth0", underlay: "eth1", external: "eth2" },
}));

/** What the program that the root Pulumi.yaml names declares, as it would be in state. No host is reached. */
export async function declaredByMainExample(): Promise<StateResource[]> {
  const main = /^main: *(.+)$/m.exec(readFileSync(join(root, "Pulumi.yaml"), "utf8"))?.[1];
  if (!main) throw new Error("Pulumi.yaml names no main");
  const found: StateResource[] = [];
  await pulumi.runtime.setMocks({
    newResource({ type, name, inputs }) {
      const kind = kindOfType(type);
      if (kind) found.push(resource(kind, name, inputs));
      return { id: name, state: { ...inputs, machineId: "m", owner: "0123456789abcdef", epoch: "e" } };
    },
    call: () => ({}),
  });
  process.env.HOSTNET_LAB = JSON.stringify(machines);
  readTypeScript();
  require(join(root, main, "index.ts"));
  await pulumi.runtime.disconnect();
  return found;
}

function resource(kind: string, name: string, inputs: Record<string, unknown>): StateResource {
  const { host, parents, __provider, ...given } = inputs;
  const args = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const spec = kinds[kind];
  const outputs = { ...(spec ? validate(spec.args, args).value : args), host };
  return { urn: "", id: name, name, kind, inputs, outputs, shown: outputs };
}

/** The examples are compiled as they are loaded. */
function readTypeScript(): void {
  require.extensions[".ts"] = (module, file) => {
    const { code } = transformSync(readFileSync(file, "utf8"), {
      filename: file,
      swcrc: false,
      jsc: { target: "es2022", parser: { syntax: "typescript" } },
      module: { type: "commonjs" },
    });
    (module as NodeModule & { _compile(code: string, file: string): void })._compile(code, file);
  };
}
