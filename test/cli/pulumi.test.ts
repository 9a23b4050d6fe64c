import { exported } from "../../provider/cli/pulumi";

const failure = (act: Promise<unknown>) =>
  act.then(
    () => "",
    (error: Error) => error.message,
  );

test.each(["/nope", __filename])("%s is no folder, and not taken for a missing pulumi", async (dir) => {
  const said = await failure(exported(dir, undefined));
  expect(said).toMatch(/there is no folder \/.* \[INVALID\]\n {2}next: .*--dir/);
});

test("what pulumi complains of is not said of a host", async () => {
  const { PATH } = process.env;
  try {
    process.env.PATH = `${__dirname}/fake-pulumi:${PATH}`;
    const said = await failure(exported(__dirname, "nope"));
    expect(said).toMatch(/pulumi stack export failed.*no stack named 'nope' found/s);
    expect(said).toMatch(/next: .*--dir.*--stack/);
    expect(said).not.toMatch(/the host/);
  } finally {
    process.env.PATH = PATH;
  }
});
