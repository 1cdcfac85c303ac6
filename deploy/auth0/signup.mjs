/**
 * The sign-up side: how an application makes an account for a person who has a phone and no e-mail.
 *
 * The account's address carries the phone, so that the verification mail, and every later mail, becomes a text. For an application's server, with
 * Node 20 or later. Dependencies: none.
 */

/**
 * phoneAddress is the mail address of a phone at the bridge.
 *
 * @param {string} phone   E.164: + and digits, such as +4512345678
 * @param {string} prefix  SMSBRIDGE_TENANT of the bridge
 * @param {string} domain  SMSBRIDGE_MAIL_DOMAIN of the bridge
 */
export function phoneAddress(phone, prefix, domain) {
  if (!/^\+[1-9]\d{6,14}$/.test(phone)) {
    throw new TypeError("a phone number is + and 7 to 15 digits, country code first");
  }
  return prefix + phone + "@" + domain;
}

/**
 * signUp makes the account by Auth0's public sign-up API, which then sends the verification mail. It returns the account's address, with which the
 * person signs in; a sign-in page can ask for the phone and make the address of it.
 *
 * @param {{url: string, clientID: string, connection: string}} auth0  url is the tenant's, such as https://acme.eu.auth0.com
 * @see https://auth0.com/docs/api/authentication/signup/create-a-new-user
 */
export async function signUp(auth0, phone, password, prefix, domain) {
  const email = phoneAddress(phone, prefix, domain);
  const response = await fetch(auth0.url + "/dbconnections/signup", {
    method: "POST",
    headers: { "Content-Type": "application/json" }, // JSON keeps the plus sign, which a form must write as %2B
    body: JSON.stringify({ client_id: auth0.clientID, connection: auth0.connection, email, password, user_metadata: { phone_number: phone } }),
  });
  if (!response.ok) {
    throw new Error(`sign-up: Auth0 answered ${response.status}`);
  }
  return email;
}
