/** A line for the person who runs Pulumi: the engine shows a provider's output on the stack's row. Never a secret. */
export function warn(text: string): void {
  console.log(`warning: ${text}`);
}

/** What the person should know, and need not care about. */
export function tell(text: string): void {
  console.log(text);
}
