// Adds what needs a script: forms that post themselves, and copy buttons. Every page works without it.
"use strict";

// Going back must not send the person forth again.
const [navigation] = performance.getEntriesByType("navigation");
const returned = navigation?.type === "back_forward";

for (const form of document.querySelectorAll("form[data-auto-post]")) {
  // A field may be called "submit" and hide the form's own method.
  if (!returned) HTMLFormElement.prototype.submit.call(form);
}

for (const holder of document.querySelectorAll("[data-copy-label]")) {
  const value = holder.querySelector("code, input");
  if (!value || !navigator.clipboard) continue;
  const { copyLabel, copiedLabel } = holder.dataset;
  const button = document.createElement("button");
  const status = document.createElement("span");
  button.type = "button";
  button.className = "copy";
  button.textContent = copyLabel;
  // Several buttons with one word: each says what it copies. The visible word comes first (WCAG 2.5.3).
  button.setAttribute("aria-label", `${copyLabel}: ${holder.previousElementSibling?.textContent ?? ""}`);
  // A live region inside a button would not be announced.
  status.className = "hidden";
  status.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(value.value ?? value.textContent);
    button.textContent = status.textContent = copiedLabel;
    setTimeout(() => {
      button.textContent = copyLabel;
      status.textContent = "";
    }, 2000);
  });
  holder.append(button, status);
}
