/**
 * Phone provider: has the bridge send Auth0's codes and other texts, through the tenant's providers.
 *
 * Trigger: custom-phone-provider. Runtime: Node 22. Dependencies: none.
 * Secrets:
 *   PHONE_URL     the tenant's phone provider, such as https://bridge.example/auth0/acme/phone
 *   PROVIDER_KEY  the same as AUTH0_PROVIDER_KEY of the bridge
 */

const PATIENCE = 15_000; // milliseconds; the bridge answers within ten seconds

/**
 * @param {Event} event
 * @param {CustomPhoneProviderAPI} api
 */
exports.onExecuteCustomPhoneProvider = async (event, api) => {
  if (!URL.canParse(event.secrets.PHONE_URL)) {
    api.notification.drop("The secret PHONE_URL is missing, or no URL."); // a retry would find the same
    return;
  }
  const { recipient, as_text, code, message_type, delivery_method, locale } = event.notification;
  let response;
  try {
    response = await fetch(event.secrets.PHONE_URL, {
      method: "POST",
      headers: { Authorization: `Bearer ${event.secrets.PROVIDER_KEY}`, "Content-Type": "application/json" },
      body: JSON.stringify({ recipient, text: as_text, code, message_type, delivery_method, language: locale, user_id: event.user?.user_id }),
      signal: AbortSignal.timeout(PATIENCE),
    });
  } catch {
    api.notification.retry("The bridge does not answer.");
    return;
  }
  if (response.status === 200) {
    return; // a provider has it
  }
  const problem = await response.json().catch(() => ({}));
  const reason = [response.status, problem.title, problem.detail].filter(Boolean).join(" ").slice(0, 1000);
  if (response.status === 202 || response.status === 429 || response.status >= 500) {
    api.notification.retry(reason); // 202: no provider has answered yet; the bridge does not send it twice
  } else {
    api.notification.drop(reason);
  }
};
