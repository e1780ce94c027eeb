"""Signs of a person that have a form of their own: expressions in linear time (RE2, by Arrow).

They read the folded text: lower case, no accents. Plates are a matter of form alone; what has a
key, or a plan of numbering by country, is looked at in numbers.py. Each line of a kind is one way
of writing it.
"""

from __future__ import annotations

WAYS = (
    r"rue|r\.|avenue|av\.?|ave|boulevard|bd\.?|bld|blvd|boul|bvd\.?|place|pl\.?|allees?|all\.?"
    r"|impasse|imp\.?|chemin|che\.?|ch\.|traverse|trav\.?|tra|montee|mtee?|cours|crs|quai|corniche"
    r"|cor|square|sq|route|rte\.?|voie|esplanade|esp|passage|pass|residence|res\.?|lotissement"
    r"|lot\.?|hlm|cite|batiment|hameau|ham\.?|faubourg|fbg|fg|sentier|ruelle|rond-point|promenade"
    r"|prom|vallon|domaine|clos|villa|parvis|escaliers?|mail|galerie|passerelle|digue|grand'?rue"
)
SPAN = r"[\s.\-/_*|;:]*"
JOINED = r"(?:\s?[.\-]\s?|\s{0,2})"
COMMA = r"\s?,\s?"
PAIR = r"[\s.\-/_*|;:,]{0,3}"
# Where digits are many, a letter O does for a zero, I and L for a one, S for a five.
DIGIT = "[0-9oils]"
NO_DIGIT_BEFORE, NO_DIGIT_AFTER = r"(?:^|[^0-9])", r"(?:[^0-9]|$)"
NO_SIGN_BEFORE = r"(?:^|[^a-z0-9])"

_ADDRESS = r"(?:@|[(\[{<]\s?(?:at|a|arobase)\s?[)\]}>]|\s(?:at|arobase|arobas)\s)"
_DOT = r"(?:[.,]|\s?[(\[{<]\s?(?:dot|point)\s?[)\]}>]\s?|\s(?:point|dot)\s)"
_MAILS = "gmail|hotmail|yahoo|orange|free|sfr|wanadoo|laposte|outlook|live|icloud"
_NETWORKS = (
    r"insta(?:gram)?|snap(?:chat)?|tik ?tok|facebook|fb|twitter|whats ?app|telegram|linkedin|twitch"
    r"|youtube|discord|steam|pseudo|login|identifiant de connexion"
)
# What an officer, a form or a card bears, told by its name and followed by digits.
_PAPERS = (
    r"ecrou|licen[cs]e|permis(?: de conduire)?|fiscal|spi|rpps|adeli|siren|siret|imei|imsi|iccid"
    r"|carte (?:pro(?:fessionnelle)?|d'identite|vitale|de sejour|bancaire|bleue)|cni|passeport"
    r"|titre de sejour|etranger|fpr|ipp"
    r"|dossier (?:mdph|caf|cpam|medical|scolaire|social)|allocataire"
    r"|num(?:ero)? (?:secu|de securite sociale)|secu|nir|ine|agdref|ants|cb|iban|rib"
)
_NATIONS = (
    r"algerien|marocain|tunisien|espagnol|italien|allemand|belge|suisse|roumain|polonais"
    r"|anglais|britanni|portugais|neerlandais|monegasque|bulgare|etrangere|luxembourg"
)
_RANKS = (
    r"matricule|matr?\.?|mle|r\.?i\.?o\.?|brassard|badge|nigend|code agent|num(?:ero)?\.? agent"
    r"|agent(?: municipal)?|gardien|brigadier(?:[\s\-]chef)?|bc|asvp|apja|adj|opj|pm|gpx|gav|ag"
)
# After a dash, a year and a number are those of a record: « PM-2024-00123 ».
_NO_YEAR = r"(?:\d{3}|\d{5,8}|(?:1[0-8]|2[1-9]|[03-9]\d)\d{2})\b|(?:19|20)\d{2}(?:$|[^0-9a-z\-])"
_YOUNG_OR_OLD = (
    r"gamine?|gosse|j\.?[fh]\.?|fille|garcon|homme|femme|mineure?|enfant|jeune|ado|adolescente?"
    r"|eleve|monsieur|madame|individu|retraitee?|dame|fillette|garconnet|bebe|nourrisson|papi|papy"
    r"|mamie|vieillard|lyceen(?:ne)?|collegien(?:ne)?|ecoliere?|etudiante?|fils|mere|pere"
)
_DOORS = r"apt|app|appt|apprt|appartement|digicode|interphone|interph|porte|etage|logt?|chambre"
_KIN = (
    r"compagn(?:on|e)|mari|femme|epou(?:x|se)|fils|fille|freres?|soeurs?|mere|pere|parents"
    r"|enfants?|voisine?s?|concubine?|conjointe?|copine?|petite? amie?|amante?|cousine?|oncle"
    r"|tante|neveu|niece|patron|grand[\s\-](?:mere|pere)|belle[\s\-](?:mere|soeur|fille)"
    r"|beau[\s\-](?:pere|frere|fils)"
)
_FUNCTIONS = (
    r"gerante?|gardien(?:ne)?|presidente?|patron(?:ne)?|directeur|directrice|proprietaire|locataire"
    r"|concierge|boulangere?|cure|imam|pretre|rabbin|maire|medecin|infirmiere?|serveur|serveuse"
    r"|professeure?|instituteur|institutrice"
)


def _nir(between: str) -> str:
    """Return the form of a social security number, its parts joined by `between`."""
    month = r"(?:0[1-9]|1[0-2]|[2-9]\d)"  # beyond twelve, of who was born without a known one
    parts = ("[12378]", r"\d{2}", month, r"(?:\d{2}|2[ab])", r"\d{3}", r"\d{3}")
    return f"{NO_DIGIT_BEFORE}{between.join(parts)}(?:{between}\\d{{2}})?{NO_DIGIT_AFTER}"


_SIGNS = {
    "courriel": (
        rf"[a-z0-9_%+\-](?:[a-z0-9._%+\-]|\spoint\s)*\s?{_ADDRESS}\s?[a-z0-9\-]+"
        rf"(?:\s?{_DOT}\s?[a-z0-9\-]{{2,}})+",
        r"[a-z0-9_%+\-][a-z0-9._%+\-]*@[a-z0-9\-]+\s[a-z]{1,8}\.[a-z]{2,4}\b",
        rf"[a-z0-9._\-]{{3,}}\s?(?:@|\sat\s|\sarobase\s)\s?(?:{_MAILS})\b",
    ),
    "compte": (
        r"\b[a-z]{2}\d{2}(?:[\s.\-]?[0-9a-z]{4}){4,6}(?:[\s.\-]?[0-9a-z]{1,3})?\b",  # IBAN
        r"\bcompte\s(?:n[o°.]?|numero)\s?\d(?:[\s.\-]?\d){7,}",
        # A card whose middle is hidden: « 4970 **** **** 3035 ».
        rf"{NO_DIGIT_BEFORE}\d{{4}}[\s.\-]?(?:\d{{2}})?(?:[\s.\-]?[*x]{{2,4}}){{2,3}}[\s.\-]?\d{{4}}"
        rf"{NO_DIGIT_AFTER}",
        r"(?:^|[\s(:,;/])@[a-z0-9_][a-z0-9_.]{2,}",
        rf"\b(?:{_NETWORKS})\s?(?:[:=@/]|\.com/)?\s?@?[a-z_.]*[a-z0-9_.]{{3,}}\d\b",
        rf"\b(?:{_NETWORKS})\s?(?:[:=@/]|\.com/)\s?@?[a-z0-9_.]{{3,}}",
        rf"[\w.]{{3,}}#\d{{4}}{NO_DIGIT_AFTER}",
        r"\blogin\s?[:=]?\s[a-z]\.?[a-z]{5,}$",
        r"\b[a-z]:\\(?:users|utilisateurs)\\\S",
        r"/(?:home|users)/[a-z]",
        r"\bhttps?://|\bwww\.",
        r"\b[a-z0-9\-]+\.(?:fr|com|me|ly|net|org|gg|io|tv)/\S+",
    ),
    # One comma makes a decimal; between all the parts, it is no number's.
    "nir": (_nir(JOINED), _nir(COMMA)),
    "identifiant": (
        rf"\b(?:{_PAPERS})\b[^0-9]{{0,14}}\d(?:[\s.\-/]?[0-9a-z]){{3,}}",
        # Of a machine: its card, its address, its application.
        r"\b(?:[0-9a-f]{2}[:\-]){5}[0-9a-f]{2}\b|\b[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}\b",
        r"\b(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}\b|\bfe80::[0-9a-f:]+",
        r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b",
        r"\b(?:android_?id|idfa|gaid|uuid|mac|ssid)\b\W{0,3}[0-9a-z\-]{6,}",
        r"(?:^|[^0-9.])(?:10|127|172|192|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])(?:\.\d{1,3}){3}"
        r"(?:[^0-9.]|$)",
    ),
    "telephone": (
        rf"(?:\+|\b00)\s?\(?33\)?{SPAN}(?:\(\s?0\s?\)|0)?{SPAN}[1-9](?:{SPAN}\d{{2}}){{4}}"
        rf"{NO_DIGIT_AFTER}",
        rf"\(\+?\s?33\){SPAN}0?[1-9](?:{SPAN}\d{{2}}){{4}}",
        rf"(?:^|[^0-9a-z.,+]|[^0-9.,+][a-z])[0o][\s\-/_]?[1-9]{SPAN}(?:\)\s?)?"
        rf"(?:{PAIR}{DIGIT}{{2}}){{4}}{NO_DIGIT_AFTER}",
        rf"{NO_DIGIT_BEFORE}0(?:[\s.\-]\d){{9}}{NO_DIGIT_AFTER}",
        rf"(?:^|[^0-9.,])0[1-9](?:[\s.\-]?\d){{8}}{NO_DIGIT_AFTER}",
        rf"{NO_DIGIT_BEFORE}0\s[1-9]\d{{2}}\s\d{{3}}\s\d{{3}}{NO_DIGIT_AFTER}",
        r"\b(?:tel|telephone|portable|gsm|mobile|tph|fax|rappeler|appeler|joindre)\b\D{0,4}"
        r"(?:\d[\s.\-]?){8,}",
        rf"(?:^|[^0-9.,\-/:])[67](?:[\s.\-]?\d{{2}}){{4}}{NO_DIGIT_AFTER}",
    ),
    "plaque": (
        # France since 2009, letters for digits too, its department or its colour beside it.
        rf"{NO_SIGN_BEFORE}(?:ww|[a-z]{{2}})[\s.,\-_/*:|]{{0,2}}"
        r"(?:\d[0-9oizl][0-9oizl]|[oizl]\d[0-9oizl]|[oizl]{2}\d)[\s.,\-_/*:|]{0,2}"
        r"[a-hj-np-z]{2}(?:[^a-z0-9]|$|[\s\-]?\d{2}\b)",
        rf"{NO_SIGN_BEFORE}[a-hj-np-tv-z]{{2}}\d{{3}}[a-hj-np-tv-z]{{2}}"
        r"(?:gris|noir|blanc|bleu|roug|vert)",
        r"\b(?:plaque|immat[a-z]*\.?|immatriculee?|immatriculation)s?\b[\s:]*(?:[a-z]+\s){0,2}"
        r"[a-z0-9]{1,4}[\s\-.]?[a-z0-9]{1,4}[\s\-.]?[a-z0-9]{0,4}\d",
        r"(?:plaque|immat[a-z]{0,13}?)\s?[a-z]{2}[\s\-]?\d{3}[\s\-]?[a-z]{2}",
        rf"\b(?:{_NATIONS})[a-z]*\s[a-z]{{0,3}}[\s\-]?\d{{1,5}}[\s\-]?[a-z]{{1,3}}[\s\-]?\d{{0,4}}"
        r"(?:\W|$)",
        r"(?:^|[^0-9\-])\d{4,6}[\s\-]\d{3}[\s\-](?:[0-5]\d)(?:[^0-9\-]|$)",  # Algeria
        rf"{NO_DIGIT_BEFORE}\d{{1,3}}\s?(?:tun\s?\d{{1,4}}|tu\s?\d{{3,4}}){NO_DIGIT_AFTER}",
        rf"{NO_DIGIT_BEFORE}\d{{1,5}}[\s\-|]{{1,3}}[abdeh][\s\-|]{{1,3}}\d{{1,2}}{NO_DIGIT_AFTER}",
        # Diplomats, and cars not yet registered.
        rf"{NO_SIGN_BEFORE}(?:c|cd|k|cmd)\s\d{{3}}[\s\-]\d{{3,4}}{NO_DIGIT_AFTER}",
        rf"{NO_SIGN_BEFORE}\d{{1,4}}\s(?:c|cd|k|cmd|cc)\s\d{{1,3}}{NO_DIGIT_AFTER}",
        rf"{NO_SIGN_BEFORE}w\s?\d{{3}}\s?[a-z]{{1,2}}\s?\d{{2}}{NO_DIGIT_AFTER}",
    ),
    "matricule": (
        rf"\b(?:{_RANKS})(?:(?:\s?(?:n[o°]?\.?|num(?:ero)?\.?|[:#])\s?|\s{{1,2}})(?:[a-z]{{1,2}}-?)?)?"
        r"\d{3,8}\b",
        rf"\b(?:{_RANKS})\s?-\s?(?:[a-z]{{1,2}}-?)?(?:{_NO_YEAR})",
        r"\b(?:indicatif|radio)\s(?:[a-z]{2}\s?)?\d{2}[a-z]\d{2}\b",
    ),
    "naissance": (
        r"\bnee?s?\(?e?\)?\s(?:(?:le|en|vers)\s?)?[^a-z0-9]{0,3}"
        r"(?:\d{1,2}[/.\- ]|\d{4}|1er)",
        r"\b(?:date de naissance|ddn|naissance)\b\W{0,3}\d|\b(?:date de naissance|ddn)\b",
        r"°\s?\d{1,2}[/.\-]\d{1,2}[/.\-]\d{2,4}",
        r"\d{4}\s\(?naissance\b",
        r"\bborn\s(?:\s|(?:on|in)?\s?\d)",
        r"\bn\.\s?\d{1,2}[/.\-]\d{1,2}[/.\-]\d{2,4}",
        r"\bagee?s?\s(?:d[e']\s?)?(?:environ\s)?\d{1,2}\b|\bage\s?:\s?\d{1,2}\sans\b",
        rf"\b(?:{_YOUNG_OR_OLD})\s(?:de\s)?\(?\d{{1,2}}\s?ans\b",
    ),
    "numero_de_voie": (
        # The number, then the way.
        rf"(?:^|[^0-9a-z])\d{{1,4}}\s?(?:bis|ter|quater|[a-d])?\s?[,;:]?\s*"
        rf"(?:(?:dans|sur|de|du|la|le|l'|au)\s?){{0,3}}(?:{WAYS})(?:\s|$)",
        r"^\d{1,4}\s?(?:bis|ter|quater)?,?\s(?:la|le|les|l')\s?[a-z]{3,}",
        r"^\d{1,4}\s?(?:bis|ter)?,?\sr\s[a-z' \-]{3,30}(?:\d{5}|$)",
        r"^0{0,3}[1-9]\d{0,3}\s?(?:bis|ter)?,\s?[a-z' \-]{3,30}"
        r"\((?:rue|avenue|boulevard|bd|place|chemin)\)",
        # The way, then the number.
        rf"\b(?:{WAYS})\s[a-z' \-]{{2,40}},?\s(?:n[o°]?\.?\s?|au\s|numero\s)\d{{1,4}}\b",
        rf"^(?:{WAYS})\s[a-z' \-]{{3,30}},\s?\d{{1,3}}$",
        rf"\b(?:{WAYS})\s(?:des?|du|de la)\s[a-z' \-]{{2,30}},?\s?\(?\d{{1,4}}\)?(?: bis| ter)?$",
        r"^r\s[a-z' \-]{3,30}\s\d{1,3}$",
        r"\bdomicile\s?:\s?\d",
        r"\bau\s\d{1,4}(?:\s(?:bis|ter))?\s?,|\bnumero\s\d{1,4}\b\s?,",
        # A door, a floor, a house, a plot.
        rf"\b(?:{_DOORS})\b\.?\s?(?:n[o°]\s?)?[a-z]?\d{{1,4}}[a-z]?\b",
        r"\bdigicode\b\s?:?\s?[a-z]?\d",
        r"\b\d{1,2}(?:er|e|eme|ieme)\setage\b",
        r"\b(?:bat|batiment|esc|escalier|bt|entree|tour|bloc)\b\.?\s?[a-k]\d?"
        r"(?:$|[\s,;]+(?:$|apt|appt|app|esc|etage|porte|\d|n[o°]|[a-z]+ (?:gauche|droite)))",
        r"\b(?:lot|bloc|villa|maison|pavillon)\s?n?[o°]?\s\d{1,4}\b",
        r"\bvilla\s(?:\"|mon\b|ma\b|les\b)",
        r"\bparcelle\s(?:[a-z]{1,2}\s?\d{1,4}\b|\d{1,4}\s?[a-z]{0,2}\s?\d*)|\bcadastr(?:e|al)",
        # One point of the earth.
        r"[\-+]?\d{1,2}\.\d{4,}\s?[,; ]\s?[\-+]?\d{1,3}\.\d{4,}",
        r"[\-+]?\d{1,2},\d{4,}\s?[; ]\s?[\-+]?\d{1,3},\d{4,}",
        r"\b\d{1,2}°\s?\d{1,2}(?:['.]|\s?\d)[^°]{0,14}\d{1,3}°",
        r"\b[ns]\s?\d{1,2}\s\d{1,2}\.\d{2,}",
        r"\b\d{1,2}[c-x][a-hj-np-z]{2}\d{8,10}\b",
        r"\blat(?:itude)?\s?[=:]\s?-?\d{1,2}[.,]\d{4,}",
        r"\b[2-9cfghjmpqrvwx]{8}\+[2-9cfghjmpqrvwx]{2,3}\b|///?[a-z]+\.[a-z]+\.[a-z]+",
    ),
    "designation": (
        rf"\b(?:son|sa|ses|mon|ma|mes|leurs?|votre|l')\s?(?:ex[\s\-])?(?:{_KIN})s?\b",
        r"\bl'?\s?ex[\s\-](?:compagn(?:on|e)|mari|femme|epou(?:x|se))\b",
        rf"\b(?:le|la|l'|un|une|patron(?:ne)?)\s?(?:{_FUNCTIONS})\s(?:d|chez)",
        r"\bpatron(?:ne)?\s(?:du\s)?(?:bar|snack|cafe)|^(?:adjointe? au )?maire (?:de|du)\b",
        r"\bl'eleve\b|\b(?:la|le|une?)\s(?:vieille|vieux|jeune|grosse?|grande?)\s(?:dame|homme"
        r"|femme|fille|monsieur|garcon)\b",
        r"\ble\s(?:gitan|rom|manouche|turc|arabe|noir|comorien)\b",
        r"\b(?:[a-z]\.\s?){2,3}(?:[,(]\s?)?(?:mineure?|majeure?|agee?|victime|domicilie|nee?"
        r"|\d{1,2}\sans)\b",
        # « le mari de la boulangère »: of whom, not of what.
        rf"(?:^|[,;:]\s?|\b(?:chez|par|avec|contre|et)\s)(?:le|la|l')\s?(?:{_KIN})\s(?:du|des?)\b",
    ),
}  # fmt: skip
CODES = {reason: "|".join(ways) for reason, ways in _SIGNS.items()}

# A plate of before 2009: digits, letters, department. Hours, ordinals and units look like it.
OLD_PLATE = (
    r"(?<![\w-])\d{1,4}[ .\-]?([a-z]{1,3})[ .\-]?0?(?:0[1-9]|[1-8]\d|9[0-5]|2[ab]|97[1-6])(?![\w-])"
)
MAYBE_OLD = r"\d{1,4}[ .\-]?[a-z]{1,3}[ .\-]?\d"
_CANTONS = "A[IR]|B[ELS]|FR|G[ELR]|JU|LU|N[EW]|OW|S[GHOZ]|T[GI]|UR|V[DS]|Z[GH]"
# In capitals only, since words in lower case are written so too.
_CAPITALS = {
    "moped": r"[A-Z]{2}[\s\-]\d{2}[\s\-][A-Z]{1,2}",
    "French passport": r"[012]\d[A-Z]{2}\d{5}",
    "Austria": r"[A-Z]{1,2}-\d{5}[A-Z]",
    "Belgium": r"[1-9]-[A-Z]{3}-\d{3}",
    "Britain": r"[A-Z]{2}\d{2}\s?[A-Z]{3}",
    "Bulgaria, Ukraine": r"[A-Z]{2} \d{4} ?[A-Z]{2}|[A-Z]{2}-\d{4}-[A-Z]{2}|[A-Z]{2} \d{4}[A-Z]",
    "Germany": r"[A-Z]{1,3}[\s\-][A-Z]{1,2}[\s\-]\d{3,4}|[A-Z]{1,3}[\s\-][A-Z]{1,2} \d{1,3}[EH]",
    "Netherlands": r"[A-Z]{2}-\d{3}-[A-Z]|\d{2}-\d{2}-[A-Z]{2}",
    "Netherlands, Portugal": r"\d{2}-[A-Z]{2}-\d{2}|[A-Z]{2}-\d{2}-\d{2}",
    "Romania, Poland": r"[A-Z][\s\-]\d{2,3}[\s\-][A-Z]{2,3}|[A-Z]{1,2}[\s\-]\d{2,3}[\s\-][A-Z]{3}",
    "Russia": r"[A-Z]\d{3}[A-Z]{2} ?\d{2,3}",
    "Spain": r"\d{4}[\s\-][B-DF-HJ-NP-TV-Z]{3}|[A-Z]-\d{4}-[A-Z]{2,3}",
    "Switzerland": rf"(?:{_CANTONS})[ \-]\d{{5,6}}|AG \d{{6}}",
    "Turkey": r"\d{2}[ \-][A-Z]{2,3}[ \-]\d{3,4}",
}
IN_CAPITALS = rf"(?:^|[^A-Z0-9\-])(?:{'|'.join(_CAPITALS.values())})(?:[^A-Z0-9\-]|$)"
NOT_PLATES = frozenset(
    "h e er m km kg l cm mm min bis ter rue av ave bd pl all imp che tra crs de du a et ou au s c "
    "eme ans mn g t x n no sur place p kw w v".split()
)
# A day and an hour are digits enough for a telephone, and nobody writes one so: a whole moment is
# taken away before one is looked for. What may go on as a number (« 12/05/24 06:12:34:56:78 ») is
# no moment, and stays; so does a moment of bare digits that other digits follow.
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR = r"(?:19|20)\d{2}"
_DATE = rf"(?:{_DAY}[/.\-]{_DAY}[/.\-]{_YEAR}|{_YEAR}[/.\-_]{_DAY}[/.\-_]{_DAY})"
_MONTH = (
    r"(?:jan(?:uary|vier|uar)?|feb(?:ruary|ruar)?|fevr?(?:ier)?|mar(?:ch|s|z)?|apr(?:il)?|avr(?:il)?"
    r"|may|mai|june?|juin|juni|july?|juil(?:let)?|juli|aug(?:ust)?|aout|sept?(?:ember|embre)?"
    r"|o[ck]t(?:ober|obre)?|nov(?:ember|embre)?|de[cz](?:ember|embre)?)"
)
# A day whose month is a word, which may be a first name (« April »).
WORDED_DAY = (
    rf"\b(?:{_DAY}(?:er|st|nd|rd|th)?[.\s\-]{{1,2}}{_MONTH}\b\.?,?[\s\-]{_YEAR}"
    rf"|{_MONTH}\b\.?\s{_DAY}(?:st|nd|rd|th)?,?\s{_YEAR})\b"
)
_HOUR = r"(?:[01]?\d|2[0-4])"
_CLOCK = (
    rf"{_HOUR}\s?[:h]\s?[0-5]\d(?::[0-5]\d(?:[.,]\d{{1,9}})?)?(?:\s?[ap]\.?m)?"
    r"(?:\s?(?:z|utc|gmt|uhr|h)\b|[+\-](?:00|[01]\d:?(?:00|30|45)))?"
)
_THEN = r"(?:\s?[,;|_\-]\s?|\s?(?:a|t|at|um)\s?|\s)"
MOMENT = (
    rf"(?:\b(?:{_DATE}|{_DAY}[/.\-]{_DAY}[/.\-]\d{{2}}|{WORDED_DAY}){_THEN}{_CLOCK}"
    rf"|\b{_CLOCK}(?:\s?[,;|\-]\s?|\s(?:le\s)?){_DATE}"
    rf"|^{_DATE}\s{_HOUR}(?:\.[0-5]\d)?$|^{_DAY} {_DAY} {_YEAR} {_HOUR} [0-5]\d$"
    rf"|^{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[t _\-]?[0-2]\d[0-5]\d(?:[0-5]\d)?$)"
    r"(\s*\.?\s*(?:$|[^0-9:.\s]))"
    r"|\b\d{1,2}[/.\-]\d{1,2}[/.\-](?:19|20)\d{2},? ?(?:a |t)?\d{1,2}[:h]\d{2}\b"
    r"|\b(?:19|20)\d{2}-\d{2}-\d{2}"
    r"(?:[t ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:z|[+\-]\d{2}:?\d{2})?)?"
    r"|^(?:[01]?\d|2[0-4])\s?h\s?[0-5]\d$"
)
SPOKEN = (
    r"\b(?:je|j'ai|j|il|elle|ils|elles|nous|vous|on|m'a|s'est|c'est|est|sont|etait|etaient|avait"
    r"|ont|a ete|declare|signale|refuse|demande|habite|dit|indique|precise|vient|veut|fait|voisin"
    r"|voisine|mon|ma|mes|son|sa|ses|leur|merci|bonjour|svp)\b"
)
