// A table that is wider than its place says that it scrolls.
(() => {
  "use strict";
  const look = new ResizeObserver((entries) => entries.forEach(({ target }) => {
    const box = target.closest(".scroll");
    box.classList.toggle("scrolls", box.scrollWidth > box.clientWidth + 1);
  }));
  document.querySelectorAll(".scroll, .scroll > table").forEach((element) => look.observe(element));
})();
