// Copier l’IBAN ou la référence. Sans script, les boutons ne se montrent pas : le texte se sélectionne.
(() => {
  if (!navigator.clipboard) return;
  document.documentElement.classList.add("avec-script");
  document.addEventListener("click", async (e) => {
    const bouton = e.target.closest("[data-copier]");
    if (!bouton) return;
    const texte = document.getElementById(bouton.dataset.copier).textContent.trim();
    await navigator.clipboard.writeText(bouton.dataset.copier === "iban" ? texte.replace(/\s/g, "") : texte);
    const dit = document.getElementById("copie-faite");
    dit.textContent = "";
    requestAnimationFrame(() => { dit.textContent = dit.dataset.fait; });
    bouton.classList.add("copie-ok");
    setTimeout(() => bouton.classList.remove("copie-ok"), 1500);
  });
})();
