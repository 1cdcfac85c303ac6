/**
 * Verify phone: sends a log-in whose phone is not verified to the bridge's form, and takes it back with the phone verified.
 *
 * Trigger: post-login. Runtime: Node 22. Dependencies: none.
 * Secrets:
 *   FORM_URL              the tenant's form, such as https://bridge.example/auth0/acme/verify
 *   SESSION_TOKEN_SECRET  the same as AUTH0_SESSION_TOKEN_SECRET of the bridge
 *
 * The verified phone is kept in app_metadata, which users cannot change themselves. A phone in user_metadata, which they can, is only what the form
 * texts to.
 */

const FORM_LIFE = 900; // seconds; the bridge takes no longer one

// The digits of a phone, since people and sign-up forms spell it in their own way, and the bridge as +4512345678.
const digits = (phone) => String(phone).replace(/\D/g, "").replace(/^00/, "");

// What the profile says. The person may have verified another one in the form.
const given = (user) => user.phone_number ?? user.user_metadata?.phone_number;

/**
 * @param {Event} event
 * @param {PostLoginAPI} api
 */
exports.onExecutePostLogin = async (event, api) => {
  const known = event.user.app_metadata ?? {};
  const phone = given(event.user);
  const same = digits(known.phone_number) === digits(phone) || known.phone_number_given === phone;
  if (known.phone_number_verified && (!phone || same)) {
    return;
  }
  if (event.user.phone_verified && event.user.phone_number) {
    return; // Auth0 has verified it itself, as passwordless log-ins by SMS do
  }
  if (event.transaction?.protocol === "oauth2-refresh-token") {
    return; // the log-in that it continues has been judged
  }
  if (!api.redirect.canRedirect()) {
    api.access.deny("The phone number must be confirmed first: please sign in with a browser.");
    return;
  }
  const { FORM_URL, SESSION_TOKEN_SECRET } = event.secrets;
  const unset = (!URL.canParse(FORM_URL) && "FORM_URL") || (!SESSION_TOKEN_SECRET?.trim() && "SESSION_TOKEN_SECRET");
  if (unset) {
    api.access.deny(`Phones cannot be confirmed: the Action's secret ${unset} is not set.`);
    return;
  }
  const payload = { domain: event.request.hostname };
  if (/^\s*(\+|00)[\d\s()./\p{Pd}\p{Cf}]{5,40}$/u.test(phone)) {
    payload.phone_number = String(phone); // as it is spelled; the form asks for one without its country, or with an extension
  }
  const locale = event.transaction?.ui_locales?.join(" ") || event.transaction?.locale || event.request.language;
  if (locale) {
    payload.locale = locale;
  }
  const token = api.redirect.encodeToken({
    secret: event.secrets.SESSION_TOKEN_SECRET,
    expiresInSeconds: FORM_LIFE,
    payload,
  });
  api.redirect.sendUserTo(event.secrets.FORM_URL, { query: { session_token: token } });
};

/**
 * @param {Event} event
 * @param {PostLoginAPI} api
 */
exports.onContinuePostLogin = async (event, api) => {
  let result;
  try {
    // The signature, that it has not expired, and that its state is that of this redirect.
    result = api.redirect.validateToken({ secret: event.secrets.SESSION_TOKEN_SECRET, tokenParameterName: "session_token" });
  } catch {
    api.access.deny("The confirmation of the phone number could not be read.");
    return;
  }
  // Compared as URLs: the bridge issues in the name of its public URL, in the capitals of its settings.
  const issued = URL.canParse(result.iss) && new URL(result.iss).origin === new URL(event.secrets.FORM_URL).origin;
  if (!issued || result.sub !== event.user.user_id || result.aud !== event.request.hostname) {
    api.access.deny("The confirmation of the phone number belongs to another log-in.");
    return;
  }
  if (result.phone_verified !== true || !/^\+[1-9]\d{6,14}$/.test(result.phone_number)) {
    api.access.deny("The phone number was not confirmed.");
    return;
  }
  api.user.setAppMetadata("phone_number", result.phone_number);
  api.user.setAppMetadata("phone_number_verified", true);
  if (given(event.user)) {
    api.user.setAppMetadata("phone_number_given", given(event.user));
  }
};
