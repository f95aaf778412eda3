// Une saisie modifiée et non enregistrée ne se perd pas sans le dire : form[data-garde="Question ?"] (docs/interface.md).
// Quitter la page demande ; un remplacement par htmx qui l'emporterait aussi. data-sale : refusée par le serveur, donc
// pas enregistrée dès l'arrivée.
(() => {
  "use strict";
  const sales = new Set(document.querySelectorAll("form[data-garde][data-sale]"));
  const noter = (e) => { const forme = e.target.form || e.target.closest("form"); if (forme?.matches("[data-garde]")) sales.add(forme); };
  ["input", "change", "inserer"].forEach((nom) => document.addEventListener(nom, noter));
  document.addEventListener("submit", (e) => { if (!e.defaultPrevented) sales.delete(e.target); });
  const perdues = (dans) => [...sales].filter((forme) => forme.isConnected && dans.contains(forme));
  addEventListener("beforeunload", (e) => {
    if (!perdues(document).length) return;
    e.preventDefault();
    setTimeout(() => dispatchEvent(new Event("pageshow"))); // resté : les boutons désactivés par l'envoi se rouvrent
  });
  document.addEventListener("htmx:confirm", (e) => {
    const [forme] = perdues(e.detail.target || document.body);
    if (!forme || e.detail.elt === forme) return;
    if (!confirm(forme.dataset.garde)) { e.preventDefault(); return; }
    sales.delete(forme);
  });
})();
