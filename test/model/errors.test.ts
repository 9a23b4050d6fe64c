import { codes } from "../../provider/model/errors";

/** What a person can do: nothing else may begin the line that says what is next. */
const verbs =
  /^(Check|Choose|Compare|Correct|Declare|Find out|Free|Give|Install|Make|Report|Run|See|Take|Use|Allow|Let) /;

test.each(Object.entries(codes))("what is next after %s is something to do", (_, text) => {
  expect(text).toMatch(verbs);
});
