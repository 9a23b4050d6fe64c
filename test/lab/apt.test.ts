import { pickSources } from "../../lab/apt";

const line = (...fields: string[]) => fields.join("|");

test("takes Debian's own entries of our release and no other archive's", () => {
  const targets = [
    line("Debian", "http://mirror.example/debian/", "bookworm", "main"),
    line("Debian", "http://mirror.example/debian/", "bookworm", "contrib"),
    line("Debian", "http://mirror.example/debian/", "bookworm-updates", "main"),
    line("Debian", "http://mirror.example/security/", "bookworm-security", "main"),
    line("Some Vendor", "https://vendor.example/apt/", "bookworm", "main"),
    line("Debian Backports", "http://mirror.example/debian/", "bookworm-backports", "main"),
    "",
  ].join("\n");
  expect(pickSources(targets, "bookworm")).toEqual([
    { uri: "http://mirror.example/debian/", release: "bookworm" },
    { uri: "http://mirror.example/debian/", release: "bookworm-updates" },
    { uri: "http://mirror.example/security/", release: "bookworm-security" },
  ]);
});

test("an entry whose list apt has not fetched yet has no origin and counts", () => {
  const targets = line("$(ORIGIN)", "http://mirror.example/debian/", "bookworm", "main");
  expect(pickSources(targets, "bookworm")).toEqual([{ uri: "http://mirror.example/debian/", release: "bookworm" }]);
});

test("on another Debian release our release is put in", () => {
  const targets = [
    line("Debian", "http://mirror.example/debian/", "trixie", "main"),
    line("Debian", "http://mirror.example/security/", "trixie-security", "main"),
  ].join("\n");
  expect(pickSources(targets, "bookworm")).toEqual([
    { uri: "http://mirror.example/debian/", release: "bookworm" },
    { uri: "http://mirror.example/security/", release: "bookworm-security" },
  ]);
});

test("a machine without Debian sources has none", () => {
  expect(pickSources(line("Ubuntu", "http://mirror.example/ubuntu/", "jammy", "main"), "bookworm")).toEqual([]);
});
