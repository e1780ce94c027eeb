"""Whether a text names somebody: by civility, by function, by initials, by the names themselves.

A text is cut at its separators, at capitals inside a word and between letters and digits; each word
then says something for or against a name (names.Known.evidence), and two neighbours, or one alone,
must say enough. What directly follows a place word (rue, école…) is the name of the place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from helpers.collect.names import PLACE_AND_NAME, UNLIKELY, WORD_AND_NAME, Known
from helpers.collect.names import WORD as ORDINARY

PAIR, LINKED = -2.0, 3.0  # what two neighbours must say; with « de », « et »… between them, more
ALONE, WHOLE = 4.5, 3.0  # among other words, and as the whole text
SURE = 4.5  # said by one: the other need not be known, if it is no word
IN_LOWER_CASE = -6.3  # a name without a capital is rarer than a word
IN_CAPITALS = 0.5  # each with its own capital
Token = tuple[str, str]  # a word as it is written, and in lower case
SEGMENT = re.compile(r"[,;|/()\[\]{}:\n\t\"<>=!?*•«»+&]+|\s-\s|\.\s(?=[A-Z])")
WORD = re.compile(r"[a-z]+")
TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
PLACES = frozenset(
    """
rue avenue av ave boulevard bd bld blvd boul bvd place pl allee allees all impasse imp chemin che
ch traverse trav tra montee mtee cours crs quai corniche cor square sq route rte voie esplanade
esp passage pass residence res lotissement lot hlm cite batiment hameau faubourg fbg fg sentier
ruelle rond promenade prom vallon domaine clos villa parvis escalier escaliers mail galerie
passerelle digue ecole college lycee gymnase stade piscine parc jardin plage port pont tunnel gare
metro station arret tramway tram bus hopital clinique eglise mosquee synagogue cathedrale theatre
cinema musee bibliotheque mediatheque mairie centre maison creche maternelle elementaire fac
faculte universite campus caserne commissariat marche halle halles tour immeuble groupe complexe
espace salle stele monument statue fontaine cimetiere calanque anse ile iles fort porte zone
secteur quartier carrefour rocade autoroute viaduc foyer creps ephad ehpad club fc ac as us aj
village villages boulodrome palais chateau bastide mas val mont saint saints sainte saintes st ste
notre nd angle rampe placette ront archives concert exposition spectacle salon tournoi trophee
park street road lane drive court hill hills heights university school
""".split()
)  # fmt: skip
NOT_NAMES = PLACES - {"saint", "sainte", "st", "ste", "val", "mont", "mas", "port", "fort"}
# Between a place word and its name.
LINKS = frozenset(
    """
de du des d la le les l a au aux et en sur sous lez general gal marechal mal colonel col capitaine
lieutenant commandant cdt sergent amiral docteur dr professeur pr president abbe chanoine pere
frere freres soeur soeurs mere monseigneur mgr pasteur cardinal ingenieur maitre point dame
""".split()
)
# Inside a name, between a first name and a family name: passed over.
PARTICLES = frozenset(
    "el al ait ben bin ibn bou abd abdel ould von van der den ter del della di da do dos das o n m "
    "mac mc d".split()
)
# The small words of French and English labels.
LINKING = frozenset(
    """
de du des la le les l e y et ou a au aux sur sous dans par pour avec sans en un une ne pas ni ce
son sa ses vers chez non the of and or in on at to for with by from no not
""".split()
)
# Before a name, in forms and files: « nom : Untel, prénom : Unetelle ».
KEYS = frozenset("nom noms prenom prenoms name firstname lastname surname patronyme".split())
KEYED = re.compile(r"\b(?:nom|name)s?\W{1,4}[A-Z].*\b(?:prenom|firstname)", re.IGNORECASE)
LISTED = re.compile(r"[,;|\t]|[^,;|\t]*[0-9][^,;|\t]*")  # what has digits is no name
LISTED_NAME = re.compile(r"[A-Z'\-]+, ?[A-Z][a-z]+")
ORDINALS = frozenset("er ere eme nde arrt".split())
SAINTS = frozenset("saint sainte st ste".split())
ARTICLES = frozenset("le la les l un une des".split())
CIVIL = re.compile(
    r"\b(?P<title>m\.|mm\.|mr\.?|mrs|mmes?|mlle?s?|melle|monsieur|madame|mademoiselle|messieurs"
    r"|mesdames)(?:(?<=\.)|\s|:)[\s:]*(?:(?:et|ou)\s(?:mme|madame|m\.|monsieur)\s)?"
    r"(?=(?P<who>(?:(?:le|la|de|du|des|d'|el|al|ben|van|von|dos|da|di)\s?)?[\w'.\-*]+))"
)
ROLE = re.compile(
    r"\b(?P<title>sieur|consorts|cts|veuve|vve|epx|epouse|epoux|garde a vue de|requerante?"
    r"|mis en cause|plaignante?|riveraine?|temoin|victime|auteur|suspecte?"
    r"|gardien(?:ne)? de la paix"
    r"|gardien(?:ne)?|locataire|proprietaire|concierge|voisine?|contact|interpellee?|alias|surnommee?"
    r"|dite?|commissaire|inspect(?:eur|rice)"
    r"|brigadier(?:[ -]chef)?|adjudant|sergent|major|capitaine|lieutenant|commandant|agente?"
    r"|famille|docteur|dr|maitre|professeur|mdp|asvp|gpx|opj|apj|demandeur|demandeuse|succession"
    r"|heritiers|redacteur|redactrice|redige par|saisi par|appelante?|appel de|equipage|operateur"
    r"|operatrice|kine|medecin|infirmiere?(?: liberale?)?|avocate?|nee|enfant|eleve|mineure?|signe"
    r"|patient|client|employee?|chauffeur|conducteur|conductrice|chef|responsable|president[e]?"
    r"|gerante?|directeur|directrice|vu|chez|nomme|interphone|fils|fille|soeur|mari|epouse)(?:\s|[:.]\s?)[\s:]*"
    r"(?=(?P<who>[\w'.\-]+))"
)
# Letters that stand for who wrote.
SIGNED = re.compile(
    r"(?i:\b(?:redacteur|redactrice|operateur|operatrice|saisi par|signe|visa|initiales))\s?:?\s"
    r"[A-Z]{2,3}\b"
)
# « Villers-lès-Nancy », « Romain-sur-Meuse »: nobody's name is linked so.
TOWN = re.compile(r"[A-Za-z'\-]*[a-z]-(?:sur|sous|les|lez|devant|en|aux|le)-[A-Z][A-Za-z'\-]*")
# A civility before a letter, or that of a lawyer, whose name may be anything.
BY_LETTER = re.compile(r"^(?:M|Mme|Mlle|Me) [A-Z]\.?$|\bMe [A-Z][a-z]{2,}|^Me [A-Z]{3,}$")
COMMON = frozenset(
    """
le la les l de du des d un une et ou a au aux en x qui que sur dans par pour avec sans non oui
est ont sont inconnu inconnue anonyme neant nc na municipal municipaux municipale national
public maire president prefet commissaire directeur elu elue adjoint technique commercial
special unique principal chef service police patrouille accueil usager passant mineur mineure
majeur personne plusieurs deux trois entendu entendue blesse blessee agresse identifie incommode
isole seul
""".split()
)
INITIAL = re.compile(
    r"(?<![\w.])(?:[A-Z]\.[ \-]?){1,3} ?(?P<after>[A-Z][a-zA-Z'\-]{2,})(?!\w)"
    r"|(?<![\w.])(?P<before>[A-Z][A-Za-z]{2,}) [A-Z]\.(?![\w.]\w)"
    r"|(?<![\w.])[a-z]\.(?P<low>[a-z]{4,})(?![\w.])|(?<![\w.])(?P<dotted>[a-z]{4,})\.[a-z](?![\w.])"
)


def names_somebody(bare: str, known: Known) -> bool:
    """Tell whether a text without accents, its capitals kept, names somebody."""
    bare = TOWN.sub(";", bare)
    folded = bare.lower()
    segments = [_tokens(segment) for segment in SEGMENT.split(bare)]
    placed = any(low in PLACES for segment in segments for _, low in segment)
    if _by_title(folded, known) or (not placed and _by_initial(bare, known)):
        return True
    lower = bare == folded
    whole = sum(map(len, segments)) == 1
    if (
        SIGNED.search(bare)
        or BY_LETTER.search(bare)
        or any(_is_before_saint(segment, known) for segment in segments)
    ):
        return True
    if not placed and (_is_listed(bare, known) or _is_word_and_name(bare, segments, known)):
        return True
    for segment in segments:
        for part, after_place in _parts(segment, known):
            if any(_is_pair(*pair, known) for pair in _pairs(part)):
                return True
            if not (placed or after_place or lower) and _has_one_alone(part, known, whole=whole):
                return True
    return not placed and any(_is_glued(low, known) for part in segments for _, low in part)


def _is_listed(bare: str, known: Known) -> bool:
    """Tell whether first and family name stand side by side in a list: « DUPONT, Jean ».

    Each alone between two separators, or said by its key: « nom : Dupont prénom : Jean ».
    """
    cells = [[t for t in _tokens(cell) if t[1] not in KEYS] for cell in LISTED.split(bare)]
    words = [cell[0] if len(cell) == 1 else None for cell in cells if cell]
    if KEYED.search(bare):
        words += [None, *(token for cell in cells for token in cell)]
    return any(
        one and other and _is_pair(one, other, PAIR, known) for one, other in pairwise(words)
    )


def _is_word_and_name(bare: str, segments: list[list[Token]], known: Known) -> bool:
    """Tell whether the words of a text are one, and what can only be a name: « Dimanche Ntumba ».

    A word is somebody's first name where parents give words. Each begins with a capital, side by
    side or « NTUMBA, Dimanche ».
    """
    told = [token for segment in segments for token in segment]
    if len(told) != 2 or not all(word[0].isupper() for word, _ in told):
        return False
    if [len(segment) for segment in segments if segment] != [2] and not LISTED_NAME.fullmatch(bare):
        return False
    (_, first), (_, second) = told
    return not {first, second} & (PARTICLES | LINKING) and any(
        known.evidence(word) == ORDINARY and known.is_name_alone(name)
        for word, name in ((first, second), (second, first))
    )


def _is_before_saint(segment: list[Token], known: Known) -> bool:
    """Tell whether a family name in Saint- follows a first name: « Aude Saint-Cyr »."""
    for (word, low), (_, after) in pairwise(segment):
        if low in PLACES:
            return False
        if after in SAINTS and word[0].isupper() and known.evidence(low) >= SURE:
            return True
    return False


def _tokens(segment: str) -> list[Token]:
    words = TOKEN.findall(segment.replace("'", " "))
    return [(word, word.lower()) for word in words if word.lower() not in ORDINALS]


def _pairs(part: list[Token]) -> Iterator[tuple[Token, Token, float]]:
    """Give the neighbours, whatever particle is between them, and what they must say."""
    before: Token | None = None
    enough = PAIR
    for token in part:
        if token[1] in PARTICLES or token[1] in LINKING:
            enough = LINKED if token[1] in LINKING else enough
            continue
        if before:
            yield before, token, enough
        before, enough = token, PAIR


def _parts(segment: list[Token], known: Known) -> Iterator[tuple[list[Token], bool]]:
    """Give the words before the first place word, and those left after each place's own name."""
    at = [i for i, (_, low) in enumerate(segment) if low in PLACES]
    yield segment[: at[0] if at else len(segment)], False
    for start, end in pairwise([*at, len(segment)]):
        words = segment[start + 1 : end]
        yield words[_own_name(words, known) :], True


def _own_name(words: list[Token], known: Known) -> int:
    """Return how many words after a place word are the name of the place.

    « des Lilas », « du Moulin à Vent » : a noun and what is linked to it. « Jean Jaurès » : two
    words, three where two of them are first names or a link is between.
    """
    i = 0
    while i < len(words) and words[i][1] in LINKS:
        i += 1
    if i == len(words):
        return i
    noun = known.evidence(words[i][1]) < -1
    i += 1
    if not noun and i < len(words) and words[i][1] not in LINKS:
        i += 1
        if i < len(words) and all(known.evidence(words[j][1]) >= 5 for j in (i - 2, i - 1)):
            i += 1
    while i + 1 < len(words) and words[i][1] in LINKS:
        i += 2
    return i


def _is_pair(one: Token, other: Token, enough: float, known: Known) -> bool:
    """Tell whether two neighbours say enough: first and family name, in whichever order."""
    if len(one[1]) < 2 or len(other[1]) < 2 or one[1] == other[1]:
        return False
    least, most = sorted((known.evidence(one[1]), known.evidence(other[1])))
    lower = one[0] == one[1] and other[0] == other[1]
    capitals = all(word[0].isupper() and not word.isupper() for word, _ in (one, other))
    if most >= SURE and (
        least >= UNLIKELY or least == PLACE_AND_NAME or (least == WORD_AND_NAME and capitals)
    ):
        return True
    # « Pan Guanghui », « Christ Moukoko »: one is a word too, and the other none that is known.
    if least == WORD_AND_NAME and not lower and any(map(known.unmistakable, (one[1], other[1]))):
        return True
    return least + most + (IN_LOWER_CASE if lower else IN_CAPITALS if capitals else 0) >= enough


def _has_one_alone(part: list[Token], known: Known, *, whole: bool) -> bool:
    """Tell whether a word by itself says enough; after an article, it is a place or a thing."""
    return any(
        len(low) > 3
        and word[0].isupper()
        and before not in ARTICLES
        and known.evidence(low) >= (WHOLE if whole else ALONE)
        for (_, before), (word, low) in pairwise([("", ""), *part])
    )


def _is_glued(low: str, known: Known) -> bool:
    """Tell whether a word that no list holds is a first and a family name in one: jeandupont."""
    if len(low) < 9 or known.holds(low):
        return False
    return any(
        first in known.surely and first not in known.weak and known.evidence(family) >= 3
        for i in range(4, len(low) - 3)
        for first, family in ((low[:i], low[i:]), (low[i:], low[:i]))
    )


def has_civility(folded: str) -> bool:
    """Tell whether a name follows a civility in a text in lower case: « mme untel »."""
    for match in CIVIL.finditer(folded):
        who = re.sub(r"^(?:d'|(?:le|la|de|du|des|el|al|ben|van|von|dos|da|di)\s)", "", match["who"])
        who = re.split(r"[.'*\-]", who)[0]
        if len(who) == 1 and who.isalpha():
            return True  # an initial
        if who and who not in COMMON and who not in NOT_NAMES and not who[0].isdigit():
            return True
    return False


def _by_title(folded: str, known: Known) -> bool:
    if has_civility(folded):
        return True
    for match in ROLE.finditer(folded):
        if any(m[0] in PLACES for m in WORD.finditer(folded, 0, match.start())):
            continue  # « rue du docteur Untel »
        told = [low for _, low in _tokens(match["who"])]
        if told and told[0] not in COMMON | PLACES and _may_name(told[0], known):
            return True
    return False


def _may_name(low: str, known: Known) -> bool:
    return len(low) > 2 and known.evidence(low) >= UNLIKELY


def _by_initial(bare: str, known: Known) -> bool:
    return any(
        known.evidence(who.lower()) >= UNLIKELY
        for match in INITIAL.finditer(bare)
        for who in re.findall(r"[A-Za-z]{2,}", next(filter(None, match.groups())))[:1]
    )
