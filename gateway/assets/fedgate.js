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
  const value = holder.querySelector("code");
  if (!value || !navigator.clipboard) continue;
  const button = document.createElement("button");
  const label = document.createElement("span");
  button.type = "button";
  button.className = "copy";
  label.textContent = holder.dataset.copyLabel;
  label.setAttribute("role", "status");
  button.append(label);
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(value.textContent);
    label.textContent = holder.dataset.copiedLabel;
    setTimeout(() => { label.textContent = holder.dataset.copyLabel; }, 2000);
  });
  holder.append(button);
}
