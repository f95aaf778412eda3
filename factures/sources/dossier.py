"""Dossier surveillé, sous settings.DOSSIER_SOURCES : aucun lien suivi, aucun fichier pris pendant qu'il s'écrit.

Chaque niveau s'ouvre depuis le descripteur du précédent, sans suivre de lien : un dossier remplacé par un lien entre
deux appels ne mène nulle part. Un fichier lu va dans « traites » ou « refuses », à côté ; s'il ne peut pas être
déplacé, il reste, et son lot le fait reconnaître à la lecture suivante.
"""

import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import BinaryIO

from django.conf import settings
from django.utils.translation import gettext as _

from factures.models import SourceImport
from recouvrement.commun import formats

from .lecture import ARRIVAGES_MAX, Arrivage, Constat, ErreurSource, empreinte, nom_sur, provisoire, retenu

TRAITES, REFUSES = "traites", "refuses"
BLOC = 1024 * 1024
DOSSIER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FICHIER = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # ni lien, ni tube qui ferait attendre


def morceaux(chemin: str) -> list[str]:
    """Sous-dossier relatif → ses éléments. Lève ErreurSource : chemin absolu, « .. », caractère de commande."""
    elements = [e for e in chemin.replace("\\", "/").split("/") if e not in ("", ".")]
    if chemin.startswith(("/", "\\")) or ".." in elements or "\0" in chemin:
        raise ErreurSource(_("Le sous-dossier se donne depuis le dossier surveillé, sans « .. » ni chemin absolu."))
    return elements


class Dossier:
    def __init__(self, source: SourceImport):
        self.source = source
        self.repos = settings.SOURCES_REPOS_SECONDES

    def __enter__(self):
        if not settings.DOSSIER_SOURCES:
            raise ErreurSource(_("Ce serveur n'a pas de dossier surveillé : réglez la variable DOSSIER_SOURCES."))
        elements = morceaux(self.source.dossier)
        try:
            self.fd = os.open(settings.DOSSIER_SOURCES, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as erreur:
            raise ErreurSource(_("Le dossier surveillé ne s'ouvre pas : %(e)s.") % {"e": erreur.strerror}) from erreur
        for element in elements:
            parent = self.fd
            try:
                self.fd = os.open(element, DOSSIER, dir_fd=parent)
            except OSError as erreur:
                self.fd = -1
                raise ErreurSource(
                    _("Le sous-dossier « %(nom)s » n'existe pas, ou n'est pas un dossier ordinaire (lien refusé).")
                    % {"nom": element}
                ) from erreur
            finally:
                os.close(parent)
        return self

    def __exit__(self, *_fin):
        os.close(self.fd)

    # --- Regarder ---------------------------------------------------------------------------------

    def _entrees(self) -> list[tuple[str, os.stat_result]]:
        """Fichiers ordinaires retenus par le motif, du plus ancien au plus récent."""
        trouves = []
        try:
            with os.scandir(self.fd) as entrees:
                for entree in entrees:
                    if not entree.is_file(follow_symlinks=False) or not retenu(entree.name, self.source.motif):
                        continue
                    try:
                        trouves.append((entree.name, entree.stat(follow_symlinks=False)))
                    except FileNotFoundError:
                        continue  # déplacé entre-temps
        except OSError as erreur:
            raise ErreurSource(_("Le dossier ne se lit pas : %(e)s.") % {"e": erreur.strerror}) from erreur
        return sorted(trouves, key=lambda e: (e[1].st_mtime_ns, e[0]))

    def _attend(self, nom: str, vu: os.stat_result) -> str:
        """Pourquoi ce fichier attend, ou vide. L'heure de changement ne se falsifie pas par une copie à l'identique."""
        if provisoire(nom):
            return _("nom provisoire : un autre programme l'écrit sans doute")
        if not vu.st_size:
            return _("vide pour l'instant")
        if abs(time.time() - vu.st_ctime) < self.repos:
            return _("écrit il y a moins de %(n)d secondes : il attend la lecture suivante") % {"n": self.repos}
        return ""

    def regarder(self) -> list[Constat]:
        constats = []
        for nom, vu in self._entrees()[:ARRIVAGES_MAX]:
            attente = self._attend(nom, vu)
            if not attente and vu.st_size > settings.TAILLE_MAX_IMPORT:
                constats.append(Constat(nom_sur(nom), vu.st_size, "ecarte", _trop_gros()))
            else:
                detail = attente or _("du %(quand)s") % {"quand": formats.instant(_moment(vu))}
                constats.append(Constat(nom_sur(nom), vu.st_size, "attend" if attente else "pret", detail))
        return constats

    # --- Prendre ----------------------------------------------------------------------------------

    def arrivages(self, deja: Callable[[str], bool]) -> Iterator[Arrivage]:
        """Un fichier qui change pendant la lecture n'est pas pris : il attend la lecture suivante."""
        prets = [(nom, vu) for nom, vu in self._entrees() if not self._attend(nom, vu)]
        for nom, vu in prets[:ARRIVAGES_MAX]:
            if vu.st_size > settings.TAILLE_MAX_IMPORT:
                yield Arrivage(
                    f"gros:{vu.st_mtime_ns}:{vu.st_size}:{nom_sur(nom)}", nom_sur(nom), vu.st_size,
                    refus=_trop_gros(), ranger=partial(self._deplacer, nom, "trop-gros"),
                )  # fmt: skip
                continue
            with tempfile.TemporaryFile() as copie:
                if not self._copier(nom, vu, copie):
                    continue
                somme = empreinte(copie)
                arrivage = Arrivage(
                    f"{somme[:32]}:{vu.st_mtime_ns}:{nom_sur(nom)}", nom_sur(nom), vu.st_size, copie,
                    ranger=partial(self._deplacer, nom, somme[:8]),
                )  # fmt: skip
                if deja(arrivage.cle):  # mort entre le dépôt et le déplacement, ou indéplaçable
                    self._deplacer(nom, somme[:8], True)
                    continue
                yield arrivage

    def _copier(self, nom: str, vu: os.stat_result, copie: BinaryIO) -> bool:
        """Copie entière, ou faux si le fichier a bougé entre les deux regards."""
        try:
            fd = os.open(nom, FICHIER, dir_fd=self.fd)
        except FileNotFoundError:
            return False
        except OSError as erreur:
            raise ErreurSource(
                _("« %(nom)s » ne s'ouvre pas : %(e)s.") % {"nom": nom_sur(nom), "e": erreur.strerror}
            ) from erreur
        with open(fd, "rb") as flux:
            avant, lus = os.fstat(fd), 0
            if not stat.S_ISREG(avant.st_mode) or _signes(avant) != _signes(vu):
                return False
            while bloc := flux.read(BLOC):
                lus += len(bloc)
                if lus > vu.st_size:
                    return False
                copie.write(bloc)
            return lus == vu.st_size and _signes(os.fstat(fd)) == _signes(vu)

    def _deplacer(self, nom: str, marque: str, accepte: bool) -> None:
        """Vers « traites » ou « refuses », sous un nom daté. Lève ErreurSource si le dossier ne s'écrit pas."""
        vers = TRAITES if accepte else REFUSES
        try:
            try:
                os.mkdir(vers, 0o750, dir_fd=self.fd)
            except FileExistsError:
                pass
            cible = os.open(vers, DOSSIER, dir_fd=self.fd)
            try:
                os.rename(nom, f"{datetime.now():%Y%m%d-%H%M%S}-{marque}-{nom_sur(nom)}", src_dir_fd=self.fd,
                          dst_dir_fd=cible)  # fmt: skip
            finally:
                os.close(cible)
        except FileNotFoundError:
            return  # déjà rangé
        except OSError as erreur:
            raise ErreurSource(
                _("« %(nom)s » est lu, mais ne se range pas dans « %(vers)s » : %(e)s. Donnez le droit d'écrire.")
                % {"nom": nom_sur(nom), "vers": vers, "e": erreur.strerror}
            ) from erreur


def _signes(vu: os.stat_result) -> tuple:
    return vu.st_ino, vu.st_size, vu.st_mtime_ns, vu.st_ctime_ns


def _moment(vu: os.stat_result) -> datetime:
    return datetime.fromtimestamp(vu.st_mtime).astimezone()


def _trop_gros() -> str:
    return _("Le fichier dépasse %(max)d Mo : découpez l'export.") % {"max": settings.TAILLE_MAX_IMPORT // 1024 // 1024}
