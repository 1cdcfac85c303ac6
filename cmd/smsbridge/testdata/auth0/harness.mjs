// Runs one handler of an Action as Auth0 would: with an event, an api that records what is asked of it, and redirect tokens that are made and
// validated with the library that Auth0 uses. Input is one JSON object on standard input, output one on standard output.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

import jwt from "jsonwebtoken";

const { action, handler, event, redirect } = JSON.parse(readFileSync(0, "utf8"));
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

const module = createRequire(import.meta.url)(action);
await module[handler](event, api);
process.stdout.write(JSON.stringify({ calls, logs }));
