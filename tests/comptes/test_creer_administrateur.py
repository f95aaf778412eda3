import pytest
from django.core.management import CommandError, call_command

from recouvrement.comptes.droits import Droit, peut
from recouvrement.comptes.models import Societe, Utilisateur


@pytest.mark.django_db
def test_le_premier_administrateur_peut_tout_dans_sa_societe(capsys):
    call_command("creer_administrateur", "chef@mercier.example", "--societe", "MERCIER")
    user, societe = Utilisateur.objects.get(), Societe.objects.get()
    assert all(peut(user, droit, societe) for droit in Droit)
    mot_de_passe = capsys.readouterr().out.split("mot de passe ")[1].split()[0]
    assert user.check_password(mot_de_passe)
    assert societe.echelles.count() == 3
    with pytest.raises(CommandError):
        call_command("creer_administrateur", "CHEF@mercier.example", "--societe", "MERCIER")
