// Documents : un fichier déposé sur la zone, ou une image collée, part par le même formulaire que le champ.
// Sans script, le champ et son bouton suffisent ; la progression s'affiche dans un <progress> nommé.
(() => {
  "use strict";
  const doc = document;
  const forme = () => doc.querySelector("form[data-documents]");
  let dedans = 0; // dragenter et dragleave s'annoncent aussi pour chaque enfant

  const porteFichiers = (donnees) => donnees && [...donnees.types].includes("Files");

  // Une image collée n'a pas de nom : on lui en donne un, l'heure fait foi.
  function nommer(fichier, rang) {
    if (fichier.name && fichier.name !== "image.png") return fichier;
    const suffixe = fichier.type === "image/jpeg" ? "jpg" : "png";
    const quand = new Date().toLocaleString("sv").replace(/[^0-9]+/g, "-");
    return new File([fichier], `collage-${quand}${rang ? `-${rang}` : ""}.${suffixe}`, { type: fichier.type });
  }

  function envoyer(fichiers) {
    const f = forme();
    if (!f || !fichiers.length || f.dataset.envoi) return false;
    const sac = new DataTransfer();
    fichiers.forEach((fichier, rang) => sac.items.add(nommer(fichier, rang)));
    f.querySelector("[type=file]").files = sac.files;
    f.requestSubmit();
    return true;
  }

  doc.addEventListener("dragenter", (e) => {
    if (!forme() || !porteFichiers(e.dataTransfer)) return;
    dedans += 1;
    forme().classList.add("survol");
  });
  doc.addEventListener("dragleave", (e) => {
    if (!forme() || !porteFichiers(e.dataTransfer)) return;
    dedans = Math.max(0, dedans - 1);
    if (!dedans) forme().classList.remove("survol");
  });
  // Toute la page accepte : un fichier lâché à côté ne doit pas remplacer la fiche.
  doc.addEventListener("dragover", (e) => { if (forme() && porteFichiers(e.dataTransfer)) e.preventDefault(); });
  doc.addEventListener("drop", (e) => {
    if (!forme() || !porteFichiers(e.dataTransfer)) return;
    e.preventDefault();
    dedans = 0;
    forme().classList.remove("survol");
    envoyer([...e.dataTransfer.files]);
  });
  doc.addEventListener("paste", (e) => {
    if (e.clipboardData?.files.length && envoyer([...e.clipboardData.files])) e.preventDefault();
  });

  const barre = (e) => e.target.closest?.("form[data-documents]")?.querySelector("progress");
  doc.addEventListener("htmx:beforeRequest", (e) => {
    const p = barre(e);
    if (!p) return;
    e.target.dataset.envoi = "1";
    p.hidden = false;
    p.value = 0;
  });
  doc.addEventListener("htmx:xhr:progress", (e) => {
    const p = barre(e);
    if (p && e.detail.lengthComputable) p.value = Math.round((100 * e.detail.loaded) / e.detail.total);
  });
  doc.addEventListener("htmx:afterRequest", (e) => {
    const p = barre(e);
    if (!p) return;
    delete e.target.dataset.envoi;
    p.hidden = true;
  });
})();
