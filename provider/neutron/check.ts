import { z } from "zod";
import { validate } from "../validate";
import { refuse } from "./register";

/** The plain arguments in normal form, with defaults. Throws RunError with path, what was given, and what is allowed. */
export function checked<S extends z.ZodType>(title: string, schema: S, args: unknown): z.output<S> {
  const { value, failures } = validate(schema, args);
  const [first] = failures;
  if (first) refuse(title, `${first.path || "arguments"}: ${first.reason}`);
  return value as z.output<S>;
}

/** The name of a network, subnet, router or group: it is part of a namespace's or set's name. */
export const cloudName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/,
    "must be 1 to 32 letters, digits, '_', '.' or '-', beginning with a letter or digit",
  );
