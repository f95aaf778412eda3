// Éditeur de modèles : un clic sur un nom l'insère au curseur du dernier paragraphe touché (docs/interface.md).
(() => {
  "use strict";
  let dernier = null;
  document.addEventListener("focusin", (e) => { if (e.target.matches("[data-inserable]")) dernier = e.target; });
  document.addEventListener("click", (e) => {
    const bouton = e.target.closest("[data-inserer]");
    if (!bouton) return;
    const champ = dernier?.isConnected ? dernier : document.querySelector("[data-inserable]");
    if (!champ) return;
    champ.focus();
    champ.setRangeText(bouton.dataset.inserer, champ.selectionStart, champ.selectionEnd, "end");
    champ.dispatchEvent(new Event("inserer", { bubbles: true }));
  });
})();
