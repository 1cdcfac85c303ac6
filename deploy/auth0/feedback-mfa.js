/**
 * Feedback for MFA by phone: tells the bridge, and through it Twilio Verify, that the code was right.
 *
 * Trigger: post-login, after Trigger MFA. Runtime: Node 22. Dependencies: none.
 * Secrets:
 *   FEEDBACK_URL  the tenant's feedback, such as https://bridge.example/auth0/acme/feedback
 *   PROVIDER_KEY  the same as AUTH0_PROVIDER_KEY of the bridge
 *
 * The phone of MFA need not be the one in the profile, so the user is named: the phone provider's Action said which code was texted for whom.
 */

const PATIENCE = 3_000; // milliseconds
const RECENT = 5 * 60_000; // milliseconds; later log-ins of the same session list the factor as well

/**
 * @param {Event} event
 * @param {PostLoginAPI} api
 */
exports.onExecutePostLogin = async (event, api) => {
  const methods = event.authentication?.methods ?? []; // each factor of the session has its own
  const phones = methods.filter((method) => method.name === "mfa" && method.type === "phone");
  if (phones.every((method) => Date.now() - Date.parse(method.timestamp) > RECENT)) {
    return;
  }
  try {
    const response = await fetch(event.secrets.FEEDBACK_URL, {
      method: "POST",
      headers: { Authorization: `Bearer ${event.secrets.PROVIDER_KEY}`, "Content-Type": "application/json" },
      body: JSON.stringify({ factor: "mfa", user_id: event.user.user_id, phone_number: event.user.phone_number }),
      signal: AbortSignal.timeout(PATIENCE),
    });
    console.log(`feedback: ${response.status}`);
  } catch (error) {
    console.log(`feedback: ${error.name}`);
  }
};
