"""Toutes les écritures des relances : la nuit, la préparation, l'envoi, les gestes d'une personne."""
