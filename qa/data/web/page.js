// The few things that Streamlit leaves out of the page. Nothing here reads, keeps or sends a question.
"use strict";

const complete = () => {
  // A question must not come back as a suggestion on a shared device, and Streamlit has no setting for a text area.
  for (const box of document.querySelectorAll("textarea:not([autocomplete])")) {
    box.setAttribute("autocomplete", "off");
    box.setAttribute("enterkeyhint", "search");
    if (document.querySelector("[data-page='desk']") !== null) {
      // Somebody with a caller on the line types at once.
      box.focus({ preventScroll: true });
    }
  }
  // Marked while it is still empty, so that a screen reader speaks what is put into it.
  for (const place of document.querySelectorAll(".st-key-status:not([role])")) {
    place.setAttribute("role", "status");
  }
  for (const place of document.querySelectorAll(".st-key-guidance:not([role])")) {
    place.setAttribute("role", "alert");
  }
  showReply();
  showLoss();
};

// Streamlit opens a dialog when the connection is lost, with advice for its developers; we open none.
const showLoss = () => {
  const lost = document.querySelector(".cq-lost");
  const isLost = document.querySelector(".stDialog") !== null;
  if (lost !== null && lost.hidden === isLost) {
    lost.hidden = !isLost;
  }
  // Its dialog hides everything around it from screen readers.
  for (const place of document.querySelectorAll(".cq-urgent[aria-hidden], .cq-lost[aria-hidden]")) {
    place.removeAttribute("aria-hidden");
  }
  for (const place of document.querySelectorAll(".cq-urgent[inert], .cq-lost[inert]")) {
    place.removeAttribute("inert");
  }
};

// On a phone a reply begins below what is in sight, behind the keyboard.
let seen;
const showReply = () => {
  const reply = document.querySelector("[data-reply]");
  const number = reply?.dataset.reply;
  if (number !== undefined && number !== seen) {
    const focused = document.activeElement;
    const keyboardInTheWay = focused instanceof HTMLTextAreaElement && window.matchMedia("(pointer: coarse)").matches;
    if (keyboardInTheWay || focused === document.body || focused.closest(".st-key-examples")) {
      // An example that was pressed is about to go, and the focus with it.
      reply.tabIndex = -1;
      reply.focus({ preventScroll: true });
    }
    const { top, bottom } = reply.getBoundingClientRect();
    const bannerEnd = document.querySelector(".cq-urgent").getBoundingClientRect().bottom;
    const low = window.innerHeight * (window.innerWidth < 640 ? 0.5 : 0.8);
    const isWhole = bottom <= window.innerHeight;
    if (top < bannerEnd || (!isWhole && (top > low || reply.matches(".cq-guidance")))) {
      const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
      reply.scrollIntoView({ behavior: still ? "instant" : "smooth", block: "start" });
    }
  }
  seen = number;
};

new MutationObserver(complete).observe(document.documentElement, {
  attributeFilter: ["aria-hidden", "inert"],
  childList: true,
  subtree: true,
});

// Enter asks and Shift+Enter begins a new line; Streamlit knows the first as Ctrl+Enter only.
document.addEventListener(
  "keydown",
  (event) => {
    const plain = !(event.shiftKey || event.ctrlKey || event.metaKey || event.altKey || event.isComposing);
    if (event.key === "Enter" && plain && event.target instanceof HTMLTextAreaElement) {
      event.preventDefault();
      event.stopPropagation();
      event.target.dispatchEvent(
        new KeyboardEvent("keydown", { key: "Enter", code: "Enter", ctrlKey: true, bubbles: true, cancelable: true }),
      );
    }
  },
  true,
);

// A browser may keep a page that was left, with its question, and show it when somebody goes back.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) {
    window.location.reload();
  }
});

// Copies a quote with its source. A page that came by plain http has no clipboard; there it goes through a hidden box.
const copy = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const focused = document.activeElement;
    const box = document.createElement("textarea");
    box.value = text;
    box.readOnly = true;
    box.setAttribute("autocomplete", "off");
    box.setAttribute("aria-hidden", "true");
    box.className = "cq-spoken";
    document.body.append(box);
    box.select();
    const isCopied = document.execCommand("copy");
    box.remove();
    focused?.focus({ preventScroll: true });
    return isCopied;
  }
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (button !== null) {
    const said = button.parentElement.querySelector("[role='status']");
    said.textContent = ""; // so that a second time is spoken, too
    const isCopied = await copy(decodeURIComponent(button.dataset.copy));
    said.textContent = isCopied ? button.dataset.copied : button.dataset.notCopied;
  }
});

// The picture of a page became larger or smaller: what is marked stays in sight.
document.addEventListener("change", (event) => {
  if (event.target.name === "zoom") {
    document.querySelector(".cq-doc-mark")?.scrollIntoView({ block: "center", inline: "center" });
  }
});
