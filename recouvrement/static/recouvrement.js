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
    else if (e.target.matches?.("details[open]:has(> summary[data-touche])")) (un("textarea", e.target) || un("select,input:not([type=hidden])", e.target))?.focus();
  }, true);

  // Ce qui est coché dans un form data-selection : cases data-choix, data-montant en décimal à point, data-devise,
  // data-genre="lettre|lettres", data-nom. Deux devises ne s'additionnent pas.
  const langue = doc.documentElement.lang;
  const centimes = (texte) => Math.round(Number(texte || 0) * 100);
  const regrouper = (cases, cle, valeur) => cases.reduce((m, c) => m.set(cle(c), (m.get(cle(c)) || 0) + valeur(c)), new Map());
  const bilanSelection = (forme) => {
    const prises = forme ? tous("input[data-choix]:checked", forme) : [];
    const sommes = regrouper(prises, (c) => c.dataset.devise || "EUR", (c) => centimes(c.dataset.montant));
    const genres = regrouper(prises, (c) => c.dataset.genre || "", () => 1);
    return {
      nombre: prises.length.toLocaleString(langue),
      somme: [...(sommes.size ? sommes : [["EUR", 0]])].map(([devise, s]) => (s / 100).toLocaleString(langue, { style: "currency", currency: devise })).join(" + "),
      genres: [...genres].map(([noms, n]) => `${n.toLocaleString(langue)} ${noms.split("|").at(n > 1 ? -1 : 0)}`).join(", "),
      noms: () => {
        const noms = prises.slice(0, 8).map((c) => c.dataset.nom).concat(prises.length > 8 ? `… + ${prises.length - 8}` : []);
        const liste = Object.assign(doc.createElement("ul"), { className: "mt2 petit" });
        liste.append(...noms.map((nom) => Object.assign(doc.createElement("li"), { textContent: nom })));
        return liste;
      },
    };
  };

  // Confirmation : data-confirmer="Envoyer 2 lettres ?" [-texte] [-action] [-detail="#id"] [-noms] [-ton="mal"] ;
  // {nombre}, {somme} et {genres} s'y remplacent par ce qui est coché.
  const dialogue = un("#confirmation");
  let confirme = null;
  const confirmer = (el, suite) => {
    const d = el.dataset;
    const oui = un("[value=oui]", dialogue);
    const choix = bilanSelection(el.closest("form[data-selection]"));
    const dire = (texte) => (texte || "").replace(/\{(nombre|somme|genres)\}/g, (_m, cle) => choix[cle]);
    un("h2", dialogue).textContent = dire(d.confirmer);
    un("[data-texte]", dialogue).textContent = dire(d.confirmerTexte);
    const detail = d.confirmerDetail && un(d.confirmerDetail);
    un("[data-detail]", dialogue).replaceChildren(...(detail ? [detail.content.cloneNode(true)] : []), ...(d.confirmerNoms === undefined ? [] : [choix.noms()]));
    oui.textContent = d.confirmerAction || el.textContent.trim();
    oui.className = d.confirmerTon === "mal" ? "btn btn-plein-mal" : "btn btn-primary";
    dialogue.returnValue = "non";
    dialogue.onclose = () => { el.focus(); if (dialogue.returnValue === "oui") suite(); };
    dialogue.showModal();
  };
  doc.addEventListener("click", (e) => {
    const el = e.target.closest("[data-confirmer]");
    if (!el || el === confirme) { confirme = null; return; }
    e.preventDefault(); e.stopImmediatePropagation();
    if (el.form && !el.formNoValidate && !el.form.noValidate && !el.form.reportValidity()) return; // un manque se dit avant
    confirmer(el, () => { confirme = el; el.click(); });
  }, true);

  // Anti double clic : l'envoi désactive le bouton, après que sa valeur est partie.
  doc.addEventListener("submit", (e) => {
    const forme = e.target;
    if (e.defaultPrevented || forme.method !== "post" || forme.dataset.multiple !== undefined) return;
    if (forme.dataset.parti) { e.preventDefault(); return; }
    forme.dataset.parti = "1";
    // Un envoi long le dit : data-en-cours="Validation en cours…".
    setTimeout(() => { if (e.submitter?.dataset.enCours) e.submitter.textContent = e.submitter.dataset.enCours; });
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
    const toast = Object.assign(doc.createElement("div"), { className: "toast-fait bref", textContent: texte });
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

  // Sélection : compte, somme et genres dans la barre, d'après bilanSelection.
  const compterSelection = (forme) => {
    const cases = tous("input[data-choix]:not(:disabled)", forme);
    const prises = cases.filter((c) => c.checked);
    const toutes = un("input[data-tout]", forme);
    const bilan = bilanSelection(forme);
    ["nombre", "somme", "genres"].forEach((cle) => tous(`[data-${cle}]`, forme).forEach((el) => { el.textContent = bilan[cle]; }));
    tous("[data-pluriel]", forme).forEach((el) => {
      el.dataset.singulier ??= el.textContent;
      el.textContent = prises.length > 1 ? el.dataset.pluriel : el.dataset.singulier;
    });
    if (toutes) { toutes.checked = prises.length > 0 && prises.length === cases.length; toutes.indeterminate = prises.length > 0 && !toutes.checked; }
    tous("input[data-choix]", forme).forEach((c) => c.closest("tr")?.classList.toggle("prise", c.checked));
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
  const marquer = (ligne) => tous("[data-ligne]").forEach((l) => {
    l.classList.toggle("choisie", l === ligne);
    tous("[data-ouvre]", l).forEach((lien) => { lien.ariaCurrent = l === ligne ? "true" : null; });
  });
  const deplacer = (pas) => {
    const liste = lignes();
    if (!liste.length) return;
    const ici = liste.findIndex((l) => l.contains(doc.activeElement) || l.classList.contains("choisie"));
    const ligne = liste[Math.min(Math.max(ici < 0 ? (pas > 0 ? 0 : liste.length - 1) : ici + pas, 0), liste.length - 1)];
    marquer(ligne);
    cible(ligne).focus();
    ligne.scrollIntoView({ block: "nearest" });
    ligne.dispatchEvent(new CustomEvent("ligne-choisie", { bubbles: true }));
  };
  // Une ligne qui charge son aperçu devient la ligne choisie, au clavier comme à la souris.
  doc.addEventListener("htmx:beforeRequest", (e) => {
    const ligne = e.target.closest("[data-ligne][hx-get]");
    if (ligne) tous("[data-ligne][hx-get]").forEach((l) => l.classList.toggle("choisie", l === ligne));
  });
  // Volet d'une liste : [data-ouvre] l'ouvre et lui donne le focus, data-pas va à la ligne voisine, data-vider le ferme.
  doc.addEventListener("click", (e) => {
    const ouvre = e.target.closest("[data-ouvre]");
    if (ouvre) marquer(ouvre.closest("[data-ligne]"));
    const pas = e.target.closest("[data-pas]");
    if (pas) { deplacer(Number(pas.dataset.pas)); un("[data-ligne].choisie [data-ouvre]")?.click(); }
    const vider = e.target.closest("[data-vider]");
    if (!vider) return;
    un(vider.dataset.vider).replaceChildren(un("#volet-vide").content.cloneNode(true));
    const ici = new URL(location.href);
    ici.searchParams.delete("lettre");
    history.replaceState(history.state, "", ici);
    un("[data-ligne].choisie [data-ouvre]")?.focus();
  });
  doc.addEventListener("htmx:afterSettle", (e) => {
    if (e.target.id === "volet" && e.detail.requestConfig?.elt?.matches("[data-ouvre]")) e.target.focus({ preventScroll: true });
  });
  // Saisie à la chaîne (numéros tapés ou scannés) : Entrée passe au champ suivant, puis au bouton ; saisir coche la ligne.
  doc.addEventListener("keydown", (e) => {
    if (e.key !== "Enter" || !e.target.matches("[data-chaine]")) return;
    e.preventDefault();
    const champs = tous("[data-chaine]", e.target.form);
    (champs[champs.indexOf(e.target) + 1] || un("[data-chaine-fin]", e.target.form))?.focus();
  });
  doc.addEventListener("input", (e) => {
    const choix = e.target.matches("[data-chaine]") && un("input[data-choix]", e.target.closest("tr"));
    if (choix && e.target.value && !choix.checked) choix.click();
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
      if (forme) { e.preventDefault(); forme.requestSubmit(un("button[formnovalidate]", forme)); }
      return;
    }
    if (e.key === "Escape") { if (!un("dialog[open]")) echapper(); return; }
    if (mod || e.altKey || e.target.matches("input:not([type=checkbox],[type=radio]),textarea,select,[contenteditable]") || un("dialog[open]") || !actifs()) return;
    const touche = e.key.length === 1 ? e.key.toLowerCase() : e.key;
    if (touche === "?") { e.preventDefault(); un("#aide-clavier")?.togglePopover(); return; }
    if (touche === "Enter" && doc.activeElement === doc.body) { const l = lignes().find((x) => x.classList.contains("choisie")); if (l) cible(l).click(); return; } // rien n'a le focus : la ligne choisie
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
  if (reglage) reglage.checked = actifs();
  reglage?.addEventListener("change", () => localStorage.setItem(CLE, reglage.checked ? "oui" : "non"));

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
  if (!window.PublicKeyCredential || /^[\d.]+$|:/.test(location.hostname)) un("#passkey_login")?.classList.add("d-none");
  if (location.hash === "#volet") addEventListener("load", () => (un("#volet [autofocus]") || un("#volet form :is(input:not([type=hidden]),select,textarea)"))?.focus()); // une ancre fait taire autofocus
  suivreToasts();
  tous("form[data-selection]").forEach(compterSelection);
})();
