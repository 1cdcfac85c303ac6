// The page works without this file. With it, forms do not leave the page, and what happens is shown at once.
"use strict";

const notice = document.getElementById("notice");
const stopped = "The demo does not answer. Is it still running?";
let news;
let turn = 0; // of the newest page that was merged

// merge takes what is new from a whole page. Items of lists are never changed, so those that are there stay: details remain open and screen readers
// say only what is new. The response to a form may come after a newer page of the stream, and shows less then.
function merge(html, number) {
  const page = new DOMParser().parseFromString(html, "text/html");
  if (number < turn) return page;
  turn = number;
  for (const fresh of page.querySelectorAll("[data-live]")) {
    const shown = document.getElementById(fresh.id);
    if (fresh.dataset.live === "list") {
      for (const item of [...shown.children]) if (!page.getElementById(item.id)) item.remove();
      for (const item of [...fresh.children]) if (!document.getElementById(item.id)) shown.append(item);
    } else if (shown.innerHTML !== fresh.innerHTML) {
      shown.innerHTML = fresh.innerHTML;
    }
  }
  return page;
}

function listen() {
  if (news) news.close();
  news = new EventSource("/live" + location.search);
  news.onmessage = event => merge(event.data, Number(event.lastEventId));
  news.onerror = () => { notice.textContent = stopped; };
  news.onopen = () => { turn = 0; if (notice.textContent === stopped) notice.textContent = ""; };
}

document.addEventListener("submit", async event => {
  const form = event.target;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, event.submitter));
  try {
    const answer = await fetch(form.action, { method: "POST", body });
    const page = merge(await answer.text(), Number(answer.headers.get("Page-Turn")));
    notice.textContent = page.getElementById("notice")?.textContent ?? stopped;
    if (!answer.ok) return;
    const text = form.querySelector("#text, #code");
    if (text) text.value = "";
    const shown = new URL(answer.url).search;
    if (shown !== location.search) {
      history.replaceState(null, "", "/" + shown);
      listen();
    }
  } catch {
    notice.textContent = stopped;
  }
});

listen();
