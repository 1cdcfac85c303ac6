// Runs handlers of Actions as Auth0 would: with an event, an api that records what is asked of it, and redirect tokens that are made and
// validated with the library that Auth0 uses. Each line of standard input is one JSON object, and so is the line that it writes for it.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

import jwt from "jsonwebtoken";

const require = createRequire(import.meta.url);

async function run({ action, handler, event, redirect }) {
  const calls = [];
  const record = (name) => (...args) => { calls.push({ name, args }); };
  const logs = [];
  console.log = (...args) => logs.push(args.join(" "));

  const api = {
    access: { deny: record("access.deny") },
    authentication: { challengeWith: record("challengeWith"), enrollWith: record("enrollWith") },
    notification: { retry: record("retry"), drop: record("drop") },
    user: { setAppMetadata: record("setAppMetadata"), setUserMetadata: record("setUserMetadata") },
    redirect: {
      canRedirect: () => redirect.can,
      encodeToken: ({ secret, expiresInSeconds = 900, payload }) => {
        const iat = Math.floor(Date.now() / 1000) - (redirect.age ?? 0);
        return jwt.sign({ iat, exp: iat + expiresInSeconds, sub: event.user.user_id, iss: redirect.issuer, ip: event.request.ip, ...payload }, secret, { algorithm: "HS256" });
      },
      sendUserTo: (url, { query = {} } = {}) => {
        const to = new URL(url);
        for (const [name, value] of Object.entries({ ...query, state: redirect.state })) {
          to.searchParams.set(name, value);
        }
        calls.push({ name: "sendUserTo", args: [to.href] });
      },
      validateToken: ({ secret, tokenParameterName = "session_token" }) => {
        const token = event.request.body?.[tokenParameterName] ?? event.request.query?.[tokenParameterName];
        const payload = jwt.verify(token, secret, { algorithms: ["HS256"] });
        if (payload.state !== redirect.state) {
          throw new Error("the state is that of another redirect");
        }
        return payload;
      },
    },
  };

  delete require.cache[action]; // what a former run kept is gone
  await require(action)[handler](event, api);
  return { calls, logs };
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(await run(JSON.parse(line))) + "\n");
}
