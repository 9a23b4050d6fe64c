import { createHash } from "node:crypto";
import { homedir, userInfo } from "node:os";

export type Env = Record<string, string | undefined>;

/** The home folder, as the user's shell has it. */
export const homeOf = (env: Env) => env.HOME || homedir();

/** The home folder, as ssh has it: it does not look at HOME. */
export function passwdHome(): string {
  try {
    return userInfo().homedir;
  } catch {
    return homedir();
  }
}

/** Who runs us. A container's user may have no entry in passwd. */
export function localUser(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env.USER ?? "root";
  }
}

/** `~` and `${NAME}`, as ssh expands them in paths. */
export function expandPath(path: string, env: Env, home = homeOf(env)): string {
  const named = path.replace(/\$\{(\w+)\}/g, (whole, name: string) => env[name] ?? whole);
  return named === "~" || named.startsWith("~/") ? `${home}${named.slice(1)}` : named;
}

/** The `%` tokens of ssh_config(5). */
export function expandTokens(text: string, tokens: Record<string, string>): string {
  const connection = createHash("sha1").update(`${tokens.l}${tokens.h}${tokens.p}${tokens.r}`).digest("hex");
  const all: Record<string, string> = { ...tokens, "%": "%", C: connection };
  return text.replace(/%(.)/g, (token, letter: string) => all[letter] ?? token);
}
