/**
 * Trigger MFA: asks for a code by phone, and enrolls the phone first where there is none.
 *
 * Trigger: post-login, between the two Actions of feedback. Runtime: Node 22. Dependencies: none. Secrets: none.
 *
 * challengeWith and enrollWith let the Actions that follow run once the factor has been given; the older api.multifactor.enable, and the switch
 * "Require MFA" of the dashboard, challenge after all Actions have run, so that there would be no feedback.
 */

/**
 * @param {Event} event
 * @param {PostLoginAPI} api
 */
exports.onExecutePostLogin = async (event, api) => {
  if (event.connection?.strategy === "sms") {
    return; // the phone has just been proved
  }
  if (event.transaction?.protocol === "oauth2-refresh-token") {
    return; // an app exchanges a token, and no person is there: see "Bypass MFA" at https://auth0.com/docs/secure/tokens/refresh-tokens/use-refresh-tokens
  }
  const enrolled = event.user.enrolledFactors?.some((factor) => factor.type === "phone");
  if (enrolled) {
    api.authentication.challengeWith({ type: "phone" });
  } else {
    api.authentication.enrollWith({ type: "phone" });
  }
};
