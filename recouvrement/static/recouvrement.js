// Confort d'écran, sans dépendance : tout ce qui suit a son équivalent sans script.
// Attributs reconnus : voir docs/interface.md.
(() => {
  "use strict";
  const doc = document;
  const tous = (selecteur, dans = doc) => [...dans.querySelectorAll(selecteur)];
  const un = (selecteur, dans = doc) => dans.querySelector(selecteur);
  const jeton = () => JSON.parse(doc.body.getAttribute("hx-headers") || "{}")["X-CSRFToken"];
  const annoncer = (texte) => { const zone = un("#annonce"); if (zone) zone.textContent = texte; };
  const visible = (el) => el.offsetParent !== null && !el.disabled;

  // Thème : bascule immédiate, enregistrée derrière.
  doc.addEventListener("submit", (e) => {
    const forme = e.target.closest("[data-theme-bascule]");
    if (!forme) return;
    e.preventDefault();
    const racine = doc.documentElement;
    const theme = racine.dataset.bsTheme === "dark" ? "light" : "dark";
    racine.dataset.bsTheme = racine.dataset.theme = theme;
    fetch(forme.action, { method: "POST", headers: { "X-CSRFToken": jeton() }, body: new URLSearchParams({ theme }) });
  });

  // Menus <details> : un clic ailleurs ou Échap les ferme.
  const menusOuverts = () => tous("details.ancre[open]");
  doc.addEventListener("click", (e) => menusOuverts().forEach((m) => { if (!m.contains(e.target)) m.open = false; }));
  doc.addEventListener("toggle", (e) => {
    if (e.target.matches?.("details.filtre-menu[open]")) un("input:not([type=hidden])", e.target)?.focus();
  }, true);

  // Confirmation : data-confirmer="Envoyer 2 lettres ?" [-texte] [-action] [-detail="#id"] [-ton="mal"].
  const dialogue = un("#confirmation");
  let confirme = null;
  const confirmer = (el, suite) => {
    const d = el.dataset;
    const oui = un("[value=oui]", dialogue);
    un("h2", dialogue).textContent = d.confirmer;
    un("[data-texte]", dialogue).textContent = d.confirmerTexte || "";
    const detail = d.confirmerDetail && un(d.confirmerDetail);
    un("[data-detail]", dialogue).replaceChildren(...(detail ? [detail.content.cloneNode(true)] : []));
    oui.textContent = d.confirmerAction || el.textContent.trim();
    oui.className = d.confirmerTon === "mal" ? "btn btn-plein-mal" : "btn btn-primary";
    dialogue.returnValue = "non";
    dialogue.onclose = () => { el.focus(); if (dialogue.returnValue === "oui") suite(); };
    dialogue.showModal();
  };
  doc.addEventListener("click", (e) => {
    const el = e.target.closest("[data-confirmer]");
    if (!el || el === confirme) { confirme = null; return; }
    e.preventDefault();
    e.stopImmediatePropagation();
    confirmer(el, () => { confirme = el; el.click(); });
  }, true);

  // Anti double clic : l'envoi désactive le bouton, après que sa valeur est partie.
  doc.addEventListener("submit", (e) => {
    const forme = e.target;
    if (e.defaultPrevented || forme.method !== "post" || forme.dataset.multiple !== undefined) return;
    if (forme.dataset.parti) { e.preventDefault(); return; }
    forme.dataset.parti = "1";
    setTimeout(() => tous("button:not([type=button])", forme).forEach((b) => { b.disabled = true; b.dataset.attente = "1"; }));
  });
  const liberer = (dans) => {
    tous("form[data-parti]", dans).concat(dans.matches?.("form[data-parti]") ? [dans] : []).forEach((f) => delete f.dataset.parti);
    tous("[data-attente]", dans).forEach((b) => { b.disabled = false; delete b.dataset.attente; });
  };
  addEventListener("pageshow", () => liberer(doc));
  doc.addEventListener("htmx:afterRequest", (e) => liberer(e.target));

  // Toasts : dix secondes, suspendues au survol et au focus ; un échec attend qu'on le ferme.
  const DUREE = 10000;
  const suivreToast = (toast) => {
    if (toast.dataset.suivi || toast.classList.contains("echec")) return;
    toast.dataset.suivi = "1";
    const trait = un(".decompte rect", toast);
    const reste = un("[data-reste]", toast);
    let restant = DUREE, avant = performance.now();
    const pas = (instant) => {
      if (!toast.isConnected) return;
      if (!toast.matches(":hover,:focus-within")) restant -= instant - avant;
      avant = instant;
      if (restant <= 0) { toast.remove(); return; }
      trait.setAttribute("width", (restant / DUREE * 100).toFixed(1));
      if (reste) reste.textContent = `, ${Math.ceil(restant / 1000)} s`;
      requestAnimationFrame(pas);
    };
    requestAnimationFrame(pas);
  };
  const suivreToasts = () => tous("[data-toast]").forEach(suivreToast);
  const dire = (texte) => {
    const zone = un("#toasts");
    if (!zone) return;
    const toast = doc.createElement("div");
    toast.className = "toast-fait bref";
    toast.textContent = texte;
    zone.append(toast);
    setTimeout(() => toast.remove(), 2500);
  };

  // Copie : data-copier="texte", ou data-copier-de="#champ".
  const copier = async (bouton) => {
    const source = bouton.dataset.copierDe && un(bouton.dataset.copierDe);
    const texte = source ? (source.value ?? source.textContent).trim() : bouton.dataset.copier || location.href;
    await navigator.clipboard.writeText(texte);
    dire(un("#modele-copie").content.textContent);
  };
  doc.addEventListener("click", (e) => {
    const demo = e.target.closest("[data-remplir]");
    if (demo) {
      const forme = un("form:has([type=password])");
      un("[type=email]", forme).value = demo.dataset.remplir;
      un("[type=password]", forme).value = demo.dataset.remplirSecret;
      un("[type=submit]", forme).focus();
    }
    const copie = e.target.closest("[data-copier],[data-copier-de]");
    if (copie) copier(copie);
    e.target.closest("[data-fermer-toast]")?.closest("[data-toast]").remove();
    if (e.target.closest("[data-recharger]")) location.reload();
    if (e.target.closest("[data-imprimer]")) print();
  });

  // Sélection : cases data-choix (data-montant en décimal à point) dans un form data-selection.
  const centimes = (texte) => Math.round(Number(texte || 0) * 100);
  const compterSelection = (forme) => {
    const cases = tous("input[data-choix]", forme);
    const prises = cases.filter((c) => c.checked);
    const toutes = un("input[data-tout]", forme);
    const langue = doc.documentElement.lang;
    const total = prises.reduce((s, c) => s + centimes(c.dataset.montant), 0);
    tous("[data-nombre]", forme).forEach((el) => { el.textContent = prises.length.toLocaleString(langue); });
    tous("[data-somme]", forme).forEach((el) => {
      el.textContent = (total / 100).toLocaleString(langue, { style: "currency", currency: el.dataset.somme || "EUR" });
    });
    if (toutes) { toutes.checked = prises.length > 0 && prises.length === cases.length; toutes.indeterminate = prises.length > 0 && !toutes.checked; }
    cases.forEach((c) => c.closest("tr")?.classList.toggle("prise", c.checked));
  };
  doc.addEventListener("change", (e) => {
    const forme = e.target.closest("form[data-selection]");
    if (!forme || !e.target.matches("[data-tout],[data-choix]")) return;
    if (e.target.matches("[data-tout]")) tous("input[data-choix]:not(:disabled)", forme).forEach((c) => { c.checked = e.target.checked; });
    compterSelection(forme);
  });

  // Clavier. Les touches seules se taisent dans un champ et se désactivent (WCAG 2.1.4).
  const CLE = "raccourcis";
  const actifs = () => localStorage.getItem(CLE) !== "non";
  const cible = (el) => el.matches("a[href],button,summary") ? el : un("a.lien-ligne", el) || un("a[href],button", el) || el;
  const lignes = () => tous("[data-navigation] [data-ligne]").filter(visible);
  const deplacer = (pas) => {
    const liste = lignes();
    if (!liste.length) return;
    const ici = liste.findIndex((l) => l.contains(doc.activeElement) || l.classList.contains("choisie"));
    const ligne = liste[Math.min(Math.max(ici < 0 ? (pas > 0 ? 0 : liste.length - 1) : ici + pas, 0), liste.length - 1)];
    liste.forEach((l) => l.classList.toggle("choisie", l === ligne));
    cible(ligne).focus();
    ligne.scrollIntoView({ block: "nearest" });
    ligne.dispatchEvent(new CustomEvent("ligne-choisie", { bubbles: true }));
  };
  // Une ligne qui charge son aperçu devient la ligne choisie, au clavier comme à la souris.
  doc.addEventListener("htmx:beforeRequest", (e) => {
    const ligne = e.target.closest("[data-ligne][hx-get]");
    if (ligne) tous("[data-ligne][hx-get]").forEach((l) => l.classList.toggle("choisie", l === ligne));
  });
  const rapide = un("#recherche-rapide");
  const trouvailles = () => (rapide ? [un("#recherche"), ...tous("a", rapide)] : []);
  doc.addEventListener("click", (e) => { if (rapide && !e.target.closest(".recherche-ancre")) rapide.replaceChildren(); });
  doc.addEventListener("keydown", (e) => {
    const ici = trouvailles().indexOf(doc.activeElement);
    if (ici < 0 || !["ArrowDown", "ArrowUp"].includes(e.key)) return;
    e.preventDefault();
    trouvailles().at((ici + (e.key === "ArrowDown" ? 1 : -1)) % trouvailles().length).focus();
  });
  const echapper = () => {
    if (rapide?.firstElementChild) { rapide.replaceChildren(); un("#recherche").focus(); return; }
    const menus = menusOuverts();
    if (menus.length) { menus.forEach((m) => { m.open = false; un("summary", m).focus(); }); return; }
    const fermeture = un("[data-fermer]");
    if (fermeture && visible(fermeture)) fermeture.click();
    else if (doc.activeElement?.matches("input,textarea,select")) doc.activeElement.blur();
  };
  doc.addEventListener("keydown", (e) => {
    if (e.defaultPrevented || e.isComposing) return;
    const mod = e.ctrlKey || e.metaKey;
    if (mod && e.key.toLowerCase() === "k") { e.preventDefault(); const r = un("#recherche"); r?.focus(); r?.select(); return; }
    if (mod && e.key === "Enter") {
      const forme = doc.activeElement?.form || un("form[data-principal]");
      if (forme) { e.preventDefault(); forme.requestSubmit(); }
      return;
    }
    if (e.key === "Escape") { if (!un("dialog[open]")) echapper(); return; }
    if (mod || e.altKey || e.target.matches("input:not([type=checkbox],[type=radio]),textarea,select,[contenteditable]") || un("dialog[open]") || !actifs()) return;
    const touche = e.key.length === 1 ? e.key.toLowerCase() : e.key;
    if (touche === "?") { e.preventDefault(); un("#aide-clavier")?.togglePopover(); return; }
    if (touche === "j" || touche === "k") { e.preventDefault(); deplacer(touche === "j" ? 1 : -1); return; }
    const ligne = doc.activeElement?.closest("[data-ligne]");
    const bouton = (ligne && un(`[data-touche-ligne="${CSS.escape(touche)}"]`, ligne)) || tous(`[data-touche="${CSS.escape(touche)}"]`).find(visible);
    if (bouton) { e.preventDefault(); if (bouton.matches("input:not([type=radio],[type=checkbox]),select")) bouton.focus(); else bouton.click(); }
  });
  // L'aide liste aussi les touches propres à l'écran.
  doc.addEventListener("toggle", (e) => {
    if (e.target.id !== "aide-clavier" || e.newState !== "open") return;
    const zone = un("[data-touches]");
    zone.replaceChildren(...tous("[data-touche]").filter(visible).flatMap((b) => {
      const dt = doc.createElement("dt"), dd = doc.createElement("dd"), k = doc.createElement("kbd");
      k.textContent = b.dataset.touche.toUpperCase();
      dt.append(k);
      dd.textContent = b.dataset.toucheNom || b.getAttribute("aria-label") || b.textContent.replace(/\s+/g, " ").replace(/ \S$/, "").trim();
      return [dt, dd];
    }));
  }, true);
  const reglage = un("[data-raccourcis]");
  if (reglage) {
    reglage.checked = actifs();
    reglage.addEventListener("change", () => localStorage.setItem(CLE, reglage.checked ? "oui" : "non"));
  }

  // htmx : session expirée, échec montré à sa place, changement annoncé.
  doc.addEventListener("htmx:beforeSwap", (e) => {
    const ou = new URL(e.detail.xhr.responseURL || location.href, location.href);
    if (ou.pathname === doc.body.dataset.connexion) { e.detail.shouldSwap = false; location.reload(); }
  });
  const echec = (e) => {
    const modele = un("#modele-erreur");
    const ou = e.detail.target || e.target;
    if (modele && ou && !un(":scope > .bandeau.mal[data-echec]", ou)) {
      const bandeau = modele.content.firstElementChild.cloneNode(true);
      bandeau.dataset.echec = "";
      ou.prepend(bandeau);
    }
  };
  ["htmx:responseError", "htmx:sendError", "htmx:timeout"].forEach((nom) => doc.addEventListener(nom, echec));
  doc.addEventListener("htmx:afterSettle", (e) => {
    suivreToasts();
    tous("form[data-selection]").forEach(compterSelection);
    const annonce = e.target.dataset?.annonce ?? un("[data-annonce]", e.target)?.dataset.annonce;
    if (annonce) annoncer(annonce);
  });

  // Une clé d'accès appartient à un nom de domaine : sur une adresse IP, le navigateur la refuse.
  if (!window.PublicKeyCredential || /^[\d.]+$|:/.test(location.hostname)) un("#passkey_login")?.remove();
  suivreToasts();
  tous("form[data-selection]").forEach(compterSelection);
})();
