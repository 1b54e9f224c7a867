// Asks the real CDK command line, many times in one process, which stacks it would deploy.
//
// Every stack of the assembly holds an error of the app, by which CDK refuses the stacks that it
// has selected, each by its name, before it does anything else.
const readline = require("node:readline");
const http = require("node:http");
const cdk = require(process.argv[2]);

// CDK asks whose credentials it has; waiting for no answer would take most of the time.
const IDENTITY =
  "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account>" +
  "<Arn>arn:aws:iam::111122223333:user/x</Arn><UserId>x</UserId></GetCallerIdentityResult>" +
  "</GetCallerIdentityResponse>";
const server = http.createServer((request, response) => {
  response.setHeader("content-type", "text/xml");
  response.end(IDENTITY);
});

const answer = process.stdout.write.bind(process.stdout);
const exit = process.exit;
let written = [];
for (const stream of [process.stdout, process.stderr]) {
  stream.write = (text, ...rest) => {
    written.push(String(text));
    rest.filter((one) => typeof one === "function").forEach((done) => done());
    return true;
  };
}
process.exit = (code) => {
  throw new Error(`ended with ${code}`);
};

async function ask({ args, environ }) {
  written = [];
  const before = { ...process.env };
  Object.assign(process.env, environ);
  let error = "";
  try {
    await cdk.exec(args);
  } catch (reason) {
    error = String(reason && reason.message);
  }
  process.env = before;
  return { text: written.join(""), error };
}

server.listen(0, "127.0.0.1", async () => {
  process.env.AWS_ENDPOINT_URL = `http://127.0.0.1:${server.address().port}`;
  for await (const line of readline.createInterface({ input: process.stdin })) {
    answer(JSON.stringify(await ask(JSON.parse(line))) + "\n");
  }
  exit(0);
});
