/** What iproute2 shows of an object beside what is known, as it would say it: `rto_min 50`, `masquerade`. */
export const unsaidOf = (json: object, known: ReadonlySet<string>): string[] =>
  Object.entries(json).flatMap(([key, value]) => {
    if (known.has(key)) return [];
    return [
      value === null || value === true ? key : `${key} ${typeof value === "object" ? JSON.stringify(value) : value}`,
    ];
  });
