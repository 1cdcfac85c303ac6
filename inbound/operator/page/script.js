"use strict";
// The list of cases, and a case, follow what happens. Without this the page is reloaded by hand.
const list = document.querySelector("[data-live]");
if (list) {
  const follow = new EventSource(list.dataset.live);
  const sign = document.getElementById("live");
  follow.addEventListener("open", () => { sign.hidden = false; });
  follow.addEventListener("error", () => { sign.hidden = true; });
  follow.addEventListener("cases", (event) => {
    const focused = list.contains(document.activeElement) && document.activeElement.getAttribute("href");
    list.innerHTML = event.data;
    if (focused) list.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  });
}
