// Chargé avant le premier affichage : sans préférence enregistrée, le thème suit le système.
(() => {
  const racine = document.documentElement;
  const systeme = matchMedia("(prefers-color-scheme: dark)");
  const suivre = () => {
    if (!racine.dataset.theme) racine.dataset.bsTheme = systeme.matches ? "dark" : "light";
  };
  suivre();
  systeme.addEventListener("change", suivre);
})();
