/**
 * Feedback for passwordless log-ins: tells the bridge, and through it Twilio Verify, that the code of an SMS log-in was right.
 *
 * Trigger: post-login, before Trigger MFA. Runtime: Node 22. Dependencies: none.
 * Secrets:
 *   FEEDBACK_URL  the tenant's feedback, such as https://bridge.example/auth0/acme/feedback
 *   PROVIDER_KEY  the same as AUTH0_PROVIDER_KEY of the bridge
 *
 * A log-in never fails because of feedback. What gets lost here comes by the log stream, where there is one.
 */

const PATIENCE = 3_000; // milliseconds
const RECENT = 5 * 60_000; // milliseconds; later log-ins of the same session need no code

/**
 * @param {Event} event
 * @param {PostLoginAPI} api
 */
exports.onExecutePostLogin = async (event, api) => {
  if (event.connection?.strategy !== "sms") {
    return;
  }
  const codes = (event.authentication?.methods ?? []).filter((method) => method.name === "sms");
  if (codes.length > 0 && codes.every((method) => Date.now() - Date.parse(method.timestamp) > RECENT)) {
    return;
  }
  try {
    const response = await fetch(event.secrets.FEEDBACK_URL, {
      method: "POST",
      headers: { Authorization: `Bearer ${event.secrets.PROVIDER_KEY}`, "Content-Type": "application/json" },
      body: JSON.stringify({ factor: "sms", user_id: event.user.user_id, phone_number: event.user.phone_number ?? event.user.name }),
      signal: AbortSignal.timeout(PATIENCE),
    });
    console.log(`feedback: ${response.status}`);
  } catch (error) {
    console.log(`feedback: ${error.name}`);
  }
};
