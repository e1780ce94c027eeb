"""Texts in which a person may be recognised: number plates, telephones, names, and others.

Run at the door, on what the contract does not vouch for by itself. Detectors are expressions in
linear time (RE2, through Arrow), on the text made plain first: full-width digits, odd dashes and
spaces, invisible characters, HTML and percent codes do not hide anybody. Family and first names
are recognised by list and by form; the names of streets, schools and squares are no person's.
"""

from __future__ import annotations

import html
import re
from functools import cache
from itertools import pairwise
from unicodedata import combining, normalize
from urllib.parse import unquote

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from helpers.collect.names import AMBIGUOUS, FAMILY, FIRST

REASONS = (
    "courriel", "compte", "nir", "telephone", "plaque", "matricule", "naissance",
    "numero_de_voie", "nom", "texte_libre",
)  # fmt: skip
LONGEST = 2_000  # characters looked at: beyond, a text is free text whatever it says
FREE_TEXT = 220  # characters that no label or code reaches
WAYS = (
    r"rue|r\.|avenue|av\.?|ave|boulevard|bd\.?|bld|blvd|boul|bvd|place|pl\.?|allees?|all\.?|impasse"
    r"|imp\.?|chemin|che\.?|ch\.|traverse|trav\.?|tra|montee|mtee?|cours|crs|quai|corniche|cor|square"
    r"|sq|route|rte\.?|voie|esplanade|esp|passage|pass|residence|res\.?|lotissement|lot\.?|hlm|cite"
    r"|batiment|hameau|faubourg|fbg|fg|sentier|ruelle|rond-point|promenade|prom|vallon|domaine|clos"
    r"|villa|parvis|escaliers?|mail|galerie|passerelle|digue"
)
SPAN = r"[\s.\-/_]*"
CODES = {  # on the folded text: lower case, no accents
    "courriel": r"[a-z0-9_%+\-][a-z0-9._%+\-]*\s?(?:@|[(\[{<]\s?(?:at|a|arobase)\s?[)\]}>]"
    r"|\s(?:at|arobase|arobas)\s)\s?[a-z0-9\-]+(?:(?:\s?(?:\.|[(\[{<]\s?(?:dot|point)\s?[)\]}>])\s?"
    r"|\s(?:point|dot)\s)[a-z0-9\-]{2,})+",
    "compte": r"\b[a-z]{2}\d{2}(?:\s?[0-9a-z]{4}){4,6}(?:\s?[0-9a-z]{1,3})?\b"
    r"|(?:^|[\s(:,;])@[a-z0-9_][a-z0-9_.]{2,}"
    r"|\b(?:insta(?:gram)?|snap(?:chat)?|tik ?tok|facebook|fb|twitter|whats ?app|telegram|linkedin)"
    r"\s?(?:[:=@/]|\.com/)\s?@?[a-z0-9_.]{3,}",
    "nir": r"(?:^|[^0-9])[12378]\s?\d{2}\s?(?:0[1-9]|1[0-2]|[2-4]\d|[5-9]\d)\s?(?:\d{2}|2[ab])\s?"
    r"\d{3}\s?\d{3}(?:\s?[/\-]?\s?\d{2})?(?:[^0-9]|$)",
    "telephone": rf"(?:\+|\b00)\s?33{SPAN}(?:\(\s?0\s?\)|0)?{SPAN}[1-9](?:{SPAN}\d{{2}}){{4}}\b"
    rf"|(?:^|[^0-9.,+])0{SPAN}[1-9](?:{SPAN}\d{{2}}){{4}}(?:[^0-9]|$)"
    r"|(?:^|[^0-9])0(?:[\s.\-]\d){9}(?:[^0-9]|$)"
    r"|(?:^|[^0-9])0[1-9]\d(?:[\s.\-]\d{3}){2}[\s.\-]?\d(?:[^0-9]|$)"
    r"|(?:^|[^0-9])0[1-9]\d{2}(?:[\s.\-]\d{3}){2}(?:[^0-9]|$)"
    r"|(?:\+|\b00)\s?[1-9]\d{0,2}(?:[\s.\-]?\d){8,11}(?:[^0-9]|$)"
    r"|\b(?:tel|telephone|portable|gsm|mobile|tph|fax)\b\D{0,4}(?:\d[\s.\-]?){8,}"
    r"|(?:^|\s)[67](?:[\s.\-]?\d{2}){4}(?:\s|$)",
    "matricule": r"\b(?:matricule|matr?\.?|rio|nigend|code agent|num(?:ero)?\.? agent|agent|gardien"
    r"|brigadier(?:[\s\-]chef)?|bc|asvp|apja|adj|opj|pm|gpx|gav)\s?(?:n[o°]?\.?|num(?:ero)?\.?|[:#\-])?"
    r"\s?(?:[a-z]{1,2}-?)?\d{3,8}\b|\bag-?\d{4,6}\b",
    "naissance": r"\bnee?\(?e?\)?\s(?:le|en|vers)\s?[^a-z]{0,3}(?:\d|1er)"
    r"|\b(?:date de naissance|ddn)\b",
    "numero_de_voie": rf"(?:^|[^0-9a-z])\d{{1,4}}\s?(?:bis|ter|quater|[a-d])?\s?[,;:]?\s*"
    rf"(?:(?:dans|sur|de|du|la|le|l'|au)\s?){{0,3}}(?:{WAYS})(?:\s|$)"
    r"|\b(?:apt|appt|apprt|appartement|digicode|interphone|interph|porte|etage|logt?|chambre)\b\.?\s?"
    r"(?:n[o°]\s?)?[a-z]?\d{1,4}[a-z]?\b|\b\d{1,2}(?:er|e|eme|ieme)\setage\b"
    r"|\b(?:bat|batiment|esc|escalier|bt|entree)\b\.?\s?[a-k]\d?(?:$|[\s,;]+(?:$|apt|appt|app|esc|etage"
    r"|porte|\d|n[o°]|[a-z]+ (?:gauche|droite)))"
    rf"|\b(?:{WAYS})\s[a-z' \-]{{2,40}},?\s(?:n[o°]\s?|au\s)\d{{1,4}}\b",
}  # fmt: skip
# A day and an hour are digits enough for a telephone, and nobody writes one so.
MOMENT = r"\b\d{1,2}([/.\-])\d{1,2}[/.\-](?:19|20)\d{2},? ?(?:a |t)?\d{1,2}[:h]\d{2}\b"
# A plate of 1950: digits, letters, department. Hours, ordinals and units look like it.
OLD_PLATE = re.compile(
    r"(?<![\w-])\d{1,4}[ .\-]?([a-z]{1,3})[ .\-]?(?:0[1-9]|[1-8]\d|9[0-5]|2[ab]|97[1-6])(?![\w-])"
)
NEW_PLATE = (
    r"(?:^|[^a-z0-9])(?:ww|[a-hj-np-tv-z]{2})[\s.\-_/]{0,2}\d{3}[\s.\-_/]{0,2}"
    r"[a-hj-np-tv-z]{2}(?:[^a-z0-9]|$)"
)
MAYBE_OLD = r"\d{1,4}[ .\-]?[a-z]{1,3}[ .\-]?\d"
NOT_PLATES = frozenset(
    "h e er m km kg l cm mm min bis ter rue av ave bd pl all imp che tra crs de du a et ou au s c "
    "eme ans mn g t x n no sur place p kw w v".split()
)
PLACES = re.compile(
    rf"\b(?:{WAYS}|ecole|college|lycee|gymnase|stade|piscine|parc|jardin|plage|port|pont|tunnel|gare"
    r"|metro|station|arret|tramway|tram|bus|hopital|clinique|eglise|mosquee|synagogue|cathedrale|theatre"
    r"|cinema|musee|bibliotheque|mediatheque|mairie|centre|maison|creche|maternelle|elementaire|fac"
    r"|faculte|universite|campus|caserne|commissariat|marche|halle|tour|immeuble|groupe|complexe|espace"
    r"|salle|stele|monument|statue|fontaine|cimetiere|calanque|anse|ile|iles|fort|porte|zone|secteur"
    r"|quartier|carrefour|rocade|autoroute|viaduc|foyer|creps|ephad|ehpad|club|fc|ac|as|us|aj|stade|"
    r"villages?|boulodrome|palais|chateau|bastide|mas|val|mont|saints?|saintes?|st|ste|notre-dame|nd)\b"
)
CIVIL = re.compile(
    r"\b(?:m\.|mm\.|mr\.?|mrs|mmes?|mlle?s?|melle|monsieur|madame|mademoiselle|messieurs|mesdames"
    r"|sieur|consorts|veuve|vve|epx|epouse|epoux|garde a vue de|requerante?|mis en cause"
    r"|plaignante?|riveraine?|temoin|victime|auteur|suspecte?|gardienne?|locataire|proprietaire|concierge"
    r"|voisine?|contact|interpelle|alias|surnomme|dite?|brigadier(?:[ -]chef)?|adjudant|sergent"
    r"|major|capitaine|lieutenant|commandant|agent)\s?:?\s+"
    r"(?=(?P<who>(?:(?:le|la|de|du|des|el|al|ben|van|von|dos|da|di|d')\s+)?[\w'’.\-]+))"
)
TITLES = frozenset("dr docteur me maitre pr professeur famille gardien".split())
CAPITAL = re.compile(r"^[A-ZÀ-ÖØ-Þ][\w'’\-]*\.?$")
INITIAL = re.compile(
    r"(?<![\w.])(?:[A-ZÀ-Þ]\.[ \-]?){1,3} ?[A-ZÀ-Þ][a-zà-ÿA-ZÀ-Þ'’\-]{2,}(?![\w])"
    r"|(?<![\w.])[A-ZÀ-Þ]{3,} [A-ZÀ-Þ]\.(?![\w.]\w)"
)
# One or two letters beside a digit are of a code, not a word.
WORDS = re.compile(r"(?:(?<![^\W_])[^\W\d_]{1,2}(?![^\W_])|[^\W\d_]{3,})(?:['’\-][^\W\d_]+)*\.?")
CIVILITIES = frozenset(
    "m mm mr mrs mme mmes mlle mlles melle monsieur madame mademoiselle messieurs mesdames".split()
)
# Functions and words that name nobody by themselves: the name must be of the lists.
FUNCTIONS = frozenset("agent gardien gardienne contact dit dite".split())
FOREIGN = re.compile(r"(?:i|ian|yan|ou|ez|eddine|oglu|ane|ska|ova|escu|our|im|ah|ed|ida|ira|uyen)$")
SURELY = re.compile(r"[a-z]{3}(?:ian|yan|oglu|cci|elli|etti|escu|eddine)$")
# Words that follow a civility or a function without naming anybody.
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
SPOKEN = re.compile(
    r"\b(?:je|j'ai|j|il|elle|ils|elles|nous|vous|on|m'a|s'est|c'est|est|sont|etait|etaient|avait"
    r"|ont|a ete|declare|signale|refuse|demande|habite|dit|indique|precise|vient|veut|fait|voisin"
    r"|voisine|mon|ma|mes|son|sa|ses|leur|merci|bonjour|svp)\b"
)


def screen(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return, for each text (n,), the reason code of the first detector that recognises it.

    Null where nobody is recognised, and where the value is null. Never raises on a text.
    """
    texts = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    lengths = pc.utf8_length(texts)
    plain = _plain(pc.utf8_slice_codeunits(texts, 0, LONGEST))
    folded = pc.replace_substring_regex(_folded(plain), MOMENT, " ")
    found = np.full(len(texts), None, dtype=object)
    for reason, pattern in CODES.items():
        if reason == "matricule":
            _mark(found, "plaque", _matches(folded, NEW_PLATE))
            _mark(found, "plaque", _old_plates(folded))
        _mark(found, reason, _matches(folded, pattern))
    _mark(found, "texte_libre", _true(pc.greater(lengths, FREE_TEXT)))
    words = _matches(folded, r"[a-z]{2}")
    for i in np.flatnonzero(words & (found == np.array(None))):
        found[i] = _spoken_of(plain[i].as_py(), folded[i].as_py())
    return pa.array(found, pa.string())


def _plain(texts: pa.Array) -> pa.Array:
    """Return the texts without what hides them: codes, full widths, odd dashes and spaces."""
    coded = np.flatnonzero(_matches(texts, r"&#?\w+;|%[0-9A-Fa-f]{2}"))
    if len(coded):
        held = texts.to_pylist()
        for i in coded:
            held[i] = html.unescape(unquote(held[i], errors="replace"))
        texts = pa.array(held, pa.string())
    texts = pc.utf8_normalize(texts, form="NFKC")
    texts = pc.replace_substring_regex(texts, r"[\p{Cf}\x{FE0F}]", "")
    texts = pc.replace_substring_regex(texts, r"[\p{Pd}\x{2212}]", "-")
    texts = pc.replace_substring_regex(texts, r"[’‘`´]", "'")
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(texts, r"[\s\p{Z}\x00]+", " "))


def _folded(texts: pa.Array) -> pa.Array:
    """Return the texts in lower case, without accents."""
    apart = pc.utf8_normalize(pc.utf8_lower(texts), form="NFKD")
    return pc.replace_substring_regex(apart, r"\p{Mn}", "")


def _true(found: pa.Array) -> npt.NDArray[np.bool_]:
    mask: npt.NDArray[np.bool_] = found.fill_null(False).to_numpy(zero_copy_only=False)
    return mask.copy()


def _matches(texts: pa.Array, pattern: str) -> npt.NDArray[np.bool_]:
    return _true(pc.match_substring_regex(texts, pattern))


def _mark(found: npt.NDArray[np.object_], reason: str, mask: npt.NDArray[np.bool_]) -> None:
    found[mask & (found == np.array(None))] = reason


def _old_plates(folded: pa.Array) -> npt.NDArray[np.bool_]:
    """Return which texts hold a plate of before 2009: looked at one by one, where it may be."""
    found = _matches(folded, MAYBE_OLD)
    for i in np.flatnonzero(found):
        plates = OLD_PLATE.finditer(folded[i].as_py())
        found[i] = any(plate[1] not in NOT_PLATES for plate in plates)
    return found


def _spoken_of(plain: str, folded: str) -> str | None:
    """Return the reason why a text in words names somebody, or says too much; else None."""
    if _names_somebody(plain, folded):
        return "nom"
    told = len(SPOKEN.findall(folded))
    if told >= 3 or (told >= 2 and len(folded) > 60) or (told >= 1 and len(folded) > 120):
        return "texte_libre"
    return None


def _names_somebody(plain: str, folded: str) -> bool:
    place = PLACES.search(folded)
    start = place.start() if place else len(folded)
    if any(_is_somebody(match, folded, start) for match in CIVIL.finditer(folded)):
        return True
    if place is None and INITIAL.search(plain):
        return True
    words = [(m[0].rstrip("."), m.start()) for m in WORDS.finditer(plain)]
    upper = plain.upper() == plain
    return any(
        _is_pair(one, other, upper=upper)
        for (one, at), (other, _) in pairwise(words)
        if at < start  # what follows « rue », « école »… is the name of the place
    )


def _is_somebody(match: re.Match[str], folded: str, place: int) -> bool:
    """Tell whether what follows a civility or a function is somebody's name."""
    who = match["who"].split(" ")[-1].strip(".'")
    title = match[0].split(" ")[0].rstrip(":.")
    if len(who) < 2 or who in COMMON or PLACES.match(folded, match.start("who")):
        return False
    if match.start() > place and title not in CIVILITIES:
        return False
    return title not in FUNCTIONS or _is_first(who) or who in FAMILY


@cache
def _key(word: str) -> str:
    return "".join(c for c in normalize("NFKD", word.lower()) if not combining(c))


def _is_first(key: str) -> bool:
    return key in AMBIGUOUS or any(part in FIRST for part in key.split("-"))


def _is_pair(one: str, other: str, *, upper: bool) -> bool:
    """Tell whether two words that follow each other name somebody, in whichever order.

    A first name and a family name of the lists; a first name of the list and any capitalised
    word; a capitalised word and a family name; a title and a capitalised word. In a text all in
    capitals, these tell nothing: the other word is then of the list too, or ends as French words
    hardly do.
    """
    if _key(one) in TITLES and CAPITAL.match(other) and _key(other) not in COMMON:
        return _key(other) in FAMILY if upper else one.lower() != "me" or one == "Me"
    if _is_called(one, other, upper=upper) or _is_called(other, one, upper=upper):
        return True
    named = _key(other) in FAMILY or bool(SURELY.search(_key(other)))
    return named and not upper and bool(CAPITAL.match(one) and CAPITAL.match(other))


def _is_called(first: str, name: str, *, upper: bool) -> bool:
    key, other = _key(first), _key(name)
    if not _is_first(key):
        return False
    if other in FAMILY and other != key:
        return True
    if key in AMBIGUOUS or not (CAPITAL.match(first) and CAPITAL.match(name)):
        return False
    if len(other) == 1 or other not in COMMON:
        return not upper or bool(FOREIGN.search(other))
    return False
