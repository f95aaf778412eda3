"""D'où les fichiers arrivent seuls : dossier surveillé, boîte de courriel. `services.sources` décide."""
