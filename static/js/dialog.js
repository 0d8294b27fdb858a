// The one dialog of a page: it opens when something is put into it, and closes when it is emptied.
const dialog = document.createElement("dialog");
const body = document.createElement("div");
body.id = "dialog-body";
dialog.className = "dialog";
dialog.setAttribute("aria-labelledby", "dialog-title");
dialog.append(body);
document.body.append(dialog);

function follow(event) {
  if (event.detail.target?.id !== "dialog-body") return;
  if (body.childElementCount && !dialog.open) dialog.showModal();
  if (!body.childElementCount && dialog.open) dialog.close();
}

document.addEventListener("htmx:afterSwap", follow);
document.addEventListener("htmx:oobAfterSwap", follow);
dialog.addEventListener("close", () => body.replaceChildren());
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
  if (event.target.closest("[data-close]")) {
    event.preventDefault();
    dialog.close();
  }
});
