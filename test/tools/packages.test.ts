import { missingPackages, planInstall } from "../../tools/packages";

const qemu = { package: "qemu-system-x86", command: "qemu-system-x86_64", why: "runs the lab's machines" };
const image = { package: "qemu-utils", command: "qemu-img", why: "makes their disks" };

test("a package is missing when its command is", () => {
  const find = (command: string) => (command === "qemu-img" ? "/usr/bin/qemu-img" : undefined);
  expect(missingPackages([qemu, image], find)).toEqual([qemu]);
});

test("the shell is found, and an absolute path is looked up as it is", () => {
  const shell = { package: "dash", command: "sh", why: "" };
  expect(missingPackages([shell, { ...shell, command: "/bin/sh" }])).toEqual([]);
  expect(missingPackages([{ ...shell, command: "/no/such/sh" }])).toHaveLength(1);
});

test("root installs without sudo, and each package once", () => {
  const plan = planInstall([qemu, image, image], { isRoot: true, hasApt: true, hasSudo: false });
  const commands = "commands" in plan ? plan.commands.map((command) => command.join(" ")) : [];
  expect(commands[0]).toMatch(/^env DEBIAN_FRONTEND=noninteractive apt-get .*update$/);
  expect(commands[1]).toMatch(/install --no-install-recommends qemu-system-x86 qemu-utils$/);
});

test("another user installs with sudo", () => {
  const plan = planInstall([qemu], { isRoot: false, hasApt: true, hasSudo: true });
  expect("commands" in plan && plan.commands.every(([first]) => first === "sudo")).toBe(true);
});

test("without sudo the command for root is told", () => {
  const plan = planInstall([qemu], { isRoot: false, hasApt: true, hasSudo: false });
  expect(plan).toEqual({ problem: expect.stringContaining("apt-get install qemu-system-x86") });
});

test("without apt the commands are told", () => {
  const plan = planInstall([qemu, image], { isRoot: true, hasApt: false, hasSudo: false });
  expect(plan).toEqual({ problem: expect.stringContaining("qemu-system-x86_64, qemu-img") });
});
