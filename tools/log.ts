export type Log = (line: string) => void;

/** Prints a line of our own on stderr: stdout stays free for what a command was asked for, as JSON. */
export const log: Log = (line) => {
  process.stderr.write(`${line}\n`);
};

/** Prints a heading, so that our own steps stand out among the output of Pulumi, apt and jest. */
export const heading: Log = (line) => {
  const bold = process.stderr.isTTY && process.env.NO_COLOR === undefined;
  log(bold ? `\n\u001b[1m== ${line}\u001b[0m` : `\n== ${line}`);
};

/** Seconds as people read them: `0.4 s`, `12 s`, `3 min 05 s`. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

/** Runs a verb's main function; an error that says what to do needs no stack trace, so only `DEBUG` shows one. */
export function runMain(main: () => Promise<number | undefined>): void {
  main().then(
    (code) => {
      process.exitCode = code ?? 0;
    },
    (error: unknown) => {
      const text = error instanceof Error ? (process.env.DEBUG ? error.stack : error.message) : String(error);
      log(`\n${text}`);
      process.exitCode = 1;
    },
  );
}
