"""The reader of reports underlines what was once printed, and lets good sentences through."""

from __future__ import annotations

import pytest

from tests.fixtures.sentences import faults

WRONG = [
    ("Sur 3 thèmes : 3\u00a0suspendu.", "singulier"),
    ("Il y a 1\u00a0écartées.", "pluriel"),
    ("1 682 venus des habitants, 0\u00a0relevés par les agents.", "pluriel"),
    ("- Patrouille : +0,6\u00a0points de tranquillité (−1,7 à +2,8), rien d'établi.", "pluriel"),
    ("12 faits ; au-dessus de leur habitude : La Valentine.", "pluriel"),
    ("son silence se dit après 1 jour ; 0\u00a0zone écoutée sur 76, les autres apportent trop peu.",
     "point d'abord"),
    ("0\u00a0question. ;", "ponctuation"),
    ("Deux  espaces.", "ponctuation"),
    ("Un point..", "ponctuation"),
    ("« squat » renommé en juin ?.", "ponctuation"),
    ("rupture : « a » renommé un code nouveau n° 3 ? ; « a » renommé un code nouveau n° 3 ? "
     "Depuis, ces faits manquent.", "dit deux fois"),
    ("Bruit : porté par l'activité des agents (25\u202f% ; +10,3\u202f% pour 10 % d'heures).",
     "sans intervalle"),
    ("Rupture inexpliquée, vers le 26 août 2024 : +4,8\u202f%. Que s'est-il passé ?",
     "sans intervalle"),
    ("natures stationnement_genant seulement.", "identifiant"),
    ("Quartiers, 1321501 : 7\u00a0jours manquants.", "identifiant"),
    ("Le code est devenu §3.", "identifiant"),
    ("La source est missing.", "anglais"),
    ("Bruit : en hausse, −3,1\u202f% (de −5,0\u202f% à −1,2\u202f%).", "sens contraire"),
    ("Bruit : stable, +12,0\u202f% (de −2,0\u202f% à +9,0\u202f%).", "hors de son intervalle"),
    ("Depuis : −2,1 points (−4,0 à +0,2), établi.", "contient zéro"),
    ("Depuis : −2,1 points (−4,0 à −0,2), rien d'établi.", "ne contient pas zéro"),
    ("9\u00a0faits, plus que d'habitude (on en attendait entre 10 et 27).", "d'habitude"),
    ("entre 13\u202f008 et 78\u202f899 faits, pour 13\u202f196\u00a0enregistrés.",
     "moins de faits que d'enregistrés"),
    ("Là où il y a plus : +2,0 points (−1,7 à +2,8), rien d'établi. Cela va avec, dit-on.",
     "cela va avec"),
    ("### Zones\n\n### Mailles\n\nAucune.", "titre vide"),
    ("**Le 3 mai** :\n", "titre vide"),
    ("\n".join(f"- {what}. Ce qui va avec n'est pas une cause." for what in "abc"),
     "phrase 3 fois"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), WRONG, ids=[said for _, said in WRONG])
def test_what_was_once_printed_is_underlined(text: str, said: str) -> None:
    assert any(said in one for one in faults(text)), faults(text)


@pytest.mark.parametrize(
    "text",
    [
        "- **Bruit** : rien d'établi, +2,2\u202f% (de −6,3\u202f% à +11,4\u202f%) ; 961 par "
        "semaine ; décelable à partir de +15,4\u202f% ou de −13,3\u202f%.",
        "- **Rixes** : 27\u00a0faits, comme d'habitude (on en attendait entre 10 et 27) ; "
        "au-dessus de leur habitude : Château Gombert, La Rose.",
        "- Zones : 1\u00a0hausse établie, 2\u00a0baisses établies, sur 1\u202f195 comparaisons.",
        "| source | main_courante |\n|---|---|",
        "champ `type_n2` : la part de « tag_affiche » passe de 7,8\u202f% à 2,9\u202f%.",
        "### Zones\n\n- **Bruit** : aucune zone ne se distingue de ses voisines.",
    ],
)
def test_good_sentences_pass(text: str) -> None:
    assert faults(text) == []
