// Drives one phone verification after another with the client library of Azure Durable Functions, and asks on standard output
// for what only the phone knows: "code ID" is answered with the code on standard input. Ends with "done", or with an exception.
//
// Usage: node drive.js BASE KEY PHONE urls|rpc
"use strict";

const assert = require("node:assert");
const readline = require("node:readline");
const { DurableClient } = require("durable-functions/lib/src/durableClient/DurableClient");

const [base, key, phone, mode] = process.argv.slice(2);
const orchestrator = "E4_SmsPhoneVerification";
const event = "SmsChallengeResponse";

// clientData is what the Functions host hands to a client: URLs with the key in their query, or the address of its own listener,
// before whose host the key stands here.
function clientData() {
  const query = `taskHub=TestHub&connection=Storage&code=${key}`;
  const instance = `${base}/instances/INSTANCEID`;
  const data = {
    taskHubName: "TestHub",
    creationUrls: {
      createNewInstancePostUri: `${base}/orchestrators/{functionName}[/{instanceId}]?code=${key}`,
      createAndWaitOnNewInstancePostUri: `${base}/orchestrators/{functionName}[/{instanceId}]?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}&code=${key}`,
    },
    managementUrls: {
      id: "INSTANCEID",
      statusQueryGetUri: `${instance}?${query}`,
      sendEventPostUri: `${instance}/raiseEvent/{eventName}?${query}`,
      terminatePostUri: `${instance}/terminate?reason={text}&${query}`,
      rewindPostUri: `${instance}/rewind?reason={text}&${query}`,
      purgeHistoryDeleteUri: `${instance}?${query}`,
      restartPostUri: `${instance}/restart?${query}`,
      suspendPostUri: `${instance}/suspend?reason={text}&${query}`,
      resumePostUri: `${instance}/resume?reason={text}&${query}`,
    },
  };
  if (mode === "rpc") {
    data.rpcBaseUrl = base.replace("://", `://bridge:${key}@`) + "/";
  }
  return data;
}

const answers = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function codeOf(id) {
  console.log(`code ${id}`);
  return (await answers.next()).value;
}

function other(code) {
  return (Number(code) + 1) % 10000;
}

async function main() {
  const client = new DurableClient(clientData());
  const status = (id, options) => client.getStatus(id, options);

  // The right code after a wrong one.
  const id = await client.startNew(orchestrator, { input: phone });
  assert.match(id, /^[0-9a-f]{32}$/);
  let now = await status(id);
  assert.strictEqual(now.runtimeStatus, "Running");
  assert.strictEqual(now.input, phone);
  assert.strictEqual(now.output, null);
  const code = await codeOf(id);
  await client.raiseEvent(id, event, other(code));
  assert.strictEqual((await status(id)).runtimeStatus, "Running");
  await client.suspend(id, "why");
  assert.strictEqual((await status(id)).runtimeStatus, "Suspended");
  await client.resume(id, "why");
  await client.raiseEvent(id, event, Number(code));
  now = await status(id, { showHistory: true, showHistoryOutput: true, showInput: true });
  assert.strictEqual(now.runtimeStatus, "Completed");
  assert.strictEqual(now.output, true);
  assert.ok(now.createdTime instanceof Date && !Number.isNaN(now.createdTime.getTime()));
  await client.raiseEvent(id, event, Number(code)); // gone, which the library takes for done
  const waited = await client.waitForCompletionOrCreateCheckStatusResponse(undefined, id, { timeoutInMilliseconds: 100, retryIntervalInMilliseconds: 100 });
  assert.strictEqual(waited.status, 200);

  // Four wrong codes, under an id of our own.
  assert.strictEqual(await client.startNew(orchestrator, { instanceId: "mine", input: phone }), "mine");
  const second = await codeOf("mine");
  for (let n = 0; n < 4; n++) {
    await client.raiseEvent("mine", event, other(second));
  }
  assert.strictEqual((await status("mine")).output, false);

  // Called off, failed, and started again.
  await client.startNew(orchestrator, { instanceId: "ended", input: phone });
  await client.terminate("ended", "enough");
  assert.strictEqual((await status("ended")).runtimeStatus, "Terminated");
  await client.startNew(orchestrator, { instanceId: "failed" });
  assert.strictEqual((await status("failed")).runtimeStatus, "Failed");
  await client.rewind("failed", "again");
  await client.startNew(orchestrator, { instanceId: "mine", input: phone });

  // What the library makes of refusals.
  await assert.rejects(client.startNew("Other", { input: phone }), /400/);
  await assert.rejects(client.startNew(orchestrator, { input: "nobody" }), /400/);
  await assert.rejects(client.startNew(orchestrator, { instanceId: "mine", input: phone }), /409/);
  await assert.rejects(status("none"), /404/);
  await assert.rejects(client.raiseEvent("none", event, 1), /No instance/);
  await assert.rejects(client.terminate("none", "x"), /No instance/);
  await assert.rejects(client.rewind("mine", "x"), /failed/i);

  // Lists and purges.
  assert.deepStrictEqual((await client.getStatusAll()).map((s) => s.instanceId).sort(), ["ended", "failed", "mine", id].sort());
  const running = await client.getStatusBy({ createdTimeFrom: new Date(0), createdTimeTo: new Date(8e12), runtimeStatus: ["Running"] });
  assert.deepStrictEqual(running.map((s) => s.instanceId), ["mine"]);
  assert.strictEqual((await client.purgeInstanceHistory("ended")).instancesDeleted, 1);
  assert.strictEqual((await client.purgeInstanceHistory("ended")).instancesDeleted, 0);
  assert.strictEqual((await client.purgeInstanceHistoryBy({ createdTimeFrom: new Date(0), runtimeStatus: ["Completed", "Failed"] })).instancesDeleted, 2);
  console.log("done");
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
