// Rapprochement au clavier : flèches et J/K ouvrent le mouvement voisin, Entrée accepte, Échap passe au suivant.
// Tout a son équivalent sans script ; les touches seules se taisent si la personne les a coupées.
(() => {
  "use strict";
  const doc = document;
  const actifs = () => localStorage.getItem("raccourcis") !== "non";
  const dansUnChamp = (el) => el.matches?.("input:not([type=checkbox],[type=radio]),textarea,select");
  doc.addEventListener("ligne-choisie", (e) => e.target.closest("a.mouv")?.click());
  doc.addEventListener("keydown", (e) => {
    const ici = doc.activeElement || doc.body;
    if (e.ctrlKey || e.metaKey || e.altKey || doc.querySelector("dialog[open]") || !actifs()) return;
    if (e.key === "Escape" && dansUnChamp(ici)) { // d'abord rendre la main, sans perdre la saisie
      e.stopPropagation();
      ici.blur();
      return;
    }
    if (dansUnChamp(ici)) return;
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      if (ici.closest("[data-navigation]") || ici === doc.body || ici.closest("#rapprochement-coeur")) {
        e.preventDefault();
        doc.body.dispatchEvent(new KeyboardEvent("keydown", { key: e.key === "ArrowDown" ? "j" : "k", bubbles: true }));
      }
      return;
    }
    // Entrée n'accepte que si rien d'autre ne l'attend : ni un autre bouton, ni un autre lien.
    const libre = ici === doc.body || ici.id === "contenu" || ici.matches("a.mouv[aria-current],a.choix[aria-current]");
    const forme = e.key === "Enter" && libre && doc.querySelector("#rapprochement-coeur form[data-principal]");
    if (forme) {
      e.preventDefault();
      e.stopPropagation();
      forme.requestSubmit();
    }
  }, true);
})();
