"use strict";

for (const pair of document.querySelectorAll(".pair")) {
  const viewer = pair.querySelector(".viewer");
  const divider = pair.querySelector(".divider");
  const images = [...viewer.querySelectorAll("img")];
  const [left, right] = [".left", ".right"].map((side) => viewer.querySelector(`.tag${side}`));
  let noisy = images.find((image) => image.className === "noisy" && !image.hidden);
  let view = "beauty";

  const split = (percent) => {
    const value = Math.min(100, Math.max(0, percent));
    viewer.style.setProperty("--split", `${value}%`);
    divider.setAttribute("aria-valuenow", Math.round(value));
    left.style.opacity = value < 12 ? 0 : 1;
    right.style.opacity = value > 80 ? 0 : 1;
  };

  const show = () => {
    const flat = view !== "beauty";
    for (const image of images) {
      image.hidden = flat ? image.dataset.view !== view : image !== noisy && image.className !== "reference";
    }
    viewer.classList.toggle("flat", flat);
    left.textContent = flat ? images.find((image) => image.dataset.view === view).alt : noisy.dataset.label;
    right.hidden = flat;
    left.style.opacity = 1;
    if (!flat) split(Number(divider.getAttribute("aria-valuenow")));
    for (const button of pair.querySelectorAll("button")) {
      const chosen = button.dataset.view ? button.dataset.view === view : button.dataset.image === noisy.dataset.image;
      button.setAttribute("aria-pressed", chosen);
      button.disabled = flat && Boolean(button.dataset.image);
    }
  };

  const follow = (event) => {
    const box = viewer.getBoundingClientRect();
    split(((event.clientX - box.left) / box.width) * 100);
  };

  viewer.addEventListener("pointerdown", (event) => {
    if (view !== "beauty" || event.button !== 0) return;
    event.preventDefault();
    divider.focus({ preventScroll: true });
    viewer.setPointerCapture(event.pointerId);
    follow(event);
  });
  viewer.addEventListener("pointermove", (event) => {
    if (viewer.hasPointerCapture(event.pointerId)) follow(event);
  });
  divider.addEventListener("keydown", (event) => {
    const now = Number(divider.getAttribute("aria-valuenow"));
    const to = { ArrowLeft: now - 2, ArrowDown: now - 2, ArrowRight: now + 2, ArrowUp: now + 2,
      PageDown: now - 10, PageUp: now + 10, Home: 0, End: 100 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    split(to);
  });
  pair.addEventListener("click", (event) => {
    const { view: chosenView, image } = event.target.dataset;
    if (event.target.tagName !== "BUTTON") return;
    if (chosenView) view = chosenView;
    if (image) noisy = images.find((candidate) => candidate.dataset.image === image);
    show();
  });
}
