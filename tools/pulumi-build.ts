import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { setPriority } from "node:os";
import { join } from "node:path";
import { duration, type Log } from "./log";
import { root } from "./root";
import { parseVersion } from "./versions";
import { which } from "./which";

const sources = join(root, "tools", "pulumi");
const launcher = "pulumi-resource-pulumi-nodejs";
const versionVariable = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";

/** What is built: the engine's last version and the language host's, as far as Go modules have them. */
const modules = [
  { folder: "cli", requires: "github.com/pulumi/pulumi/pkg/v3", tags: "osusergo,grpcnotrace" },
  { folder: "language-nodejs", requires: "github.com/pulumi/pulumi/sdk/v3", tags: "" },
];

/** The folder of our own build inside `cache`. Its name changes with whatever goes into the build. */
export function buildFolder(cache: string): string {
  const hash = createHash("sha256").update(`${process.platform}/${process.arch}`);
  for (const { folder } of modules) {
    for (const file of ["go.mod", "go.sum"]) hash.update(readFileSync(join(sources, folder, file)));
  }
  hash.update(readFileSync(join(sources, launcher)));
  return join(cache, `built-${moduleVersion("cli")}-${hash.digest("hex").slice(0, 10)}`);
}

/** The version that a module's go.mod requires, as `v3.259.0`. */
export function moduleVersion(folder: string): string {
  const module = modules.find((each) => each.folder === folder);
  const text = readFileSync(join(sources, folder, "go.mod"), "utf8");
  const line = text.split("\n").find((each) => each.trim().startsWith(`${module?.requires} v`));
  const version = line && parseVersion(line.trim().split(" ")[1] ?? "");
  if (!version) throw new Error(`tools/pulumi/${folder}/go.mod does not require ${module?.requires}`);
  return `v${version.join(".")}`;
}

/** The Go compiler, also where PATH does not have it; undefined if it is not installed. */
export function findGo(): string | undefined {
  return which("go") ?? which("/usr/local/go/bin/go");
}

/**
 * Builds the Pulumi CLI and its Node language host from Go modules into `folder`/bin. It is built beside that folder
 * and renamed, so that a folder that is there is complete, whoever was interrupted or built at the same time.
 * @throws Error with the end of the compiler's output, when a module cannot be had or does not compile.
 */
export async function buildPulumi(go: string, folder: string, log: Log): Promise<void> {
  const { execa } = await import("execa");
  log(`Building the Pulumi CLI ${moduleVersion("cli")} from Go modules with ${go}. Once; it takes about 5 minutes.`);
  mkdirSync(join(folder, ".."), { recursive: true });
  const staging = mkdtempSync(`${folder}.`);
  try {
    for (const module of modules) {
      const started = Date.now();
      const version = moduleVersion(module.folder);
      const child = execa(
        go,
        [
          "build",
          "-trimpath",
          ...(module.tags ? ["-tags", module.tags] : []),
          ...["-ldflags", `-s -w -X ${versionVariable}=${version}`],
          ...["-o", join(staging, "bin/"), "tool"],
        ],
        {
          cwd: join(sources, module.folder),
          // The committed go.sum decides what is built; without cgo no C compiler is needed.
          env: { GOFLAGS: "-mod=readonly -buildvcs=false", CGO_ENABLED: "0" },
          stdin: "ignore",
          all: true,
          reject: false,
        },
      );
      lowerPriority(child.pid);
      const result = await child;
      if (result.failed) {
        const tail = (result.all ?? "").split("\n").slice(-15).join("\n");
        throw new Error(`The Pulumi CLI could not be built (go build in tools/pulumi/${module.folder}):\n${tail}`);
      }
      log(`  ${module.folder} ${version}: ${duration((Date.now() - started) / 1000)}`);
    }
    copyFileSync(join(sources, launcher), join(staging, "bin", launcher));
    try {
      renameSync(staging, folder);
    } catch (error) {
      if (!existsSync(folder)) throw error; // else somebody else's build of the same was quicker
    }
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** Minutes of both cores at work: the user's own programs come first. */
function lowerPriority(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, 5);
  } catch {
    // The compiler may have ended already, and a build at full priority is as good.
  }
}
