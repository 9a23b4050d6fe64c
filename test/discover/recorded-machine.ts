import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Seen } from "../../provider/host/seen";
import type { Machine } from "../../provider/host/types";
import type { Result, Section, Step } from "../../provider/model/command";
import { keyIn } from "../../provider/model/namespaces";

type Answer = { stdout: unknown; exitCode?: number; stderr?: string };
type Rule = { priority: number; protocol: string };
type Link = { ifname: string; ifalias?: string };

/**
 * A host that answers as a real one did (Linux 6.18, iproute2 6.1), built by shell commands: the namespaces blue, red and
 * green, a bridge, pairs, routes, an address of DHCP, a container of docker. It takes marks, and nothing else:
 * a rule's is its protocol, by which it is made once more and removed as it was.
 */
export class RecordedMachine implements Machine {
  readonly facts = {
    ...{ machineId: "", bootId: "b", hostname: "h", kernel: "6.18", systemd: true, versions: {} },
    tools: Object.fromEntries(["ip", "bridge", "sysctl", "ethtool"].map((tool) => [tool, `/sbin/${tool}`])),
  };
  readonly answers: Record<string, Answer> = JSON.parse(readFileSync(join(__dirname, "host.recorded"), "utf8"));
  readonly files = new Map<string, string>();
  readonly written: string[] = [];
  /** Round trips that only asked. */
  reads = 0;

  /** Of one id there is one machine in a process. */
  constructor(machineId = "0123") {
    this.facts.machineId = machineId;
  }

  async observe(sections: Section[]): Promise<Seen> {
    this.reads++;
    return this.see(sections);
  }

  async write(steps: Step[], then: Section[]) {
    for (const step of steps) this.take(step);
    return { seen: this.see(then) };
  }

  links(namespace?: string): Link[] {
    return this.answers[namespace ? `links@${namespace}` : "links"]?.stdout as Link[];
  }

  link(name: string, namespace?: string): Link {
    return this.links(namespace).find(({ ifname }) => ifname === name) as Link;
  }

  private see(sections: Section[]): Seen {
    return new Seen(new Map(sections.map((section) => [section.key, { section, result: this.answer(section) }])));
  }

  private answer({ key }: Section): Result {
    if (key.startsWith("ledger")) {
      return { exitCode: 0, stdout: [...this.files].map(([path, line]) => `${path}:${line}\n`).join(""), stderr: "" };
    }
    const { stdout, exitCode = 0, stderr = "" } = this.answers[key] ?? { stdout: "", exitCode: 127 };
    return { exitCode, stdout: typeof stdout === "string" ? stdout : JSON.stringify(stdout), stderr };
  }

  private take({ argv, namespace, stdin }: Step): void {
    this.written.push([namespace, ...argv].filter(Boolean).join(" "));
    const [, , , , name = "", word, mark] = argv;
    if (argv.includes("install")) this.files.set(argv.at(-1) ?? "", (stdin ?? "").trim());
    else if (argv[2] === "rule") this.takeRule(argv, namespace);
    else if (word === "alias") this.link(name, namespace).ifalias = mark;
    else throw new Error(`it takes no ${argv.join(" ")}`);
  }

  private takeRule([, family, , verb, ...words]: readonly string[], namespace?: string): void {
    const answer = this.answers[keyIn(`rules${family?.slice(1)}`, namespace)] as { stdout: Rule[] };
    const word = (name: string) => words[words.indexOf(name) + 1];
    const is = ({ priority }: Rule) => priority === Number(word("priority"));
    const same = (one: Rule) => is(one) && one.protocol === word("protocol");
    if (verb === "add") answer.stdout.push({ ...(answer.stdout.find(is) as Rule), protocol: String(word("protocol")) });
    else answer.stdout = answer.stdout.filter((one) => !same(one));
  }
}
