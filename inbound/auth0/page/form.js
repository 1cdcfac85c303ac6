"use strict";

// The form works without this script, which only saves taps.

const check = document.getElementById("check");

// Android's browsers offer the code of a text that ends in "@host #code" (https://wicg.github.io/web-otp/).
if (check && "OTPCredential" in window) {
  const typing = new AbortController();
  check.addEventListener("submit", () => typing.abort());
  navigator.credentials.get({ otp: { transport: ["sms"] }, signal: typing.signal }).then((otp) => {
    check.elements.code.value = otp.code;
    check.requestSubmit(check.querySelector("button"));
  }, () => {}); // no text came, or the person typed the code
}

const resend = document.getElementById("resend");
if (resend) {
  const due = Date.now() + 1000 * resend.dataset.wait;
  const count = () => {
    const left = Math.ceil((due - Date.now()) / 1000);
    resend.disabled = left > 0;
    resend.textContent = left > 0 ? resend.dataset.waiting.replace("{n}", left) : resend.dataset.ready;
    if (left > 0) setTimeout(count, 250);
  };
  count();
}

const back = document.getElementById("return");
if (back) back.submit();
