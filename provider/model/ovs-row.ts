type Scalar = string | number | boolean;

/** A row as OVSDB prints it (RFC 7047, 5.1): a set of one is printed as its element, and an empty optional as a set. */
export class OvsRow {
  constructor(private readonly columns: Record<string, unknown>) {}

  get uuid(): string {
    return String(this.one("_uuid"));
  }

  get name(): string {
    return String(this.one("name"));
  }

  /** All elements of a set, sorted; a scalar is a set of one. */
  list(column: string): Scalar[] {
    const value = this.columns[column];
    const elements = isTagged(value, "set") ? (value[1] as unknown[]) : value === undefined ? [] : [value];
    return elements.map(scalar).sort(order);
  }

  /** An optional value. */
  one(column: string): Scalar | undefined {
    return this.list(column)[0];
  }

  text(column: string): string | undefined {
    const value = this.one(column);
    return value === undefined || value === "" ? undefined : String(value);
  }

  number(column: string): number | undefined {
    const value = this.one(column);
    return value === undefined ? undefined : Number(value);
  }

  map(column: string): Record<string, string> {
    const value = this.columns[column];
    const pairs = isTagged(value, "map") ? (value[1] as [unknown, unknown][]) : [];
    return Object.fromEntries(pairs.map(([key, item]) => [String(scalar(key)), String(scalar(item))]));
  }
}

function isTagged(value: unknown, tag: string): value is [string, unknown] {
  return Array.isArray(value) && value[0] === tag;
}

/** An element; of a reference its uuid. */
const scalar = (value: unknown) => (isTagged(value, "uuid") ? value[1] : value) as Scalar;

const order = (a: Scalar, b: Scalar) =>
  typeof a === "number" && typeof b === "number" ? a - b : String(a) < String(b) ? -1 : Number(String(a) > String(b));
